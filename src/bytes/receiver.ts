/**
 * Receiver: the receiving half of a stream: of a socket, or a pipe.
 *
 * Invariants
 * - `#pending` exactly while the backend was asked for bytes and has not answered. A cancelled wait
 *   leaves that as it is, and the next one gets the answer: nothing is lost (R37). The backend
 *   reads into memory of its own, so a caller's buffer is touched only here, while its task waits.
 * - Bytes in `[start, end)` of `raw.bytes` were received and not yet given out; while there are
 *   any, no more are asked for.
 *
 * Independent of: what is sent; which backend it is.
 */
import { ClosedResourceError } from "../kernel/errors.ts";
import { IoWait } from "./io_wait.ts";
import type { RawReceiveStream, ReceiveEvents } from "./raw_stream.ts";
import { checkBuffer, checkMax } from "./check_bytes.ts";
import { codeOf } from "./error_code.ts";
import { CLOSED, showAddress, SocketError, toError } from "./socket_error.ts";
import { WaiterSlot } from "./waiter_slot.ts";

/** Up to this count, copying byte by byte is faster than making a view first. */
const FEW = 64;

const NOTHING = new Uint8Array(0);

/**
 * A part of some memory. Not `subarray`: that of a Buffer is a Buffer, whose `slice` makes no copy.
 */
function viewOf(bytes: Uint8Array, start: number, count: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset + start, count);
}

/** Copies a part of `from` to the start of `to`. */
function copy(from: Uint8Array, start: number, count: number, to: Uint8Array): void {
  if (count > FEW) to.set(from.subarray(start, start + count));
  else for (let place = 0; place < count; place++) to[place] = from[start + place];
}

/** Who waits for bytes. */
export interface ReceiveWaiter {
  /** There are bytes, or the end: `read`, `view` and `readInto` give them now. */
  deliver(): void;
  /** It failed. */
  fail(error: unknown): void;
}

/** The state of the receiving half. */
export class Receiver extends WaiterSlot<ReceiveWaiter> implements ReceiveEvents {
  readonly raw: RawReceiveStream;
  /** The error that ended receiving, or null. */
  failure: unknown = null;
  /** How the connection broke, if it did. */
  broke: SocketError | null = null;
  ended: boolean = false;
  #start = 0;
  #end = 0;
  #pending = false;
  /** Memory for views of bytes that the backend does not keep. */
  #lent: Uint8Array<ArrayBuffer> = NOTHING;
  /**
   * The last view of the start of `#viewed`. Making another one costs a tenth of all that is done
   * here for a small request.
   */
  #view: Uint8Array<ArrayBuffer> = NOTHING;
  #viewed: Uint8Array = NOTHING;

  constructor(raw: RawReceiveStream) {
    super();
    this.raw = raw;
  }

  /** Whether a receive need not wait. */
  get isReady(): boolean {
    return this.#start < this.#end || this.ended || this.failure !== null;
  }

  /** Delivers bytes, the end or an error to `waiter`; at once where that is known. */
  wait(waiter: ReceiveWaiter): void {
    this.checkFree();
    if (this.#start < this.#end) return waiter.deliver();
    if (this.failure !== null) throw toError(this.failure, this.raw.remoteAddr);
    if (this.ended) return waiter.deliver();
    this.waiter = waiter;
    if (this.#pending) return;
    this.#pending = true;
    try {
      this.raw.receive();
    } catch (error) {
      this.receiveFailed(codeOf(error), error);
    }
  }

  protected busyMessage(): string {
    return `Another task is receiving from ${this.peer}: one at a time, or bytes would be mixed up`;
  }

  /** At most `max` of the bytes that are there; null at the end. */
  read(max: number): Uint8Array<ArrayBuffer> | null {
    const start = this.#start;
    const count = Math.min(max, this.#end - start);
    if (count === 0) return null;
    this.#start = start + count;
    const { bytes, lifetime } = this.raw;
    if (lifetime === "forever") return viewOf(bytes, start, count);
    return bytes.slice(start, start + count) as Uint8Array<ArrayBuffer>;
  }

  /** A view of what is there, which is valid until bytes are asked for again; null at the end. */
  view(max: number): Uint8Array<ArrayBuffer> | null {
    const start = this.#start;
    const count = Math.min(max, this.#end - start);
    if (count === 0) return null;
    this.#start = start + count;
    const { bytes, lifetime } = this.raw;
    if (lifetime !== "event") return this.#lend(bytes, start, count);
    if (this.#lent.length < count) this.#lent = new Uint8Array(2 ** Math.ceil(Math.log2(count)));
    copy(bytes, start, count, this.#lent);
    return this.#lend(this.#lent, 0, count);
  }

  /** The same view as before where it is of the same bytes: requests often have one size. */
  #lend(bytes: Uint8Array, start: number, count: number): Uint8Array<ArrayBuffer> {
    if (start > 0) return viewOf(bytes, start, count);
    if (this.#viewed !== bytes || this.#view.length !== count) {
      this.#viewed = bytes;
      this.#view = viewOf(bytes, 0, count);
    }
    return this.#view;
  }

  /** Copies what is there to `buffer`; gives how many, or null at the end. */
  readInto(buffer: Uint8Array): number | null {
    const start = this.#start;
    const count = Math.min(buffer.length, this.#end - start);
    if (count === 0) return null;
    this.#start = start + count;
    copy(this.raw.bytes, start, count, buffer);
    return count;
  }

  received(count: number): boolean {
    this.#pending = false;
    if (this.failure !== null) return true;
    this.#start = 0;
    this.#end = count;
    if (count === 0) this.ended = true;
    this.vacate()?.deliver();
    return this.#start === this.#end;
  }

  receiveFailed(code: string, cause: unknown): void {
    this.#pending = false;
    this.broke = new SocketError("Cannot receive from", code, this.raw.remoteAddr, cause);
    this.end(this.broke);
  }

  /** Ends receiving with an error: for who waits now, and for who comes later. */
  end(error: unknown): void {
    if (this.failure === CLOSED || this.failure instanceof ClosedResourceError) return;
    this.failure = error;
    this.vacate()?.fail(toError(error, this.raw.remoteAddr));
  }

  /**
   * Gives the raw stream to somebody else, with what was received and not given out, and says
   * whether the backend still owes an answer.
   */
  detach(error: ClosedResourceError): { leftover: Uint8Array | null; pending: boolean } {
    this.checkFree();
    if (this.failure !== null) throw toError(this.failure, this.raw.remoteAddr);
    const leftover = this.read(Infinity);
    this.failure = error;
    return { leftover, pending: this.#pending };
  }

  /** Closed from this side: what was received and not given out is gone. */
  close(): void {
    this.#start = this.#end = 0;
    this.ended = false;
    this.end(CLOSED);
  }

  get peer(): string {
    return showAddress(this.raw.remoteAddr);
  }
}

/** Waits for bytes. */
abstract class ReceiveWait<T> extends IoWait<T | null> implements ReceiveWaiter {
  declare protected readonly receiver: Receiver;
  /**
   * Flushed before bytes are asked for: a request must be in flight before its answer is waited
   * for.
   */
  declare private readonly sender: { flush(): void };

  constructor(receiver: Receiver, sender: { flush(): void }) {
    super();
    this.receiver = receiver;
    this.sender = sender;
  }

  protected get source(): RawReceiveStream {
    return this.receiver.raw;
  }

  protected arm(): void {
    if (!this.receiver.isReady) this.sender.flush();
    this.receiver.wait(this);
  }

  protected disarm(): void {
    this.receiver.waiter = null;
  }

  deliver(): void {
    this.task!.scheduler.wakeSoon();
    this.settle(this.read());
  }

  /** Reads what is there; null at the end. */
  protected abstract read(): T | null;

  describe(): string {
    return `receiving from ${this.receiver.peer}`;
  }
}

/** `recv`. */
export class Receive extends ReceiveWait<Uint8Array<ArrayBuffer>> {
  declare protected readonly max: number;

  constructor(
    receiver: Receiver,
    sender: { flush(): void },
    max: number,
    name = "max of recv()",
  ) {
    super(receiver, sender);
    this.max = checkMax(max, name);
  }

  protected read(): Uint8Array<ArrayBuffer> | null {
    return this.receiver.read(this.max);
  }
}

/** `recvView`. */
export class ReceiveView extends Receive {
  constructor(receiver: Receiver, sender: { flush(): void }, max: number) {
    super(receiver, sender, max, "max of recvView()");
  }

  protected override read(): Uint8Array<ArrayBuffer> | null {
    return this.receiver.view(this.max);
  }
}

/** `recvInto`. */
export class ReceiveInto extends ReceiveWait<number> {
  declare private readonly buffer: Uint8Array;

  constructor(receiver: Receiver, sender: { flush(): void }, buffer: Uint8Array) {
    super(receiver, sender);
    this.buffer = checkBuffer(buffer);
  }

  protected read(): number | null {
    return this.receiver.readInto(this.buffer);
  }
}
