/**
 * NodeStream: a connection of `node:net` behind the port.
 *
 * What this file knows and no other: a socket delivers bytes unasked, so they are kept, and the
 * socket is paused, until they are asked for; the end and an error arrive as events once, for
 * whoever waits then or comes later, so both are listened to from the beginning.
 *
 * In Node a socket reads into memory it is given (`onread`), which spares its stream machinery half
 * of what a small request costs.
 */
import { codeOf } from "../../bytes/error_code.ts";
import { LINGER, type RawStream, type ReceiveEvents, type SendEvents } from "../network.ts";
import type { BufferSlice, NodeSocket } from "../runtime_types.ts";
import type { Address } from "../../stream.ts";
import type { OnRead } from "./internals.ts";
import type { NativeSocket } from "./tls_types.ts";

/** How many bytes are kept unasked before the socket is paused. */
const KEPT = 64 * 1024;

export const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * What all connections of Node's read to, one after the other: bytes are given out or copied before
 * anything else happens.
 */
const shared = new Uint8Array(64 * 1024);

/** The option `onread` of a socket, made before the stream that is to be told. */
export class Reader implements OnRead {
  readonly buffer: Uint8Array = shared;
  readonly callback: (count: number) => boolean;
  /** Says whom to tell. */
  readonly attach: (stream: NodeStream) => void;

  constructor() {
    // A variable of the closure: with a thousand connections, each object on the way is out of the
    // processor's cache.
    let stream: NodeStream;
    this.callback = (count) => stream.read(count);
    this.attach = (made) => stream = made;
  }
}

/**
 * Up to this size the bytes come from a coalescing buffer, in the same view while replies have one
 * size.
 */
export const MAX_COALESCED: number = 16 * 1024;
let lastBytes: Uint8Array = NOTHING;
let lastBuffer: Uint8Array = NOTHING;

/**
 * A Buffer of the same memory, which Node would make at each write, kept from the write before:
 * that saves a twentieth of a small request.
 */
export function asBuffer(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_COALESCED) return bytes;
  if (bytes !== lastBytes) {
    const { buffer, byteOffset, length } = bytes;
    lastBytes = bytes;
    lastBuffer = (globalThis as unknown as BufferSlice).Buffer.from(buffer, byteOffset, length);
  }
  return lastBuffer;
}

/** The addresses of a connection that does not know them itself: a Unix socket. */
export interface Addresses {
  readonly local?: Address;
  readonly remote?: Address;
}

/** How TLS may take over a socket. */
export interface TlsTakeover {
  /** Whether undocumented internals may be used. */
  readonly internals: boolean;
}

/** Options of a {@linkcode NodeStream}. */
export interface NodeStreamOptions extends Addresses {
  /** What the socket reads by, where it was made with `onread`. */
  readonly reader?: Reader | null;
  /** Absent where TLS must not sit on the socket itself: on Deno and Bun, and a user's socket. */
  readonly takeover?: TlsTakeover | null;
}

/** A socket that was given to TLS. */
export interface ReleasedSocket extends TlsTakeover {
  readonly socket: NativeSocket;
}

/** A connection of Node's. */
export class NodeStream implements RawStream {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  receiveEvents!: ReceiveEvents;
  sendEvents!: SendEvents;
  bytes: Uint8Array = NOTHING;
  lifetime: RawStream["lifetime"] = "forever";
  readonly #reader: Reader | null;
  readonly #socket: NodeSocket;
  /** Bytes that came unasked, oldest first. */
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #paused = true;
  #reading = false;
  #asked = false;
  #ended = false;
  #sending = false;
  /** The error that the socket told of, or null. */
  #failure: unknown = null;
  #closed = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  readonly #takeover: TlsTakeover | null;
  /** TLS has the socket: what it tells is no longer for this stream. */
  #released = false;

  constructor(socket: NodeSocket, options: NodeStreamOptions = {}) {
    const { local, remote, reader = null, takeover = null } = options;
    this.#socket = socket;
    this.localAddr = local ?? toAddress(socket.localAddress, socket.localPort);
    this.remoteAddr = remote ?? toAddress(socket.remoteAddress, socket.remotePort);
    this.#reader = reader;
    this.#takeover = takeover;
    reader?.attach(this);
    // The end can come before anybody receives: Node reads from a socket as soon as it has
    // connected.
    this.#ended = socket.readableEnded === true;
    if (socket.errored) this.#failure = socket.errored;
    else if (socket.destroyed) this.#failure = vanished();
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error) => this.#failed(error));
    socket.on("close", () => this.#failed(vanished()));
  }

  receive(): void {
    this.#asked = true;
    if (!this.#reading) this.#startReading();
    if (this.#keptBytes > 0) {
      const chunk = this.#kept.length === 1 ? this.#kept[0] : join(this.#kept, this.#keptBytes);
      this.#kept.length = 0;
      this.#keptBytes = 0;
      this.#deliver(chunk);
    } else if (this.#ended) {
      this.#asked = false;
      this.receiveEvents.received(0);
    } else if (this.#failure !== null) {
      this.#asked = false;
      this.receiveEvents.receiveFailed(this.receiveCodeOf(this.#failure), this.#failure);
    } else if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
  }

  #startReading(): void {
    this.#reading = true;
    if (this.#reader === null) this.#socket.on("data", this.#onData);
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#asked) this.#deliver(chunk);
    else if (!this.#keep(chunk)) this.#socket.pause();
  };

  #onEnd(): void {
    this.#ended = true;
    if (!this.#asked) return;
    this.#asked = false;
    this.receiveEvents.received(0);
  }

  /** Keeps bytes that came unasked; false once they are enough. */
  #keep(chunk: Uint8Array): boolean {
    if (this.#closed) return false;
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    if (this.#keptBytes < KEPT) return true;
    this.#paused = true;
    return false;
  }

  /** Hands out memory of its own. */
  #deliver(chunk: Uint8Array): void {
    this.#asked = false;
    this.lifetime = "forever";
    this.bytes = chunk;
    this.receiveEvents.received(chunk.length);
  }

  /** So many bytes are in the shared memory; false stops reading. */
  read(count: number): boolean {
    if (!this.#asked) return this.#keep(shared.slice(0, count));
    this.#asked = false;
    this.lifetime = "event";
    this.bytes = shared;
    if (this.receiveEvents.received(count) !== true) {
      this.lifetime = "forever";
      this.bytes = shared.slice(0, count);
    }
    return true;
  }

  /** The socket broke: who waits for an answer is told, by the first error there was. */
  #failed(error: unknown): void {
    this.#failure ??= error;
    if (this.#closed || this.#released) return;
    if (this.#asked && !this.#ended) {
      this.#asked = false;
      this.receiveEvents.receiveFailed(this.receiveCodeOf(this.#failure), this.#failure);
    }
    this.#sendFailed(this.#failure);
  }

  /** The socket told of an error, or that it is closed. */
  protected get isBroken(): boolean {
    return this.#failure !== null;
  }

  /** The POSIX code of an error of the socket. */
  protected codeOf(error: unknown): string {
    return codeOf(error);
  }

  /**
   * The code for a receive. Where a send found the reset first, the only error there is has the
   * code of that.
   */
  protected receiveCodeOf(error: unknown): string {
    const code = this.codeOf(error);
    return code === "EPIPE" ? "ECONNRESET" : code;
  }

  #sendFailed(error: unknown): void {
    if (!this.#sending) return;
    this.#sending = false;
    this.sendEvents.sendFailed(this.codeOf(error), error);
  }

  send(bytes: Uint8Array): void {
    if (!this.beginSend()) return;
    const socket = this.#socket;
    if (this.#reader === null) return void socket.write(bytes, this.onWrite);
    // In Node most writes are done by now, and a callback would cost a tick each time, to tell so
    // later.
    socket.write(asBuffer(bytes));
    // Called back once everything before it is done.
    if (socket.writableLength !== 0) return void socket.write(NOTHING, this.onWrite);
    if (socket.errored !== null || socket.destroyed) return;
    this.onSent();
  }

  /** A send was asked for; false where it has failed already, and that was answered. */
  protected beginSend(): boolean {
    this.#sending = true;
    if (this.#failure === null) return true;
    this.#sendFailed(brokenPipe(this.#failure));
    return false;
  }

  /** The callback of the last write that a send needs. */
  protected readonly onWrite = (error?: unknown): void => {
    if (error) return this.#sendFailed(this.#failure ?? error);
    if (this.#sending) this.onSent();
  };

  /** Answers the send. */
  protected onSent(): void {
    this.#sending = false;
    this.sendEvents.sent();
  }

  finish(): void {
    if (this.beginSend()) this.#socket.end(() => this.onWrite());
  }

  /**
   * Gives the socket to TLS, with what it has delivered unasked put back into it; null where that
   * is not possible, or the connection has ended. Nothing but `close` is asked of this stream then.
   */
  release(): ReleasedSocket | null {
    const socket = this.#socket as NativeSocket;
    if (this.#takeover === null || this.#closed || this.#ended || this.#failure !== null) {
      return null;
    }
    if (socket.destroyed) return null;
    this.#released = true;
    this.#asked = false;
    socket.removeListener("data", this.#onData);
    socket.pause();
    while (this.#kept.length > 0) socket.unshift(this.#kept.pop()!);
    return { socket, internals: this.#takeover.internals };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#asked = false;
    clearTimeout(this.#lingering);
    this.#kept.length = this.#keptBytes = 0;
    this.endSocket();
  }

  /** Ends the socket: once, as this stream is closed. */
  protected endSocket(): void {
    this.#socket.destroy();
  }

  closeSoon(): void {
    if (!this.#closed) this.#lingering = setTimeout(() => this.close(), LINGER * 1000);
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on);
  }

  setKeepAlive(on: boolean): void {
    this.#socket.setKeepAlive(on);
  }
}

/**
 * Puts chunks together. A secured socket tells of 16 KiB at a time: to hand them out one by one
 * would cost a wait, and a write of what is answered, for each.
 */
function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  return (globalThis as unknown as BufferSlice).Buffer.concat(chunks, size);
}

/** A TCP address. */
export function toAddress(hostname = "", port = 0): Address {
  return { transport: "tcp", hostname, port };
}

/** A connection that was closed beneath us, and nobody said why. */
function vanished(): Error & { code: string } {
  return Object.assign(new Error("The connection is gone"), { code: "ECONNRESET" });
}

/** What sending to a connection that broke before gives. */
function brokenPipe(cause: unknown): Error & { code: string } {
  return Object.assign(new Error("The connection broke before", { cause }), { code: "EPIPE" });
}
