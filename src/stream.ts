/**
 * stream: what sockets, memory streams and simulated streams have in common: streams of bytes,
 * listeners, datagrams. Interfaces alone.
 *
 * Invariant of all: one reader and one writer at a time; a cancelled receive or accept loses
 * nothing (R37, R38). Independent of: a network, a runtime.
 */
import type { Operation } from "./kernel/coroutine.ts";
import type { Nursery } from "./kernel/nursery.ts";
import type { Task } from "./kernel/task.ts";

/**
 * An address of TCP or UDP.
 *
 * @example
 * ```ts
 * import type { NetAddress } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const show = ({ hostname, port }: NetAddress) =>
 *   hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
 * assertEquals(show({ transport: "tcp", hostname: "::1", port: 80 }), "[::1]:80");
 * ```
 */
export interface NetAddress {
  /** What speaks there. */
  readonly transport: "tcp" | "udp";
  /** A name or an IP address. */
  readonly hostname: string;
  /** 0 to 65,535. */
  readonly port: number;
}

/**
 * The address of a Unix socket.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type UnixAddress, UnixListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const path = `/tmp/example-${crypto.randomUUID()}.sock`;
 * await new Loop().run(function* () {
 *   using listener = yield* UnixListenSocket.listen({ path });
 *   const address: UnixAddress = listener.localAddr; // connect(address)
 *   assertEquals(address, { transport: "unix", path });
 * }());
 * ```
 */
export interface UnixAddress {
  /** What speaks there. */
  readonly transport: "unix";
  /** The path in the file system; empty for the unnamed end of a client. */
  readonly path: string;
}

/**
 * Where one end of a stream is.
 *
 * @example
 * ```ts
 * import type { Address } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function show(address: Address): string {
 *   if (address.transport === "unix") return address.path;
 *   return `${address.hostname}:${address.port}`;
 * }
 * assertEquals(show({ transport: "unix", path: "/run/db.sock" }), "/run/db.sock");
 * assertEquals(show({ transport: "tcp", hostname: "localhost", port: 80 }), "localhost:80");
 * ```
 */
export type Address = NetAddress | UnixAddress;

/**
 * The end of a pipe: a stream of a process.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type PipeAddress, Process, SocketError } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(function* () {
 *   const child = yield* Process.start("true", [], { stdin: "pipe" });
 *   yield* child.wait(); // it reads nothing
 *   try {
 *     yield* child.stdin.send(new Uint8Array(1_000_000));
 *   } catch (error) {
 *     if (!(error instanceof SocketError)) throw error;
 *     const { transport, name } = error.address as PipeAddress;
 *     assertEquals([error.code, transport, name], ["EPIPE", "pipe", 'stdin of "true"']);
 *   }
 * }());
 * ```
 */
export interface PipeAddress {
  /** What speaks there. */
  readonly transport: "pipe";
  /** Which end it is, for messages: `stdin of "cat"`. */
  readonly name: string;
}

/**
 * Where one end of a stream of any kind is.
 *
 * @example
 * ```ts
 * import type { StreamPlace } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // The other end, in a SocketError: of a connection, or of a pipe.
 * function isLocal(place: StreamPlace): boolean {
 *   if (place.transport === "pipe" || place.transport === "unix") return true;
 *   return place.hostname === "127.0.0.1";
 * }
 * assertEquals(isLocal({ transport: "tcp", hostname: "127.0.0.1", port: 80 }), true);
 * ```
 */
export type StreamPlace = Address | PipeAddress;

/**
 * The half of a stream that receives.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import type { ReceiveStream } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // From a socket, a process, or any other stream.
 * function* countBytes(stream: ReceiveStream) {
 *   let count = 0;
 *   const buffer = new Uint8Array(4096);
 *   for (let n = yield* stream.recvInto(buffer); n; n = yield* stream.recvInto(buffer)) count += n;
 *   return count;
 * }
 * const [client, server] = memoryStreamPair();
 * await new Loop().run(function* () {
 *   yield* client.send(new Uint8Array(10_000));
 *   yield* client.shutdown();
 *   assertEquals(yield* countBytes(server), 10_000);
 * }());
 * ```
 */
export interface ReceiveStream {
  /**
   * Waits for bytes: at least one, at most `max`; `null` at the end. They are the caller's to keep.
   * A checkpoint. A cancelled receive loses no bytes: the next one gets them.
   *
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If this end was closed.
   * @throws {BrokenResourceError} If the other end vanished; on a socket that is a `SocketError`.
   */
  recv(max?: number): Operation<Uint8Array<ArrayBuffer> | null>;

  /**
   * Waits for bytes and copies them to the start of `buffer`; gives how many, or `null` at the end.
   * A checkpoint. A cancelled receive never touches the buffer.
   *
   * @throws {RangeError} If the buffer has no room.
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If this end was closed.
   * @throws {BrokenResourceError} If the other end vanished; on a socket that is a `SocketError`.
   */
  recvInto(buffer: Uint8Array): Operation<number | null>;

  /**
   * Waits for bytes and gives a view of them where they are: at least one, at most `max`; `null` at
   * the end. The view is valid until the next receive on this stream is begun, cancelled or not:
   * copy what is to stay. No copy is made where the runtime allows that. A checkpoint. A cancelled
   * receive loses no bytes: the next one gets them.
   *
   * @throws {RangeError} If `max` is less than 1.
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If this end was closed.
   * @throws {BrokenResourceError} If the other end vanished; on a socket that is a `SocketError`.
   */
  recvView(max?: number): Operation<Uint8Array<ArrayBuffer> | null>;
}

/**
 * The half of a stream that sends.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { BufferedReader, type SendStream } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // To a socket, a process, or any other stream.
 * function* sendLine(stream: SendStream, line: string) {
 *   yield* stream.send(new TextEncoder().encode(`${line}\n`));
 * }
 * const [client, server] = memoryStreamPair();
 * await new Loop().run(function* () {
 *   yield* sendLine(client, "hello");
 *   assertEquals(yield* new BufferedReader(server).readLine(), "hello");
 * }());
 * ```
 */
export interface SendStream {
  /**
   * Sends all of `bytes`, waiting while the other end takes nothing. A checkpoint. Do not change
   * the bytes before it is done. Cancelled before anything was written, it did not happen.
   * Cancelled later, a part was sent: the sending side is then broken, and says so at the next
   * send.
   *
   * @throws {BusyResourceError} If another task is sending.
   * @throws {ClosedResourceError} If this end was closed or shut down.
   * @throws {BrokenResourceError} If the other end takes no more; on a socket that is a
   * `SocketError`; or a send was cancelled half way.
   */
  send(bytes: Uint8Array): Operation<void>;

  /**
   * Says that nothing more will be sent: the other end gets `null` after what was sent. Receiving
   * goes on. A checkpoint. Twice is once.
   *
   * @throws {BusyResourceError} If another task is sending.
   * @throws {ClosedResourceError} If this end was closed.
   */
  shutdown(): Operation<void>;
}

/**
 * Bytes in order, both ways.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import type { ByteStream } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // For TCP, Unix sockets, TLS, and for memory in tests.
 * function* echo(stream: ByteStream) {
 *   using _ = stream; // closes it at the end
 *   for (let bytes = yield* stream.recv(); bytes !== null; bytes = yield* stream.recv()) {
 *     yield* stream.send(bytes);
 *   }
 * }
 * const [client, server] = memoryStreamPair();
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(echo(server));
 *   yield* client.send(new TextEncoder().encode("hello"));
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   client.close();
 * }));
 * ```
 */
export interface ByteStream extends ReceiveStream, SendStream, Disposable {
  /**
   * Ends both directions at once; whoever waits in one gets a `ClosedResourceError`. Never waits or
   * throws; twice is once.
   */
  close(): void;
}

/**
 * What serves one connection. The stream is closed when it ends, however it ends.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import type { ByteStream, Handler } from "jsr:@broomio/core/net";
 * import { MemoryListener } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const greet: Handler<ByteStream> = function* (stream) {
 *   yield* stream.send(new TextEncoder().encode("hello"));
 * }; // here the stream is closed
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   using listener = new MemoryListener();
 *   nursery.startSoon(listener.serve(greet));
 *   using client = yield* listener.connect();
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   nursery.cancel();
 * }));
 * ```
 */
export type Handler<S> = (stream: S) => Operation<unknown>;

/**
 * Options of {@linkcode Listener.serve}.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import type { ServeOptions } from "jsr:@broomio/core/net";
 * import { MemoryListener } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const errors: string[] = [];
 * const options: ServeOptions = {
 *   maxConnections: 1000,
 *   onError: (error) => void errors.push(String(error)), // and serving goes on
 * };
 * function* broken() {
 *   throw new Error("a bug in the handler");
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   using listener = new MemoryListener();
 *   nursery.startSoon(listener.serve(broken, options));
 *   using client = yield* listener.connect();
 *   assertEquals(yield* client.recv(), null); // closed
 *   nursery.cancel();
 * }));
 * assertEquals(errors, ["Error: a bug in the handler"]);
 * ```
 */
export interface ServeOptions {
  /**
   * How many connections are served at once; further ones wait unread, in the system's backlog
   * where the runtime leaves them there. By default there is no limit.
   */
  maxConnections?: number;
  /**
   * Called with what a handler threw; by default the loop's `onWarning` is told. Serving goes on.
   * `"throw"` stops the server with the first error instead, all connections with it; so does what
   * the function itself throws.
   */
  onError?: "throw" | ((error: unknown, remoteAddr: Address) => void);
}

/**
 * What connections arrive at.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import type { ByteStream, Listener } from "jsr:@broomio/core/net";
 * import { MemoryListener } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // A TcpListenSocket in the program, a MemoryListener in its tests.
 * function* serveOne(listener: Listener<ByteStream>) {
 *   using stream = yield* listener.accept();
 *   yield* stream.send(new TextEncoder().encode("hello"));
 * }
 * await new Loop().run(function* () {
 *   using listener = new MemoryListener();
 *   using client = yield* listener.connect();
 *   yield* serveOne(listener);
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 * }());
 * ```
 */
export interface Listener<S extends ByteStream> extends Disposable {
  /** Where it listens. */
  readonly localAddr: Address;

  /**
   * Waits for a connection. A checkpoint. A cancelled accept loses none: the next accept gets it.
   *
   * @throws {BusyResourceError} If another task is accepting.
   * @throws {ClosedResourceError} If the listener was closed.
   */
  accept(): Operation<S>;
  /**
   * Waits for a connection and starts its handler as a child of `nursery`. A `SocketError` of the
   * connection's own ends that connection only; any other error goes to the nursery.
   */
  accept(nursery: Nursery, handler: Handler<S>): Operation<Task>;

  /**
   * Serves connections, each in a task of its own, until it is cancelled or the listener is closed;
   * then it returns once the handlers have ended. What a handler throws goes to `onError`, and
   * serving goes on. A checkpoint.
   */
  serve(handler: Handler<S>, options?: ServeOptions): Operation<void>;

  /**
   * Stops listening; whoever accepts gets a `ClosedResourceError`. Connections go on. Never waits
   * or throws; twice is once.
   */
  close(): void;
}

/**
 * Messages with an address each: what a UDP socket sends and receives. Each arrives whole, or not
 * at all.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type Datagram, UdpSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // Answers one message with the same.
 * function* echoOne(socket: Datagram) {
 *   const { bytes, address } = yield* socket.recvFrom();
 *   yield* socket.sendTo(bytes, address);
 * }
 * await new Loop().run(function* () {
 *   using server = yield* UdpSocket.bind({ hostname: "127.0.0.1" });
 *   using client = yield* UdpSocket.bind({ hostname: "127.0.0.1" });
 *   yield* client.sendTo(new TextEncoder().encode("hello"), server.localAddr);
 *   yield* echoOne(server);
 *   assertEquals(new TextDecoder().decode((yield* client.recvFrom()).bytes), "hello");
 * }());
 * ```
 */
export interface Datagram extends Disposable {
  /** Where it receives. */
  readonly localAddr: NetAddress;

  /**
   * Waits for a message; it is the caller's to keep. A checkpoint. A cancelled receive loses none.
   *
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If the socket was closed.
   */
  recvFrom(): Operation<{ bytes: Uint8Array<ArrayBuffer>; address: NetAddress }>;

  /**
   * Waits for a message and copies it to the start of `buffer`; what does not fit is lost, and
   * `size` tells. A checkpoint. Cancelled, it never touches the buffer.
   *
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If the socket was closed.
   */
  recvFromInto(
    buffer: Uint8Array,
  ): Operation<{ count: number; size: number; address: NetAddress }>;

  /**
   * Sends one message. A checkpoint. Whether it arrives is not known.
   *
   * @throws {ClosedResourceError} If the socket was closed.
   */
  sendTo(bytes: Uint8Array, address: { hostname: string; port: number }): Operation<void>;

  /** Ends it; whoever waits gets a `ClosedResourceError`. Never waits or throws; twice is once. */
  close(): void;
}
