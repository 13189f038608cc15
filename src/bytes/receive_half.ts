/**
 * receive_half: how a reader gets at the receiving half under a stream, so that each of its reads
 * is one wait, and can be an arm of `select`. Streams that do not show theirs are read by their own
 * `recv`.
 *
 * Independent of: what streams there are.
 */
import type { Receiver } from "./receiver.ts";

/** The receiving half of a stream, and what is to be done before it waits. */
export interface ReceiveHalf {
  /** Gives the bytes. */
  readonly receiver: Receiver;
  /**
   * Writes what was sent and is coalesced: a request must be in flight before its answer is waited
   * for.
   */
  flush(): void;
}

const halves = new WeakMap<object, (stream: never) => ReceiveHalf>();

/** Says how the streams of a class show their half: once, by the class itself. */
export function showReceiveHalf<S extends object>(
  prototype: S,
  show: (stream: S) => ReceiveHalf,
): void {
  halves.set(prototype, show);
}

/** The receiving half of a stream, or null where its class does not show it. */
export function receiveHalfOf(stream: object): ReceiveHalf | null {
  for (
    let prototype: object | null = stream;
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const show = halves.get(prototype);
    if (show !== undefined) return show(stream as never);
  }
  return null;
}
