/**
 * The slices of `node:tls`, `node:stream`, `node:net` and `node:crypto` that TLS uses.
 *
 * Types alone. Independent of: how they are used.
 */
import type { NodeSocket } from "../runtime_types.ts";
import type { Duplex } from "../tls/duplex_adapter.ts";

/** A `net.Socket` that TLS can sit on. */
export interface NativeSocket extends NodeSocket {
  /** Whether an end from the other side leaves the sending direction open. */
  allowHalfOpen: boolean;
  /** Puts bytes back, before those that were not read yet. */
  unshift(bytes: Uint8Array): void;
}

/** What a handshake has settled. */
interface HandshakeResult {
  readonly alpnProtocol: string | false | null;
  readonly servername: string | false | null;
  readonly authorized: boolean;
  getPeerCertificate(): { raw?: Uint8Array } | null;
}

/** A `TLSSocket`. */
export interface TlsSocket extends Duplex, HandshakeResult {}

/** A `TLSSocket` on a socket of Node's. */
export interface NativeTlsSocket extends NativeSocket, HandshakeResult {
  readonly writableFinished: boolean;
}

/** A `tls.Server`. */
export interface TlsNodeServer {
  on(event: "secureConnection", listener: (socket: TlsSocket) => void): this;
  on(event: "tlsClientError", listener: (error: unknown) => void): this;
  emit(event: "connection", carrier: Duplex | NativeSocket): boolean;
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
  randomBytes(count: number): Uint8Array;
}
