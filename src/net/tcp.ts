/**
 * TCP: listening and connecting. Independent of: which backend it is.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { type Duration, toSeconds } from "../duration.ts";
import type { RawListener, RawStream } from "./network.ts";
import type { NetAddress } from "../stream.ts";
import { ListenSocket } from "./listen_socket.ts";
import { OpenWait } from "./open_wait.ts";
import { Socket } from "./socket.ts";

/** Options of {@linkcode TcpClientSocket}, however it came to be. */
export interface TcpOptions {
  /**
   * Small messages go out at once, instead of waiting for more (TCP_NODELAY). On by default:
   * without it a reply can take 40 ms.
   */
  noDelay?: boolean;
  /** The system probes a peer that is silent for hours (SO_KEEPALIVE). Off by default. */
  keepAlive?: boolean;
}

/** Options of {@linkcode TcpClientSocket.connect}. */
export interface TcpConnectOptions extends TcpOptions {
  /** A name or an IP address; by default `127.0.0.1`. */
  hostname?: string;
  /** 1 to 65,535. */
  port: number;
  /**
   * Fails with `ETIMEDOUT` after this long; by default when the system gives up, which takes
   * minutes.
   */
  timeout?: Duration;
}

/** Options of {@linkcode TcpListenSocket.listen}. */
export interface TcpListenOptions extends TcpOptions {
  /** A name or an IP address; by default `0.0.0.0`, all of IPv4. `::` is all of IPv4 and IPv6. */
  hostname?: string;
  /** 0 to 65,535; by default 0: any that is free, which `localAddr` tells. */
  port?: number;
  /** How many connections the system holds until they are accepted; by default 511. */
  backlog?: number;
  /**
   * Several processes may listen at the same port. On Deno this needs `--unstable-net`, on Node
   * 23.1.
   */
  reusePort?: boolean;
}

/**
 * A TCP connection: one that was made here, or one that a {@linkcode TcpListenSocket} accepted.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { TcpClientSocket } from "jsr:@broomio/core/net";
 *
 * function* fetchGreeting() {
 * using stream = yield* TcpClientSocket.connect({ hostname: "localhost", port: 2525, timeout: 5 });
 *   const bytes = yield* stream.recv();
 *   if (bytes !== null) console.log(new TextDecoder().decode(bytes));
 * }
 * if (import.meta.main) await new Loop().run(fetchGreeting());
 * ```
 */
export class TcpClientSocket extends Socket {
  /** This end of the connection. */
  declare readonly localAddr: NetAddress;
  /** The other end of the connection. */
  declare readonly remoteAddr: NetAddress;
  readonly #raw: RawStream;
  #noDelay: boolean;
  #keepAlive: boolean;

  /** Made by `connect` and `accept`; by hand over a raw stream of one's own. */
  constructor(raw: RawStream, options: TcpOptions = {}) {
    super(raw);
    this.#raw = raw;
    this.#noDelay = options.noDelay ?? true;
    this.#keepAlive = options.keepAlive ?? false;
    raw.setNoDelay(this.#noDelay);
    if (this.#keepAlive) raw.setKeepAlive(true);
  }

  /**
   * Connects. A checkpoint. Cancelled, nothing stays connected.
   *
   * @throws {SocketError} If that fails: `ECONNREFUSED`, `ETIMEDOUT`, `ENOTFOUND`...
   * @throws {RangeError} If the port or the timeout is none.
   */
  static connect(options: TcpConnectOptions): Operation<TcpClientSocket> {
    const { hostname = "127.0.0.1", timeout } = options;
    const port = checkPort(options.port, 1);
    const seconds = timeout === undefined ? Infinity : toSeconds(timeout);
    return connect({ transport: "tcp", hostname, port }, seconds, options);
  }

  /** Whether small messages go out at once (TCP_NODELAY). */
  get noDelay(): boolean {
    return this.#noDelay;
  }

  set noDelay(on: boolean) {
    this.#raw.setNoDelay(on);
    this.#noDelay = on;
  }

  /** Whether the system probes a silent peer (SO_KEEPALIVE). */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  set keepAlive(on: boolean) {
    this.#raw.setKeepAlive(on);
    this.#keepAlive = on;
  }
}

function* connect(
  address: NetAddress,
  timeout: number,
  options: TcpOptions,
): Coroutine<TcpClientSocket> {
  const raw = yield* new OpenWait<RawStream>(
    "Cannot connect to",
    address,
    (network, attempt) => network.connectTcp(address, attempt),
    timeout,
  );
  return new TcpClientSocket(raw, options);
}

/**
 * Listens for TCP connections.
 *
 * @example An echo server
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
 *
 * function* echo(stream: TcpClientSocket) {
 *   for (let bytes = yield* stream.recv(); bytes !== null; bytes = yield* stream.recv()) {
 *     yield* stream.send(bytes);
 *   }
 * }
 * function* main() {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 7777 });
 *   yield* listener.serve(echo);
 * }
 * if (import.meta.main) await new Loop().run(main());
 * ```
 */
export class TcpListenSocket extends ListenSocket<TcpClientSocket> {
  /** Where it listens; with port 0, this tells the port that was free. */
  declare readonly localAddr: NetAddress;

  /** Made by `listen`; by hand over a raw listener of one's own. */
  constructor(raw: RawListener, options: TcpOptions = {}) {
    super(raw, (stream) => new TcpClientSocket(stream, options));
  }

  /**
   * Begins to listen. A checkpoint.
   *
   * @throws {SocketError} If that fails: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`; `ENOTSUP` where
   * the runtime cannot do what `reusePort` asks for.
   * @throws {RangeError} If the port or the backlog is none.
   */
  static listen(options: TcpListenOptions = {}): Operation<TcpListenSocket> {
    const { hostname = "0.0.0.0", backlog = 511 } = options;
    const port = checkPort(options.port ?? 0, 0);
    if (!(Number.isInteger(backlog) && backlog > 0)) {
      throw new RangeError(`backlog is a whole number from 1, not ${backlog}`);
    }
    return listen({ transport: "tcp", hostname, port }, backlog, options);
  }
}

function* listen(
  address: NetAddress,
  backlog: number,
  options: TcpListenOptions,
): Coroutine<TcpListenSocket> {
  const { hostname, port } = address;
  const target = { hostname, port, backlog, reusePort: options.reusePort ?? false };
  const raw = yield* new OpenWait<RawListener>(
    "Cannot listen at",
    address,
    (network, attempt) => network.listenTcp(target, attempt),
  );
  return new TcpListenSocket(raw, options);
}

/** Checks a port. */
export function checkPort(port: number, least: number): number {
  if (Number.isInteger(port) && port >= least && port < 65536) return port;
  throw new RangeError(`A port is a whole number from ${least} to 65535, not ${port}`);
}
