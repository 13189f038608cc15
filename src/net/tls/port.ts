/**
 * The port to an engine of TLS: it makes a secured stream of a raw one, on either side. Node's
 * engine is the only one; Deno and Bun have it too.
 *
 * Why one engine over raw streams, and not Deno's own TLS beside it: Deno's has no mutual TLS on
 * the server (it lets in whoever comes where certificates are asked for) and no upgrade on the
 * server's side; and this one works over every backend, one in memory too. Independent of: loops,
 * tasks, cancellation.
 */
import type { Attempt, RawStream } from "../network.ts";

/**
 * A private key and the chain of certificates that belongs to it, both in PEM.
 *
 * @example
 * ```ts
 * import { type Coroutine, Loop } from "jsr:@broomio/core";
 * import type { TlsIdentity } from "jsr:@broomio/core/net";
 * import { runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // For development: a certificate that nobody else has signed. Clients want it as `caCerts`.
 * function* selfSigned(name: string): Coroutine<TlsIdentity> {
 *   const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout -";
 *   const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
 *   const { stdout } = yield* runProcess("openssl", [...args.split(" "), ...names]);
 *   const [key, cert] = stdout.split(/(?=-----BEGIN CERT)/);
 *   return { cert, key };
 * }
 * const { cert } = await new Loop().run(selfSigned("localhost"));
 * assertEquals(cert.startsWith("-----BEGIN CERTIFICATE-----"), true);
 * ```
 */
export interface TlsIdentity {
  /** The certificate, then those that signed it. */
  readonly cert: string;
  /** The private key. */
  readonly key: string;
}

/** How a client secures a connection. */
export interface TlsClientTarget {
  /** The name that the server's certificate must have, and that it is told (SNI). */
  readonly hostname: string;
  /** Certificates in PEM to trust, instead of those that the runtime trusts. */
  readonly caCerts: readonly string[];
  /** What the client shows when it is asked for a certificate. */
  readonly identity: TlsIdentity | null;
  /** The protocols that are wanted, best first. */
  readonly alpnProtocols: readonly string[];
}

/** How a server secures its connections. */
export interface TlsServerTarget {
  readonly identity: TlsIdentity;
  /** Other identities, by the name that the client asks for (SNI), in lower case. */
  readonly serverNames: ReadonlyMap<string, TlsIdentity>;
  /** Where given, every client must show a certificate that one of these signed. */
  readonly clientCa: readonly string[] | null;
  /** The protocols that are understood, best first. */
  readonly alpnProtocols: readonly string[];
}

/** A raw stream that nobody reads from or writes to, and what was received from it already. */
export interface Carrier {
  readonly raw: RawStream;
  /** Bytes that were received and not given out. */
  readonly leftover: Uint8Array | null;
  /** It was asked for bytes and has not answered. */
  readonly pending: boolean;
}

/**
 * A secured stream, its handshake done.
 *
 * @example
 * ```ts
 * import { type RawTlsStream, TlsClientSocket } from "jsr:@broomio/core/net";
 * import { memoryNetwork } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // A secured connection for a test, without the cost of a handshake.
 * const network = memoryNetwork();
 * const target = { hostname: "web.test", port: 443, backlog: 1, reusePort: false };
 * const failed = (code: string) => console.error(code);
 * network.listenTcp(target, { opened() {}, failed });
 * network.connectTcp(target, {
 *   failed,
 *   opened(raw) {
 *     const info = { alpnProtocol: "h2", serverName: null, peerCertificate: null };
 *     const secured: RawTlsStream = Object.assign(raw, info);
 *     using socket = new TlsClientSocket(secured);
 *     assertEquals(socket.alpnProtocol, "h2");
 *   },
 * });
 * ```
 */
export interface RawTlsStream extends RawStream {
  /** The protocol that both ends agreed on, or null. */
  readonly alpnProtocol: string | null;
  /** The name that the client asked for, or null. */
  readonly serverName: string | null;
  /** The certificate of the other end in DER, or null where it showed none. */
  readonly peerCertificate: Uint8Array | null;
}

/** Secures the connections of one server. */
export interface TlsServer {
  /**
   * Does the server's part of a handshake. Gives how to abandon it, which closes the carrier, as
   * failing does.
   */
  accept(carrier: Carrier, attempt: Attempt<RawTlsStream>): () => void;
}

/** What tells the time of handshakes. */
export interface TlsClock {
  /** The time in seconds, monotonic. */
  now(): number;
  /** Calls back after so many seconds; gives how to cancel that. */
  after(seconds: number, callback: () => void): () => void;
}

/** An engine of TLS. */
export interface TlsEngine {
  readonly clock: TlsClock;
  /** Whether a server can show other certificates for other names (`serverNames`). */
  readonly canServeNames: boolean;
  /** Throws a `TypeError` where a text holds no certificate. */
  checkCertificates(pem: string): void;
  /** Throws a `TypeError` where these are no certificate and key, or do not belong together. */
  checkIdentity(identity: TlsIdentity): void;
  /**
   * Does the client's part of a handshake. Gives how to abandon it, which closes the carrier, as
   * failing does.
   */
  connect(
    carrier: Carrier,
    target: TlsClientTarget,
    attempt: Attempt<RawTlsStream>,
  ): () => void;
  /** Prepares to serve. Throws a `TypeError` where the target cannot be served. */
  server(target: TlsServerTarget): TlsServer;
}
