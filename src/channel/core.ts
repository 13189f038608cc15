/**
 * ChannelCore: what the two ends of a channel share, and the waits on it.
 *
 * Invariants
 * - Whoever waits to receive finds the buffer empty, and whoever waits to send finds it full; so,
 *   but for the waits of one `select`, tasks wait on one side at most. A value passes straight from
 *   the one who waits to the one who comes (R29).
 * - A wait is among the waiters exactly while its task is parked in it. A value leaves the buffer
 *   or a sender only towards a receiver that gets it in the same step: there is no moment at which
 *   a cancel could lose it (R18, R30).
 * - A `select` may wait on both sides at once; its task never trades with itself: a partner is
 *   always another task.
 *
 * Independent of: broadcasts, which are built on it.
 */
import {
  BrokenResourceError,
  Cancelled,
  ClosedResourceError,
  EndOfChannel,
} from "../kernel/errors.ts";
import { RingBuffer } from "../kernel/ring_buffer.ts";
import type { TaskCore } from "../kernel/task.ts";
import { ListedWait, WaitList } from "../kernel/wait_list.ts";

/** What `tryReceive` gives if there is nothing: no value can be mistaken for it. */
export const NOTHING: unique symbol = Symbol("nothing");

/** One end of a channel, as its waits see it. */
export interface End<T> {
  readonly core: ChannelCore<T>;
  readonly open: boolean;
}

/** The channel between its ends. */
export class ChannelCore<T> {
  readonly capacity: number;
  /** For messages: `a channel`, or `channel "jobs"`. */
  readonly title: string;
  /** How many values are in the buffer. */
  buffered: number = 0;
  readonly senders: WaitList<SendWait<T>> = new WaitList();
  readonly receivers: WaitList<ReceiveWait<T, unknown>> = new WaitList();
  openSenders: number = 0;
  openReceivers: number = 0;
  /**
   * What a sender failed with: receivers get it after what is in the buffer, and nothing more can
   * be sent.
   */
  failure: { readonly error: unknown } | null = null;
  /** Oldest first; made when it is first needed, for a rendezvous has none. */
  #buffer: RingBuffer<T> | null = null;

  constructor(capacity: number, title: string) {
    this.capacity = capacity;
    this.title = title;
  }

  /** Gives a value to a receiver that waits, or to the buffer: false if it can do neither. */
  trySend(value: T, task: TaskCore | null): boolean {
    const receiver = partner(this.receivers, task);
    if (receiver !== null) {
      this.receivers.remove(receiver);
      receiver.deliver(value);
      return true;
    }
    if (this.buffered >= this.capacity) return false;
    this.store(value);
    return true;
  }

  /**
   * Gives the next value, from the buffer or from a sender that waits: NOTHING if there is none.
   */
  tryReceive(task: TaskCore | null): T | typeof NOTHING {
    if (this.buffered > 0) {
      const value = this.unstore();
      this.refill(task);
      return value;
    }
    return this.#acceptNext(task, false);
  }

  /** Called whenever there is room in the buffer: the sender that waits longest fills it. */
  protected refill(task: TaskCore | null): void {
    this.#acceptNext(task, true);
  }

  /**
   * Takes the value of the sender that waits longest. Ends its wait last: if it is a `select`, code
   * of the user's may run.
   */
  #acceptNext(task: TaskCore | null, keep: boolean): T | typeof NOTHING {
    const sender = partner(this.senders, task);
    if (sender === null) return NOTHING;
    this.senders.remove(sender);
    const value = sender.release();
    if (keep) this.store(value);
    sender.settle();
    return value;
  }

  protected store(value: T): void {
    (this.#buffer ??= new RingBuffer()).push(value);
    this.buffered++;
  }

  protected unstore(): T {
    this.buffered--;
    return this.#buffer!.shift() as T;
  }

  /**
   * The sender `end` was closed: what waits on it fails; if it was the last, receivers are at the
   * end.
   */
  senderClosed(end: End<T>): void {
    this.openSenders--;
    for (const wait of removeWaits(this.senders, end)) wait.fail(closedError("send", this));
    if (this.openSenders === 0) this.endReceivers();
  }

  /**
   * A sender has failed, the first one: that is how the channel ends. Values in the buffer are
   * received first.
   */
  senderFailed(error: unknown): void {
    if (this.failure !== null) return;
    // A Cancelled is about the task that was cancelled; thrown into another it would be taken for a
    // cancel of that.
    this.failure = { error: error instanceof Cancelled ? cancelledError(this, error) : error };
    for (const wait of removeWaits(this.senders)) wait.fail(failedError(this));
    this.endReceivers();
  }

  /** Nothing more will come. Whoever waits has found the buffer empty. */
  protected endReceivers(): void {
    for (const wait of removeWaits(this.receivers)) wait.atEnd();
  }

  /**
   * The receiver `end` was closed: what waits on it fails; if it was the last, nobody will receive
   * what is sent.
   */
  receiverClosed(end: End<T>): void {
    this.openReceivers--;
    for (const wait of removeWaits(this.receivers, end)) wait.fail(closedError("receive", this));
    if (this.openReceivers > 0) return;
    this.#buffer = null;
    this.buffered = 0;
    for (const wait of removeWaits(this.senders)) wait.fail(brokenError(this));
  }
}

/** The first waiter that is not `task` itself. */
export function partner<W extends ListedWait<unknown>>(
  waiters: WaitList<W>,
  task: TaskCore | null,
): W | null {
  let { first } = waiters;
  while (first !== null && first.waiter === task) first = first.behind as W | null;
  return first;
}

/**
 * Removes the waiters one by one, or only those on `end`. Ending one may remove others too: the
 * arms of its `select`.
 */
function* removeWaits<T, W extends ChannelWait<T, unknown>>(waiters: WaitList<W>, end?: End<T>) {
  const waits: W[] = [];
  for (let wait = waiters.first; wait !== null; wait = wait.behind as W | null) waits.push(wait);
  for (const wait of waits) {
    if (!wait.parked || (end !== undefined && wait.end !== end)) continue;
    waiters.remove(wait);
    yield wait;
  }
}

/** A wait on a channel. */
abstract class ChannelWait<T, R> extends ListedWait<R> {
  declare readonly end: End<T>;

  constructor(end: End<T>) {
    super();
    this.end = end;
  }

  /** Whether a task waits here now. */
  get parked(): boolean {
    return this.task !== null;
  }
}

/*
 * Two things here are for speed alone. An end keeps the operation that it made last, and gives it
 * out again once that is finished: after `yield* receiver.receive()` nobody else has it, and making
 * one is a sixth of what a message costs. And `perform` is overridden: what need not wait is done
 * without parking, and the task is queued again, since every wait is a checkpoint. The uncommon
 * cases are left to `arm`, so that each rule is in one place.
 */

/** Waits until a value has gone to a receiver or into the buffer. */
export class SendWait<T> extends ChannelWait<T, void> {
  /** What is sent; undefined once it was. */
  declare value: T | undefined;

  constructor(end: End<T>, value: T) {
    super(end);
    this.value = value;
  }

  /** Gives the value away. */
  release(): T {
    const value = this.value as T;
    this.value = undefined;
    return value;
  }

  override perform(task: TaskCore): boolean {
    this.begin();
    if (task.scope.cause !== null) return this.refuse(task);
    const { core, open } = this.end;
    if (!open || core.openReceivers === 0 || core.failure !== null) return this.park(task);
    if (core.trySend(this.value as T, task)) {
      this.value = undefined;
      task.scheduler.queue.push(task);
    } else {
      this.register(task);
      core.senders.push(this);
    }
    return false;
  }

  protected arm(task: TaskCore): void {
    const { core } = this.end;
    checkSender(this.end);
    if (core.trySend(this.value as T, task)) this.settle();
    else core.senders.push(this);
  }

  protected disarm(): void {
    this.value = undefined;
    this.end.core.senders.remove(this);
  }

  describe(): string {
    return `sending on ${describeCore(this.end.core)}`;
  }
}

/** Waits for a value; the subclass says in which form the operation gives it. */
export abstract class ReceiveWait<T, R> extends ChannelWait<T, R> {
  /** What the operation gives for a value. */
  protected abstract wrap(value: T): R;
  /** Ends the wait because every sender was closed. */
  protected abstract finish(): void;

  /** Ends the wait because nothing more will come. */
  atEnd(): void {
    const { failure } = this.end.core;
    if (failure === null) this.finish();
    else this.fail(failure.error);
  }

  /** Ends the wait with a value. */
  deliver(value: T): void {
    this.settle(this.wrap(value));
  }

  override perform(task: TaskCore): boolean {
    this.begin();
    if (task.scope.cause !== null) return this.refuse(task);
    const { core, open } = this.end;
    if (!open || core.openSenders === 0 || core.failure !== null) return this.park(task);
    const value = core.tryReceive(task);
    if (value !== NOTHING) {
      task.value = this.wrap(value);
      task.scheduler.queue.push(task);
    } else {
      this.register(task);
      core.receivers.push(this);
    }
    return false;
  }

  protected arm(task: TaskCore): void {
    const { core } = this.end;
    checkReceiver(this.end);
    const value = core.tryReceive(task);
    if (value !== NOTHING) this.deliver(value);
    else if (core.openSenders > 0 && core.failure === null) core.receivers.push(this);
    else this.atEnd();
  }

  protected disarm(): void {
    this.end.core.receivers.remove(this);
  }

  describe(): string {
    return `receiving from ${describeCore(this.end.core)}`;
  }
}

/** Gives the value, or throws at the end. */
export class ValueWait<T> extends ReceiveWait<T, T> {
  protected wrap(value: T): T {
    return value;
  }

  protected finish(): void {
    this.fail(endError(this.end.core));
  }
}

/** Gives a result as iterators do, in which the end is a value. */
export class NextWait<T> extends ReceiveWait<T, IteratorResult<T, undefined>> {
  protected wrap(value: T): IteratorResult<T, undefined> {
    return { done: false, value };
  }

  protected finish(): void {
    this.settle({ done: true, value: undefined });
  }
}

/** Throws if nothing can be sent. */
export function checkSender(end: End<unknown>): void {
  if (!end.open) throw closedError("send", end.core);
  if (end.core.openReceivers === 0) throw brokenError(end.core);
  if (end.core.failure !== null) throw failedError(end.core);
}

/**
 * With nothing to receive: false if something may come yet, true if not. Throws the error of a
 * sender that failed.
 */
export function isAtEnd({ core }: End<unknown>): boolean {
  if (core.failure !== null) throw core.failure.error;
  return core.openSenders === 0;
}

/** Throws if nothing may be received. */
export function checkReceiver(end: End<unknown>): void {
  if (!end.open) throw closedError("receive", end.core);
}

/** For the use of an end that was closed. */
export function closedError(doing: string, { title, buffered }: ChannelCore<unknown>): Error {
  const left = buffered === 0
    ? ""
    : `: ${buffered} ${buffered === 1 ? "value remains" : "values remain"} in it`;
  return new ClosedResourceError(`Cannot ${doing} on a closed end of ${title}${left}`);
}

function brokenError({ title }: ChannelCore<unknown>): Error {
  return new BrokenResourceError(`Cannot send: every receiver of ${title} is closed`);
}

function failedError({ title, failure }: ChannelCore<unknown>): Error {
  return new BrokenResourceError(`Cannot send: a sender of ${title} has failed`, {
    cause: failure!.error,
  });
}

function cancelledError({ title }: ChannelCore<unknown>, cancelled: Cancelled): Error {
  return new BrokenResourceError(`A sender of ${title} was cancelled`, { cause: cancelled });
}

/** For receiving when nothing more will come. */
export function endError({ title }: ChannelCore<unknown>): Error {
  return new EndOfChannel(`Nothing more to receive: every sender of ${title} is closed`);
}

function describeCore(
  { title, capacity, openSenders, openReceivers }: ChannelCore<unknown>,
): string {
  return `${title} (capacity ${capacity}, ${openSenders} open senders, ${openReceivers} open receivers)`;
}
