/**
 * runtime_types: Deno's and Node's objects, as far as sockets use them. So no type of a runtime is
 * needed, and anything that looks like one can be adopted.
 */

/**
 * What we use of a `Deno.Conn`.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type DenoConn, fromDeno } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* greet(conn: DenoConn) {
 *   using stream = fromDeno(conn);
 *   yield* stream.send(new TextEncoder().encode("hello"));
 * }
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const accepted = listener.accept();
 * using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
 * await new Loop().run(greet(await accepted));
 * assertEquals(await client.read(new Uint8Array(100)), 5); // bytes
 * ```
 */
export interface DenoConn {
  /** This end. */
  readonly localAddr: unknown;
  /** The other end. */
  readonly remoteAddr: unknown;
  /** Reads into `buffer`; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the sending direction. */
  closeWrite(): Promise<void>;
  /** Ends both. */
  close(): void;
  /** TCP only. */
  setNoDelay?(on?: boolean): void;
  /** TCP only. */
  setKeepAlive?(on?: boolean): void;
}

/**
 * What we use of a `Deno.Listener`.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { type DenoListener, fromDeno, TcpClientSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* greetAll(given: DenoListener) {
 *   using listener = fromDeno(given);
 *   yield* listener.serve((stream) => stream.send(new TextEncoder().encode("hello")));
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const given = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 *   nursery.startSoon(greetAll(given));
 *   using client = yield* TcpClientSocket.connect({ port: given.addr.port });
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   nursery.cancel(); // and the listener is closed
 * }));
 * ```
 */
export interface DenoListener {
  /** Where it listens. */
  readonly addr: unknown;
  /** Waits for a connection. */
  accept(): Promise<DenoConn>;
  /** Stops listening. */
  close(): void;
  /** Does not keep the process alive any more. */
  unref?(): void;
}

/**
 * What we use of a `net.Socket`.
 *
 * @example
 * ```ts
 * import { connect } from "node:net";
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { fromNode, type NodeSocket, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* receiveFrom(socket: NodeSocket) {
 *   using stream = fromNode(socket);
 *   return new TextDecoder().decode((yield* stream.recv())!);
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   nursery.startSoon(listener.serve((stream) => stream.send(new TextEncoder().encode("hello"))));
 *   const { hostname, port } = listener.localAddr;
 *   assertEquals(yield* receiveFrom(connect(port, hostname)), "hello");
 *   nursery.cancel();
 * }));
 * ```
 */
export interface NodeSocket {
  /** The address of this end. */
  readonly localAddress?: string;
  /** The port of this end. */
  readonly localPort?: number;
  /** The address of the other end. */
  readonly remoteAddress?: string;
  /** The port of the other end. */
  readonly remotePort?: number;
  /** Whether it is of no use any more. */
  readonly destroyed: boolean;
  /** The error that it ended with, or null. */
  readonly errored?: unknown;
  /** The event `end` was told. */
  readonly readableEnded?: boolean;
  /** Bytes that were written and are not with the system. */
  readonly writableLength?: number;
  /** Calls `listener` at each event. */
  // deno-lint-ignore no-explicit-any -- as Node declares it: each event has arguments of its own
  on(event: string, listener: (...args: any[]) => void): unknown;
  /** Takes that back. */
  // deno-lint-ignore no-explicit-any -- as Node declares it: each event has arguments of its own
  removeListener(event: string, listener: (...args: any[]) => void): unknown;
  /** Stops delivering bytes. */
  pause(): unknown;
  /** Delivers bytes. */
  resume(): unknown;
  /** Sends all of `bytes`. */
  write(bytes: Uint8Array, done?: (error?: unknown) => void): boolean;
  /** Ends the sending direction. */
  end(done: () => void): unknown;
  /** Ends both. */
  destroy(): unknown;
  /** TCP only. */
  setNoDelay(on: boolean): unknown;
  /** TCP only. */
  setKeepAlive(on: boolean): unknown;
}

/**
 * What we use of a `net.Server`.
 *
 * @example
 * ```ts
 * import { createServer } from "node:net";
 * import { fromNode, type NodeServer } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * async function listening(server: NodeServer) {
 *   server.listen({ host: "127.0.0.1", port: 0 });
 *   await new Promise<void>((resolve) => server.on("listening", resolve));
 *   return fromNode(server);
 * }
 * using listener = await listening(createServer());
 * assertEquals(listener.localAddr.transport, "tcp");
 * ```
 */
export interface NodeServer {
  /** Whether it listens. */
  readonly listening?: boolean;
  /** Where it listens. */
  address(): { address: string; port: number } | string | null;
  /** Listens. */
  listen(options: Record<string, unknown>): unknown;
  /** Calls `listener` at each event. */
  // deno-lint-ignore no-explicit-any -- as Node declares it: each event has arguments of its own
  on(event: string, listener: (...args: any[]) => void): unknown;
  /** Takes that back. */
  // deno-lint-ignore no-explicit-any -- as Node declares it: each event has arguments of its own
  removeListener(event: string, listener: (...args: any[]) => void): unknown;
  /** Stops listening. */
  close(): unknown;
}

/**
 * How a runtime that has permissions is asked for them. Each gives the error of a missing one, or
 * null.
 */
export interface UdpPermissions {
  /** Asks whether a socket may be bound. */
  request(hostname: string, port: number): Error | null;
  /** Tells whether a message may be sent. */
  query(hostname: string, port: number): Error | null;
}

/** What we use of `node:net`. */
export interface NetModule {
  createServer(options: Record<string, unknown>): NodeServer;
  connect(options: Record<string, unknown>): NodeSocket;
  Socket: new (options: Record<string, unknown>) => NodeSocket;
}

/** What we use of `node:fs`. */
export interface FsModule {
  lstatSync(path: string): { isSocket(): boolean; dev: number; ino: number };
  existsSync(path: string): boolean;
  unlinkSync(path: string): void;
  renameSync(from: string, to: string): void;
}

/** What we use of the global object of Node. */
export interface BufferSlice {
  readonly Buffer: {
    from(memory: ArrayBufferLike, start: number, length: number): Uint8Array;
    concat(chunks: readonly Uint8Array[], size: number): Uint8Array;
  };
}

/** What we use of `process`. */
export interface ProcessSlice {
  readonly versions?: { readonly node?: string; readonly deno?: string; readonly bun?: string };
}
