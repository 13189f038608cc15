/**
 * Bridge: a raw stream in the form in which Node's TLS wants it, a `Duplex`.
 *
 * Invariants: the raw stream is asked for bytes only where they are wanted, and its answers are waited for, so that neither direction
 * piles up; it is closed once what is being written has gone out.
 * Must never know: TLS.
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

/** A raw stream in the form in which Node's TLS wants it. */
export class Bridge implements ReceiveEvents, SendEvents {
  readonly raw: RawStream;
  readonly duplex: Duplex;
  /** Told where the raw stream ends or breaks while nothing is secured yet. */
  whenEnded: ((cause: unknown) => void) | null = null;
  #leftover: Uint8Array | null;
  #pending: boolean;
  #writing: ((error?: unknown) => void) | null = null;
  #whenIdle: (() => void) | null = null;
  #closing = false;
  /** Whether more bytes are wanted; always, while there is nobody to want them. */
  isWanted: () => boolean = () => true;
  /** It was asked for bytes, and they were not wanted. */
  #asked = false;

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
    this.duplex.on("error", () => {}); // the secured stream tells of it
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

  /** More bytes are wanted. Deno's TLS would take all there are, and keep them. */
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
    this.#idled();
    if (this.#closing && this.#writing === null) this.raw.close();
  }

  sendFailed(_code: string, cause: unknown): void {
    const done = this.#writing;
    this.#writing = null;
    done?.(cause);
    this.#idled();
    if (this.#closing) this.raw.close();
  }

  /** Calls back once nothing is on its way: Deno's TLS says that it has written when it has encrypted. */
  whenIdle(callback: () => void): void {
    this.#whenIdle = callback;
    this.#idled();
  }

  #idled(): void {
    const callback = this.#whenIdle;
    if (callback === null) return;
    const { destroyed, writableLength } = this.duplex;
    if (!destroyed && !this.#closing && (this.#writing !== null || writableLength > 0)) return;
    this.#whenIdle = null;
    callback();
  }

  /** Closes the raw stream once what is being written has gone out. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#idled();
    if (this.#writing === null) this.raw.close();
    else this.raw.closeSoon();
  }
}
