/**
 * The deadline queue: what happens when, earliest first, in the order it was set where deadlines
 * are equal (R8).
 *
 * Invariant: an item is in force exactly while its `generation` is the one its entry carries; all
 * other entries are stale. Independent of: clocks. Times are plain numbers.
 *
 * A 4-ary heap over parallel arrays. A heap of objects misses the cache at every comparison once a
 * million tasks sleep, so the keys lie side by side in a typed array. Cancelling only makes the
 * entry stale, because most timeouts are cancelled before they fire: stale entries are skipped on
 * the way out, and swept when they outnumber the others, which keeps both cancelling and memory
 * O(1) for each item.
 */

/** What waits in the queue. */
export interface Timed {
  /** The entry that is in force, or 0. Written by the queue alone. */
  generation: number;
  /** Called when the deadline has passed; the item has left the queue by then. */
  expire(): void;
}

/**
 * What a queue begins with: making a typed array costs a microsecond, and many loops need no timer.
 */
const NO_NUMBERS = new Float64Array(0);
const INITIAL_SIZE = 64;

/** The queue itself; empty ones cost nothing. */
export class Timers {
  #keys = NO_NUMBERS;
  #tickets = NO_NUMBERS;
  #items: (Timed | undefined)[] = [];
  #length = 0;
  #live = 0;
  #lastTicket = 0;

  /** How many items are in force. */
  get size(): number {
    return this.#live;
  }

  /** The earliest deadline in force, or Infinity. */
  get next(): number {
    while (this.#length > 0) {
      if (this.#isLive(0)) return this.#keys[0];
      this.#removeTop();
    }
    return Infinity;
  }

  /** Puts an item in force; `deadline` is finite, and the item is not in force already. */
  add(deadline: number, item: Timed): void {
    if (this.#length === this.#keys.length) this.#grow();
    item.generation = ++this.#lastTicket;
    this.#live++;
    this.#siftUp(this.#length++, deadline, item.generation, item);
  }

  /** Takes an item out of force; one that is not in force is left alone. */
  cancel(item: Timed): void {
    if (item.generation === 0) return;
    item.generation = 0;
    this.#live--;
    if (this.#length > 64 && this.#length > this.#live * 2) this.#sweep();
  }

  /**
   * Expires, in order, every item whose deadline is not after `now`; those added meanwhile wait for
   * the next call.
   */
  fire(now: number): void {
    const newest = this.#lastTicket;
    while (this.next <= now && this.#tickets[0] <= newest) {
      const item = this.#items[0]!;
      this.#removeTop();
      item.generation = 0;
      this.#live--;
      item.expire();
    }
  }

  #isLive(index: number): boolean {
    return this.#items[index]!.generation === this.#tickets[index];
  }

  #removeTop(): void {
    const last = --this.#length;
    const item = this.#items[last]!;
    this.#items[last] = undefined;
    if (last > 0) this.#siftDown(0, this.#keys[last], this.#tickets[last], item);
  }

  #siftUp(index: number, key: number, generation: number, item: Timed): void {
    const keys = this.#keys;
    const tickets = this.#tickets;
    const items = this.#items;
    while (index > 0) {
      const parent = (index - 1) >> 2;
      // The new entry has the highest generation of all, so an equal key stays before it.
      if (keys[parent] <= key) break;
      keys[index] = keys[parent];
      tickets[index] = tickets[parent];
      items[index] = items[parent];
      index = parent;
    }
    keys[index] = key;
    tickets[index] = generation;
    items[index] = item;
  }

  #siftDown(index: number, key: number, generation: number, item: Timed): void {
    const keys = this.#keys;
    const tickets = this.#tickets;
    const items = this.#items;
    const length = this.#length;
    for (;;) {
      const first = index * 4 + 1;
      if (first >= length) break;
      let least = first;
      const end = Math.min(first + 4, length);
      for (let child = first + 1; child < end; child++) {
        if (
          keys[child] < keys[least] ||
          (keys[child] === keys[least] && tickets[child] < tickets[least])
        ) least = child;
      }
      if (keys[least] > key || (keys[least] === key && tickets[least] > generation)) break;
      keys[index] = keys[least];
      tickets[index] = tickets[least];
      items[index] = items[least];
      index = least;
    }
    keys[index] = key;
    tickets[index] = generation;
    items[index] = item;
  }

  /** Drops the stale entries and restores the heap, bottom up. */
  #sweep(): void {
    let kept = 0;
    for (let i = 0; i < this.#length; i++) {
      if (!this.#isLive(i)) continue;
      this.#keys[kept] = this.#keys[i];
      this.#tickets[kept] = this.#tickets[i];
      this.#items[kept++] = this.#items[i];
    }
    this.#items.length = kept;
    this.#length = kept;
    for (let i = (kept - 2) >> 2; i >= 0; i--) {
      this.#siftDown(i, this.#keys[i], this.#tickets[i], this.#items[i]!);
    }
  }

  #grow(): void {
    const size = Math.max(INITIAL_SIZE, this.#keys.length * 2);
    const keys = new Float64Array(size);
    const tickets = new Float64Array(size);
    keys.set(this.#keys);
    tickets.set(this.#tickets);
    this.#keys = keys;
    this.#tickets = tickets;
  }
}
