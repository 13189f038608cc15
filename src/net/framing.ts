/**
 * framing: finds lines, frames and delimited pieces in a stream of bytes, however the bytes arrive.
 *
 * Invariants: a read takes all of what it gives, or, where it throws or is cancelled, nothing. The
 * buffer never holds much more than the limit, so that no client makes a server grow without bound.
 * Independent of: which stream it is.
 */
import type { Selectable } from "../kernel/wait.ts";
import {
  checkFunction,
  checkInstance,
  checkInteger,
  checkObject,
  checkOptions,
  wrongValue,
} from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { BrokenResourceError, LimitError } from "../kernel/errors.ts";
import { checkBuffer, checkMax } from "../bytes/check_bytes.ts";
import { type ReceiveHalf, receiveHalfOf } from "../bytes/receive_half.ts";
import type { Receiver } from "../bytes/receiver.ts";
import type { ReceiveStream } from "../stream.ts";
import { checkFormat, type FrameFormat } from "./frame_format.ts";
import { type ReadBuffer, USUAL_CAPACITY } from "./read_buffer.ts";
import { MORE, readFrom, type ReadPlan, ReadState, ReadWait } from "./read_wait.ts";

/**
 * Options of a {@linkcode BufferedReader}.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { BufferedReader, type BufferedReaderOptions } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const options: BufferedReaderOptions = { limit: 1024 }; // bytes
 * const [client, server] = memoryStreamPair();
 * await new Loop().run(client.send(new Uint8Array(2000))); // no line has so many
 * const reader = new BufferedReader(server, options);
 * await assertRejects(() => new Loop().run(reader.readLine()), Error, "1024");
 * ```
 */
export interface BufferedReaderOptions {
  /**
   * The most bytes that a line, a frame or a piece may have: 65,536 by default. More is a
   * {@linkcode LimitError}.
   */
  limit?: number;
}

const LINE_FEED = new Uint8Array([10]);
const CARRIAGE_RETURN = 13;
const utf8 = new TextDecoder();
const READER_OPTIONS = ["limit"] as const;

/**
 * Reads lines, frames and pieces from a stream. Every read is a checkpoint, and gives `null` where
 * the stream has ended before its first byte. A cancelled read loses no byte: the next one begins
 * where it did. Over a socket every read can be an arm of `select`. It is a stream itself, so that
 * what follows a header can be received as it comes.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, select, sleep } from "jsr:@broomio/core";
 * import { BufferedReader } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const [client, server] = memoryStreamPair();
 *   nursery.startSoon(client.send(new TextEncoder().encode("hello\r\nworld\n")));
 *   const reader = new BufferedReader(server, { limit: 1000 });
 *   console.log(yield* reader.readLine()); // hello
 *   const next = yield* select({ line: reader.readLine(), late: sleep(1) });
 *   console.log(next.value); // world
 * }));
 * ```
 */
export class BufferedReader implements ReceiveStream {
  readonly #stream: ReceiveStream;
  readonly #half: ReceiveHalf | null;
  readonly #limit: number;
  readonly #state: ReadState = new ReadState();

  /**
   * Reads from `stream`, which nobody else should receive from meanwhile.
   *
   * @throws {TypeError} If the stream is none, or an option is of the wrong kind or not known.
   * @throws {RangeError} If the limit is not an integer of at least 1.
   */
  constructor(stream: ReceiveStream, options: BufferedReaderOptions = {}) {
    checkObject(stream, "stream");
    checkFunction(stream.recvInto, "stream.recvInto");
    const { limit = 65536 } = checkOptions(options, "BufferedReader", READER_OPTIONS);
    this.#limit = checkInteger(limit, "limit", 1);
    this.#stream = stream;
    this.#half = receiveHalfOf(stream);
  }

  #read<T>(plan: ReadPlan<T>): Selectable<T> {
    return this.#half === null
      // A coroutine: `select` refuses it when it runs, which the type of a reader cannot tell.
      ? readFrom(this.#state, this.#stream, plan) as Operation<T> as Selectable<T>
      : new ReadWait(this.#state, this.#half, plan);
  }

  /** How many bytes were received and not yet read. */
  get buffered(): number {
    return this.#state.buffer.size;
  }

  /**
   * Reads a line, without the "\n" or "\r\n" that ends it, as UTF-8; the last one may lack it. A
   * checkpoint.
   *
   * @throws {LimitError} If it has more bytes than the limit.
   * @throws {BusyResourceError} If another task is reading.
   */
  readLine(): Selectable<string | null> {
    return this.#read(new LinePlan(this.#limit));
  }

  /**
   * Runs `body` for each line up to the end of the stream. A checkpoint.
   *
   * @throws {LimitError} If a line has more bytes than the limit.
   * @throws {TypeError} If `body` is not a function.
   */
  lines(body: (line: string) => Operation<unknown>): Coroutine {
    return this.#lines(checkFunction(body, "body", "a function* that takes a line"));
  }

  *#lines(body: (line: string) => Operation<unknown>): Coroutine {
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
   * @throws {TypeError} If the delimiter is not a `Uint8Array`.
   * @throws {RangeError} If the delimiter is empty.
   * @throws {BusyResourceError} If another task is reading.
   */
  readUntil(delimiter: Uint8Array): Selectable<Uint8Array<ArrayBuffer> | null> {
    checkInstance(delimiter, Uint8Array, "delimiter");
    if (delimiter.length === 0) throw wrongValue("at least 1 byte", 0, "delimiter.length");
    return this.#read(new PiecePlan(delimiter, this.#limit));
  }

  /**
   * Reads exactly `count` bytes. A checkpoint.
   *
   * @throws {LimitError} If that is more than the limit.
   * @throws {BrokenResourceError} If the stream ends after some of them.
   * @throws {TypeError} If the count is not a number.
   * @throws {RangeError} If the count is not an integer of at least 0.
   * @throws {BusyResourceError} If another task is reading.
   */
  readExact(count: number): Selectable<Uint8Array<ArrayBuffer> | null> {
    return this.#read(new ExactPlan(checkInteger(count, "count", 0), this.#limit));
  }

  /**
   * Reads a frame: its length, and so many bytes. A checkpoint.
   *
   * @throws {LimitError} If the length is more than the limit; thrown before the frame is waited
   * for.
   * @throws {BrokenResourceError} If the stream ends within the frame.
   * @throws {TypeError} If the format is of the wrong kind, or an option of it is not known.
   * @throws {RangeError} If `prefixBytes` is not 1, 2 or 4.
   * @throws {BusyResourceError} If another task is reading.
   */
  readFrame(format: FrameFormat = {}): Selectable<Uint8Array<ArrayBuffer> | null> {
    return this.#read(new FramePlan(checkFormat(format, "readFrame"), this.#limit));
  }

  /**
   * Receives what comes next, from the buffer first: the rest of a stream after its header. As
   * {@linkcode ReceiveStream.recv}. A checkpoint.
   *
   * @param max The most bytes to give.
   * @throws {RangeError} If `max` is not at least 1.
   * @throws {BusyResourceError} If another task is reading.
   */
  recv(max: number = USUAL_CAPACITY): Selectable<Uint8Array<ArrayBuffer> | null> {
    return this.#read(new ReceivePlan(checkMax(max, "max of recv()")));
  }

  /**
   * Receives what comes next into `buffer`, from the own buffer first. As
   * {@linkcode ReceiveStream.recvInto}. A checkpoint.
   *
   * @throws {RangeError} If the buffer has no room.
   * @throws {BusyResourceError} If another task is reading.
   */
  recvInto(buffer: Uint8Array): Selectable<number | null> {
    return this.#read(new ReceiveIntoPlan(checkBuffer(buffer)));
  }

  /**
   * Receives a view of what comes next, in the own buffer first; valid until the next read. As
   * {@linkcode ReceiveStream.recvView}. A checkpoint.
   *
   * @param max The most bytes to give.
   * @throws {RangeError} If `max` is not at least 1.
   * @throws {BusyResourceError} If another task is reading.
   */
  recvView(max: number = USUAL_CAPACITY): Selectable<Uint8Array<ArrayBuffer> | null> {
    return this.#read(new ReceiveViewPlan(checkMax(max, "max of recvView()")));
  }
}

/** Throws where a piece is longer than the limit. */
function checkLimit(length: number, what: string, limit: number): void {
  if (length > limit) throw new LimitError(what, limit);
}

/** The stream has ended: before the first byte of a piece, which is null, or within one. */
function endedBefore(wanted: string, { size }: ReadBuffer): null {
  if (size === 0) return null;
  throw new BrokenResourceError(`The stream ended before ${wanted}: ${size} bytes are left`);
}

class LinePlan implements ReadPlan<string | null> {
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  attempt(buffer: ReadBuffer): string | typeof MORE {
    const end = buffer.indexOf(LINE_FEED);
    if (end >= 0) return this.#take(buffer, end, 1);
    checkLimit(buffer.size - 1, "line", this.#limit); // one byte may be the "\r"
    return MORE;
  }

  atEnd(buffer: ReadBuffer): string | null {
    return buffer.size === 0 ? null : this.#take(buffer, buffer.size, 0);
  }

  #take(buffer: ReadBuffer, end: number, ending: number): string {
    const length = end > 0 && buffer.at(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
    checkLimit(length, "line", this.#limit);
    const line = utf8.decode(buffer.peek(length));
    buffer.drop(end + ending);
    return line;
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

class PiecePlan implements ReadPlan<Bytes | null> {
  readonly #delimiter: Uint8Array;
  readonly #limit: number;

  constructor(delimiter: Uint8Array, limit: number) {
    this.#delimiter = delimiter;
    this.#limit = limit;
  }

  attempt(buffer: ReadBuffer): Bytes | typeof MORE {
    const { length } = this.#delimiter;
    const end = buffer.indexOf(this.#delimiter);
    checkLimit(end >= 0 ? end : buffer.size - (length - 1), "piece", this.#limit);
    if (end < 0) return MORE;
    const bytes = buffer.take(end);
    buffer.drop(length);
    return bytes;
  }

  atEnd(buffer: ReadBuffer): null {
    return endedBefore("its delimiter", buffer);
  }
}

class ExactPlan implements ReadPlan<Bytes | null> {
  readonly #count: number;
  readonly #limit: number;

  constructor(count: number, limit: number) {
    this.#count = count;
    this.#limit = limit;
  }

  attempt(buffer: ReadBuffer): Bytes | typeof MORE {
    checkLimit(this.#count, "read", this.#limit);
    return buffer.size < this.#count ? MORE : buffer.take(this.#count);
  }

  atEnd(buffer: ReadBuffer): null {
    return endedBefore(`byte ${this.#count}`, buffer);
  }
}

class FramePlan implements ReadPlan<Bytes | null> {
  readonly #format: Required<FrameFormat>;
  readonly #limit: number;

  constructor(format: Required<FrameFormat>, limit: number) {
    this.#format = format;
    this.#limit = limit;
  }

  attempt(buffer: ReadBuffer): Bytes | typeof MORE {
    const { prefixBytes } = this.#format;
    if (buffer.size < prefixBytes) return MORE;
    const length = this.#lengthIn(buffer);
    checkLimit(length, "frame", this.#limit);
    return buffer.size < prefixBytes + length ? MORE : buffer.take(length, prefixBytes);
  }

  #lengthIn(buffer: ReadBuffer): number {
    const { prefixBytes, littleEndian } = this.#format;
    let length = 0;
    for (let index = 0; index < prefixBytes; index++) {
      length = length * 256 + buffer.at(littleEndian ? prefixBytes - 1 - index : index);
    }
    return length;
  }

  atEnd(buffer: ReadBuffer): null {
    const wanted = buffer.size < this.#format.prefixBytes
      ? "the end of a frame's length"
      : `the end of a frame of ${this.#lengthIn(buffer)} bytes`;
    return endedBefore(wanted, buffer);
  }
}

/** What the three ways to receive have in common: they take what is there, however little. */
abstract class AnyPlan<T> implements ReadPlan<T | null> {
  abstract readonly direct: {
    read(receiver: Receiver): T | null;
    receive(stream: ReceiveStream): Operation<T | null>;
  };

  abstract attempt(buffer: ReadBuffer): T;

  atEnd(): null {
    return null;
  }
}

class ReceivePlan extends AnyPlan<Bytes> {
  readonly #max: number;
  readonly direct = {
    read: (receiver: Receiver): Bytes | null => receiver.read(this.#max),
    receive: (stream: ReceiveStream): Operation<Bytes | null> => stream.recv(this.#max),
  };

  constructor(max: number) {
    super();
    this.#max = max;
  }

  attempt(buffer: ReadBuffer): Bytes {
    return buffer.take(Math.min(this.#max, buffer.size));
  }
}

class ReceiveViewPlan extends AnyPlan<Bytes> {
  readonly #max: number;
  readonly direct = {
    read: (receiver: Receiver): Bytes | null => receiver.view(this.#max),
    receive: (stream: ReceiveStream): Operation<Bytes | null> => stream.recvView(this.#max),
  };

  constructor(max: number) {
    super();
    this.#max = max;
  }

  attempt(buffer: ReadBuffer): Bytes {
    const view = buffer.peek(Math.min(this.#max, buffer.size));
    buffer.drop(view.length);
    return view;
  }
}

class ReceiveIntoPlan extends AnyPlan<number> {
  readonly #target: Uint8Array;
  readonly direct = {
    read: (receiver: Receiver): number | null => receiver.readInto(this.#target),
    receive: (stream: ReceiveStream): Operation<number | null> => stream.recvInto(this.#target),
  };

  constructor(target: Uint8Array) {
    super();
    this.#target = target;
  }

  attempt(buffer: ReadBuffer): number {
    const count = Math.min(this.#target.length, buffer.size);
    this.#target.set(buffer.peek(count));
    buffer.drop(count);
    return count;
  }
}
