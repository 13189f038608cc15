/**
 * ReadWait: a read of a `BufferedReader` as one wait, so that it can be an arm of `select` (R38).
 *
 * A plan says what is read. It is tried on the bytes that are there; while they are too few, more
 * are received, and it is tried again. For a stream that shows its receiving half that is one wait;
 * for another one it is a coroutine over `recv`, which `select` refuses.
 *
 * Invariants: a plan takes bytes only where it has all that it gives, so a read that is cancelled
 * or not chosen takes none; one read at a time. Independent of: what the bytes mean.
 */
import { checkpoint } from "../kernel/checkpoint.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { BusyResourceError } from "../kernel/errors.ts";
import { IoWait } from "../bytes/io_wait.ts";
import type { RawReceiveStream } from "../bytes/raw_stream.ts";
import type { ReceiveHalf } from "../bytes/receive_half.ts";
import type { Receiver, ReceiveWaiter } from "../bytes/receiver.ts";
import type { ReceiveStream } from "../stream.ts";
import { ReadBuffer } from "./read_buffer.ts";

/** What a plan gives where it needs more bytes. */
export const MORE: unique symbol = Symbol("more");

/** What is read. */
export interface ReadPlan<T> {
  /** Takes what is read, if all of it is there. May throw: then nothing was taken. */
  attempt(buffer: ReadBuffer): T | typeof MORE;
  /** The stream has ended: the last result there is. */
  atEnd(buffer: ReadBuffer): T;
  /** Where nothing is in the buffer, how it is received past it. */
  readonly direct?: {
    /** By the receiving half, where there are bytes or the end. */
    read(receiver: Receiver): T;
    /** By the stream. */
    receive(stream: ReceiveStream): Operation<T>;
  };
}

/** What the reads of one reader share. */
export class ReadState {
  readonly buffer: ReadBuffer = new ReadBuffer();
  #busy = false;

  /** Refuses a second read at the same time. */
  begin(): void {
    if (this.#busy) {
      throw new BusyResourceError("Another task is reading: a stream has one reader at a time");
    }
    this.#busy = true;
  }

  end(): void {
    this.#busy = false;
  }
}

/** A read over a receiving half. */
export class ReadWait<T> extends IoWait<T> implements ReceiveWaiter {
  readonly #state: ReadState;
  readonly #half: ReceiveHalf;
  readonly #plan: ReadPlan<T>;
  /** `#pump` is running, so that `deliver` only has to note that it was called. */
  #pumping = false;
  #delivered = false;

  constructor(state: ReadState, half: ReceiveHalf, plan: ReadPlan<T>) {
    super();
    this.#state = state;
    this.#half = half;
    this.#plan = plan;
  }

  protected get source(): RawReceiveStream {
    return this.#half.receiver.raw;
  }

  protected arm(): void {
    this.#state.begin();
    try {
      this.#pump();
    } catch (error) {
      this.#state.end();
      throw error;
    }
  }

  protected disarm(): void {
    this.#half.receiver.waiter = null;
    this.#state.end();
  }

  /** Tries the plan and receives more, until it has what it needs, or has to wait. */
  #pump(): void {
    const { receiver } = this.#half;
    const { buffer } = this.#state;
    for (;;) {
      const isDirect = this.#plan.direct !== undefined && buffer.size === 0;
      const result = isDirect ? MORE : this.#plan.attempt(buffer);
      if (result !== MORE) return this.#finish(result);
      if (!receiver.isReady) this.#half.flush();
      this.#delivered = false;
      this.#pumping = true;
      try {
        receiver.wait(this);
      } finally {
        this.#pumping = false;
      }
      if (!this.#delivered) return; // it waits, or has failed
      if (this.#receive()) return;
    }
  }

  /**
   * Bytes are there, or the end. A loop, and no recursion: they may be few, and come at once each
   * time.
   */
  deliver(): void {
    if (this.#pumping) {
      this.#delivered = true;
      return;
    }
    this.task!.scheduler.wakeSoon();
    try {
      if (!this.#receive()) this.#pump();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Reads what the receiver has; true where that ended the wait. */
  #receive(): boolean {
    const { receiver } = this.#half;
    const { buffer } = this.#state;
    const { direct } = this.#plan;
    if (direct !== undefined && buffer.size === 0) {
      this.#finish(direct.read(receiver));
      return true;
    }
    const count = receiver.readInto(buffer.room());
    if (count === null) {
      this.#finish(this.#plan.atEnd(buffer));
      return true;
    }
    buffer.fill(count);
    return false;
  }

  #finish(result: T): void {
    this.#state.end();
    this.settle(result);
  }

  override fail(error: unknown): void {
    if (this.task !== null) this.#state.end();
    super.fail(error);
  }

  describe(): string {
    return `reading from ${this.#half.receiver.peer}`;
  }
}

/** A read over a stream that does not show its receiving half. */
export function* readFrom<T>(
  state: ReadState,
  stream: ReceiveStream,
  plan: ReadPlan<T>,
): Coroutine<T> {
  state.begin();
  try {
    const { buffer } = state;
    if (buffer.size > 0) yield* checkpoint();
    for (;;) {
      if (plan.direct !== undefined && buffer.size === 0) return yield* plan.direct.receive(stream);
      const result = plan.attempt(buffer);
      if (result !== MORE) return result;
      const count = yield* stream.recvInto(buffer.room());
      if (count === null) return plan.atEnd(buffer);
      buffer.fill(count);
    }
  } finally {
    state.end();
  }
}
