/**
 * node_types: what is used of Node's streams, as far as the adapter of processes knows them.
 */

/** What is used of an event emitter. */
export interface Emitter {
  // deno-lint-ignore no-explicit-any -- as Node declares it: each event has arguments of its own
  on(event: string, listener: (...args: any[]) => void): unknown;
}

/** What is used of a `stream.Readable`. */
export interface Readable extends Emitter {
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

/** What is used of a `stream.Writable`. */
export interface Writable extends Emitter {
  write(bytes: Uint8Array, done?: (error?: unknown) => void): boolean;
  readonly writableLength: number;
  readonly destroyed: boolean;
  end(done: (error?: unknown) => void): unknown;
  destroy(): unknown;
}

/** What is used of the class `net.Socket`. */
export type SocketClass = new (options: Record<string, unknown>) => Readable;
