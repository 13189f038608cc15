/**
 * Sender: the sending half of a stream: of a socket, or a pipe. It coalesces what is sent in one
 * turn of the loop into one write.
 *
 * How. A small send is copied behind those before it and is done: its task goes on in the same
 * turn. The buffer is written when the task waits for an answer, when the buffer is full, or at the
 * latest when the turn ends. So a request and its reply cost one write and one wait, and sixteen
 * pipelined replies cost one write too: a write is 74% of what a small reply costs. A large send is
 * written from the caller's own bytes, and its task waits for that. Rejected: to let every send
 * wait for its own write. One task could then never have two replies in one write.
 *
 * Invariants
 * - At most `MAX_COALESCED` bytes are in the buffer and as many in flight; beyond that, send waits:
 *   a peer that stops reading stops the sender.
 * - The backend is asked for one thing at a time: `#busy` says which. Bytes leave in the order of
 *   the sends.
 * - An error of a write is given to who waits, to everybody who sends later, and to `Drain` at the
 *   end.
 * - Closing lets the coalesced bytes go out first, because those sends have returned; the backend
 *   bounds how long that takes.
 *
 * Independent of: what is received; which backend it is.
 */
import { BrokenResourceError, ClosedResourceError } from "../kernel/errors.ts";
import { runningTask } from "../kernel/scheduler.ts";
import type { RawSendStream, SendEvents } from "./raw_stream.ts";
import { codeOf } from "./error_code.ts";
import { CLOSED, showAddress, SocketError, toError } from "./socket_error.ts";
import { WaiterSlot } from "./waiter_slot.ts";

/** The size of a coalescing buffer. Sends that are larger are written by themselves. */
const MAX_COALESCED = 16 * 1024;

/**
 * How many buffers are kept for the next turn: 16 MiB at most. With fewer, a turn in which a
 * thousand connections reply allocates for most of them, and a fifth of the processor time is the
 * collector's.
 */
const MAX_SPARE = 1024;

/**
 * Memory to coalesce in. Replies often have one size, so the view of what was written last is kept:
 * making one costs 50 ns and garbage.
 */
class CoalesceBuffer {
  readonly bytes: Uint8Array = new Uint8Array(MAX_COALESCED);
  #view: Uint8Array = this.bytes;

  first(count: number): Uint8Array {
    if (this.#view.length !== count) this.#view = this.bytes.subarray(0, count);
    return this.#view;
  }
}

const spare: CoalesceBuffer[] = [];

/** Senders that have something to flush; some of them have flushed it since. */
let unflushed: Sender[] = [];
/** `flushAll` will run. */
let flushDue = false;
const settled = Promise.resolve();

/** Runs as a microtask, so once the turn has ended. */
function flushAll(): void {
  flushDue = false;
  const senders = unflushed;
  unflushed = [];
  for (const sender of senders) sender.flush();
}

/**
 * How many small sends in a row do not let other tasks run. They are the replies to requests that
 * came together: with a thousand connections, to give way after each would find the connection out
 * of the processor's cache each time. Beyond that, and always together with all else that a task
 * does without waiting, the loop's own budget lets the others run (R5).
 */
const MAX_QUICK = 16;

/** What the backend was asked for and has not answered. */
type Busy = typeof IDLE | typeof COALESCED | typeof DIRECT | typeof FINISHING;
const IDLE = 0;
/** The coalescing buffer that is in flight. */
const COALESCED = 1;
/** A large send of a caller's own bytes. */
const DIRECT = 2;
/** The end. */
const FINISHING = 3;

/** Who waits for its turn to send. */
export interface SendWaiter {
  /** Nothing is in flight any more: its turn has come. */
  proceed(): void;
  /** The coalescing buffer is empty, but something is in flight. */
  roomFreed(): void;
  /** Its turn is over. */
  settle(): void;
  /** It failed. */
  fail(error: unknown): void;
}

/** The state of the sending half. */
export class Sender extends WaiterSlot<SendWaiter> implements SendEvents {
  readonly raw: RawSendStream;
  /** The error that ended sending, or null. */
  failure: unknown = null;
  /** How the connection broke, if it did. */
  broke: SocketError | null = null;
  /** Somebody was told of `failure`. */
  reported: boolean = false;
  finished: boolean = false;
  closed: boolean = false;
  #busy: Busy = IDLE;
  /** What is not in flight yet: the first `#filled` bytes. Null exactly when there are none. */
  #coalesced: CoalesceBuffer | null = null;
  #filled = 0;
  /** How many quick sends there were since the last flush. */
  #sends = 0;
  #inFlight: CoalesceBuffer | null = null;
  /**
   * For a stream in memory, while bytes are coalesced: the flush, a microtask, will wake the task
   * that receives them, so that what waits until then is no deadlock.
   */
  #hold: Disposable | null = null;

  constructor(raw: RawSendStream) {
    super();
    this.raw = raw;
  }

  /** Whether a send that has returned may still turn out to have failed. */
  get mayFailLater(): boolean {
    if (this.failure !== null) return !this.reported;
    return this.#busy !== IDLE || this.#coalesced !== null;
  }

  /** Refuses what cannot be sent now. */
  check(): void {
    if (this.failure !== null) {
      this.reported = true;
      throw toError(this.failure, this.raw.remoteAddr);
    }
    this.checkFree();
  }

  protected busyMessage(): string {
    return `Another task is sending to ${this.peer}: one at a time, or messages would be mixed up`;
  }

  /** Begins a send: true where it is done at once, else `waiter` waits for its turn. */
  begin(waiter: SendWaiter, bytes: Uint8Array): boolean {
    this.check();
    if (this.finished) {
      throw new ClosedResourceError(`Cannot send to ${this.peer} after shutdown()`);
    }
    if (bytes.length === 0 || this.coalesce(bytes)) return true;
    this.queue(waiter);
    return false;
  }

  /**
   * Whether a message may go out without a turn for the others: it is small, and fits behind the
   * few that were sent so since the last flush. Then it counts as one of them.
   */
  admitQuick(bytes: Uint8Array): boolean {
    if (this.#sends >= MAX_QUICK || this.failure !== null) return false;
    if (this.waiter !== null || this.finished) return false;
    const { length } = bytes;
    const filled = this.#filled + length;
    if (length === 0 || filled > MAX_COALESCED || filled > this.raw.room!) return false;
    this.#sends++;
    return true;
  }

  /** Begins to end sending: true where that was done before. */
  beginShutdown(waiter: SendWaiter): boolean {
    this.check();
    if (this.finished) return true;
    this.queue(waiter);
    return false;
  }

  /** Has `waiter` wait for its turn, which may come at once. */
  queue(waiter: SendWaiter): void {
    this.waiter = waiter;
    this.advance();
  }

  /** Coalesces what the waiter has to send, if that is possible by now. */
  retryCoalesce(waiter: SendWaiter, bytes: Uint8Array): void {
    if (!this.coalesce(bytes)) return;
    this.waiter = null;
    waiter.settle();
  }

  /** Copies a small message; false where there is no room now, or it is larger than the buffer. */
  coalesce(bytes: Uint8Array): boolean {
    const { length } = bytes;
    if (length > MAX_COALESCED) return false;
    if (length > MAX_COALESCED - this.#filled) {
      if (this.#busy !== IDLE) return false;
      this.flush();
    }
    if (length + this.#filled > this.raw.room!) return false; // never true where there is no bound
    let coalesced = this.#coalesced;
    if (coalesced === null) {
      coalesced = this.#coalesced = spare.pop() ?? new CoalesceBuffer();
      unflushed.push(this);
      if (this.raw.isInLoop) this.#hold = runningTask()?.scheduler.loop.hold() ?? null;
      if (!flushDue) {
        flushDue = true;
        settled.then(flushAll);
      }
    }
    coalesced.bytes.set(bytes, this.#filled);
    this.#filled += length;
    return true;
  }

  /** Writes the coalescing buffer, unless something is in flight: then it follows that. */
  flush(): void {
    const coalesced = this.#coalesced;
    if (coalesced === null || this.#busy !== IDLE) return;
    const filled = this.#filled;
    // Mostly not touched again by `flushAll`: with a thousand connections it is out of the cache by
    // then.
    if (unflushed[unflushed.length - 1] === this) unflushed.pop();
    this.#coalesced = null;
    this.#filled = this.#sends = 0;
    if (this.#hold !== null) this.#release();
    this.#inFlight = coalesced;
    this.#busy = COALESCED;
    this.#write(coalesced.first(filled));
  }

  #release(): void {
    this.#hold?.[Symbol.dispose]();
    this.#hold = null;
  }

  /** Asks the backend for the next thing there is to do. */
  advance(): void {
    if (this.#busy !== IDLE) return;
    if (this.#coalesced !== null) {
      this.flush();
      // Answered at once, it has given the waiter its turn already.
      if ((this.#busy as Busy) === COALESCED) this.waiter?.roomFreed();
    } else if (this.waiter !== null) this.waiter.proceed();
    else if (this.closed) this.#closeRaw();
  }

  sendDirectly(bytes: Uint8Array): void {
    this.#busy = DIRECT;
    this.#write(bytes);
  }

  /**
   * A backend that throws here would otherwise keep the other senders of a turn from being flushed.
   */
  #write(bytes: Uint8Array): void {
    try {
      this.raw.send(bytes);
    } catch (error) {
      this.sendFailed(codeOf(error), error);
    }
  }

  /** `close` of a socket never throws. */
  #closeRaw(): void {
    try {
      this.raw.close();
    } catch {
      // The connection is of no use any more in any case.
    }
  }

  finish(): void {
    this.finished = true;
    this.#busy = FINISHING;
    try {
      this.raw.finish();
    } catch (error) {
      this.sendFailed(codeOf(error), error);
    }
  }

  sent(): void {
    const was = this.#busy;
    this.#answered();
    if (was !== COALESCED) this.vacate()?.settle();
    this.advance();
  }

  sendFailed(code: string, cause: unknown): void {
    this.#answered();
    if (this.closed) this.#closeRaw();
    else this.break(code, cause);
  }

  /** The connection broke: ends sending. */
  break(code: string, cause?: unknown): void {
    this.broke = new SocketError("Cannot send to", code, this.raw.remoteAddr, cause);
    this.end(this.broke);
  }

  /** The backend has answered. */
  #answered(): void {
    this.#busy = IDLE;
    if (this.#inFlight !== null && spare.length < MAX_SPARE) spare.push(this.#inFlight);
    this.#inFlight = null;
  }

  /** Ends sending with an error: for who waits now, and for who comes later. */
  end(error: unknown): void {
    this.failure ??= error;
    this.#coalesced = null;
    this.#filled = 0;
    if (this.#hold !== null) this.#release();
    const waiter = this.vacate();
    if (waiter === null) return;
    this.reported = true;
    waiter.fail(error);
  }

  /** A wait was cancelled. */
  abandon(): void {
    this.waiter = null;
    if (this.#busy !== DIRECT) return;
    this.reported = true; // by the Cancelled
    this.end(
      new BrokenResourceError(
        `A send to ${this.peer} was cancelled half way: nothing can follow it, close the socket`,
      ),
    );
  }

  /** Gives the raw stream to somebody else. Nothing is in flight. */
  detach(error: ClosedResourceError): void {
    this.check();
    this.failure = error;
    this.closed = this.reported = true;
  }

  /** Closed from this side. Coalesced bytes still go out; a large send is cut off. */
  close(): void {
    if (this.closed) return;
    this.closed = this.reported = true;
    const cutOff = this.#busy === DIRECT || this.failure !== null;
    this.failure = CLOSED;
    this.vacate()?.fail(toError(CLOSED, this.raw.remoteAddr));
    if (cutOff) return this.#closeRaw();
    this.advance();
    if (this.#busy === IDLE) return;
    try {
      this.raw.closeSoon();
    } catch {
      this.#closeRaw();
    }
  }

  get peer(): string {
    return showAddress(this.raw.remoteAddr);
  }
}
