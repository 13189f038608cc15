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

/** What a {@linkcode RawReceiveStream} answers to `receive`. */
export interface ReceiveEvents {
  /**
   * So many bytes are in `bytes`; 0 at the end. Gives true where all were read at once, so that the
   * memory is free.
   */
  received(count: number): boolean | void;
  /** It failed. */
  receiveFailed(code: string, cause: unknown): void;
}

/** What a {@linkcode RawSendStream} answers to `send` and `finish`. */
export interface SendEvents {
  /** It is done. */
  sent(): void;
  /** It failed; a part may have been sent. */
  sendFailed(code: string, cause: unknown): void;
}

/** What both halves have. */
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

/** The half of a backend's stream that receives. */
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

/** The half of a backend's stream that sends. */
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
