/**
 * RingBuffer: a queue that allocates nothing for an item.
 *
 * Invariants: the size is a power of two, so that a mask does for a modulo; one place stays free,
 * so that full and empty differ without a count. Independent of: what it holds.
 */

const INITIAL_SIZE = 16;

/** A queue, first in, first out. It grows as needed and never shrinks. */
export class RingBuffer<T> {
  #ring: (T | undefined)[] = new Array(INITIAL_SIZE).fill(undefined);
  #mask = INITIAL_SIZE - 1;
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
