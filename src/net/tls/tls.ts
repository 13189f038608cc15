/**
 * TLS: secured connections, made here, accepted, or upgraded from plain ones. What is asked for is done or refused, never ignored.
 *
 * Must never know: which engine secures them.
 */
import { checkpoint } from "../../kernel/checkpoint.ts";
import type { Coroutine, Operation } from "../../kernel/coroutine.ts";
import { currentLoop } from "../../operations/current.ts";
import { type Duration, toSeconds } from "../../duration.ts";
import type { RawListener, RawStream } from "../network.ts";
import type { Address, NetAddress } from "../../stream.ts";
import { ListenSocket } from "../listen_socket.ts";
import { nodeTls } from "../node/tls.ts";
import { OpenWait } from "../open_wait.ts";
import { detach, replaceWith, type Socket } from "../socket.ts";
import type { SocketError } from "../../bytes/socket_error.ts";
import {
  checkPort,
  TcpClientSocket,
  type TcpConnectOptions,
  type TcpListenOptions,
  type TcpOptions,
} from "../tcp.ts";
import { TlsRawListener } from "./listener.ts";
import type {
  Carrier,
  RawTlsStream,
  TlsClientTarget,
  TlsEngine,
  TlsIdentity,
  TlsServerTarget,
} from "./port.ts";

/** What a client says about TLS. */
export interface TlsClientOptions {
  /** Certificates in PEM to trust, instead of those that the runtime trusts. */
  caCerts?: string[];
  /** The certificate in PEM to show where the server asks for one, with `key`. */
  cert?: string;
  /** The private key of `cert`, in PEM, without a passphrase. */
  key?: string;
  /** The protocols that are wanted, best first, as in `["h2", "http/1.1"]`. */
  alpnProtocols?: string[];
}

/** Options of {@linkcode TlsClientSocket.connect}; `timeout` includes the handshake. */
export interface TlsConnectOptions extends TcpConnectOptions, TlsClientOptions {
  /** The name that the server's certificate must have, where that is not `hostname`. */
  serverName?: string;
}

/** Options of {@linkcode TlsClientSocket.upgrade}. */
export interface TlsUpgradeOptions extends TlsClientOptions, TcpOptions {
  /** The name that the server's certificate must have, and that the server is told. */
  hostname: string;
  /** Fails with `ETIMEDOUT` after this long. */
  timeout?: Duration;
}

/** What a server says about TLS. */
export interface TlsServerOptions {
  /** The certificate in PEM, then those that signed it. */
  cert: string;
  /** The private key of `cert`, in PEM, without a passphrase. */
  key: string;
  /** Mutual TLS: a client must show a certificate that one of these (PEM) has signed, else it does not get in. */
  clientCa?: string | string[];
  /** The protocols that are understood, best first. A client that wants only others does not get in. */
  alpnProtocols?: string[];
  /** Certificates for other names: what a client asks for by name (SNI) is looked up here first. */
  serverNames?: Record<string, TlsIdentity>;
}

/** Options of {@linkcode TlsClientSocket.upgradeServer}. */
export interface TlsServerUpgradeOptions extends TlsServerOptions, TcpOptions {
  /** Fails with `ETIMEDOUT` after this long. */
  timeout?: Duration;
}

/** Options of {@linkcode TlsListenSocket.listen}. */
export interface TlsListenOptions extends TcpListenOptions, TlsServerOptions {
  /** A client that has not done its handshake by then is turned away; by default 30 seconds. */
  handshakeTimeout?: Duration;
  /** Called where a handshake came to nothing. By default nothing happens: the world is full of scanners. */
  onHandshakeError?: (error: SocketError, remoteAddr: Address) => void;
}

/** What a handshake settled. */
export interface TlsHandshakeInfo {
  /** The protocol that both ends agreed on, or null. */
  alpnProtocol: string | null;
  /** The name that the client asked for (SNI), as the server knows it, or null. */
  serverName: string | null;
  /** The certificate of the other end in DER, or null where it showed none. */
  peerCertificate: Uint8Array | null;
}

/**
 * A TLS connection. Its handshake is done before anybody gets it. What concerns TLS itself is a `SocketError` of code `EPROTO`, whose message and
 * cause say more. `recv` gives `null` also where the other end left without TLS's own farewell, as runtimes do not
 * tell: a protocol on top of it must know by itself where a message ends.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { TlsClientSocket } from "jsr:@broomio/core/net";
 *
 * function* main() {
 *   using stream = yield* TlsClientSocket.connect({ hostname: "example.com", port: 443 });
 *   yield* stream.send(new TextEncoder().encode("HEAD / HTTP/1.0\r\n\r\n"));
 *   console.log(new TextDecoder().decode((yield* stream.recv())!));
 * }
 * if (import.meta.main) await new Loop().run(main());
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
   * @throws {SocketError} If that fails: `ECONNREFUSED`, `ETIMEDOUT`, `ENOTFOUND`...; `EPROTO` where the certificate is not trusted or the other end
   * does not speak TLS.
   * @throws {TypeError} If only one of `cert` and `key` is given, they do not belong together, or a certificate cannot be read.
   * @throws {RangeError} If the port or the timeout is none.
   */
  static override connect(options: TlsConnectOptions): Operation<TlsClientSocket> {
    const { hostname = "127.0.0.1", serverName = hostname, timeout } = options;
    const port = checkPort(options.port, 1);
    const seconds = timeout === undefined ? Infinity : toSeconds(timeout);
    const target = clientTarget(serverName, options);
    return connect({ transport: "tcp", hostname, port }, target, seconds, options);
  }

  /**
   * Makes a plain connection a secured one, as the client: what STARTTLS wants. A checkpoint. The plain socket must not be
   * used any more; closing either closes both. Cancelled or failed, the connection is closed.
   *
   * @throws {SocketError} If the handshake fails, as with `connect`.
   * @throws {BusyResourceError} If a task receives from or sends to the plain socket.
   * @throws {TypeError} If only one of `cert` and `key` is given, they do not belong together, or a certificate cannot be read.
   */
  static upgrade(stream: Socket, options: TlsUpgradeOptions): Operation<TlsClientSocket> {
    const target = clientTarget(options.hostname, options);
    const begin: Begin = (engine, carrier, attempt) => engine.connect(carrier, target, attempt);
    return upgrade(stream, begin, options);
  }

  /**
   * Makes a plain connection that was accepted a secured one, as the server. A checkpoint. The plain socket must not be used
   * any more; closing either closes both. Cancelled or failed, the connection is closed.
   *
   * @throws {SocketError} If the handshake fails, as with `connect`.
   * @throws {BusyResourceError} If a task receives from or sends to the plain socket.
   * @throws {TypeError} If `cert` or `key` is missing, they do not belong together, or a certificate cannot be read.
   */
  static upgradeServer(
    stream: Socket,
    options: TlsServerUpgradeOptions,
  ): Operation<TlsClientSocket> {
    const server = tlsEngine().server(serverTarget(options));
    const begin: Begin = (_engine, carrier, attempt) => server.accept(carrier, attempt);
    return upgrade(stream, begin, options);
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
 * @example A server that only lets in whom its own authority has signed
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { TlsListenSocket } from "jsr:@broomio/core/net";
 *
 * function* main(cert: string, key: string, clientCa: string) {
 *   using listener = yield* TlsListenSocket.listen({ port: 8443, cert, key, clientCa });
 *   yield* listener.serve(function* (stream) {
 *     yield* stream.send(new TextEncoder().encode("welcome\n"));
 *   });
 * }
 * if (import.meta.main) {
 *   const [cert, key, ca] = Deno.args.map((path) => Deno.readTextFileSync(path));
 *   await new Loop().run(main(cert, key, ca));
 * }
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
   * Begins to listen. A checkpoint. `accept` gives connections whose handshake is done; a client that is slow at it holds
   * up no other.
   *
   * @throws {SocketError} If that fails: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`.
   * @throws {TypeError} If `cert` or `key` is missing, they do not belong together, a certificate cannot be read, or an option is not known.
   * @throws {RangeError} If the port or the backlog is none.
   */
  static listen(options: TlsListenOptions): Operation<TlsListenSocket> {
    const { hostname = "0.0.0.0", backlog = 511, reusePort = false } = options;
    const port = checkPort(options.port ?? 0, 0);
    if (!(Number.isInteger(backlog) && backlog > 0)) {
      throw new RangeError(`backlog is a whole number from 1, not ${backlog}`);
    }
    const seconds = toSeconds(options.handshakeTimeout ?? 30);
    const engine = tlsEngine();
    const server = engine.server(serverTarget(options));
    const report = options.onHandshakeError ?? (() => {});
    const timeout = (callback: () => void) =>
      seconds === Infinity ? () => {} : engine.after(seconds, callback);
    return listen(
      { hostname, port, backlog, reusePort },
      (raw) => new TlsListenSocket(new TlsRawListener(raw, server, report, timeout), options),
    );
  }
}

type Begin = (
  engine: TlsEngine,
  carrier: Carrier,
  attempt: OpenWait<RawTlsStream>,
) => () => void;

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
  const begin: Begin = (engine, carrier, attempt) => engine.connect(carrier, target, attempt);
  const secured = yield* shakeHands(carrier, begin, Math.max(0, deadline - loop.now));
  return new TlsClientSocket(secured, options);
}

function* upgrade(
  stream: Socket,
  begin: Begin,
  options: TcpOptions & { timeout?: Duration },
): Coroutine<TlsClientSocket> {
  const timeout = options.timeout === undefined ? Infinity : toSeconds(options.timeout);
  const carrier = yield* detach(stream);
  const socket = new TlsClientSocket(yield* shakeHands(carrier, begin, timeout), options);
  replaceWith(stream, socket);
  return socket;
}

/** Waits for a handshake; where there is none, the carrier is closed, however that ends. */
function* shakeHands(carrier: Carrier, begin: Begin, timeout: number): Coroutine<RawTlsStream> {
  let secured: RawTlsStream | null = null;
  try {
    return secured = yield* new OpenWait<RawTlsStream>(
      "Cannot shake hands with",
      carrier.raw.remoteAddr,
      (_network, attempt) => begin(tlsEngine(), carrier, attempt as OpenWait<RawTlsStream>),
      timeout,
    );
  } finally {
    if (secured === null) carrier.raw.close();
  }
}

function* listen(
  target: { hostname: string; port: number; backlog: number; reusePort: boolean },
  secure: (raw: RawListener) => TlsListenSocket,
): Coroutine<TlsListenSocket> {
  const raw = yield* new OpenWait<RawListener>(
    "Cannot listen at",
    { transport: "tcp", hostname: target.hostname, port: target.port },
    (network, attempt) => network.listenTcp(target, attempt),
  );
  return secure(raw);
}

let found: TlsEngine | undefined;

function tlsEngine(): TlsEngine {
  found ??= nodeTls();
  if (found === undefined) throw new Error("TLS needs Deno, Node or Bun");
  return found;
}

function clientTarget(hostname: string, options: TlsClientOptions): TlsClientTarget {
  const { caCerts = [], cert, key, alpnProtocols = [] } = options;
  refuse(options, { ca: "caCerts", certChain: "cert", privateKey: "key" });
  refuse(options, { ALPNProtocols: "alpnProtocols", rejectUnauthorized: "caCerts" });
  const identity = cert === undefined && key === undefined ? null : identityOf({ cert, key });
  checkAuthorities(caCerts);
  return { hostname, caCerts, identity, alpnProtocols };
}

function serverTarget(options: TlsServerOptions): TlsServerTarget {
  const { clientCa, alpnProtocols = [], serverNames = {} } = options;
  // What other libraries call it must not be passed over in silence: that would let everybody in.
  refuse(options, { ca: "clientCa", caCerts: "clientCa", requestCert: "clientCa" });
  refuse(options, { ALPNProtocols: "alpnProtocols", SNICallback: "serverNames" });
  const authorities = typeof clientCa === "string" ? [clientCa] : clientCa ?? null;
  if (authorities !== null) checkAuthorities(authorities);
  if (authorities?.length === 0) throw new TypeError("clientCa names no authority at all");
  return {
    identity: identityOf(options),
    serverNames: Object.fromEntries(
      Object.entries(serverNames).map(([name, each]) => [name, identityOf(each)]),
    ),
    clientCa: authorities,
    alpnProtocols,
  };
}

function refuse(options: object, names: Record<string, string>): void {
  for (const [name, ours] of Object.entries(names)) {
    if (name in options) throw new TypeError(`There is no option ${name}: use ${ours}`);
  }
}

function identityOf({ cert, key }: { cert?: string; key?: string }): TlsIdentity {
  if (cert === undefined || key === undefined) {
    throw new TypeError("TLS wants both cert and key, in PEM");
  }
  for (const text of [cert, key]) checkText(text);
  tlsEngine().checkIdentity({ cert, key });
  return { cert, key };
}

function checkAuthorities(authorities: readonly string[]): void {
  for (const text of authorities) {
    checkText(text);
    tlsEngine().checkCertificates(text);
  }
}

function checkText(text: string): void {
  if (typeof text === "string") return;
  throw new TypeError('Keys and certificates are texts in PEM: "-----BEGIN ..."');
}
