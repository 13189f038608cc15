/**
 * TLS: secured connections, made here, accepted, or upgraded from plain ones. What is asked for is
 * done or refused, never ignored.
 *
 * Independent of: which engine secures them.
 */
import { checkInstance, checkInteger, checkString, show } from "../../check.ts";
import { checkpoint } from "../../kernel/checkpoint.ts";
import type { Coroutine, Operation } from "../../kernel/coroutine.ts";
import type { TaskCore } from "../../kernel/task.ts";
import { currentLoop, currentTask } from "../../operations/current.ts";
import type { RawListener, RawStream, TcpListenTarget } from "../network.ts";
import type { NetAddress } from "../../stream.ts";
import { ListenSocket } from "../listen_socket.ts";
import { nodeTls } from "../node/tls.ts";
import { OpenWait } from "../open_wait.ts";
import { detach, replaceWith, Socket } from "../socket.ts";
import { SocketError } from "../../bytes/socket_error.ts";
import { checkPort, TcpClientSocket, type TcpOptions } from "../tcp.ts";
import { type HandshakeReport, TlsRawListener } from "./listener.ts";
import {
  checkConnect,
  checkListen,
  checkUpgrade,
  checkUpgradeServer,
  clientTarget,
  secondsOf,
  serverTarget,
  type TlsConnectOptions,
  type TlsListenOptions,
  type TlsServerUpgradeOptions,
  type TlsUpgradeOptions,
} from "./options.ts";
import type {
  Carrier,
  RawTlsStream,
  TlsClientTarget,
  TlsEngine,
  TlsServer,
  TlsServerTarget,
} from "./port.ts";

/**
 * What a handshake settled.
 *
 * @example
 * ```ts
 * import type { TlsHandshakeInfo } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // In a handler: protocolOf(yield* stream.handshake())
 * function protocolOf({ alpnProtocol }: TlsHandshakeInfo): string {
 *   return alpnProtocol ?? "http/1.1";
 * }
 * const info = { alpnProtocol: null, serverName: "example.com", peerCertificate: null };
 * assertEquals(protocolOf(info), "http/1.1");
 * ```
 */
export interface TlsHandshakeInfo {
  /** The protocol that both ends agreed on, or null. */
  alpnProtocol: string | null;
  /** The name that the client asked for (SNI), as the server knows it, or null. */
  serverName: string | null;
  /** The certificate of the other end in DER, or null where it showed none. */
  peerCertificate: Uint8Array | null;
}

/**
 * A TLS connection. Its handshake is done before anybody gets it. What concerns TLS itself is a
 * `SocketError` of code `EPROTO`, whose message and cause say more. `recv` gives `null` also where
 * the other end left without TLS's closing message (close_notify), as runtimes do not tell: a
 * protocol on top of it must know by itself where a message ends.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { SocketError, TcpListenSocket, TlsClientSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* head(hostname: string, port: number) {
 *   using stream = yield* TlsClientSocket.connect({ hostname, port, timeout: 10 });
 *   yield* stream.send(new TextEncoder().encode(`HEAD / HTTP/1.0\r\nHost: ${hostname}\r\n\r\n`));
 *   return new TextDecoder().decode((yield* stream.recv())!);
 * }
 * await new Loop().run(function* () {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   const { hostname, port } = listener.localAddr; // head("example.com", 443)
 *   listener.close(); // nobody is there
 *   try {
 *     console.log(yield* head(hostname, port));
 *   } catch (error) {
 *     if (!(error instanceof SocketError)) throw error;
 *     assertEquals(error.code, "ECONNREFUSED");
 *   }
 * }());
 * ```
 */
export class TlsClientSocket extends TcpClientSocket {
  readonly #info: TlsHandshakeInfo;

  /** Made by `connect`, `upgrade` and `accept`; by hand over a raw stream of one's own. */
  constructor(raw: RawTlsStream, options: TcpOptions = {}) {
    super(raw, options);
    const { alpnProtocol, serverName, peerCertificate } = raw;
    this.#info = { alpnProtocol, serverName, peerCertificate };
  }

  /**
   * Connects, and does the handshake. A checkpoint. Cancelled, nothing stays connected.
   *
   * @throws {SocketError} If that fails: `ECONNREFUSED`, `ETIMEDOUT`, `ENOTFOUND`...; `EPROTO`
   * where the certificate is not trusted or the other end does not speak TLS.
   * @throws {TypeError} If there is no name to check, an option is wrong or not known, only one of
   * `cert` and `key` is given, they do not belong together, or a certificate cannot be read.
   * @throws {RangeError} If the port or the timeout is out of range.
   */
  static override connect(options: TlsConnectOptions): Operation<TlsClientSocket> {
    const { hostname = "127.0.0.1", serverName = hostname, timeout } = checkConnect(options);
    const target = clientTarget(tlsEngine(), serverName, options, "serverName");
    const port = checkPort(options.port, 1);
    const address: NetAddress = {
      transport: "tcp",
      hostname: checkString(hostname, "hostname"),
      port,
    };
    return connect(address, target, secondsOf(timeout, Infinity), options);
  }

  /**
   * Makes a plain connection a secured one, as the client: what STARTTLS wants. A checkpoint. The
   * plain socket must not be used any more; closing either closes both. Cancelled or failed, the
   * connection is closed.
   *
   * @throws {SocketError} If the handshake fails, as with `connect`.
   * @throws {BusyResourceError} If a task receives from or sends to the plain socket.
   * @throws {TypeError} If there is no name to check, an option is wrong or not known, only one of
   * `cert` and `key` is given, they do not belong together, or a certificate cannot be read.
   */
  static upgrade(stream: Socket, options: TlsUpgradeOptions): Operation<TlsClientSocket> {
    checkInstance(stream, Socket, "stream");
    const { hostname, timeout } = checkUpgrade(options);
    const engine = tlsEngine();
    const target = clientTarget(engine, hostname, options, "hostname");
    const begin: Begin = (carrier, attempt) => engine.connect(carrier, target, attempt);
    return upgrade(stream, begin, secondsOf(timeout, Infinity), options);
  }

  /**
   * Makes a plain connection that was accepted a secured one, as the server. A checkpoint. The
   * plain socket must not be used any more; closing either closes both. Cancelled or failed, the
   * connection is closed.
   *
   * @throws {SocketError} If the handshake fails, as with `connect`; `ENOTSUP` for `serverNames` on
   * Bun.
   * @throws {BusyResourceError} If a task receives from or sends to the plain socket.
   * @throws {TypeError} If `cert` or `key` is missing, they do not belong together, a certificate
   * cannot be read, or an option is wrong or not known.
   */
  static upgradeServer(
    stream: Socket,
    options: TlsServerUpgradeOptions,
  ): Operation<TlsClientSocket> {
    checkInstance(stream, Socket, "stream");
    const { timeout } = checkUpgradeServer(options);
    const target = serverTarget(tlsEngine(), options);
    const server = serverOf(target, stream.remoteAddr as NetAddress);
    const begin: Begin = (carrier, attempt) => server.accept(carrier, attempt);
    return upgrade(stream, begin, secondsOf(timeout, Infinity), options);
  }

  /** What the handshake settled; it is done by the time there is a socket. A checkpoint. */
  *handshake(): Coroutine<TlsHandshakeInfo> {
    yield* checkpoint();
    return this.#info;
  }

  /** The protocol that both ends agreed on (ALPN), or null. */
  get alpnProtocol(): string | null {
    return this.#info.alpnProtocol;
  }
}

/**
 * Listens for TLS connections.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { TlsClientSocket, TlsListenSocket } from "jsr:@broomio/core/net";
 * import { runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const selfSigned = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes " +
 *   "-keyout - -subj /CN=localhost -addext subjectAltName=DNS:localhost";
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const { stdout } = yield* runProcess("openssl", selfSigned.split(" "));
 *   const [key, cert] = stdout.split(/(?=-----BEGIN CERT)/);
 *   const address = { hostname: "127.0.0.1", port: 0 };
 *   using listener = yield* TlsListenSocket.listen({ ...address, cert, key });
 *   nursery.startSoon(listener.serve((stream) => stream.send(new TextEncoder().encode("hello"))));
 *
 *   const trust = { serverName: "localhost", caCerts: [cert] };
 *   using client = yield* TlsClientSocket.connect({ ...listener.localAddr, ...trust });
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   nursery.cancel();
 * }));
 * ```
 */
export class TlsListenSocket extends ListenSocket<TlsClientSocket> {
  /** Where it listens; with port 0, this tells the port that was free. */
  declare readonly localAddr: NetAddress;

  /** Made by `listen`; by hand over a raw listener of one's own. */
  constructor(raw: RawListener, options: TcpOptions = {}) {
    super(raw, (stream) => new TlsClientSocket(stream as RawTlsStream, options));
  }

  /**
   * Begins to listen. A checkpoint. `accept` gives connections whose handshake is done; handshakes
   * run side by side, and a client that is slow at it holds up no other: with a thousand of them in
   * progress the oldest ones, if older than a second, give way to new ones.
   *
   * @throws {SocketError} If that fails: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`; `ENOTSUP` for
   * `serverNames` on Bun.
   * @throws {TypeError} If `cert` or `key` is missing, they do not belong together, a certificate
   * cannot be read, or an option is wrong or not known.
   * @throws {RangeError} If the port or the backlog is out of range.
   */
  static listen(options: TlsListenOptions): Operation<TlsListenSocket> {
    const { hostname = "0.0.0.0", backlog = 511, reusePort = false } = checkListen(options);
    const target: TcpListenTarget = {
      hostname: checkString(hostname, "hostname"),
      port: checkPort(options.port === undefined ? 0 : options.port, 0),
      backlog: checkInteger(backlog, "backlog", 1),
      reusePort,
    };
    const timeout = secondsOf(options.handshakeTimeout, 30);
    const address: NetAddress = { transport: "tcp", hostname, port: target.port };
    const server = serverOf(serverTarget(tlsEngine(), options), address);
    return listen(address, target, server, timeout, options);
  }
}

type Begin = (carrier: Carrier, attempt: OpenWait<RawTlsStream>) => () => void;

function* connect(
  address: NetAddress,
  target: TlsClientTarget,
  timeout: number,
  options: TcpOptions,
): Coroutine<TlsClientSocket> {
  const loop = yield* currentLoop();
  const deadline = loop.now + timeout;
  const raw = yield* new OpenWait<RawStream>(
    "Cannot connect to",
    address,
    (network, attempt) => network.connectTcp(address, attempt),
    timeout,
  );
  const carrier: Carrier = { raw, leftover: null, pending: false };
  const begin: Begin = (carrier, attempt) => tlsEngine().connect(carrier, target, attempt);
  const secured = yield* shakeHands(carrier, begin, Math.max(0, deadline - loop.now));
  return new TlsClientSocket(secured, options);
}

function* upgrade(
  stream: Socket,
  begin: Begin,
  timeout: number,
  options: TcpOptions,
): Coroutine<TlsClientSocket> {
  const carrier = yield* detach(stream);
  const socket = new TlsClientSocket(yield* shakeHands(carrier, begin, timeout), options);
  replaceWith(stream, socket);
  return socket;
}

/** Waits for a handshake; where it fails or is cancelled, the carrier is closed. */
function* shakeHands(carrier: Carrier, begin: Begin, timeout: number): Coroutine<RawTlsStream> {
  let secured: RawTlsStream | null = null;
  try {
    return secured = yield* new OpenWait<RawTlsStream>(
      "Cannot shake hands with",
      carrier.raw.remoteAddr,
      (_network, attempt) => begin(carrier, attempt as OpenWait<RawTlsStream>),
      timeout,
    );
  } finally {
    if (secured === null) carrier.raw.close();
  }
}

function* listen(
  address: NetAddress,
  target: TcpListenTarget,
  server: TlsServer,
  timeout: number,
  options: TlsListenOptions,
): Coroutine<TlsListenSocket> {
  const task = (yield* currentTask()) as TaskCore;
  const raw = yield* new OpenWait<RawListener>(
    "Cannot listen at",
    address,
    (network, attempt) => network.listenTcp(target, attempt),
  );
  const report = reporter(options.onHandshakeError, task);
  const { clock } = tlsEngine();
  return new TlsListenSocket(
    new TlsRawListener(raw, { server, report, timeout, clock }),
    options,
  );
}

/**
 * Calls the user's function, from an event of the runtime, where an error would end the process.
 */
function reporter(report: HandshakeReport | undefined, task: TaskCore): HandshakeReport {
  if (report === undefined) return () => {};
  return (error, remoteAddr) => {
    try {
      report(error, remoteAddr);
    } catch (thrown) {
      const text = thrown instanceof Error ? thrown.stack ?? thrown.message : show(thrown);
      task.scheduler.warn({ message: `onHandshakeError failed; serving goes on. ${text}`, task });
    }
  };
}

let found: TlsEngine | undefined;

function tlsEngine(): TlsEngine {
  found ??= nodeTls();
  if (found === undefined) throw new Error("TLS needs Deno, Node or Bun");
  return found;
}

/** Prepares to serve, or says what this runtime cannot do. */
function serverOf(target: TlsServerTarget, address: NetAddress): TlsServer {
  const engine = tlsEngine();
  if (target.serverNames.size > 0 && !engine.canServeNames) {
    const cause = new Error("serverNames: TLS servers of this runtime show one certificate only");
    throw new SocketError("Cannot serve TLS at", "ENOTSUP", address, cause);
  }
  return engine.server(target);
}
