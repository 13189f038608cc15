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

/** Told the result of listening or connecting: one call. */
export interface Attempt<T> {
  /** It worked. */
  opened(raw: T): void;
  /** It did not: a POSIX code, and the host's error. */
  failed(code: string, cause: unknown): void;
}

/** One connection of a backend. */
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

/** What a {@linkcode RawListener} answers. */
export interface RawListenerEvents {
  /** Answers `accept`. */
  accepted(raw: RawStream): void;
  /** Answers `accept`: it failed. */
  acceptFailed(code: string, cause: unknown): void;
}

/** A listening socket of a backend. */
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

/** Where a TCP listener is to listen. */
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

/** What a {@linkcode RawDatagram} tells, unasked. */
export interface DatagramEvents {
  /** A message has arrived; the bytes are for good. */
  arrived(bytes: Uint8Array, from: NetAddress): void;
  /** The socket failed, and tells nothing more. */
  broke(code: string, cause: unknown): void;
}

/** A UDP socket of a backend. */
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

/** The sockets of one runtime, or what stands in for them. */
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
