/**
 * The ready queue: the tasks that can run, in the order they will.
 *
 * Invariant: every order is fair (R4). "fifo" is a plain ring. The others take what is ready as one batch, rearrange it, and
 * run all of it before the next batch: so while a task is ready, any other runs at most twice before it.
 * Must never know: what it holds.
 */

/** In which order ready tasks run. Not a promise to build on: "lifo" and "random" are there to find hidden assumptions. */
export type ExecutionOrder = "fifo" | "lifo" | "random";

/** A ring buffer whose size is a power of two. One place stays free, so that full and empty differ without a count. */
export class ReadyQueue<T> {
  #ring: (T | undefined)[] = new Array(64).fill(undefined);
  #mask = 63;
  #head = 0;
  #tail = 0;

  /** How many items wait. */
  get length(): number {
    return (this.#tail - this.#head) & this.#mask;
  }

  /** Adds an item at the end. */
  push(item: T): void {
    const tail = this.#tail;
    this.#ring[tail] = item;
    this.#tail = (tail + 1) & this.#mask;
    if (this.#tail === this.#head) this.#grow();
  }

  /** Takes the next item, or `undefined` where none waits. */
  shift(): T | undefined {
    const head = this.#head;
    if (head === this.#tail) return undefined;
    const item = this.#ring[head];
    this.#ring[head] = undefined;
    this.#head = (head + 1) & this.#mask;
    return item;
  }

  /** Exchanges the i-th and the j-th waiting item. */
  protected swap(i: number, j: number): void {
    const a = (this.#head + i) & this.#mask;
    const b = (this.#head + j) & this.#mask;
    const item = this.#ring[a];
    this.#ring[a] = this.#ring[b];
    this.#ring[b] = item;
  }

  /** Called with every place taken: doubles them. */
  #grow(): void {
    const old = this.#ring;
    const ring: (T | undefined)[] = new Array(old.length * 2).fill(undefined);
    for (let i = 0; i < old.length; i++) ring[i] = old[(this.#head + i) & this.#mask];
    this.#ring = ring;
    this.#mask = ring.length - 1;
    this.#head = 0;
    this.#tail = old.length;
  }
}

/** A queue that rearranges each batch before running it. */
class BatchQueue<T> extends ReadyQueue<T> {
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

/** A queue of the given order; "random" draws from `random`, so the same numbers give the same order. */
export function createQueue<T>(order: ExecutionOrder, random: () => number): ReadyQueue<T> {
  switch (order) {
    case "fifo":
      return new ReadyQueue();
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
