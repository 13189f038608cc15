/**
 * The ready queue: the tasks that can run, in the order they will.
 *
 * Invariant: every order is fair (R4). "fifo" is a plain ring buffer. The others take what is ready
 * as one batch, rearrange it, and run all of it before the next batch: so while a task is ready,
 * any other runs at most twice before it. Independent of: what it holds.
 */
import { RingBuffer } from "./ring_buffer.ts";

/**
 * In which order ready tasks run. Not a promise: "lifo" and "random" exist to find hidden
 * assumptions.
 *
 * @example
 * ```ts
 * import { type ExecutionOrder, Loop } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * async function runInOrder(executionOrder: ExecutionOrder): Promise<number[]> {
 *   const log: number[] = [];
 *   const loop = new Loop({ executionOrder });
 *   function* step(n: number) {
 *     log.push(n);
 *   }
 *   for (const n of [1, 2, 3]) loop.startSoon(step(n));
 *   await loop.run();
 *   return log;
 * }
 * assertEquals(await runInOrder("fifo"), [1, 2, 3]);
 * assertEquals(await runInOrder("lifo"), [3, 2, 1]);
 * ```
 */
export type ExecutionOrder = "fifo" | "lifo" | "random";

/** A queue that rearranges each batch before running it. */
class BatchQueue<T> extends RingBuffer<T> {
  #batch = 0;
  readonly #arrange: (length: number, swap: (i: number, j: number) => void) => void;

  constructor(arrange: (length: number, swap: (i: number, j: number) => void) => void) {
    super();
    this.#arrange = arrange;
  }

  override shift(): T | undefined {
    if (this.#batch === 0) {
      this.#batch = this.length;
      this.#arrange(this.#batch, (i, j) => this.swap(i, j));
    }
    if (this.#batch > 0) this.#batch--;
    return super.shift();
  }
}

/**
 * A queue of the given order; "random" draws from `random`, so the same numbers give the same
 * order.
 */
export function createQueue<T>(order: ExecutionOrder, random: () => number): RingBuffer<T> {
  switch (order) {
    case "fifo":
      return new RingBuffer();
    case "lifo":
      return new BatchQueue((length, swap) => {
        for (let i = 0, j = length - 1; i < j; i++, j--) swap(i, j);
      });
    case "random":
      return new BatchQueue((length, swap) => {
        for (let i = length - 1; i > 0; i--) swap(i, Math.floor(random() * (i + 1)));
      });
    default:
      throw new RangeError(
        `executionOrder is "fifo", "lifo" or "random", not ${JSON.stringify(order)}`,
      );
  }
}

/** Random numbers in [0, 1) from a 32-bit seed (mulberry32: small, and good enough to shuffle). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
