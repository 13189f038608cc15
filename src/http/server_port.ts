/**
 * The port behind `serveHttp`: the HTTP server of a runtime. Adapters implement it.
 *
 * Everything is a callback. The rules an adapter keeps: `listening` or `failed` is told once, at
 * once or later; `ended` once after `listening`; `kill` also ends what `drain` waits for.
 * Independent of: loops, tasks, coroutines.
 */

/** Where a server listens. */
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

/** What the server tells of a request beside the request itself. */
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
