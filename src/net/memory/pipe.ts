/**
 * Pipe: one direction of a stream in memory, a ring of bytes with an end on each side.
 *
 * Invariants: bytes come out in the order they went in, each once; there are never more inside than
 * the capacity. Independent of: who reads and writes, and when.
 */

/** A bounded queue of bytes. */
export class Pipe {
  readonly #capacity: number;
  #ring: Uint8Array = new Uint8Array(0);
  #start = 0;
  #size = 0;
  /** Nothing more will be written. */
  finished: boolean = false;
  /** The reading end is closed: nothing more is taken. */
  abandoned: boolean = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many bytes are inside. */
  get size(): number {
    return this.#size;
  }

  /** How many more there is room for. */
  get room(): number {
    return this.#capacity - this.#size;
  }

  /** Puts in what there is room for, from `from` on, and gives how many bytes that were. */
  write(bytes: Uint8Array, from: number): number {
    if (this.#ring.length === 0) this.#ring = new Uint8Array(this.#capacity);
    const count = Math.min(bytes.length - from, this.room);
    const at = (this.#start + this.#size) % this.#capacity;
    const first = Math.min(count, this.#capacity - at);
    this.#ring.set(bytes.subarray(from, from + first), at);
    this.#ring.set(bytes.subarray(from + first, from + count), 0);
    this.#size += count;
    return count;
  }

  /** Takes out everything, in memory of its own. */
  takeAll(): Uint8Array {
    const bytes = new Uint8Array(this.#size);
    const first = Math.min(bytes.length, this.#capacity - this.#start);
    bytes.set(this.#ring.subarray(this.#start, this.#start + first));
    bytes.set(this.#ring.subarray(0, bytes.length - first), first);
    this.#start = (this.#start + bytes.length) % this.#capacity;
    this.#size = 0;
    return bytes;
  }

  /** The reading end is closed: what is inside is gone. */
  abandon(): void {
    this.abandoned = true;
    this.#size = 0;
    this.#ring = new Uint8Array(0);
  }
}
