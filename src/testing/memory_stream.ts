/**
 * Memory streams: two ends of a stream of bytes within one loop, for tests of what talks over sockets. They keep the contract of
 * every `ByteStream`, need no runtime, and are no external wait: under a `VirtualClock` time jumps while they wait, and a
 * deadlock over them is found.
 *
 * Invariants: bytes are taken in the order they were sent, each once (R37); a pipe never holds more than its capacity, so a reader that
 * does not read stops the writer; at most one reader and one writer wait at a pipe (R38).
 * Must never know: sockets.
 */
import type { Operation } from "../kernel/coroutine.ts";
import { BrokenResourceError, BusyResourceError, ClosedResourceError } from "../kernel/errors.ts";
import type { ByteStream } from "../stream.ts";
import { Wait } from "../kernel/wait.ts";

/** Options of {@linkcode memoryStreamPair}. */
export interface MemoryStreamOptions {
  /** How many bytes each direction holds before `send` waits: 65,536 by default. */
  capacity?: number;
}

/**
 * Makes the two ends of a stream: what is sent at one is received at the other.
 *
 * @throws {RangeError} If the capacity is not a whole number of at least 1.
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const [client, server] = memoryStreamPair();
 *   nursery.startSoon(client.send(new Uint8Array([1, 2, 3])));
 *   console.log(yield* server.recv()); // Uint8Array(3) [ 1, 2, 3 ]
 * }));
 * ```
 */
export function memoryStreamPair(
  options: MemoryStreamOptions = {},
): [ByteStream, ByteStream] {
  const { capacity = 65536 } = options;
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`capacity is a whole number of bytes of at least 1, not ${capacity}`);
  }
  const there = new Pipe(capacity);
  const back = new Pipe(capacity);
  return [new MemoryStream(back, there), new MemoryStream(there, back)];
}

/** One direction: a ring of bytes, and who waits at its ends. */
class Pipe {
  readonly #capacity: number;
  #ring: Uint8Array = new Uint8Array(0);
  #start = 0;
  #size = 0;
  reader: Receive<unknown> | null = null;
  writer: Send | null = null;
  /** Nothing more will be sent. */
  finished = false;
  /** The reading end was closed. */
  abandoned = false;
  /** A send was cancelled half way. */
  torn = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether a receive need not wait. */
  get readable(): boolean {
    return this.#size > 0 || this.finished;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts in what there is room for, and gives how many bytes that were. */
  write(bytes: Uint8Array): number {
    if (this.#ring.length === 0) this.#ring = new Uint8Array(this.#capacity);
    const count = Math.min(bytes.length, this.#capacity - this.#size);
    const at = (this.#start + this.#size) % this.#capacity;
    const first = Math.min(count, this.#capacity - at);
    this.#ring.set(bytes.subarray(0, first), at);
    this.#ring.set(bytes.subarray(first, count), 0);
    this.#size += count;
    if (count > 0) this.wakeReader();
    return count;
  }

  /** Takes bytes out into `target` and gives how many; room for more may have come of it. */
  readInto(target: Uint8Array): number {
    const count = Math.min(target.length, this.#size);
    const first = Math.min(count, this.#capacity - this.#start);
    target.set(this.#ring.subarray(this.#start, this.#start + first));
    target.set(this.#ring.subarray(0, count - first), first);
    this.#start = (this.#start + count) % this.#capacity;
    this.#size -= count;
    this.writer?.proceed();
    return count;
  }

  wakeReader(): void {
    const { reader } = this;
    this.reader = null;
    reader?.take();
  }

  /** No more bytes come; those inside can still be read. */
  finish(): void {
    this.finished = true;
    this.wakeReader();
  }

  /** No more bytes are taken. */
  abandon(): void {
    this.abandoned = true;
    this.#size = 0;
    this.#ring = new Uint8Array(0);
    const { writer } = this;
    this.writer = null;
    writer?.fail(
      new BrokenResourceError("Cannot send: the other end of the memory stream is closed"),
    );
  }
}

class MemoryStream implements ByteStream {
  readonly incoming: Pipe;
  readonly outgoing: Pipe;
  closed = false;
  /** The view that was given out last. It is wiped when the next receive is begun: who keeps one finds out here, and not in production. */
  lent: Uint8Array | null = null;

  constructor(incoming: Pipe, outgoing: Pipe) {
    this.incoming = incoming;
    this.outgoing = outgoing;
  }

  recv(max: number = 65536): Operation<Uint8Array<ArrayBuffer> | null> {
    return new ReceiveBytes(this, max);
  }

  recvInto(buffer: Uint8Array): Operation<number | null> {
    return new ReceiveInto(this, buffer);
  }

  recvView(max: number = 65536): Operation<Uint8Array<ArrayBuffer> | null> {
    return new ReceiveView(this, max);
  }

  send(bytes: Uint8Array): Operation<void> {
    return new Send(this, bytes);
  }

  shutdown(): Operation<void> {
    return new Shutdown(this);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { incoming, outgoing } = this;
    const { reader } = incoming;
    const { writer } = outgoing;
    incoming.reader = null;
    outgoing.writer = null;
    reader?.fail(closedError());
    writer?.fail(closedError());
    outgoing.finish();
    incoming.abandon();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Refuses what cannot be sent now. */
  checkSending(): void {
    if (this.closed) throw closedError();
    const { outgoing } = this;
    if (outgoing.writer !== null) {
      throw new BusyResourceError(
        "Another task is sending on this memory stream: one at a time, or messages would come apart",
      );
    }
    if (outgoing.torn) {
      throw new BrokenResourceError(
        "A send on this memory stream was cancelled half way: nothing can follow it, close the stream",
      );
    }
  }
}

function closedError(): ClosedResourceError {
  return new ClosedResourceError("The memory stream is closed");
}

/** Waits for bytes, or the end. */
abstract class Receive<T> extends Wait<T | null> {
  protected readonly stream: MemoryStream;

  constructor(stream: MemoryStream) {
    super();
    this.stream = stream;
  }

  protected arm(): void {
    const { incoming, closed } = this.stream;
    if (closed) throw closedError();
    if (incoming.reader !== null) {
      throw new BusyResourceError(
        "Another task is receiving from this memory stream: one at a time, or bytes would come apart",
      );
    }
    this.stream.lent?.fill(0);
    this.stream.lent = null;
    if (incoming.readable) this.take();
    else incoming.reader = this as Receive<unknown>;
  }

  protected disarm(): void {
    this.stream.incoming.reader = null;
  }

  /** Called when there are bytes, or the end. */
  take(): void {
    const { incoming } = this.stream;
    this.settle(incoming.size === 0 ? null : this.read(incoming));
  }

  protected abstract read(pipe: Pipe): T;

  describe(): string {
    return "receiving from a memory stream";
  }
}

class ReceiveBytes extends Receive<Uint8Array<ArrayBuffer>> {
  readonly #max: number;

  constructor(stream: MemoryStream, max: number, name = "recv") {
    super(stream);
    if (!(max > 0)) throw new RangeError(`${name}() takes at least 1 byte, not ${max}`);
    this.#max = max;
  }

  protected read(pipe: Pipe): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.min(this.#max, pipe.size));
    pipe.readInto(bytes);
    return bytes;
  }
}

class ReceiveView extends ReceiveBytes {
  constructor(stream: MemoryStream, max: number) {
    super(stream, max, "recvView");
  }

  protected override read(pipe: Pipe): Uint8Array<ArrayBuffer> {
    const bytes = super.read(pipe);
    this.stream.lent = bytes;
    return bytes;
  }
}

class ReceiveInto extends Receive<number> {
  readonly #buffer: Uint8Array;

  constructor(stream: MemoryStream, buffer: Uint8Array) {
    super(stream);
    if (!(buffer instanceof Uint8Array)) throw new TypeError("recvInto() wants a Uint8Array");
    if (buffer.length === 0) throw new RangeError("recvInto() wants a buffer with room in it");
    this.#buffer = buffer;
  }

  protected read(pipe: Pipe): number {
    return pipe.readInto(this.#buffer);
  }
}

class Send extends Wait<void> {
  readonly #stream: MemoryStream;
  readonly #bytes: Uint8Array;
  #written = 0;

  constructor(stream: MemoryStream, bytes: Uint8Array) {
    super();
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError("send() wants a Uint8Array: new TextEncoder().encode(text) makes one");
    }
    this.#stream = stream;
    this.#bytes = bytes;
  }

  protected arm(): void {
    const stream = this.#stream;
    const { outgoing } = stream;
    stream.checkSending();
    if (outgoing.finished) {
      throw new ClosedResourceError("Cannot send on a memory stream after shutdown()");
    }
    if (outgoing.abandoned) {
      throw new BrokenResourceError("Cannot send: the other end of the memory stream is closed");
    }
    outgoing.writer = this;
    this.proceed();
  }

  /** Called when there may be room. */
  proceed(): void {
    const { outgoing } = this.#stream;
    // A reader that this wakes takes bytes at once, and calls back for more.
    outgoing.writer = null;
    while (this.#written < this.#bytes.length) {
      const count = outgoing.write(this.#bytes.subarray(this.#written));
      this.#written += count;
      if (count === 0) {
        outgoing.writer = this;
        return;
      }
    }
    this.settle();
  }

  protected disarm(): void {
    const { outgoing } = this.#stream;
    outgoing.writer = null;
    if (this.#written > 0) outgoing.torn = true;
  }

  describe(): string {
    return "sending on a memory stream";
  }
}

class Shutdown extends Wait<void> {
  readonly #stream: MemoryStream;

  constructor(stream: MemoryStream) {
    super();
    this.#stream = stream;
  }

  protected arm(): void {
    this.#stream.checkSending();
    this.#stream.outgoing.finish();
    this.settle();
  }

  protected disarm(): void {}

  describe(): string {
    return "shutting down a memory stream";
  }
}
