/**
 * DuplexAdapter: a raw stream as a `Duplex` of `node:stream`, which Node's TLS can sit on.
 *
 * Invariants: the raw stream is asked for bytes only where they are wanted, and its answers are
 * waited for, so that nothing piles up in either direction; it is closed once what is being written
 * has gone out. Independent of: TLS.
 */
import type { RawStream, ReceiveEvents, SendEvents } from "../network.ts";
import type { Carrier } from "./port.ts";

/** What is used of a `Duplex` of `node:stream`. */
export interface Duplex {
  on(event: string, listener: (...args: never[]) => void): this;
  push(bytes: Uint8Array | null): boolean;
  read(): Uint8Array | null;
  write(bytes: Uint8Array, done: (error?: unknown) => void): boolean;
  end(done?: () => void): void;
  destroy(error?: unknown): void;
  readonly destroyed: boolean;
  readonly writableFinished: boolean;
  readonly writableLength: number;
}

/** A raw stream as a `Duplex`. */
export class DuplexAdapter implements ReceiveEvents, SendEvents {
  readonly raw: RawStream;
  readonly duplex: Duplex;
  /** Called where the raw stream ends or breaks; for the time of the handshake. */
  whenEnded: ((cause: unknown) => void) | null = null;
  /** Whether more bytes are wanted. During the handshake they always are. */
  isWanted: () => boolean = () => true;
  /** How many writes have been begun. */
  writes: number = 0;
  #leftover: Uint8Array | null;
  /** The raw stream was asked for bytes and has not answered. */
  #pending: boolean;
  /** The Duplex asked for bytes while they were not wanted. */
  #asked = false;
  /** Called back when the write in flight is done; null exactly while none is. */
  #writing: ((error?: unknown) => void) | null = null;
  #whenIdle: { callback: () => void; minWrites: number } | null = null;
  #closing = false;

  constructor(
    newDuplex: (options: Record<string, unknown>) => Duplex,
    { raw, leftover, pending }: Carrier,
  ) {
    this.raw = raw;
    this.#leftover = leftover;
    this.#pending = pending;
    raw.receiveEvents = this;
    raw.sendEvents = this;
    this.duplex = newDuplex({
      read: () => this.#read(),
      write: (bytes: Uint8Array, _encoding: string, done: (error?: unknown) => void) => {
        this.#writing = done;
        this.writes++;
        raw.send(bytes);
      },
      final: (done: (error?: unknown) => void) => {
        this.#writing = done;
        raw.finish();
      },
      destroy: (error: unknown, done: (error: unknown) => void) => {
        this.close();
        done(error);
      },
    });
    this.duplex.on("error", () => {}); // the TLS socket above tells of it
  }

  #read(): void {
    const leftover = this.#leftover;
    if (leftover !== null) {
      this.#leftover = null;
      this.duplex.push(leftover);
    } else if (this.#pending) return;
    else if (this.isWanted()) {
      this.#pending = true;
      this.raw.receive();
    } else this.#asked = true;
  }

  /** More bytes are wanted. Without this, Deno's TLS would read all there are, and keep them. */
  demand(): void {
    if (!this.#asked) return;
    this.#asked = false;
    this.#read();
  }

  received(count: number): void {
    this.#pending = false;
    const { bytes, lifetime } = this.raw;
    if (count === 0) {
      this.duplex.push(null);
      this.whenEnded?.(undefined);
    } else {
      this.duplex.push(lifetime === "forever" ? bytes.subarray(0, count) : bytes.slice(0, count));
    }
  }

  receiveFailed(_code: string, cause: unknown): void {
    this.#pending = false;
    this.duplex.destroy(cause);
    this.whenEnded?.(cause);
  }

  sent(): void {
    const done = this.#writing;
    this.#writing = null;
    done?.();
    if (!this.#closing) this.#checkIdle();
    else if (this.#writing === null) this.#closeRaw();
  }

  sendFailed(_code: string, cause: unknown): void {
    const done = this.#writing;
    this.#writing = null;
    done?.(cause);
    if (this.#closing) this.#closeRaw();
    else this.#checkIdle();
  }

  /**
   * Calls back once no write is in flight and at least `minWrites` were begun, or all is over.
   * Deno's TLS says that it has written when it has encrypted, and that it has ended before it has
   * written its last record.
   */
  whenIdle(callback: () => void, minWrites: number = 0): void {
    this.#whenIdle = { callback, minWrites };
    this.#checkIdle();
  }

  #checkIdle(): void {
    const waiting = this.#whenIdle;
    if (waiting === null) return;
    const { destroyed, writableLength } = this.duplex;
    const isBusy = this.#writing !== null || writableLength > 0 ||
      this.writes < waiting.minWrites;
    if (isBusy && !destroyed && !this.#closing) return;
    this.#whenIdle = null;
    waiting.callback();
  }

  /** Closes the raw stream once what is being written has gone out. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#checkIdle();
    if (this.#writing === null) this.#closeRaw();
    else this.raw.closeSoon();
  }

  /** Called by events of the runtime, where nobody would catch an error. */
  #closeRaw(): void {
    try {
      this.raw.close();
    } catch {
      // It is closed, or was broken before.
    }
  }
}
