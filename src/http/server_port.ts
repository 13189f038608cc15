/**
 * The port behind `serveHttp`: the HTTP server of a runtime. Adapters implement it.
 *
 * Everything is a callback. The rules an adapter keeps: `listening` or `failed` is told once, at
 * once or later; `ended` once after `listening`; `kill` also ends what `drain` waits for.
 * Independent of: loops, tasks, coroutines.
 */

/**
 * Where a server listens.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { type HttpAddress, serveHttp } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const address = yield* nursery.start<HttpAddress>((onListen) =>
 *     serveHttp({ port: 0, onListen }, function* () {
 *       return new Response("hello");
 *     })
 *   );
 *   assertEquals(address.hostname, "127.0.0.1");
 *   nursery.cancel();
 * }));
 * ```
 */
export interface HttpAddress {
  /** An IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** What a server is asked for. */
export interface ListenTarget {
  readonly hostname: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Certificate and key, in PEM; both or none. */
  readonly cert?: string;
  readonly key?: string;
  /** Passed on to the runtime's server as they are. */
  readonly native: Readonly<Record<string, unknown>>;
}

/** A server that listens. */
export interface HttpServer {
  readonly addr: HttpAddress;
  /**
   * Stops accepting, ends idle connections, and the others as soon as their requests have ended.
   */
  drain(): void;
  /** Ends every connection. */
  kill(): void;
}

/** What an adapter tells. */
export interface ServerEvents {
  listening(server: HttpServer): void;
  /** It does not listen. */
  failed(error: unknown): void;
  /** The last connection is gone, and no other will come. */
  ended(): void;
}

/** Handles a request in the web's form. */
export type FetchHandler = (request: Request, info: HttpInfo) => Promise<Response>;

/**
 * What the server tells of a request beside the request itself.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { type HttpInfo, serveHttp } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* whoami(_request: Request, { remoteAddr }: HttpInfo) {
 *   return new Response(remoteAddr?.hostname ?? "unknown");
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const { port } = yield* nursery.start<{ port: number }>((onListen) =>
 *     serveHttp({ onListen }, whoami)
 *   );
 *   const response = yield* until(fetch(`http://127.0.0.1:${port}/`));
 *   assertEquals(yield* until(response.text()), "127.0.0.1");
 *   nursery.cancel();
 * }));
 * ```
 */
export interface HttpInfo {
  /** The other end of the connection; undefined where the runtime does not tell. */
  readonly remoteAddr: HttpAddress | undefined;
}

/** Begins to serve. */
export type Listen<Handler> = (
  target: ListenTarget,
  handler: Handler,
  events: ServerEvents,
) => void;
