/**
 * `Deno.serve` behind the port of `serveHttp`.
 */
import type {
  FetchHandler,
  HttpAddress,
  Listen,
  ListenTarget,
  ServerEvents,
} from "../server_port.ts";

/** What is used of `Deno`. */
interface DenoServe {
  serve(
    options: Record<string, unknown>,
    handler: FetchHandler,
  ): { addr: HttpAddress; shutdown(): Promise<void>; finished: Promise<void> };
}

/** The server of Deno; undefined elsewhere. */
export function denoServer(): Listen<FetchHandler> | undefined {
  const deno = (globalThis as unknown as { Deno?: Partial<DenoServe> }).Deno;
  if (typeof deno?.serve !== "function") return undefined;
  return (target, handler, events) => listen(deno as DenoServe, target, handler, events);
}

function listen(
  deno: DenoServe,
  target: ListenTarget,
  handler: FetchHandler,
  events: ServerEvents,
): void {
  const { native, ...rest } = target;
  const end = new AbortController();
  let server: ReturnType<DenoServe["serve"]>;
  try {
    server = deno.serve({ ...native, ...rest, signal: end.signal, onListen() {} }, handler);
  } catch (error) {
    return events.failed(error);
  }
  const { hostname, port } = server.addr;
  let draining = false;
  server.finished.then(() => events.ended(), () => events.ended());
  events.listening({
    addr: { hostname, port },
    drain() {
      draining = true;
      void server.shutdown();
    },
    kill() {
      // A server that drains cannot be ended in any other way: the signal would throw where nobody
      // can catch it, and end the program. What is left then are connections whose client takes
      // nothing, without a request.
      if (!draining) end.abort();
    },
  });
}
