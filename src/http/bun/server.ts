/**
 * `Bun.serve` behind the port of `serveHttp`.
 */
import type {
  FetchHandler,
  HttpAddress,
  Listen,
  ListenTarget,
  ServerEvents,
} from "../server_port.ts";

interface BunServer {
  hostname: string;
  port: number;
  stop(now?: boolean): Promise<void>;
  requestIP(request: Request): { address: string; port: number } | null;
}

/** What is used of `Bun`. */
interface BunServe {
  serve(options: Record<string, unknown>): BunServer;
}

/** The server of Bun; undefined elsewhere. */
export function bunServer(): Listen<FetchHandler> | undefined {
  const bun = (globalThis as unknown as { Bun?: Partial<BunServe> }).Bun;
  if (typeof bun?.serve !== "function") return undefined;
  return (target, handler, events) => listen(bun as BunServe, target, handler, events);
}

/** Asks for the address only where it is wanted. */
class Info {
  readonly #server: BunServer;
  readonly #request: Request;

  constructor(server: BunServer, request: Request) {
    this.#server = server;
    this.#request = request;
  }

  get remoteAddr(): HttpAddress | undefined {
    const found = this.#server.requestIP(this.#request);
    return found === null ? undefined : { hostname: found.address, port: found.port };
  }
}

function listen(
  bun: BunServe,
  target: ListenTarget,
  handler: FetchHandler,
  events: ServerEvents,
): void {
  const { native, cert, key, hostname, port } = target;
  let server: BunServer;
  try {
    server = bun.serve({
      ...native,
      hostname,
      port,
      ...cert !== undefined && { tls: { cert, key } },
      fetch: (request: Request, server: BunServer) => handler(request, new Info(server, request)),
    });
  } catch (error) {
    return events.failed(error);
  }
  let stopping: Promise<void> | undefined;
  const stop = (now: boolean): void => {
    const done = server.stop(now);
    if (stopping === undefined || now) {
      stopping = done;
      done.then(() => events.ended(), () => events.ended());
    }
  };
  events.listening({
    addr: { hostname: server.hostname, port: server.port },
    drain: () => stop(false),
    kill: () => stop(true),
  });
}
