/**
 * framing: finds lines, frames and delimited pieces in a stream of bytes, however the bytes arrive.
 *
 * Invariants: the bytes that were received and not yet given out are `buffer[start, end)`; a read
 * consumes all of what it gives, or, where it throws or is cancelled, nothing. The buffer never
 * holds much more than the limit, so that no client makes a server grow without bound. Each byte is
 * looked at once for each delimiter, and copied a bounded number of times. Independent of: sockets.
 */
import { checkpoint } from "../kernel/checkpoint.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { BrokenResourceError, BusyResourceError, LimitError } from "../kernel/errors.ts";
import type { ReceiveStream, SendStream } from "../stream.ts";

/** Options of a {@linkcode BufferedReader}. */
export interface BufferedReaderOptions {
  /**
   * The most bytes that a line, a frame or a piece may have: 65,536 by default. More is a
   * {@linkcode LimitError}.
   */
  limit?: number;
}

/** How a frame says how long it is. */
export interface FrameFormat {
  /** Bytes of the length before each frame: 4 by default. */
  prefixBytes?: 1 | 2 | 4;
  /** The low byte first; by default the high byte is, as in most protocols. */
  littleEndian?: boolean;
}

const FIRST_CAPACITY = 4096;
/** Beyond this a buffer grows only where one line or frame needs it. */
const USUAL_CAPACITY = 64 * 1024;
const LINE_FEED = new Uint8Array([10]);
const CARRIAGE_RETURN = 13;
const utf8 = new TextDecoder();

/**
 * Reads lines, frames and pieces from a stream. Every read is a checkpoint, and gives `null` where
 * the stream has ended before its first byte. A cancelled read loses no byte: the next one begins
 * where it did. It is a stream itself, so that what follows a header can be received as it comes.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { BufferedReader } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const [client, server] = memoryStreamPair();
 *   nursery.startSoon(client.send(new TextEncoder().encode("hello\r\nworld\n")));
 *   const reader = new BufferedReader(server, { limit: 1000 });
 *   console.log(yield* reader.readLine()); // hello
 *   console.log(yield* reader.readLine()); // world
 * }));
 * ```
 */
export class BufferedReader implements ReceiveStream {
  readonly #stream: ReceiveStream;
  readonly #limit: number;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** Up to here `#delimiter` was looked for, and not found. */
  #scanned = 0;
  #delimiter: Uint8Array = LINE_FEED;
  /** The last receive filled all the room there was. */
  #filled = false;
  #busy = false;

  /**
   * Reads from `stream`, which nobody else should receive from meanwhile.
   *
   * @throws {RangeError} If the limit is not a whole number of at least 1.
   */
  constructor(stream: ReceiveStream, options: BufferedReaderOptions = {}) {
    const { limit = 65536 } = options;
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new RangeError(`limit is a whole number of bytes of at least 1, not ${limit}`);
    }
    this.#stream = stream;
    this.#limit = limit;
  }

  /** How many bytes were received and not yet read. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /**
   * Reads a line, without the "\n" or "\r\n" that ends it, as UTF-8; the last one may lack it. A
   * checkpoint.
   *
   * @throws {LimitError} If it has more bytes than the limit.
   * @throws {BusyResourceError} If another task is reading.
   */
  *readLine(): Coroutine<string | null> {
    this.#begin();
    try {
      let end = yield* this.#find(LINE_FEED, 1, "line");
      const next = end < 0 ? this.#end : end + 1;
      if (end < 0) {
        if (this.buffered === 0) return null;
        end = this.#end;
      }
      if (end > this.#start && this.#buffer[end - 1] === CARRIAGE_RETURN) end--;
      this.#checkLimit(end - this.#start, "line");
      const line = utf8.decode(this.#buffer.subarray(this.#start, end));
      this.#consume(next);
      return line;
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Runs `body` for each line up to the end of the stream. A checkpoint.
   *
   * @throws {LimitError} If a line has more bytes than the limit.
   */
  *lines(body: (line: string) => Operation<unknown>): Coroutine {
    for (;;) {
      const line = yield* this.readLine();
      if (line === null) return;
      yield* body(line);
    }
  }

  /**
   * Reads up to a delimiter and gives what comes before it; the delimiter is read too. A
   * checkpoint.
   *
   * @throws {LimitError} If more bytes than the limit come before it.
   * @throws {BrokenResourceError} If the stream ends after some bytes without it.
   * @throws {RangeError} If the delimiter is empty.
   * @throws {BusyResourceError} If another task is reading.
   */
  *readUntil(delimiter: Uint8Array): Coroutine<Uint8Array<ArrayBuffer> | null> {
    if (delimiter.length === 0) throw new RangeError("A delimiter has at least one byte");
    this.#begin();
    try {
      const end = yield* this.#find(delimiter, 0, "piece");
      if (end < 0) return this.#endedAt("its delimiter");
      this.#checkLimit(end - this.#start, "piece");
      const bytes = this.#buffer.slice(this.#start, end);
      this.#consume(end + delimiter.length);
      return bytes;
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Reads exactly `count` bytes. A checkpoint.
   *
   * @throws {LimitError} If that is more than the limit.
   * @throws {BrokenResourceError} If the stream ends after some of them.
   * @throws {RangeError} If the count is not a whole number of at least 0.
   * @throws {BusyResourceError} If another task is reading.
   */
  *readExact(count: number): Coroutine<Uint8Array<ArrayBuffer> | null> {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`count is a whole number of bytes of at least 0, not ${count}`);
    }
    this.#begin();
    try {
      this.#checkLimit(count, "read");
      if (!(yield* this.#have(count))) return this.#endedAt(`byte ${count}`);
      return this.#consumeCopy(0, count);
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Reads a frame: its length, and so many bytes. A checkpoint.
   *
   * @throws {LimitError} If the length is more than the limit; thrown before anything of the frame
   * is waited for.
   * @throws {BrokenResourceError} If the stream ends within the frame.
   * @throws {BusyResourceError} If another task is reading.
   */
  *readFrame(format: FrameFormat = {}): Coroutine<Uint8Array<ArrayBuffer> | null> {
    const { prefixBytes = 4, littleEndian = false } = format;
    checkPrefix(prefixBytes);
    this.#begin();
    try {
      if (!(yield* this.#have(prefixBytes))) return this.#endedAt("the end of a frame's length");
      let length = 0;
      for (let index = 0; index < prefixBytes; index++) {
        const place = littleEndian ? prefixBytes - 1 - index : index;
        length = length * 256 + this.#buffer[this.#start + place];
      }
      this.#checkLimit(length, "frame");
      if (!(yield* this.#have(prefixBytes + length))) {
        return this.#endedAt(`the end of a frame of ${length} bytes`);
      }
      return this.#consumeCopy(prefixBytes, length);
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Receives what comes next, from the buffer first: the rest of a stream after its header. As
   * {@linkcode ReceiveStream.recv}.
   */
  *recv(max: number = USUAL_CAPACITY): Coroutine<Uint8Array<ArrayBuffer> | null> {
    checkMax(max);
    this.#begin();
    try {
      if (this.buffered === 0) return yield* this.#stream.recv(max);
      yield* checkpoint();
      return this.#consumeCopy(0, Math.min(max, this.buffered));
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Receives what comes next into `buffer`, from the own buffer first. As {@linkcode
   * ReceiveStream.recvInto}.
   */
  *recvInto(buffer: Uint8Array): Coroutine<number | null> {
    this.#begin();
    try {
      if (this.buffered === 0 || buffer.length === 0) return yield* this.#stream.recvInto(buffer);
      yield* checkpoint();
      const count = Math.min(buffer.length, this.buffered);
      buffer.set(this.#buffer.subarray(this.#start, this.#start + count));
      this.#consume(this.#start + count);
      return count;
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Receives a view of what comes next, in the own buffer first; good until the next read. As
   * {@linkcode ReceiveStream.recvView}.
   */
  *recvView(max: number = USUAL_CAPACITY): Coroutine<Uint8Array<ArrayBuffer> | null> {
    checkMax(max);
    this.#begin();
    try {
      if (this.buffered === 0) return yield* this.#stream.recvView(max);
      yield* checkpoint();
      const start = this.#start;
      const end = Math.min(this.#end, start + max);
      const view = this.#buffer.subarray(start, end);
      this.#consume(end);
      return view;
    } finally {
      this.#busy = false;
    }
  }

  #begin(): void {
    if (this.#busy) {
      throw new BusyResourceError("Another task is reading: a stream has one reader at a time");
    }
    this.#busy = true;
  }

  /**
   * Waits until `delimiter` is in the buffer; where it begins, or -1 at the end. `slack` is what
   * may be stripped before it.
   */
  *#find(delimiter: Uint8Array, slack: number, what: string): Coroutine<number> {
    for (let waited = false;; waited = true) {
      const found = this.#search(delimiter);
      if (found >= 0) {
        if (!waited) yield* checkpoint();
        return found;
      }
      const least = this.buffered - (delimiter.length - 1) - slack;
      if (least > this.#limit) this.#checkLimit(least, what);
      const count = yield* this.#stream.recvInto(this.#room());
      if (count === null) return -1;
      this.#received(count);
    }
  }

  /** Looks for `delimiter` where that was not done yet. */
  #search(delimiter: Uint8Array): number {
    if (!sameBytes(delimiter, this.#delimiter)) {
      this.#delimiter = delimiter.slice();
      this.#scanned = this.#start;
    }
    const buffer = this.#buffer.subarray(0, this.#end); // or indexOf would search the room behind it
    const last = this.#end - delimiter.length;
    let at = Math.max(this.#start, this.#scanned);
    while (at <= last) {
      at = buffer.indexOf(delimiter[0], at);
      if (at < 0 || at > last) break;
      let matched = 1;
      while (matched < delimiter.length && buffer[at + matched] === delimiter[matched]) matched++;
      if (matched === delimiter.length) {
        this.#scanned = at;
        return at;
      }
      at++;
    }
    this.#scanned = Math.max(this.#start, last + 1);
    return -1;
  }

  /** Waits until `count` bytes are in the buffer; false where the stream ends before. */
  *#have(count: number): Coroutine<boolean> {
    if (this.buffered >= count) {
      yield* checkpoint();
      return true;
    }
    while (this.buffered < count) {
      const received = yield* this.#stream.recvInto(this.#room());
      if (received === null) return false;
      this.#received(received);
    }
    return true;
  }

  /** What there is room for at the end of the buffer, at least one byte. */
  #room(): Uint8Array {
    const { length } = this.#buffer;
    const small = this.#filled && length < USUAL_CAPACITY;
    if (small || (this.#end === length && this.buffered > length / 2) || length === 0) {
      this.#moveTo(new Uint8Array(Math.max(FIRST_CAPACITY, length * 2)));
    } else if (this.#end === length) {
      // At most half a buffer is moved after at least as much was read: the copying stays linear.
      this.#moveTo(this.#buffer);
    }
    return this.#buffer.subarray(this.#end);
  }

  /** Moves the unread bytes to the start of `target`, which may be the buffer they are in. */
  #moveTo(target: Uint8Array<ArrayBuffer>): void {
    target.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = target;
    this.#scanned = Math.max(0, this.#scanned - this.#start);
    this.#end -= this.#start;
    this.#start = 0;
    this.#filled = false;
  }

  #received(count: number): void {
    this.#end += count;
    this.#filled = this.#end === this.#buffer.length;
  }

  /** Copies `count` bytes and consumes them, with the `skipped` ones before them. */
  #consumeCopy(skipped: number, count: number): Uint8Array<ArrayBuffer> {
    const from = this.#start + skipped;
    const bytes = this.#buffer.slice(from, from + count);
    this.#consume(from + count);
    return bytes;
  }

  #consume(to: number): void {
    this.#start = to;
    if (this.#start < this.#end) return;
    this.#start = this.#end = this.#scanned = 0;
    // One long line is no reason to keep a large buffer for the life of a connection.
    if (this.#buffer.length > USUAL_CAPACITY) this.#buffer = new Uint8Array(0);
  }

  /** The stream has ended: before the first byte of a piece, or within one. */
  #endedAt(wanted: string): null {
    if (this.buffered === 0) return null;
    throw new BrokenResourceError(
      `The stream ended before ${wanted}: ${this.buffered} bytes are left`,
    );
  }

  #checkLimit(length: number, what: string): void {
    if (length > this.#limit) throw new LimitError(what, this.#limit);
  }
}

/**
 * Sends `bytes` as a frame that {@linkcode BufferedReader.readFrame} reads, with one `send`. A
 * checkpoint.
 *
 * @throws {RangeError} If they are too many for the length to say.
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { BufferedReader, sendFrame } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const [client, server] = memoryStreamPair();
 *   nursery.startSoon(sendFrame(client, new Uint8Array([1, 2, 3]), { prefixBytes: 2 }));
 *   console.log(yield* new BufferedReader(server).readFrame({ prefixBytes: 2 }));
 * }));
 * ```
 */
export function* sendFrame(
  stream: SendStream,
  bytes: Uint8Array,
  format: FrameFormat = {},
): Coroutine {
  const { prefixBytes = 4, littleEndian = false } = format;
  checkPrefix(prefixBytes);
  if (bytes.length >= 256 ** prefixBytes) {
    throw new RangeError(
      `${bytes.length} bytes do not fit a frame with a length of ${prefixBytes} bytes`,
    );
  }
  const frame = new Uint8Array(prefixBytes + bytes.length);
  let length = bytes.length;
  for (let index = 0; index < prefixBytes; index++) {
    frame[littleEndian ? index : prefixBytes - 1 - index] = length % 256;
    length = Math.floor(length / 256);
  }
  frame.set(bytes, prefixBytes);
  yield* stream.send(frame);
}

function checkMax(max: number): void {
  if (!Number.isSafeInteger(max) || max < 1) {
    throw new RangeError(`max is a whole number of bytes of at least 1, not ${max}`);
  }
}

function checkPrefix(prefixBytes: number): void {
  if (prefixBytes !== 1 && prefixBytes !== 2 && prefixBytes !== 4) {
    throw new RangeError(`prefixBytes is 1, 2 or 4, not ${prefixBytes}`);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
