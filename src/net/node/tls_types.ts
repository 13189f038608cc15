/**
 * The slices of `node:tls`, `node:stream`, `node:net` and `node:crypto` that TLS uses.
 *
 * Types alone. Independent of: how they are used.
 */
import type { Duplex } from "../tls/duplex_adapter.ts";

/** A `TLSSocket`. */
export interface TlsSocket extends Duplex {
  readonly alpnProtocol: string | false | null;
  readonly servername: string | false | null;
  readonly authorized: boolean;
  getPeerCertificate(): { raw?: Uint8Array } | null;
}

/** A `tls.Server`. */
export interface TlsNodeServer {
  on(event: "secureConnection", listener: (socket: TlsSocket) => void): this;
  on(event: "tlsClientError", listener: (error: unknown) => void): this;
  emit(event: "connection", duplex: Duplex): boolean;
}

/** `node:tls`. */
export interface TlsModule {
  connect(options: Record<string, unknown>): TlsSocket;
  createServer(options: Record<string, unknown>): TlsNodeServer;
  createSecureContext(options: Record<string, unknown>): unknown;
}

/** `node:stream`. */
export interface StreamModule {
  Duplex: new (options: Record<string, unknown>) => Duplex;
}

/** `node:net`. */
export interface IpModule {
  isIP(text: string): number;
}

/** `node:crypto`. */
export interface CryptoModule {
  X509Certificate: new (pem: string) => { checkPrivateKey(key: unknown): boolean };
  createPrivateKey(pem: string): unknown;
}
