/**
 * ReadBuffer: bytes that were received and not yet given out.
 *
 * Invariants: they are `memory[start, end)`. Each byte is looked at once for each delimiter, and
 * copied a bounded number of times; the memory does not stay large after one large piece.
 * Independent of: streams, and what the bytes mean.
 */

const FIRST_CAPACITY = 4096;
/** Beyond this the memory grows only where one line or frame needs it. */
export const USUAL_CAPACITY = 64 * 1024;

/** A buffer with an end to fill and an end to take from. */
export class ReadBuffer {
  #memory: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** Up to here `#delimiter` was looked for, and not found. */
  #scanned = 0;
  #delimiter: Uint8Array = new Uint8Array(0);
  /** The last receive filled all the room there was. */
  #filled = false;

  /** How many bytes are inside. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** The byte at an index, counted from the first one inside. */
  at(index: number): number {
    return this.#memory[this.#start + index];
  }

  /** Where `delimiter` begins, counted from the first byte inside; -1 where it is not there. */
  indexOf(delimiter: Uint8Array): number {
    if (!sameBytes(delimiter, this.#delimiter)) {
      this.#delimiter = new Uint8Array(delimiter);
      this.#scanned = this.#start;
    }
    const memory = this.#memory.subarray(0, this.#end); // or indexOf would search the room behind it
    const last = this.#end - delimiter.length;
    let at = Math.max(this.#start, this.#scanned);
    while (at <= last) {
      at = memory.indexOf(delimiter[0], at);
      if (at < 0 || at > last) break;
      let matched = 1;
      while (matched < delimiter.length && memory[at + matched] === delimiter[matched]) matched++;
      if (matched === delimiter.length) {
        this.#scanned = at;
        return at - this.#start;
      }
      at++;
    }
    this.#scanned = Math.max(this.#start, last + 1);
    return -1;
  }

  /** Room for more bytes, at least for one. */
  room(): Uint8Array {
    const { length } = this.#memory;
    const small = this.#filled && length < USUAL_CAPACITY;
    if (small || (this.#end === length && this.size > length / 2) || length === 0) {
      this.#moveTo(new Uint8Array(Math.max(FIRST_CAPACITY, length * 2)));
    } else if (this.#end === length) {
      // At most half of it is moved after at least as much was read: the copying stays linear.
      this.#moveTo(this.#memory);
    }
    return this.#memory.subarray(this.#end);
  }

  /** Moves the bytes to the start of `target`, which may be the memory they are in. */
  #moveTo(target: Uint8Array<ArrayBuffer>): void {
    target.set(this.#memory.subarray(this.#start, this.#end));
    this.#memory = target;
    this.#scanned = Math.max(0, this.#scanned - this.#start);
    this.#end -= this.#start;
    this.#start = 0;
    this.#filled = false;
  }

  /** So many bytes were put into the room. */
  fill(count: number): void {
    this.#end += count;
    this.#filled = this.#end === this.#memory.length;
  }

  /** A view of the first bytes, which is valid until the next `room`. */
  peek(count: number): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(this.#start, this.#start + count);
  }

  /** Takes out `count` bytes as a copy, after `skipped` that are dropped. */
  take(count: number, skipped = 0): Uint8Array<ArrayBuffer> {
    const from = this.#start + skipped;
    const bytes = this.#memory.slice(from, from + count);
    this.drop(skipped + count);
    return bytes;
  }

  /** Drops the first bytes. */
  drop(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = this.#end = this.#scanned = 0;
    // One long line is no reason to keep much memory for the life of a connection.
    if (this.#memory.length > USUAL_CAPACITY) this.#memory = new Uint8Array(0);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
