/**
 * TCP: listening and connecting. Independent of: which backend it is.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { checkBoolean, checkInteger, checkOneOf, checkOptions } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import type { RawListener, RawStream, TcpListenTarget } from "./network.ts";
import type { NetAddress } from "../stream.ts";
import { checkHostname } from "./host_name.ts";
import { ListenSocket } from "./listen_socket.ts";
import { OpenWait } from "./open_wait.ts";
import { Socket } from "./socket.ts";

/** The largest backlog that fits what systems take for it. */
const MAX_BACKLOG = 2 ** 31 - 1;

/**
 * Options of {@linkcode TcpClientSocket}, however it is made.
 *
 * @example
 * ```ts
 * import { fromDeno, type TcpOptions } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: TcpOptions = { keepAlive: true, noDelay: true };
 * using listener = fromDeno(Deno.listen({ hostname: "127.0.0.1", port: 0 }), options);
 * assertEquals(listener.localAddr.transport, "tcp"); // its connections have these options
 * ```
 */
export interface TcpOptions {
  /**
   * Small messages go out at once, instead of waiting for more (TCP_NODELAY). On by default:
   * without it a reply can take 40 ms.
   */
  noDelay?: boolean;
  /** The system probes a peer that is silent for hours (SO_KEEPALIVE). Off by default. */
  keepAlive?: boolean;
}

/**
 * Options of {@linkcode TcpClientSocket.connect}.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { SocketError, TcpClientSocket, type TcpConnectOptions } from "jsr:@broomio/core/net";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const options: TcpConnectOptions = { hostname: "127.0.0.1", port: 1, timeout: 5 };
 * const connect = () => new Loop().run(TcpClientSocket.connect(options));
 * await assertRejects(connect, SocketError, "ECONNREFUSED");
 * ```
 */
export interface TcpConnectOptions extends TcpOptions {
  /** A name or an IP address; by default `127.0.0.1`. */
  hostname?: string;
  /** 1 to 65,535. */
  port: number;
  /** So that an address can be given as it is: `connect(listener.localAddr)`. */
  transport?: NetAddress["transport"];
  /**
   * Fails with `ETIMEDOUT` after this long; by default when the system gives up, which takes
   * minutes.
   */
  timeout?: Duration;
}

/**
 * Options of {@linkcode TcpListenSocket.listen}.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type TcpListenOptions, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: TcpListenOptions = { hostname: "127.0.0.1", port: 0, backlog: 128 };
 * await new Loop().run(function* () {
 *   using listener = yield* TcpListenSocket.listen(options);
 *   assertEquals(listener.localAddr.port > 0, true); // the one that was free
 * }());
 * ```
 */
export interface TcpListenOptions extends TcpOptions {
  /** A name or an IP address; by default `0.0.0.0`, all of IPv4. `::` is all of IPv4 and IPv6. */
  hostname?: string;
  /** 0 to 65,535; by default 0: any that is free, which `localAddr` tells. */
  port?: number;
  /** So that an address can be given as it is. */
  transport?: NetAddress["transport"];
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
 * import { TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(function* () {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   const { hostname, port } = listener.localAddr;
 *
 *   using client = yield* TcpClientSocket.connect({ hostname, port, timeout: 5 });
 *   yield* client.send(new TextEncoder().encode("hello"));
 *
 *   using server = yield* listener.accept();
 *   assertEquals(new TextDecoder().decode((yield* server.recv())!), "hello");
 * }());
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

  /**
   * Made by `connect` and `accept`; by hand over a raw stream of one's own.
   *
   * @throws {TypeError} If an option is of the wrong kind.
   */
  constructor(raw: RawStream, options: TcpOptions = {}) {
    super(raw);
    this.#raw = raw;
    checkTcpOptions(options);
    this.#noDelay = options.noDelay ?? true;
    this.#keepAlive = options.keepAlive ?? false;
    this.#setOption(() => raw.setNoDelay(this.#noDelay));
    if (this.#keepAlive) this.#setOption(() => raw.setKeepAlive(true));
  }

  /**
   * A connection that broke meanwhile refuses options: the next receive or send says how it broke.
   */
  #setOption(set: () => void): void {
    try {
      set();
    } catch {
      // As above.
    }
  }

  /**
   * Connects. A checkpoint. Cancelled, nothing stays connected.
   *
   * @throws {SocketError} If that fails: `ECONNREFUSED`, `ETIMEDOUT`, `ENOTFOUND`...
   * @throws {TypeError} If an option is of the wrong kind, or not known.
   * @throws {RangeError} If the port is not from 1 to 65,535, or the timeout is negative.
   */
  static connect(options: TcpConnectOptions): Operation<TcpClientSocket> {
    const { hostname = "127.0.0.1", timeout } = checkOptions(
      options,
      "TcpClientSocket.connect",
      CONNECT_OPTIONS,
    );
    checkHostname(hostname);
    checkTransport(options?.transport, "tcp");
    checkTcpOptions(options ?? {});
    const port = checkPort(options?.port, 1);
    const seconds = timeout === undefined ? Infinity : toSeconds(timeout);
    return connect({ transport: "tcp", hostname, port }, seconds, options);
  }

  /** Whether small messages go out at once (TCP_NODELAY). */
  get noDelay(): boolean {
    return this.#noDelay;
  }

  set noDelay(on: boolean) {
    this.#noDelay = checkBoolean(on, "noDelay");
    this.#setOption(() => this.#raw.setNoDelay(on));
  }

  /** Whether the system probes a silent peer (SO_KEEPALIVE). */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  set keepAlive(on: boolean) {
    this.#keepAlive = checkBoolean(on, "keepAlive");
    this.#setOption(() => this.#raw.setKeepAlive(on));
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
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* echo(stream: TcpClientSocket) {
 *   for (let bytes = yield* stream.recv(); bytes !== null; bytes = yield* stream.recv()) {
 *     yield* stream.send(bytes);
 *   }
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   nursery.startSoon(listener.serve(echo));
 *
 *   using client = yield* TcpClientSocket.connect(listener.localAddr);
 *   yield* client.send(new TextEncoder().encode("hello"));
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   nursery.cancel(); // ends the server and its connections
 * }));
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
   * @throws {TypeError} If an option is of the wrong kind, or not known.
   * @throws {RangeError} If the port is not from 0 to 65,535, or the backlog not at least 1.
   */
  static listen(options: TcpListenOptions = {}): Operation<TcpListenSocket> {
    checkOptions(options, "TcpListenSocket.listen", LISTEN_OPTIONS);
    const { hostname, port, backlog, reusePort } = checkListenTarget(options);
    checkTcpOptions(options);
    return listen({ transport: "tcp", hostname, port }, { backlog, reusePort }, options);
  }
}

function* listen(
  address: NetAddress,
  { backlog, reusePort }: { backlog: number; reusePort: boolean },
  options: TcpOptions,
): Coroutine<TcpListenSocket> {
  const { hostname, port } = address;
  const target = { hostname, port, backlog, reusePort };
  const raw = yield* new OpenWait<RawListener>(
    "Cannot listen at",
    address,
    (network, attempt) => network.listenTcp(target, attempt),
  );
  return new TcpListenSocket(raw, options);
}

/** The names of the options of every TCP connection. */
export const TCP_OPTIONS = ["noDelay", "keepAlive"] as const;
/** Those of `connect`. */
export const CONNECT_OPTIONS = [
  ...TCP_OPTIONS,
  ...["hostname", "port", "transport", "timeout"] as const,
] as const;
/** Those of `listen`. */
export const LISTEN_OPTIONS = [
  ...TCP_OPTIONS,
  ...["hostname", "port", "transport", "backlog", "reusePort"] as const,
] as const;

/** Checks a port: an integer from `min`, 0 or 1, to 65,535. */
export function checkPort(port: unknown, min: number): number {
  return checkInteger(port, "port", min, 65535);
}

/** Checks that an address that was given as options is of the right kind. */
export function checkTransport<T extends string>(transport: unknown, expected: T): void {
  if (transport !== undefined) checkOneOf(transport, "transport", [expected]);
}

/** Checks the options of a connection, not their names. */
export function checkTcpOptions({ noDelay, keepAlive }: TcpOptions): void {
  if (noDelay !== undefined) checkBoolean(noDelay, "noDelay");
  if (keepAlive !== undefined) checkBoolean(keepAlive, "keepAlive");
}

/** Checks where to listen, and fills in what was left out. */
export function checkListenTarget(options: TcpListenOptions): TcpListenTarget {
  const { hostname = "0.0.0.0", port = 0, backlog = 511, reusePort = false } = options;
  checkTransport(options.transport, "tcp");
  return {
    hostname: checkHostname(hostname),
    port: checkPort(port, 0),
    backlog: checkInteger(backlog, "backlog", 1, MAX_BACKLOG),
    reusePort: checkBoolean(reusePort, "reusePort"),
  };
}
