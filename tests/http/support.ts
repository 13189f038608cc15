/**
 * What the tests of HTTP share: every way to serve requests in the web's form, and raw clients that break off where a real one may.
 */
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { CancelScope, type Coroutine, Loop, Nursery, type Operation, until } from "../../mod.ts";
import { type HttpAddress, serveHttp, type ServeHttpOptions } from "../../src/http/mod.ts";

/** A server in the web's form. */
export interface Kind {
  readonly name: string;
  serve(
    options: ServeHttpOptions,
    body: (request: Request) => Operation<Response>,
  ): Operation<void>;
}

const { Bun: bun, Deno: deno } = globalThis as unknown as { Bun?: unknown; Deno?: unknown };

/** The server of the runtime itself, where it has one. */
const own: Kind[] = bun !== undefined || deno !== undefined
  ? [{ name: deno !== undefined ? "Deno.serve" : "Bun.serve", serve: serveHttp }]
  : [];

/** Every server in the web's form that works here; Bun's own `node:http` is not asked. */
export const kinds: readonly Kind[] = bun !== undefined ? own : [...own, {
  name: "node:http with @hono/node-server",
  serve: (options, body) =>
    serveHttp({
      ...options,
      server: createServer(),
      toListener: getRequestListener,
    }, body),
}];

/** Runs a server for as long as `use` takes, then ends it; gives what that took in seconds. */
export async function withServer(
  serve: (onListen: (addr: HttpAddress) => void) => Operation<void>,
  use: (port: number, stop: () => void) => Promise<void>,
  loop: Loop = new Loop(),
): Promise<void> {
  await loop.run(Nursery.open(function* (nursery): Coroutine {
    const scoped = (started: (addr: HttpAddress) => void) =>
      CancelScope.open(function* (scope) {
        stop = () => scope.cancel("enough");
        yield* serve(started);
      });
    let stop!: () => void;
    const addr = yield* nursery.start<HttpAddress>(scoped);
    try {
      yield* until(use(addr.port, () => stop()));
    } finally {
      stop();
    }
  }));
}

/** A client that writes what it likes. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  ended = false;
  readonly #changed: Set<() => void> = new Set();

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    const changed = () => this.#changed.forEach((each) => each());
    this.socket.on("data", (bytes) => {
      this.received += bytes.toString("latin1");
      changed();
    });
    const end = () => {
      this.ended = true;
      changed();
    };
    this.socket.on("end", end);
    this.socket.on("close", end);
    this.socket.on("error", end);
  }

  /** Sends a request without a body, or with the beginning of one. */
  request(path: string, { method = "GET", headers = [] as string[], body = "" } = {}): this {
    const lines = [`${method} ${path} HTTP/1.1`, "host: localhost", ...headers, "", body];
    this.socket.write(lines.join("\r\n"));
    return this;
  }

  /** Waits until a condition holds; throws after some seconds. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + 30_000;
    while (!condition()) {
      if (performance.now() > deadline) {
        throw new Error(
          `${what}: not within 30 s; received ${JSON.stringify(this.received.slice(0, 500))}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, 20);
        const changed = this.#changed;
        function done(): void {
          clearTimeout(timer);
          changed.delete(done);
          resolve();
        }
        changed.add(done);
      });
    }
  }

  /** Waits for text. */
  receive(text: string): Promise<void> {
    return this.until(() => this.received.includes(text), `text ${JSON.stringify(text)}`);
  }

  /** Waits for the server's end of the connection. */
  end(): Promise<void> {
    return this.until(() => this.ended, "the end");
  }

  /** Breaks off: by a reset, as a client that is killed, or by a FIN. */
  async close(reset = false): Promise<void> {
    if (reset && typeof this.socket.resetAndDestroy === "function") this.socket.resetAndDestroy();
    else this.socket.destroy();
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once("close", resolve));
  }
}

/** Waits for something that happens soon. */
export async function soon(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The port of a server of Node's. */
export function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}

/**
 * Whether an error is that of an upload which was cut off, where Deno's `node:http` tells of the
 * client's going only after it: then the library cannot know, and takes it for a failure.
 */
export function isToldLate(place: string, error: unknown): boolean {
  return deno !== undefined && /node:http with/.test(place) && `${error}` === "Error: aborted";
}
