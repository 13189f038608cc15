/**
 * Options of TLS, and what is checked of them. TLS fails closed (R40b): what is not known is
 * refused, with the nearest known name; what is wrong is refused where it is given, and never when
 * a client comes; a name to check is always there.
 *
 * Independent of: which engine secures connections, and how.
 */
import {
  checkBoolean,
  checkFunction,
  checkOptions,
  checkString,
  show,
  wrongKind,
  wrongValue,
} from "../../check.ts";
import { type Duration, toSeconds } from "../../duration.ts";
import type { Address } from "../../stream.ts";
import type { SocketError } from "../../bytes/socket_error.ts";
import type { TcpConnectOptions, TcpListenOptions, TcpOptions } from "../tcp.ts";
import type { TlsClientTarget, TlsEngine, TlsIdentity, TlsServerTarget } from "./port.ts";

/**
 * What a client says about TLS.
 *
 * @example
 * ```ts
 * import { TlsClientSocket, type TlsClientOptions } from "jsr:@broomio/core/net";
 * import { assertThrows } from "jsr:@std/assert";
 *
 * const address = { hostname: "db.internal", port: 5432 };
 * const trust: TlsClientOptions = { caCerts: ["/etc/ssl/own.pem"] }; // a mistake: a path
 * // Refused at the call: it wants what is in the file.
 * assertThrows(() => TlsClientSocket.connect({ ...address, ...trust }), TypeError, "certificate");
 * ```
 */
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

/**
 * Options of `TlsClientSocket.connect`; `timeout` includes the handshake.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { SocketError, TlsClientSocket, type TlsConnectOptions } from "jsr:@broomio/core/net";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const options: TlsConnectOptions = {
 *   hostname: "127.0.0.1",
 *   port: 1,
 *   serverName: "example.com", // what its certificate must say
 *   timeout: 10, // handshake included
 * };
 * const connect = () => new Loop().run(TlsClientSocket.connect(options));
 * await assertRejects(connect, SocketError, "ECONNREFUSED");
 * ```
 */
export interface TlsConnectOptions extends TcpConnectOptions, TlsClientOptions {
  /** The name that the server's certificate must have, where that is not `hostname`. */
  serverName?: string;
}

/**
 * Options of `TlsClientSocket.upgrade`.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { SocketError, TlsClientSocket, type TlsUpgradeOptions } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: TlsUpgradeOptions = { hostname: "mail.example.com", timeout: 10 };
 * await new Loop().run(function* () {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   using plain = yield* TcpClientSocket.connect(listener.localAddr);
 *   using peer = yield* listener.accept();
 *   yield* peer.send(new TextEncoder().encode("500 no TLS here\r\n")); // it cannot
 *   try {
 *     using _ = yield* TlsClientSocket.upgrade(plain, options);
 *   } catch (error) {
 *     if (!(error instanceof SocketError)) throw error;
 *     assertEquals(error.code, "EPROTO");
 *   }
 * }());
 * ```
 */
export interface TlsUpgradeOptions extends TlsClientOptions, TcpOptions {
  /** The name that the server's certificate must have, and that the server is told. */
  hostname: string;
  /** Fails with `ETIMEDOUT` after this long. */
  timeout?: Duration;
}

/**
 * What a server says about TLS.
 *
 * @example
 * ```ts
 * import { TlsListenSocket, type TlsServerOptions } from "jsr:@broomio/core/net";
 * import { assertThrows } from "jsr:@std/assert";
 *
 * const identity = { cert: "server.crt", key: "server.key" }; // a mistake: paths
 * const options: TlsServerOptions = { ...identity, alpnProtocols: ["h2", "http/1.1"] };
 * // Refused at once, and not when the first client comes.
 * assertThrows(() => TlsListenSocket.listen({ port: 8443, ...options }), TypeError, "certificate");
 * ```
 */
export interface TlsServerOptions {
  /** The certificate in PEM, then those that signed it. */
  cert: string;
  /** The private key of `cert`, in PEM, without a passphrase. */
  key: string;
  /**
   * Mutual TLS: a client must show a certificate that one of these (PEM) has signed, else it does
   * not get in. To let everybody in, leave it out: `undefined` is refused, for it may be a mistake.
   */
  clientCa?: string | string[];
  /**
   * The protocols that are understood, best first. A client that wants only others does not get in.
   */
  alpnProtocols?: string[];
  /**
   * Certificates for other names: what a client asks for by name (SNI) is looked up here first. Not
   * on Bun, where it is refused with `ENOTSUP`.
   */
  serverNames?: Record<string, TlsIdentity>;
}

/**
 * Options of `TlsClientSocket.upgradeServer`.
 *
 * @example
 * ```ts
 * import { all, Loop } from "jsr:@broomio/core";
 * import { TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { TlsClientSocket, type TlsServerUpgradeOptions } from "jsr:@broomio/core/net";
 * import { runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const selfSigned = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes " +
 *   "-keyout - -subj /CN=mail.test -addext subjectAltName=DNS:mail.test";
 * await new Loop().run(function* () {
 *   const { stdout } = yield* runProcess("openssl", selfSigned.split(" "));
 *   const [key, cert] = stdout.split(/(?=-----BEGIN CERT)/);
 *   const options: TlsServerUpgradeOptions = { cert, key, timeout: 10 };
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   const plain = yield* TcpClientSocket.connect(listener.localAddr);
 *   const accepted = yield* listener.accept(); // after STARTTLS, say
 *   const [server, client] = yield* all([
 *     TlsClientSocket.upgradeServer(accepted, options),
 *     TlsClientSocket.upgrade(plain, { hostname: "mail.test", caCerts: [cert] }),
 *   ]);
 *   yield* server.send(new TextEncoder().encode("hello"));
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   client.close();
 *   server.close();
 * }());
 * ```
 */
export interface TlsServerUpgradeOptions extends TlsServerOptions, TcpOptions {
  /** Fails with `ETIMEDOUT` after this long. */
  timeout?: Duration;
}

/**
 * Options of `TlsListenSocket.listen`.
 *
 * @example
 * ```ts
 * import { Event, Loop, Nursery } from "jsr:@broomio/core";
 * import { TcpClientSocket, type TlsListenOptions, TlsListenSocket } from "jsr:@broomio/core/net";
 * import { runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const selfSigned = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes " +
 *   "-keyout - -subj /CN=localhost -addext subjectAltName=DNS:localhost";
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const { stdout } = yield* runProcess("openssl", selfSigned.split(" "));
 *   const [key, cert] = stdout.split(/(?=-----BEGIN CERT)/);
 *   const turnedAway = new Event();
 *   const options: TlsListenOptions = {
 *     hostname: "127.0.0.1",
 *     cert,
 *     key,
 *     handshakeTimeout: 5, // seconds
 *     onHandshakeError(error) {
 *       assertEquals(error.code, "EPROTO");
 *       turnedAway.set();
 *     },
 *   };
 *   using listener = yield* TlsListenSocket.listen(options);
 *   nursery.startSoon(listener.accept());
 *   using scanner = yield* TcpClientSocket.connect(listener.localAddr);
 *   yield* scanner.send(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n")); // no TLS
 *   yield* turnedAway.wait();
 *   nursery.cancel();
 * }));
 * ```
 */
export interface TlsListenOptions extends TcpListenOptions, TlsServerOptions {
  /** A client that has not finished its handshake by then is dropped; by default 30 seconds. */
  handshakeTimeout?: Duration;
  /**
   * Called with each handshake that failed. By default nothing happens: servers meet scanners all
   * the time. What it throws is a warning of the loop.
   */
  onHandshakeError?: (error: SocketError, remoteAddr: Address) => void;
}

const TCP = ["noDelay", "keepAlive"] as const;
const CLIENT = ["caCerts", "cert", "key", "alpnProtocols"] as const;
const SERVER = ["cert", "key", "clientCa", "alpnProtocols", "serverNames"] as const;
/** `transport` is no option, but addresses are spread into options, and have it. */
const CONNECT = [...CLIENT, ...TCP, "hostname", "port", "timeout", "serverName", "transport"];
const UPGRADE = [...CLIENT, ...TCP, "hostname", "timeout"];
const UPGRADE_SERVER = [...SERVER, ...TCP, "timeout"];
const LISTEN = [
  ...[...SERVER, ...TCP, "hostname", "port", "backlog", "reusePort", "handshakeTimeout"],
  ...["onHandshakeError", "transport"],
];
const IDENTITY = ["cert", "key"];
const BOOLEANS = ["noDelay", "keepAlive", "reusePort"];

/** What other libraries call our options: nearer by meaning than any name is by spelling. */
const CLIENT_ALIASES: Readonly<Record<string, string>> = {
  ca: "caCerts",
  certChain: "cert",
  privateKey: "key",
  ALPNProtocols: "alpnProtocols",
  rejectUnauthorized: "caCerts",
  servername: "serverName",
};
const SERVER_ALIASES: Readonly<Record<string, string>> = {
  ca: "clientCa",
  caCerts: "clientCa",
  requestCert: "clientCa",
  requireClientCert: "clientCa",
  mtls: "clientCa",
  rejectUnauthorized: "clientCa",
  ALPNProtocols: "alpnProtocols",
  SNICallback: "serverNames",
};

/** Refuses options that are not known. */
function checkNames<O extends object>(
  options: O,
  by: string,
  known: readonly string[],
  aliases: Readonly<Record<string, string>>,
): O {
  if (typeof options === "object" && options !== null) {
    for (const key of Object.keys(options)) {
      if (!Object.hasOwn(aliases, key) || known.includes(key)) continue;
      throw new TypeError(`Unknown option "${key}" of ${by}(): use ${aliases[key]}`);
    }
  }
  const checked = checkOptions(options, by, known as readonly (keyof O & string)[]);
  for (const name of BOOLEANS) {
    const value = (checked as Record<string, unknown>)[name];
    if (value !== undefined) checkBoolean(value, name);
  }
  return checked;
}

/** Checks the options of a connect. */
export function checkConnect(options: TlsConnectOptions): TlsConnectOptions {
  return checkNames(options, "TlsClientSocket.connect", CONNECT, CLIENT_ALIASES);
}

/** Checks the options of an upgrade. */
export function checkUpgrade(options: TlsUpgradeOptions): TlsUpgradeOptions {
  return checkNames(options, "TlsClientSocket.upgrade", UPGRADE, CLIENT_ALIASES);
}

/** Checks the options of an upgrade on the server's side. */
export function checkUpgradeServer(options: TlsServerUpgradeOptions): TlsServerUpgradeOptions {
  return checkNames(
    options,
    "TlsClientSocket.upgradeServer",
    UPGRADE_SERVER,
    SERVER_ALIASES,
  );
}

/** Checks the options of a listen. */
export function checkListen(options: TlsListenOptions): TlsListenOptions {
  const { onHandshakeError } = checkNames(
    options,
    "TlsListenSocket.listen",
    LISTEN,
    SERVER_ALIASES,
  );
  if (onHandshakeError !== undefined) checkFunction(onHandshakeError, "onHandshakeError");
  return options;
}

/** A time limit in seconds. */
export function secondsOf(timeout: Duration | undefined, otherwise: number): number {
  return timeout === undefined ? otherwise : toSeconds(timeout);
}

/** What a client wants of a server that must have the name `hostname`. */
export function clientTarget(
  engine: TlsEngine,
  hostname: unknown,
  options: TlsClientOptions,
  name: string,
): TlsClientTarget {
  const { caCerts = [], cert, key } = options;
  const identity = cert === undefined && key === undefined ? null : identityOf(engine, options);
  if (!Array.isArray(caCerts)) throw wrongKind("an array of texts in PEM", caCerts, "caCerts");
  for (const text of caCerts) engine.checkCertificates(checkPem(text, "caCerts"));
  return {
    hostname: checkServerName(hostname, name),
    caCerts: [...caCerts],
    identity,
    alpnProtocols: checkProtocols(options.alpnProtocols),
  };
}

/** What a server wants. */
export function serverTarget(engine: TlsEngine, options: TlsServerOptions): TlsServerTarget {
  return {
    identity: identityOf(engine, options),
    serverNames: checkServerNames(engine, options.serverNames),
    clientCa: "clientCa" in options ? checkAuthorities(engine, options.clientCa) : null,
    alpnProtocols: checkProtocols(options.alpnProtocols),
  };
}

/** The name that a certificate is checked against. None would be no check at all. */
function checkServerName(value: unknown, name: string): string {
  if (typeof value !== "string" || value === "") {
    throw wrongKind("a name to check the server's certificate against", value, name);
  }
  if (/[\0-\x20\x7f]/.test(value)) {
    throw wrongValue("a name without spaces and control characters", value, name);
  }
  return value;
}

function checkServerNames(
  engine: TlsEngine,
  serverNames: unknown,
): ReadonlyMap<string, TlsIdentity> {
  const names = new Map<string, TlsIdentity>();
  if (serverNames === undefined) return names;
  const isPlain = typeof serverNames === "object" && serverNames !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(serverNames));
  if (!isPlain) {
    throw wrongKind("an object with a { cert, key } for each name", serverNames, "serverNames");
  }
  for (const [name, identity] of Object.entries(serverNames as Record<string, TlsIdentity>)) {
    checkNames(identity, `serverNames[${JSON.stringify(name)}]`, IDENTITY, {});
    names.set(name.toLowerCase(), identityOf(engine, identity));
  }
  return names;
}

function checkAuthorities(engine: TlsEngine, clientCa: unknown): string[] {
  const texts = typeof clientCa === "string" ? [clientCa] : clientCa;
  if (!Array.isArray(texts)) {
    throw new TypeError(
      `Expected a text in PEM, or an array of them, got ${show(clientCa)} (clientCa): ` +
        "leave it out to let in clients without a certificate",
    );
  }
  if (texts.length === 0) {
    throw new TypeError("Expected at least one certificate, got an empty array (clientCa)");
  }
  for (const text of texts) engine.checkCertificates(checkPem(text, "clientCa"));
  return [...texts];
}

/** The longest name of a protocol, in bytes, that fits into a handshake. */
const MAX_PROTOCOL = 255;

function checkProtocols(protocols: unknown): string[] {
  if (protocols === undefined) return [];
  if (!Array.isArray(protocols)) {
    throw wrongKind('an array of protocols, as in ["h2"]', protocols, "alpnProtocols");
  }
  for (const protocol of protocols) {
    checkString(protocol, "alpnProtocols");
    const fits = protocol !== "" && protocol.length <= MAX_PROTOCOL &&
      /^[\x20-\x7e]*$/.test(protocol);
    if (!fits) {
      throw wrongValue(`1 to ${MAX_PROTOCOL} ASCII characters`, protocol, "alpnProtocols");
    }
  }
  return [...protocols];
}

function identityOf(
  engine: TlsEngine,
  { cert, key }: { readonly cert?: string; readonly key?: string },
): TlsIdentity {
  if (cert === undefined || key === undefined) {
    throw new TypeError(
      `Expected both cert and key, in PEM, got ${cert === undefined ? "no cert" : "no key"}`,
    );
  }
  const identity = { cert: checkPem(cert, "cert"), key: checkPem(key, "key") };
  engine.checkIdentity(identity);
  return identity;
}

function checkPem(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw wrongKind('a text in PEM ("-----BEGIN ...")', value, name);
}
