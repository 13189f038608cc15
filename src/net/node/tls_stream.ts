/**
 * NodeTlsStream: a connection that `node:tls` has secured, over a DuplexAdapter.
 *
 * Invariants: bytes are read from the TLS socket only where they are asked for; what was sent has
 * left the adapter when it is answered; closing sends TLS's closing message (close_notify) first,
 * without which the other end cannot tell the end from an attack. Independent of: handshakes.
 */
import type { Address } from "../../stream.ts";
import { codeOf } from "../../bytes/error_code.ts";
import { LINGER, type ReceiveEvents, type SendEvents } from "../network.ts";
import type { DuplexAdapter } from "../tls/duplex_adapter.ts";
import type { RawTlsStream } from "../tls/port.ts";
import type { TlsSocket } from "./tls_types.ts";

/** The other end has gone, and no error of the runtime says so. */
export class PeerGone extends Error {
  readonly code = "ECONNRESET";
}

/** The certificate that the other end showed, in DER. */
export function certificateOf(socket: Pick<TlsSocket, "getPeerCertificate">): Uint8Array | null {
  return socket.getPeerCertificate()?.raw ?? null;
}

/** The POSIX code of an error; what concerns TLS itself is EPROTO, and its cause says more. */
export function tlsCodeOf(error: unknown): string {
  if (error === undefined) return "ECONNRESET";
  const { code: own } = (error ?? {}) as { code?: unknown };
  if (own === "ERR_STREAM_PREMATURE_CLOSE") return "EPIPE";
  const code = codeOf(error);
  return /^E[A-Z0-9]+$/.test(code) && (code !== "EIO" || own === "EIO") ? code : "EPROTO";
}

/** A secured connection. */
export class NodeTlsStream implements RawTlsStream {
  receiveEvents!: ReceiveEvents;
  sendEvents!: SendEvents;
  bytes: Uint8Array = new Uint8Array(0);
  readonly lifetime = "forever";
  readonly alpnProtocol: string | null;
  readonly serverName: string | null;
  readonly #socket: TlsSocket;
  readonly #adapter: DuplexAdapter;
  /** It was asked for bytes and has not answered. */
  #receiving = false;
  /** It was asked to send, or to end sending, and has not answered. */
  #sending = false;
  /** The other end has sent close_notify. */
  #ended = false;
  #failure: { cause: unknown } | null = null;
  #closed = false;
  /** Bytes that came in the same piece as those that were asked for, oldest first. */
  readonly #kept: Uint8Array[] = [];

  constructor(socket: TlsSocket, adapter: DuplexAdapter) {
    this.#socket = socket;
    this.#adapter = adapter;
    adapter.isWanted = () => this.#receiving;
    this.alpnProtocol = socket.alpnProtocol || null;
    this.serverName = socket.servername || null;
    // Not `readable`: that event comes a tick later each time. Nothing piles up, as the adapter
    // asks for no more than is wanted.
    socket.on("data", (bytes: Uint8Array) => {
      if (this.#receiving) this.#deliver(bytes);
      else if (!this.#closed) this.#kept.push(bytes);
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#read();
    });
    socket.on("error", (cause: unknown) => this.#failed(cause));
    socket.on("close", () => {
      if (!this.#ended) this.#failed(new PeerGone("The other end left without close_notify"));
      adapter.close();
      // Not every runtime calls back for what was being written then.
      this.#answer(this.#failure?.cause ?? new PeerGone("The other end left"));
    });
  }

  get localAddr(): Address {
    return this.#adapter.raw.localAddr;
  }

  get remoteAddr(): Address {
    return this.#adapter.raw.remoteAddr;
  }

  get peerCertificate(): Uint8Array | null {
    return certificateOf(this.#socket);
  }

  receive(): void {
    this.#receiving = true;
    this.#read();
  }

  /** Answers `receive` where there is an answer. */
  #read(): void {
    if (!this.#receiving || this.#closed) return;
    const kept = this.#kept.shift();
    if (kept !== undefined) this.#deliver(kept);
    else if (this.#ended) {
      this.#receiving = false;
      this.receiveEvents.received(0);
    } else if (this.#failure !== null) {
      this.#receiving = false;
      const { cause } = this.#failure;
      this.receiveEvents.receiveFailed(tlsCodeOf(cause), cause);
    } else this.#adapter.demand();
  }

  #deliver(bytes: Uint8Array): void {
    this.#receiving = false;
    this.bytes = bytes;
    this.receiveEvents.received(bytes.length);
  }

  #failed(cause: unknown): void {
    this.#failure ??= { cause };
    this.#read();
  }

  send(bytes: Uint8Array): void {
    this.#sending = true;
    this.#socket.write(bytes, (error) => this.#adapter.whenIdle(() => this.#answer(error)));
  }

  finish(): void {
    this.#sending = true;
    this.#end(() => this.#answer(undefined));
  }

  /** Ends the sending direction, and calls back when close_notify has gone out. */
  #end(callback: () => void): void {
    const { writes } = this.#adapter;
    this.#socket.end(() => this.#adapter.whenIdle(callback, writes + 1));
  }

  /** Answers `send` or `finish`, once. */
  #answer(error: unknown): void {
    if (!this.#sending) return;
    this.#sending = false;
    if (error) this.sendEvents.sendFailed(tlsCodeOf(error), error);
    else this.sendEvents.sent();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiving = false;
    this.#kept.length = 0;
    const socket = this.#socket;
    if (socket.destroyed || this.#failure !== null || socket.writableFinished) {
      return this.#destroy();
    }
    this.#destroyLater();
    this.#end(() => this.#destroy());
  }

  closeSoon(): void {
    this.#destroyLater();
  }

  /** Bounds how long the last bytes may take to go out. */
  #destroyLater(): void {
    const timer = setTimeout(() => this.#destroy(), LINGER * 1000);
    this.#socket.on("close", () => clearTimeout(timer));
  }

  #destroy(): void {
    this.#socket.destroy();
    this.#adapter.close();
  }

  setNoDelay(on: boolean): void {
    try {
      this.#adapter.raw.setNoDelay(on);
    } catch {
      // Reset between the handshake and now: the next receive says so, to who serves it.
    }
  }

  setKeepAlive(on: boolean): void {
    try {
      this.#adapter.raw.setKeepAlive(on);
    } catch {
      // As above.
    }
  }
}
