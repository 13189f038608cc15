/**
 * NativeTlsStream: a connection that `node:tls` has secured on a socket of Node's own, so that no
 * encrypted byte passes through JavaScript.
 *
 * Invariants: a send is answered when its bytes are with the system, or when the socket calls back;
 * at most `MAX_PIECE` bytes of a large one are encrypted ahead of a peer that does not read;
 * closing sends TLS's closing message (close_notify) first, except where it cuts off a large send:
 * then the other end must not take a part for the whole. Independent of: handshakes.
 */
import { LINGER } from "../network.ts";
import type { RawTlsStream } from "../tls/port.ts";
import { readBy, type WriteQueue, writeQueueOf } from "./internals.ts";
import {
  asBuffer,
  MAX_COALESCED,
  NodeStream,
  type NodeStreamOptions,
  NOTHING,
  Reader,
  type ReleasedSocket,
} from "./stream.ts";
import { certificateOf, tlsCodeOf } from "./tls_stream.ts";
import type { NativeSocket, NativeTlsSocket } from "./tls_types.ts";

/** How much of a large send is encrypted at once: the loop stands still for that long, 0.2 ms. */
const MAX_PIECE = 256 * 1024;

/** A secured connection. */
export class NativeTlsStream extends NodeStream implements RawTlsStream {
  readonly alpnProtocol: string | null;
  readonly serverName: string | null;
  readonly #socket: NativeTlsSocket;
  /** The socket that TLS sits on. */
  readonly #below: NativeSocket;
  /** What is not with the system yet; null where that is not known. */
  readonly #queue: WriteQueue | null;
  /** What is left of a large send. */
  #rest: Uint8Array = NOTHING;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  /** @param socket Secured just now; nobody has read from it. */
  constructor(
    socket: NativeTlsSocket,
    { socket: below, internals }: ReleasedSocket,
    addresses: Required<Pick<NodeStreamOptions, "local" | "remote">>,
  ) {
    const reader = internals ? readerOf(socket) : null;
    super(socket, { ...addresses, reader });
    this.#socket = socket;
    this.#below = below;
    this.#queue = internals ? writeQueueOf(below) : null;
    this.alpnProtocol = socket.alpnProtocol || null;
    this.serverName = socket.servername || null;
    socket.on("close", () => clearTimeout(this.#lingering));
  }

  get peerCertificate(): Uint8Array | null {
    return certificateOf(this.#socket);
  }

  protected override codeOf(error: unknown): string {
    return tlsCodeOf(error);
  }

  /** TLS on top of TLS sits on a Duplex. */
  override release(): null {
    return null;
  }

  override send(bytes: Uint8Array): void {
    if (!this.beginSend()) return;
    const socket = this.#socket;
    const queue = this.#queue;
    if (queue === null || bytes.length > MAX_COALESCED || socket.writableLength !== 0) {
      this.#rest = bytes;
      return this.#sendPiece();
    }
    // TLS has encrypted or copied them when `write` returns: the memory is free.
    socket.write(asBuffer(bytes));
    if (socket.errored !== null || socket.destroyed) return; // told by an event
    if (queue.writeQueueSize === 0) return this.onSent();
    // Called back once everything before it is done.
    socket.write(NOTHING, this.onWrite);
  }

  #sendPiece(): void {
    const piece = this.#rest.subarray(0, MAX_PIECE);
    this.#rest = this.#rest.subarray(piece.length);
    this.#socket.write(piece, this.#onPiece);
  }

  readonly #onPiece = (error?: unknown): void => {
    if (error || this.#rest.length === 0) this.onWrite(error);
    else this.#sendPiece();
  };

  override closeSoon(): void {
    this.#destroyLater();
  }

  protected override endSocket(): void {
    const socket = this.#socket;
    const isCutOff = this.#rest.length > 0;
    this.#rest = NOTHING;
    if (isCutOff || this.isBroken || socket.writableFinished) return void socket.destroy();
    this.#destroyLater();
    socket.end(() => socket.destroy());
  }

  /** Bounds how long the last bytes may take to go out. */
  #destroyLater(): void {
    this.#lingering ??= setTimeout(() => this.#socket.destroy(), LINGER * 1000);
  }

  override setNoDelay(on: boolean): void {
    this.#below.setNoDelay(on); // the secured socket does not know how it was set before
  }

  override setKeepAlive(on: boolean): void {
    this.#below.setKeepAlive(on);
  }
}

/** What a secured socket reads by, or null where it is read by `data` events. */
function readerOf(socket: NativeTlsSocket): Reader | null {
  const reader = new Reader();
  return readBy(socket, reader) ? reader : null;
}
