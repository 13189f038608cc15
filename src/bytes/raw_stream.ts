/**
 * RawStream: the port behind one stream of bytes, in two halves: a connection has both, one end of
 * a pipe has one. A backend implements it; `Receiver` and `Sender` turn its callbacks into waits.
 *
 * The rules that a backend keeps: what it was asked for is answered once, by the event named, at
 * once or later. Nothing is answered unasked, and after `close` nothing needs to be answered.
 * Failures are told by a POSIX code, with the host's own error beside it.
 *
 * Independent of: loops, tasks, cancellation.
 */
import type { StreamPlace } from "../stream.ts";

/**
 * How long what was sent before a close, or before the end of a handler, may take to go out, in
 * seconds. A peer that reads nothing for so long is cut off.
 */
export const LINGER = 5;

/**
 * What a {@linkcode RawReceiveStream} answers to `receive`.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { ProcessOutput, type ReceiveEvents, type RawReceiveStream } from "jsr:@broomio/core/os";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * class Broken implements RawReceiveStream { // a backend whose pipe breaks
 *   receiveEvents!: ReceiveEvents;
 *   readonly remoteAddr = { transport: "pipe", name: "stdout" } as const;
 *   readonly bytes = new Uint8Array(0);
 *   readonly lifetime = "forever";
 *   receive() {
 *     this.receiveEvents.receiveFailed("EIO", undefined);
 *   }
 *   close() {}
 * }
 * const output = new ProcessOutput(new Broken());
 * await assertRejects(() => new Loop().run(output.recv()), Error, "EIO");
 * ```
 */
export interface ReceiveEvents {
  /**
   * So many bytes are in `bytes`; 0 at the end. Gives true where all were read at once, so that the
   * memory is free.
   */
  received(count: number): boolean | void;
  /** It failed. */
  receiveFailed(code: string, cause: unknown): void;
}

/**
 * What a {@linkcode RawSendStream} answers to `send` and `finish`.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { ProcessInput, type RawSendStream, type SendEvents } from "jsr:@broomio/core/os";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * class Full implements RawSendStream { // a backend that takes nothing
 *   sendEvents!: SendEvents;
 *   readonly remoteAddr = { transport: "pipe", name: "stdin" } as const;
 *   send() {
 *     this.sendEvents.sendFailed("EPIPE", undefined);
 *   }
 *   finish() {
 *     this.sendEvents.sent();
 *   }
 *   close() {}
 *   closeSoon() {}
 * }
 * const input = new ProcessInput(new Full());
 * await assertRejects(() => new Loop().run(input.send(new Uint8Array(100_000))), Error, "EPIPE");
 * ```
 */
export interface SendEvents {
  /** It is done. */
  sent(): void;
  /** It failed; a part may have been sent. */
  sendFailed(code: string, cause: unknown): void;
}

/**
 * What both halves have.
 *
 * @example
 * ```ts
 * import type { RawHalf } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const open = new Set<RawHalf>();
 * function closeAll() {
 *   for (const half of open) half.close();
 * }
 * let closed = 0;
 * open.add({ remoteAddr: { transport: "pipe", name: "stdin" }, close: () => void closed++ });
 * closeAll();
 * assertEquals(closed, 1);
 * ```
 */
export interface RawHalf {
  /** The other end. */
  readonly remoteAddr: StreamPlace;
  /**
   * True where tasks of the same loop answer, and nothing outside of it: waiting for them is no
   * external wait.
   */
  readonly isInLoop?: boolean;
  /** Ends it now; what is being sent may be cut off. Twice is once. */
  close(): void;
}

/**
 * The half of a backend's stream that receives.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { ProcessOutput, type RawReceiveStream, type ReceiveEvents } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * class Canned implements RawReceiveStream { // gives a text, then the end
 *   receiveEvents!: ReceiveEvents;
 *   readonly remoteAddr = { transport: "pipe", name: "canned" } as const;
 *   readonly bytes = new TextEncoder().encode("hello");
 *   readonly lifetime = "forever";
 *   #left = this.bytes.length;
 *   receive() {
 *     this.receiveEvents.received(this.#left);
 *     this.#left = 0;
 *   }
 *   close() {}
 * }
 * const output = new ProcessOutput(new Canned());
 * const bytes = await new Loop().run(output.recv());
 * assertEquals(new TextDecoder().decode(bytes!), "hello");
 * assertEquals(await new Loop().run(output.recv()), null);
 * ```
 */
export interface RawReceiveStream extends RawHalf {
  /** Where answers go; set before anything is asked. */
  receiveEvents: ReceiveEvents;
  /** What was received last, from index 0. */
  readonly bytes: Uint8Array;
  /**
   * How long `bytes` stay as they are: during `received`, and then `bytes` is other memory with
   * what was not read; until `receive` is called again; or for ever.
   */
  readonly lifetime: "event" | "receive" | "forever";
  /** Asks for bytes. One at a time. */
  receive(): void;
}

/**
 * The half of a backend's stream that sends.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { ProcessInput, type RawSendStream, type SendEvents } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * class Collected implements RawSendStream { // keeps what it is sent
 *   sendEvents!: SendEvents;
 *   readonly remoteAddr = { transport: "pipe", name: "collected" } as const;
 *   text = "";
 *   send(bytes: Uint8Array) {
 *     this.text += new TextDecoder().decode(bytes);
 *     this.sendEvents.sent();
 *   }
 *   finish() {
 *     this.sendEvents.sent();
 *   }
 *   close() {}
 *   closeSoon() {}
 * }
 * const raw = new Collected();
 * await new Loop().run(function* () {
 *   const input = new ProcessInput(raw);
 *   yield* input.send(new TextEncoder().encode("hello"));
 *   yield* input.shutdown();
 * }());
 * assertEquals(raw.text, "hello");
 * ```
 */
export interface RawSendStream extends RawHalf {
  /** Where answers go; set before anything is asked. */
  sendEvents: SendEvents;
  /** How many bytes it takes now without waiting, where it has a bound; small sends keep to it. */
  readonly room?: number;
  /**
   * Asks to send all of `bytes`, which stay as they are until it is answered. One at a time,
   * together with `finish`.
   */
  send(bytes: Uint8Array): void;
  /** Asks to end the sending direction. */
  finish(): void;
  /**
   * `close` follows once what is being sent has gone out. Where that takes longer than `LINGER`,
   * the backend closes by itself.
   */
  closeSoon(): void;
}
