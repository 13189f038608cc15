/**
 * Undocumented internals of Node: the handle under a stream of a process.
 *
 * A socket that reads into memory it is given (`onread`) spares Node an allocation and its stream
 * machinery for each chunk: a gigabyte passes in two thirds of the time. The public option is for
 * sockets that connect; the stream of a process is made anew around its handle, `_handle`. That is
 * done where the handle looks as expected; otherwise, or with `internals: false`, the stream is
 * read by `data` events. Both ways pass the same tests. Independent of: everything else of the
 * port.
 */
import type { Readable, SocketClass } from "./node_types.ts";

/** How many pieces of memory a ring has, at most: together as much as a pipe of Node's holds. */
const SLOTS = 4;
/** The size of a piece: small until a read has filled one. */
const SMALL = 4 * 1024;
const LARGE = 64 * 1024;

/**
 * The memory that one pipe is read into: pieces that are filled, and taken, in turn.
 *
 * Invariant: from the oldest, there is at most one piece that was taken and not given back, then
 * `#count` that are full, then that which is read into next; that one is free exactly while
 * `hasRoom`.
 */
export class Ring {
  /** Told when a piece was filled. */
  filled: () => void = () => {};
  /** What was taken last; stays as it is until it is given back. */
  taken: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** How many bytes are in each. */
  readonly #lengths: number[] = [];
  /** The oldest that is full. */
  #first = 0;
  #count = 0;
  #isTaken = false;
  #size = SMALL;

  /** Whether the next read has memory. */
  get hasRoom(): boolean {
    return this.#count + (this.#isTaken ? 1 : 0) < SLOTS;
  }

  /** Whether reading may go on: not for each piece, or it would be started and stopped for each. */
  get isNearlyEmpty(): boolean {
    return this.#count <= 1;
  }

  /** So many bytes are in the next piece; false stops reading. */
  readonly callback = (length: number): boolean => {
    const next = this.#next;
    this.#lengths[next] = length;
    if (length === this.#pieces[next].length) this.#size = LARGE;
    this.#count++;
    this.filled();
    return this.hasRoom;
  };

  /** The memory for the next read. Where there is no room, none follows before there is. */
  readonly buffer = (): Uint8Array<ArrayBuffer> => {
    const next = this.#next;
    const piece = this.#pieces[next];
    // One that is in use is never replaced: without room, `next` is the oldest.
    if (piece !== undefined && (piece.length >= this.#size || !this.hasRoom)) return piece;
    return this.#pieces[next] = new Uint8Array(this.#size);
  };

  get #next(): number {
    return (this.#first + this.#count) % SLOTS;
  }

  /** Takes the oldest piece that is full; gives how many bytes are in it, 0 where there is none. */
  take(): number {
    if (this.#count === 0) return 0;
    const length = this.#lengths[this.#first];
    this.taken = this.#pieces[this.#first];
    this.#first = (this.#first + 1) % SLOTS;
    this.#count--;
    this.#isTaken = true;
    return length;
  }

  /** What was taken is of no more use. */
  giveBack(): void {
    this.#isTaken = false;
  }
}

/**
 * Makes a stream anew that reads into a ring, around the handle of the first one, which is of no
 * use then; null where that is not possible. It is paused.
 */
export function readIntoRing(Socket: SocketClass, stream: Readable, ring: Ring): Readable | null {
  const inner = stream as Readable & { _handle?: { useUserBuffer?: unknown } | null };
  const handle = inner._handle;
  if (typeof handle?.useUserBuffer !== "function") return null;
  const socket = new Socket({
    handle,
    onread: { buffer: ring.buffer, callback: ring.callback },
    writable: false,
    allowHalfOpen: true,
    pauseOnCreate: true,
  });
  inner._handle = null;
  return socket;
}
