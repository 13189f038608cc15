/**
 * TLS by `node:tls`, in Node, Bun and Deno, over raw streams of any backend.
 *
 * What this file knows and no other: a `tls.Server` can be given connections by hand, and checks
 * what a bare `TLSSocket` does not (the client's certificate). It tells of a handshake without
 * saying whose, so each server does one handshake at a time, and is kept for the next one. A client
 * of TLS 1.3 is done before the server has looked at its certificate.
 */
import { builtin } from "../../runtime/builtin.ts";
import type { Attempt } from "../network.ts";
import type { ProcessSlice } from "../runtime_types.ts";
import type { Duplex } from "../tls/duplex_adapter.ts";
import type {
  Carrier,
  RawTlsStream,
  TlsClientTarget,
  TlsClock,
  TlsEngine,
  TlsIdentity,
  TlsServer,
  TlsServerTarget,
} from "../tls/port.ts";
import { baseOf } from "./tls_base.ts";
import { TlsHandshake } from "./tls_handshake.ts";
import { certificateOf } from "./tls_stream.ts";
import type {
  CryptoModule,
  IpModule,
  StreamModule,
  TlsModule,
  TlsNodeServer,
} from "./tls_types.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?-----END [A-Z ]*PRIVATE KEY-----/;

/** The size of the keys of session tickets, in bytes, which Node prescribes. */
const TICKET_KEYS = 48;

/** How many servers, and contexts of clients, are kept for the next handshake. */
const MAX_KEPT = 64;

/** The engine, or `undefined` where there is no `node:tls`. */
export function nodeTls(): TlsEngine | undefined {
  const tls = builtin<TlsModule>("node:tls");
  if (tls === undefined) return undefined;
  const { Duplex } = builtin<StreamModule>("node:stream")!;
  const { isIP } = builtin<IpModule>("node:net")!;
  const crypto = builtin<CryptoModule>("node:crypto")!;
  return new NodeTls(tls, (options) => new Duplex(options), isIP, crypto);
}

const clock: TlsClock = {
  now: () => performance.now() / 1000,
  after(seconds, callback) {
    const timer = setTimeout(callback, Math.min(seconds * 1000, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

class NodeTls implements TlsEngine {
  readonly clock = clock;
  /** A TLS server of Bun that is given its connections by hand never asks `SNICallback`. */
  readonly canServeNames: boolean =
    (globalThis as { process?: ProcessSlice }).process?.versions?.bun === undefined;
  readonly tls: TlsModule;
  readonly newDuplex: (options: Record<string, unknown>) => Duplex;
  readonly #isIP: (text: string) => number;
  readonly #crypto: CryptoModule;
  readonly #contexts = new Map<string, unknown>();
  /** Texts that were looked at and found to be certificates. */
  readonly #checked = new Set<string>();

  constructor(
    tls: TlsModule,
    newDuplex: NodeTls["newDuplex"],
    isIP: (text: string) => number,
    crypto: CryptoModule,
  ) {
    this.tls = tls;
    this.newDuplex = newDuplex;
    this.#isIP = isIP;
    this.#crypto = crypto;
  }

  randomBytes(count: number): Uint8Array {
    return this.#crypto.randomBytes(count);
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
    const base = baseOf(carrier, this.newDuplex);
    const handshake = new TlsHandshake(base, attempt);
    try {
      const socket = this.tls.connect({
        socket: base.below,
        host: hostname,
        servername: this.#isIP(hostname) === 0 ? hostname : undefined,
        secureContext: this.#contextOf(target),
        ALPNProtocols: alpnProtocols.length > 0 ? alpnProtocols : undefined,
        rejectUnauthorized: true,
        allowHalfOpen: true,
      });
      socket.on("secureConnect", () => handshake.done(socket));
      socket.on("error", (error: unknown) => handshake.failed(error));
      socket.on("close", () => handshake.failed(undefined));
      handshake.stop = () => socket.destroy();
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
}

/** A server of Node's, and the one handshake that it does. */
interface HandshakeServer {
  readonly server: TlsNodeServer;
  handshake: TlsHandshake | null;
}

class NodeTlsServer implements TlsServer {
  readonly #engine: NodeTls;
  readonly #options: Record<string, unknown>;
  readonly #asksClients: boolean;
  /** Servers that have no handshake in progress. */
  readonly #idle: HandshakeServer[] = [];

  constructor(engine: NodeTls, target: TlsServerTarget) {
    const { identity, serverNames, clientCa, alpnProtocols } = target;
    this.#engine = engine;
    this.#asksClients = clientCa !== null;
    const contextOf = ({ cert, key }: TlsIdentity) =>
      engine.tls.createSecureContext({ cert, key, ca: clientCa ?? undefined });
    const contexts = new Map([...serverNames].map(([name, each]) => [name, contextOf(each)]));
    this.#options = {
      cert: identity.cert,
      key: identity.key,
      ca: clientCa ?? undefined,
      requestCert: this.#asksClients,
      rejectUnauthorized: this.#asksClients,
      ALPNProtocols: alpnProtocols.length > 0 ? alpnProtocols : undefined,
      allowHalfOpen: true,
      // The same for each server, or a client could go on with its session at one of them alone.
      ticketKeys: engine.randomBytes(TICKET_KEYS),
      SNICallback: contexts.size === 0
        ? undefined
        : (name: string, done: (error: null, context?: unknown) => void) =>
          done(null, contexts.get(name.toLowerCase())),
    };
    // The first one is made now: what the runtime refuses, it refuses here and not when a client
    // comes.
    this.#idle.push(this.#newServer());
  }

  accept(carrier: Carrier, attempt: Attempt<RawTlsStream>): () => void {
    const base = baseOf(carrier, this.#engine.newDuplex);
    const handshake = new TlsHandshake(base, attempt);
    const server = this.#idle.pop() ?? this.#newServer();
    server.handshake = handshake;
    // A server whose handshake was abandoned may still tell of it, so it is not used again.
    handshake.stop = () => {
      server.handshake = null;
      base.below.destroy();
    };
    server.server.emit("connection", base.below);
    return () => handshake.abandon();
  }

  #newServer(): HandshakeServer {
    const server = this.#engine.tls.createServer(this.#options);
    const each: HandshakeServer = { server, handshake: null };
    server.on("secureConnection", (socket) => {
      const { handshake } = each;
      if (handshake === null) return socket.destroy();
      each.handshake = null;
      if (this.#idle.length < MAX_KEPT) this.#idle.push(each);
      if (this.#asksClients && !(socket.authorized && certificateOf(socket) !== null)) {
        socket.on("error", () => {});
        socket.destroy();
        return handshake.failed(new Error("The client showed no certificate that is trusted"));
      }
      handshake.done(socket);
    });
    server.on("tlsClientError", (error) => {
      const { handshake } = each;
      each.handshake = null;
      handshake?.failed(error);
    });
    return each;
  }
}
