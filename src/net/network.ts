/**
 * Network: the port behind sockets. A backend (Deno's sockets, Node's, memory, a simulation)
 * implements it; the socket classes do not see which.
 *
 * Everything is a callback: the socket classes turn calls into waits. The rules that a backend
 * keeps:
 * - What a `RawStream` or `RawListener` was asked for is answered once, by the event named, at once
 *   or later. Nothing is answered unasked, and after `close` nothing needs to be answered.
 * - Failures are told by a POSIX code, with the host's own error beside it.
 * - An attempt (listen, connect) gives a function that abandons it; what is opened all the same is
 *   closed by who asked.
 *
 * Independent of: loops, tasks, cancellation.
 */
import type { RawReceiveStream, RawSendStream } from "../bytes/raw_stream.ts";
import type { Address, NetAddress, UnixAddress } from "../stream.ts";

export { LINGER, type ReceiveEvents, type SendEvents } from "../bytes/raw_stream.ts";

/**
 * Told the result of listening or connecting: one call.
 *
 * @example
 * ```ts
 * import type { Attempt, RawListener } from "jsr:@broomio/core/net";
 * import { memoryNetwork } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // The port of a backend, as a promise.
 * function promiseOf<T>(begin: (attempt: Attempt<T>) => void): Promise<T> {
 *   return new Promise((resolve, reject) => {
 *     begin({ opened: resolve, failed: (code, cause) => reject(new Error(code, { cause })) });
 *   });
 * }
 * const target = { hostname: "mail.test", port: 25, backlog: 1, reusePort: false };
 * const network = memoryNetwork();
 * const raw = await promiseOf<RawListener>((attempt) => network.listenTcp(target, attempt));
 * assertEquals(raw.localAddr, { transport: "tcp", hostname: "mail.test", port: 25 });
 * ```
 */
export interface Attempt<T> {
  /** It worked. */
  opened(raw: T): void;
  /** It did not: a POSIX code, and the host's error. */
  failed(code: string, cause: unknown): void;
}

/**
 * One connection of a backend.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type RawStream, TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { useNetwork } from "jsr:@broomio/core/net";
 * import { memoryNetwork } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const log: string[] = [];
 * function spy(raw: RawStream): RawStream {
 *   raw.setKeepAlive = (on) => void log.push(`keepAlive: ${on}`);
 *   return raw;
 * }
 * const network = memoryNetwork();
 * const connect = network.connectTcp.bind(network);
 * network.connectTcp = (target, attempt) =>
 *   connect(target, {
 *     opened: (raw) => attempt.opened(spy(raw)),
 *     failed: (code, cause) => attempt.failed(code, cause),
 *   });
 *
 * const loop = new Loop();
 * useNetwork(loop, network);
 * await loop.run(function* () {
 *   using listener = yield* TcpListenSocket.listen({ port: 25 });
 *   using _ = yield* TcpClientSocket.connect({ ...listener.localAddr, keepAlive: true });
 * }());
 * assertEquals(log, ["keepAlive: true"]);
 * ```
 */
export interface RawStream extends RawReceiveStream, RawSendStream {
  /** This end. */
  readonly localAddr: Address;
  /** The other end. */
  readonly remoteAddr: Address;
  /** Whether small messages go out at once (TCP_NODELAY). */
  setNoDelay(on: boolean): void;
  /** Whether a silent peer is probed (SO_KEEPALIVE). */
  setKeepAlive(on: boolean): void;
}

/**
 * What a {@linkcode RawListener} answers.
 *
 * @example
 * ```ts
 * import type { RawListenerEvents } from "jsr:@broomio/core/net";
 * import { memoryNetwork } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const network = memoryNetwork();
 * let connections = 0;
 * const failed = (code: string) => {
 *   throw new Error(code);
 * };
 * network.listenTcp({ hostname: "mail.test", port: 25, backlog: 1, reusePort: false }, {
 *   failed,
 *   opened(listener) {
 *     const events: RawListenerEvents = {
 *       accepted(raw) {
 *         connections++;
 *         raw.close();
 *         listener.accept(); // the next one
 *       },
 *       acceptFailed: failed,
 *     };
 *     listener.events = events;
 *     listener.accept();
 *   },
 * });
 * const client = { opened() {}, failed };
 * network.connectTcp({ hostname: "mail.test", port: 25 }, client);
 * network.connectTcp({ hostname: "mail.test", port: 25 }, client);
 * assertEquals(connections, 2);
 * ```
 */
export interface RawListenerEvents {
  /** Answers `accept`. */
  accepted(raw: RawStream): void;
  /** Answers `accept`: it failed. */
  acceptFailed(code: string, cause: unknown): void;
}

/**
 * A listening socket of a backend.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type RawListener, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // What a backend gives: here one at which nobody ever connects.
 * const raw: RawListener = {
 *   localAddr: { transport: "tcp", hostname: "127.0.0.1", port: 7 },
 *   events: { accepted() {}, acceptFailed() {} }, // set by the socket
 *   accept() {},
 *   close() {},
 * };
 * using listener = new TcpListenSocket(raw);
 * assertEquals(listener.localAddr.port, 7);
 * ```
 */
export interface RawListener {
  /** Where it listens. */
  readonly localAddr: Address;
  /** As for {@linkcode RawStream}. */
  readonly isInLoop?: boolean;
  /** Where answers go; set before anything is asked. */
  events: RawListenerEvents;
  /** Asks for one connection. One at a time. */
  accept(): void;
  /** Stops listening; connections that nobody asked for are closed. */
  close(): void;
}

/**
 * Where a TCP listener is to listen.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { TcpListenSocket, type TcpListenTarget, useNetwork } from "jsr:@broomio/core/net";
 * import { memoryNetwork } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const targets: TcpListenTarget[] = []; // what a program listens at
 * const network = memoryNetwork();
 * const listen = network.listenTcp.bind(network);
 * network.listenTcp = (target, attempt) => {
 *   targets.push(target);
 *   return listen(target, attempt);
 * };
 * const loop = new Loop();
 * useNetwork(loop, network);
 * using _ = await loop.run(TcpListenSocket.listen({ hostname: "mail.test", port: 25 }));
 * assertEquals(targets, [{ hostname: "mail.test", port: 25, backlog: 511, reusePort: false }]);
 * ```
 */
export interface TcpListenTarget {
  /** A name or an IP address. */
  readonly hostname: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** How many connections the system holds until they are accepted. */
  readonly backlog: number;
  /** Whether several processes may listen there (SO_REUSEPORT). */
  readonly reusePort: boolean;
}

/**
 * What a {@linkcode RawDatagram} tells, unasked.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type DatagramEvents, type RawDatagram, UdpSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * class Clock implements RawDatagram { // tells the time to whoever sends it anything
 *   events!: DatagramEvents;
 *   readonly localAddr = { transport: "udp", hostname: "127.0.0.1", port: 37 } as const;
 *   send(_bytes: Uint8Array, _target: unknown, done: () => void) {
 *     done();
 *     this.events.arrived(new TextEncoder().encode("12:00"), this.localAddr);
 *   }
 *   close() {}
 * }
 * await new Loop().run(function* () {
 *   using socket = new UdpSocket(new Clock());
 *   yield* socket.sendTo(new Uint8Array(0), socket.localAddr);
 *   assertEquals(new TextDecoder().decode((yield* socket.recvFrom()).bytes), "12:00");
 * }());
 * ```
 */
export interface DatagramEvents {
  /** A message has arrived; the bytes are for good. */
  arrived(bytes: Uint8Array, from: NetAddress): void;
  /** The socket failed, and tells nothing more. */
  broke(code: string, cause: unknown): void;
}

/**
 * A UDP socket of a backend.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type DatagramEvents, type RawDatagram, UdpSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * class Lossy implements RawDatagram { // no message ever arrives
 *   events!: DatagramEvents;
 *   sent = 0;
 *   readonly localAddr = { transport: "udp", hostname: "127.0.0.1", port: 9 } as const;
 *   send(_bytes: Uint8Array, _target: unknown, done: () => void) {
 *     this.sent++;
 *     done();
 *   }
 *   close() {}
 * }
 * const raw = new Lossy();
 * using socket = new UdpSocket(raw);
 * await new Loop().run(socket.sendTo(new Uint8Array([1]), socket.localAddr));
 * assertEquals(raw.sent, 1);
 * ```
 */
export interface RawDatagram {
  /** Where it receives. */
  readonly localAddr: NetAddress;
  /** Where messages go; set as soon as it is opened. */
  events: DatagramEvents;
  /**
   * Sends one message and calls back: without a code where it is on its way. The bytes stay as they
   * are.
   */
  send(
    bytes: Uint8Array,
    target: Pick<NetAddress, "hostname" | "port">,
    done: (code?: string, cause?: unknown) => void,
  ): void;
  /** Ends it. */
  close(): void;
}

/**
 * The sockets of one runtime, or what stands in for them.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type Network, TcpClientSocket, useNetwork } from "jsr:@broomio/core/net";
 * import { memoryNetwork } from "jsr:@broomio/core/testing";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const network: Network = memoryNetwork();
 * network.connectTcp = (_target, attempt) => attempt.failed("ENETUNREACH", undefined); // a fault
 * const loop = new Loop();
 * useNetwork(loop, network);
 * await assertRejects(
 *   () => loop.run(TcpClientSocket.connect({ hostname: "mail.test", port: 25 })),
 *   Error,
 *   "ENETUNREACH",
 * );
 * ```
 */
export interface Network {
  /** Binds a UDP socket; absent where there is none. */
  bindUdp?(target: Pick<NetAddress, "hostname" | "port">, attempt: Attempt<RawDatagram>): void;
  /** Listens to TCP. */
  listenTcp(target: TcpListenTarget, attempt: Attempt<RawListener>): (() => void) | void;
  /** Connects by TCP. */
  connectTcp(
    target: Pick<NetAddress, "hostname" | "port">,
    attempt: Attempt<RawStream>,
  ): (() => void) | void;
  /** Listens to a Unix socket. */
  listenUnix(
    target: Pick<UnixAddress, "path">,
    attempt: Attempt<RawListener>,
  ): (() => void) | void;
  /** Connects to a Unix socket. */
  connectUnix(target: Pick<UnixAddress, "path">, attempt: Attempt<RawStream>): (() => void) | void;
  /** Removes a path that is a socket, and nothing else; says whether it was one. */
  removeSocket(path: string): boolean;
}
