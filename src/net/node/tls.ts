/**
 * TLS by `node:tls`, in Node, Bun and Deno, over raw streams of whatever backend.
 *
 * What it knows that others need not: a `tls.Server` can be given connections by hand, and checks what a bare `TLSSocket` does not (the
 * client's certificate); it tells of a handshake without saying whose, so one serves one handshake at a time, and they are
 * kept for the next; TLS 1.3 clients are done before the server has looked at their certificate.
 */
import type { Attempt, ReceiveEvents, SendEvents } from "../network.ts";
import type { Address } from "../../stream.ts";
import { Bridge, type Duplex } from "../tls/duplex_adapter.ts";
import type {
  Carrier,
  RawTlsStream,
  TlsClientTarget,
  TlsEngine,
  TlsIdentity,
  TlsServer,
  TlsServerTarget,
} from "../tls/port.ts";

interface TlsSocket extends Duplex {
  readonly alpnProtocol: string | false | null;
  readonly servername: string | false | null;
  readonly authorized: boolean;
  getPeerCertificate(): { raw?: Uint8Array } | null;
  getPeerX509Certificate?(): { raw: Uint8Array } | undefined;
}

interface Server {
  on(event: "secureConnection", listener: (socket: TlsSocket) => void): this;
  on(event: "tlsClientError", listener: (error: unknown) => void): this;
  emit(event: "connection", duplex: Duplex): boolean;
}

interface TlsModule {
  connect(options: Record<string, unknown>): TlsSocket;
  createServer(options: Record<string, unknown>): Server;
  createSecureContext(options: Record<string, unknown>): unknown;
}

interface StreamModule {
  Duplex: new (options: Record<string, unknown>) => Duplex;
}

interface NetModule {
  isIP(text: string): number;
}

interface CryptoModule {
  X509Certificate: new (pem: string) => { checkPrivateKey(key: unknown): boolean };
  createPrivateKey(pem: string): unknown;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?-----END [A-Z ]*PRIVATE KEY-----/;

/** How long the last bytes and the farewell may take to go out, in milliseconds. */
const LINGER = 5000;
/** How many servers, and contexts of clients, are kept for the next handshake. */
const MAX_KEPT = 64;

/** The engine, or `undefined` where there is no `node:tls`. */
export function nodeTls(): TlsEngine | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?(name: string): unknown };
  };
  const tls = process?.getBuiltinModule?.("node:tls") as TlsModule | undefined;
  if (tls === undefined) return undefined;
  const { Duplex } = process!.getBuiltinModule!("node:stream") as StreamModule;
  const { isIP } = process!.getBuiltinModule!("node:net") as NetModule;
  const crypto = process!.getBuiltinModule!("node:crypto") as CryptoModule;
  return new NodeTls(tls, (options) => new Duplex(options), isIP, crypto);
}

class NodeTls implements TlsEngine {
  readonly tls: TlsModule;
  readonly newDuplex: (options: Record<string, unknown>) => Duplex;
  readonly isIP: (text: string) => number;
  readonly #crypto: CryptoModule;
  readonly #contexts = new Map<string, unknown>();
  /** Texts that were looked at and found to be certificates. */
  readonly #checked = new Set<string>();

  constructor(
    tls: TlsModule,
    newDuplex: NodeTls["newDuplex"],
    isIP: NodeTls["isIP"],
    crypto: CryptoModule,
  ) {
    this.tls = tls;
    this.newDuplex = newDuplex;
    this.isIP = isIP;
    this.#crypto = crypto;
  }

  /** Deno takes any text for a certificate, and then turns everybody away. */
  checkCertificates(pem: string): void {
    if (this.#checked.has(pem)) return;
    const found = pem.match(CERTIFICATE);
    if (found === null) throw new TypeError("There is no certificate in what is given as one");
    for (const each of found) this.#certificate(each);
    if (this.#checked.size >= MAX_KEPT) this.#checked.clear();
    this.#checked.add(pem);
  }

  checkIdentity({ cert, key }: TlsIdentity): void {
    this.checkCertificates(cert);
    const pem = key.match(PRIVATE_KEY)?.[0];
    if (pem === undefined) throw new TypeError("There is no private key in what is given as key");
    let parsed;
    try {
      parsed = this.#crypto.createPrivateKey(pem);
    } catch (cause) {
      throw new TypeError(`The private key cannot be read: ${cause}`, { cause });
    }
    if (!this.#certificate(cert.match(CERTIFICATE)![0]).checkPrivateKey(parsed)) {
      throw new TypeError("The private key does not belong to the certificate");
    }
  }

  #certificate(pem: string): { checkPrivateKey(key: unknown): boolean } {
    try {
      return new this.#crypto.X509Certificate(pem);
    } catch (cause) {
      throw new TypeError(`A certificate cannot be read: ${cause}`, { cause });
    }
  }

  connect(
    carrier: Carrier,
    target: TlsClientTarget,
    attempt: Attempt<RawTlsStream>,
  ): () => void {
    const { hostname, alpnProtocols } = target;
    const bridge = new Bridge(this.newDuplex, carrier);
    const handshake = new Handshake(bridge, attempt);
    try {
      const socket = this.tls.connect({
        socket: bridge.duplex,
        host: hostname,
        servername: this.isIP(hostname) === 0 ? hostname : undefined,
        secureContext: this.#contextOf(target),
        ALPNProtocols: alpnProtocols.length > 0 ? alpnProtocols : undefined,
        rejectUnauthorized: true,
        allowHalfOpen: true,
      });
      socket.on("secureConnect", () => handshake.done(socket));
      socket.on("error", (error: unknown) => handshake.failed(error));
      socket.on("close", () => handshake.failed(undefined));
      handshake.abandoned = () => socket.destroy();
    } catch (error) {
      handshake.failed(error);
    }
    return () => handshake.abandon();
  }

  /** To read keys and certificates takes longer than a handshake: contexts are kept. */
  #contextOf({ caCerts, identity }: TlsClientTarget): unknown {
    const key = JSON.stringify([caCerts, identity]);
    let context = this.#contexts.get(key);
    if (context === undefined) {
      const ca = caCerts.length > 0 ? caCerts : undefined;
      context = this.tls.createSecureContext({ ca, cert: identity?.cert, key: identity?.key });
      if (this.#contexts.size >= MAX_KEPT) this.#contexts.clear();
      this.#contexts.set(key, context);
    }
    return context;
  }

  server(target: TlsServerTarget): TlsServer {
    return new NodeTlsServer(this, target);
  }

  after(seconds: number, callback: () => void): () => void {
    const timer = setTimeout(callback, Math.min(seconds * 1000, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  }
}

class NodeTlsServer implements TlsServer {
  readonly #engine: NodeTls;
  readonly #options: Record<string, unknown>;
  readonly #asksClients: boolean;
  /** Servers that have no handshake under way. */
  readonly #idle: Shaker[] = [];

  constructor(engine: NodeTls, target: TlsServerTarget) {
    const { identity, serverNames, clientCa, alpnProtocols } = target;
    this.#engine = engine;
    this.#asksClients = clientCa !== null;
    const contextOf = ({ cert, key }: TlsIdentity) =>
      engine.tls.createSecureContext({ cert, key, ca: clientCa ?? undefined });
    const contexts = new Map(
      Object.entries(serverNames).map(([name, each]) => [name.toLowerCase(), contextOf(each)]),
    );
    this.#options = {
      cert: identity.cert,
      key: identity.key,
      ca: clientCa ?? undefined,
      requestCert: this.#asksClients,
      rejectUnauthorized: this.#asksClients,
      ALPNProtocols: alpnProtocols.length > 0 ? alpnProtocols : undefined,
      allowHalfOpen: true,
      SNICallback: contexts.size === 0
        ? undefined
        : (name: string, done: (error: null, context?: unknown) => void) =>
          done(null, contexts.get(name.toLowerCase())),
    };
  }

  accept(carrier: Carrier, attempt: Attempt<RawTlsStream>): () => void {
    const bridge = new Bridge(this.#engine.newDuplex, carrier);
    const handshake = new Handshake(bridge, attempt);
    const shaker = this.#idle.pop() ?? this.#newShaker();
    shaker.handshake = handshake;
    // Abandoned, its server may yet tell of it, so that one is not used again.
    handshake.abandoned = () => {
      shaker.handshake = null;
      bridge.duplex.destroy();
    };
    shaker.server.emit("connection", bridge.duplex);
    return () => handshake.abandon();
  }

  #newShaker(): Shaker {
    const server = this.#engine.tls.createServer(this.#options);
    const shaker: Shaker = { server, handshake: null };
    server.on("secureConnection", (socket) => {
      const { handshake } = shaker;
      if (handshake === null) return socket.destroy();
      shaker.handshake = null;
      if (this.#idle.length < MAX_KEPT) this.#idle.push(shaker);
      if (this.#asksClients && !(socket.authorized && certificateOf(socket) !== null)) {
        socket.on("error", () => {});
        socket.destroy();
        return handshake.failed(new Error("The client showed no certificate that is trusted"));
      }
      handshake.done(socket);
    });
    server.on("tlsClientError", (error) => {
      const { handshake } = shaker;
      shaker.handshake = null;
      handshake?.failed(error);
    });
    return shaker;
  }
}

/** A server of Node's, and the one handshake that it does. */
interface Shaker {
  readonly server: Server;
  handshake: Handshake | null;
}

/** One handshake: it ends once, done, failed or abandoned. */
class Handshake {
  /** Stops it. */
  abandoned: () => void = () => {};
  readonly #bridge: Bridge;
  readonly #attempt: Attempt<RawTlsStream>;
  #over = false;

  constructor(bridge: Bridge, attempt: Attempt<RawTlsStream>) {
    this.#bridge = bridge;
    this.#attempt = attempt;
    bridge.whenEnded = (cause) => this.#endedEarly(cause);
  }

  done(socket: TlsSocket): void {
    if (this.#over) return socket.destroy();
    this.#over = true;
    this.#bridge.whenEnded = null;
    this.#attempt.opened(new NodeTlsStream(socket, this.#bridge));
  }

  failed(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#bridge.whenEnded = null;
    this.#bridge.close();
    this.#attempt.failed(codeOf(error), error);
  }

  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#bridge.whenEnded = null;
    this.abandoned();
    this.#bridge.close();
  }

  /** The other end has gone: nobody else would say so before the time is up. */
  #endedEarly(cause: unknown): void {
    if (this.#over) return;
    this.abandoned();
    this.failed(cause ?? new EndedEarly("The other end left during the handshake"));
  }
}

class EndedEarly extends Error {
  readonly code = "ECONNRESET";
}

/** A secured connection. */
class NodeTlsStream implements RawTlsStream {
  receiveEvents!: ReceiveEvents;
  sendEvents!: SendEvents;
  bytes: Uint8Array = new Uint8Array(0);
  readonly lifetime = "forever";
  readonly alpnProtocol: string | null;
  readonly serverName: string | null;
  readonly #socket: TlsSocket;
  readonly #bridge: Bridge;
  #receiving = false;
  #ended = false;
  #failure: { cause: unknown } | null = null;
  #closed = false;

  constructor(socket: TlsSocket, bridge: Bridge) {
    this.#socket = socket;
    this.#bridge = bridge;
    bridge.isWanted = () => this.#receiving;
    this.alpnProtocol = socket.alpnProtocol || null;
    this.serverName = socket.servername || null;
    socket.on("readable", () => this.#look());
    socket.on("end", () => {
      this.#ended = true;
      this.#look();
    });
    socket.on("error", (cause: unknown) => this.#broke(cause));
    socket.on("close", () => {
      if (!this.#ended) this.#broke(new EndedEarly("The other end left without a farewell"));
      bridge.close();
    });
  }

  get localAddr(): Address {
    return this.#bridge.raw.localAddr;
  }

  get remoteAddr(): Address {
    return this.#bridge.raw.remoteAddr;
  }

  get peerCertificate(): Uint8Array | null {
    return certificateOf(this.#socket);
  }

  receive(): void {
    this.#receiving = true;
    this.#look();
  }

  /** Answers `receive` where there is an answer. */
  #look(): void {
    if (!this.#receiving || this.#closed) return;
    const bytes = this.#socket.read();
    if (bytes !== null) {
      this.#receiving = false;
      this.bytes = bytes;
      this.receiveEvents.received(bytes.length);
    } else if (this.#ended) {
      this.#receiving = false;
      this.receiveEvents.received(0);
    } else if (this.#failure !== null) {
      this.#receiving = false;
      const { cause } = this.#failure;
      this.receiveEvents.receiveFailed(codeOf(cause), cause);
    } else this.#bridge.demand();
  }

  #broke(cause: unknown): void {
    this.#failure ??= { cause };
    this.#look();
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes, (error) => this.#bridge.whenIdle(() => this.#answer(error)));
  }

  finish(): void {
    this.#socket.end(() => this.#bridge.whenIdle(() => this.#answer(undefined)));
  }

  #answer(error: unknown): void {
    if (error) this.sendEvents.sendFailed(codeOf(error), error);
    else this.sendEvents.sent();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const socket = this.#socket;
    if (socket.destroyed || this.#failure !== null) return this.#destroy();
    // A farewell first: without it the other end cannot tell the end from an attack.
    const timer = setTimeout(() => this.#destroy(), LINGER);
    socket.on("close", () => clearTimeout(timer));
    if (socket.writableFinished) this.#destroy();
    else socket.end(() => this.#destroy());
  }

  #destroy(): void {
    this.#socket.destroy();
    this.#bridge.close();
  }

  closeSoon(): void {
    const timer = setTimeout(() => this.#destroy(), LINGER);
    this.#socket.on("close", () => clearTimeout(timer));
  }

  setNoDelay(on: boolean): void {
    this.#bridge.raw.setNoDelay(on);
  }

  setKeepAlive(on: boolean): void {
    this.#bridge.raw.setKeepAlive(on);
  }
}

function certificateOf(socket: TlsSocket): Uint8Array | null {
  return socket.getPeerCertificate()?.raw ?? null;
}

/** The POSIX code of an error; what concerns TLS itself is EPROTO, and its cause says more. */
function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  if (error === undefined || name === "UnexpectedEof" || name === "ConnectionReset") {
    return "ECONNRESET";
  }
  if (code === "ERR_STREAM_DESTROYED" || code === "ERR_STREAM_PREMATURE_CLOSE") return "EPIPE";
  if (name === "BrokenPipe") return "EPIPE";
  return "EPROTO";
}
