/**
 * openChannel: values from tasks to tasks, one way, through a buffer of a stated size.
 *
 * Here is what users see of a channel, and its two ends. Invariant: an end is counted in its core
 * exactly while it is open. Independent of: how values pass (`core.ts`).
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkInteger, checkOptions } from "../check.ts";
import type { Operation } from "../kernel/coroutine.ts";
import {
  ChannelCore,
  checkReceiver,
  checkSender,
  closedError,
  type End,
  endError,
  isAtEnd,
  NextWait,
  NOTHING,
  SendWait,
  ValueWait,
} from "./core.ts";
import { titleOf } from "../kernel/title.ts";
import { Call } from "../operations/call.ts";
import { checkConcurrency } from "../operations/concurrent.ts";
import {
  FOR_EACH_OPTIONS,
  ForEachConcurrent,
  type ForEachOptions,
} from "../operations/for_each_concurrent.ts";
import { checkVisitor, forEachOf, type Visitor } from "../operations/for_each.ts";

/**
 * What a channel holds, and who is there.
 *
 * @example
 * ```ts
 * import { type ChannelStatistics, openChannel } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const isFull = ({ buffered, capacity }: ChannelStatistics) => buffered === capacity;
 *
 * const { sender } = openChannel<string>(1);
 * assertEquals(isFull(sender.statistics()), false);
 * sender.trySend("hello");
 * assertEquals(isFull(sender.statistics()), true);
 * ```
 */
export interface ChannelStatistics {
  /** How many values are in the buffer. */
  readonly buffered: number;
  /** How many it holds at most. */
  readonly capacity: number;
  /** How many senders are open. */
  readonly openSenders: number;
  /** How many receivers are open. */
  readonly openReceivers: number;
  /** How many tasks wait to send. */
  readonly waitingSenders: number;
  /** How many tasks wait to receive. */
  readonly waitingReceivers: number;
}

/**
 * The end of a channel that values go into.
 *
 * @example
 * ```ts
 * import { all, Loop, openChannel, type Sender } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* produce(sender: Sender<string>, name: string) {
 *   using _ = sender; // closes it at the end
 *   for (let i = 1; i <= 2; i++) yield* sender.send(`${name} ${i}`);
 * }
 * const { sender, receiver } = openChannel<string>(0);
 * const log: string[] = [];
 * const consume = receiver.forEach((text) => void log.push(text)); // until all senders are closed
 * await new Loop().run(all([produce(sender.clone(), "a"), produce(sender, "b"), consume]));
 * assertEquals(log.sort(), ["a 1", "a 2", "b 1", "b 2"]);
 * ```
 */
export interface Sender<T> extends Disposable {
  /**
   * Waits until the value is in the buffer or, where that is full or there is none, with a
   * receiver. A checkpoint. Cancelled, it was not sent. Senders are served first come, first
   * served.
   *
   * @throws {ClosedResourceError} If this sender was closed, also while it waits.
   * @throws {BrokenResourceError} If every receiver was closed or a sender has failed, also while
   * it waits.
   */
  send(value: T): Selectable<void>;

  /**
   * Sends without waiting: false where that is not possible. It may be called from anywhere, such
   * as from a callback of the runtime; tell the loop with `loop.hold()` that such a call is to
   * come, for it cannot know.
   *
   * @throws {ClosedResourceError} If this sender was closed.
   * @throws {BrokenResourceError} If every receiver was closed, or a sender has failed.
   */
  trySend(value: T): boolean;

  /**
   * Another sender on the same channel, closed apart from this one.
   *
   * @throws {ClosedResourceError} If this sender was closed.
   */
  clone(): Sender<T>;

  /**
   * Closes this sender; those who wait on it get a {@linkcode ClosedResourceError}. Never waits; a
   * second time it does nothing. When the last sender is closed, receivers get what is in the
   * buffer, and then the end.
   */
  close(): void;

  /**
   * Closes this sender and fails the channel: receivers get what was sent before, and then `error`,
   * each of them, every time; so a producer that failed does not look like one that came to its
   * end. Other senders get a {@linkcode BrokenResourceError} from now on. Never waits; on a closed
   * sender, or a channel that has failed, it does no more than close.
   */
  fail(error: unknown): void;

  /** What the channel holds, and who is there. */
  statistics(): ChannelStatistics;
}

/**
 * The end of a channel that values come out of. Each value goes to one receiver.
 *
 * @example
 * ```ts
 * import { Loop, openChannel, type Receiver } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* sumOf(receiver: Receiver<number>) {
 *   using _ = receiver; // closes it at the end
 *   let sum = 0;
 *   yield* receiver.forEach((n) => void (sum += n));
 *   return sum;
 * }
 * const { sender, receiver } = openChannel<number>(2);
 * for (const n of [20, 22]) sender.trySend(n);
 * sender.close();
 * assertEquals(await new Loop().run(sumOf(receiver)), 42);
 * ```
 */
export interface Receiver<T> extends Disposable {
  /**
   * Waits for a value. A checkpoint. Cancelled, nothing was received. Receivers are served first
   * come, first served.
   *
   * @throws {EndOfChannel} If everything was received and every sender is closed.
   * @throws {ClosedResourceError} If this receiver was closed, also while it waits.
   */
  receive(): Selectable<T>;

  /**
   * Receives without waiting: `undefined` where there is nothing. In a channel of values that may
   * be `undefined` themselves, use {@linkcode Receiver.tryNext}.
   *
   * @throws {EndOfChannel} If everything was received and every sender is closed.
   * @throws {ClosedResourceError} If this receiver was closed.
   */
  tryReceive(): T | undefined;

  /**
   * Waits for a value and gives it as iterators do: `{ done: false, value }`, or `{ done: true }`
   * at the end. A checkpoint.
   *
   * @throws {ClosedResourceError} If this receiver was closed, also while it waits.
   */
  next(): Selectable<IteratorResult<T, undefined>>;

  /**
   * The same without waiting: `undefined` where there is nothing.
   *
   * @throws {ClosedResourceError} If this receiver was closed.
   */
  tryNext(): IteratorResult<T, undefined> | undefined;

  /**
   * Runs `body` for each value, one after the other or, with `concurrency`, so many at a time, to
   * the end of the channel or until `body` returns `false`: then nothing more is received, and what
   * is under way finishes. A checkpoint. The receiver stays open.
   *
   * @throws {TypeError} If an argument is of the wrong kind, or an option unknown.
   * @throws {ClosedResourceError} If this receiver was closed, also while it waits.
   */
  forEach(body: Visitor<T>, options?: ForEachOptions): Operation<void>;

  /**
   * Another receiver on the same channel, closed apart from this one.
   *
   * @throws {ClosedResourceError} If this receiver was closed.
   */
  clone(): Receiver<T>;

  /**
   * Closes this receiver; those who wait on it get a {@linkcode ClosedResourceError}. Never waits;
   * a second time it does nothing. When the last receiver is closed, what is in the buffer is
   * dropped, and senders get a {@linkcode BrokenResourceError}.
   */
  close(): void;

  /** What the channel holds, and who is there. */
  statistics(): ChannelStatistics;
}

/**
 * The two ends of a channel.
 *
 * @example
 * ```ts
 * import { type Channel, Loop, openChannel } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * class Mailbox {
 *   readonly #channel: Channel<string> = openChannel(100);
 *   post = (letter: string) => this.#channel.sender.trySend(letter);
 *   take = () => this.#channel.receiver.receive();
 * }
 * const mailbox = new Mailbox();
 * mailbox.post("hello");
 * assertEquals(await new Loop().run(mailbox.take()), "hello");
 * ```
 */
export interface Channel<T> {
  /** Where values go in. */
  readonly sender: Sender<T>;
  /** Where they come out. */
  readonly receiver: Receiver<T>;
}

/**
 * Options of {@linkcode openChannel}.
 *
 * @example
 * ```ts
 * import { type ChannelOptions, Loop, openChannel } from "jsr:@broomio/core";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const options: ChannelOptions = { name: "orders" };
 * const { receiver } = openChannel<string>(10, options);
 * // The name is in the report of the deadlock: nobody is going to send.
 * await assertRejects(() => new Loop().run(receiver.receive()), Error, "orders");
 * ```
 */
export interface ChannelOptions {
  /** For messages and deadlock reports. */
  name?: string;
}

/** What both ends are: open until closed, and disposable. */
abstract class ChannelEnd<T> implements End<T> {
  readonly core: ChannelCore<T>;
  open: boolean = true;

  constructor(core: ChannelCore<T>) {
    this.core = core;
  }

  abstract close(): void;

  [Symbol.dispose](): void {
    this.close();
  }

  statistics(): ChannelStatistics {
    const { buffered, capacity, openSenders, openReceivers, senders, receivers } = this.core;
    return {
      buffered,
      capacity,
      openSenders,
      openReceivers,
      waitingSenders: senders.size,
      waitingReceivers: receivers.size,
    };
  }
}

class SenderEnd<T> extends ChannelEnd<T> implements Sender<T> {
  /** The operation that was made last (see core.ts). */
  #last: SendWait<T> | null = null;

  constructor(core: ChannelCore<T>) {
    super(core);
    core.openSenders++;
  }

  send(value: T): Selectable<void> {
    const last = this.#last;
    if (last === null || !last.renew()) return this.#last = new SendWait(this, value);
    last.value = value;
    return last;
  }

  trySend(value: T): boolean {
    checkSender(this);
    return this.core.trySend(value, null);
  }

  clone(): Sender<T> {
    if (!this.open) throw closedError("clone", this.core);
    return new SenderEnd(this.core);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.core.senderClosed(this);
  }

  fail(error: unknown): void {
    if (!this.open) return;
    this.core.senderFailed(error); // first, or the last sender to close would be a clean end
    this.close();
  }
}

/** The receiving end; broadcasts have one for each subscriber. */
export class ReceiverEnd<T> extends ChannelEnd<T> implements Receiver<T> {
  /** The operations that were made last (see core.ts). */
  #lastReceive: ValueWait<T> | null = null;
  #lastNext: NextWait<T> | null = null;

  constructor(core: ChannelCore<T>) {
    super(core);
    core.openReceivers++;
  }

  receive(): Selectable<T> {
    const last = this.#lastReceive;
    return last !== null && last.renew() ? last : this.#lastReceive = new ValueWait(this);
  }

  tryReceive(): T | undefined {
    checkReceiver(this);
    const value = this.core.tryReceive(null);
    if (value !== NOTHING) return value;
    if (isAtEnd(this)) throw endError(this.core);
  }

  next(): Selectable<IteratorResult<T, undefined>> {
    const last = this.#lastNext;
    return last !== null && last.renew() ? last : this.#lastNext = new NextWait(this);
  }

  tryNext(): IteratorResult<T, undefined> | undefined {
    checkReceiver(this);
    const value = this.core.tryReceive(null);
    if (value !== NOTHING) return { done: false, value };
    if (isAtEnd(this)) return { done: true, value: undefined };
  }

  forEach(body: Visitor<T>, options?: ForEachOptions): Operation<void> {
    checkVisitor(body, "forEach");
    const { concurrency = 1 } = checkOptions(options, "forEach", FOR_EACH_OPTIONS);
    if (checkConcurrency(concurrency, "forEach") !== 1) {
      return new ForEachConcurrent(this, body, concurrency);
    }
    return new Call(() => forEachOf(this, body), "forEach") as Operation<unknown> as Operation<
      void
    >;
  }

  clone(): Receiver<T> {
    if (!this.open) throw closedError("clone", this.core);
    return new ReceiverEnd(this.core);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.core.receiverClosed(this);
  }
}

const KNOWN = ["name"] as const;

/**
 * Makes a channel. Both ends can be cloned, are closed with `close()`, and can be declared with
 * `using`. Close them: receivers end when every sender is closed.
 *
 * @param capacity How many values it holds on their way: 0 is a rendezvous, where a sender waits
 * until its value was taken; with `Infinity` no sender ever waits.
 * @throws {TypeError} If an argument is of the wrong kind, or an option unknown.
 * @throws {RangeError} If the capacity is neither an integer of at least 0 nor Infinity.
 * @example
 * ```ts
 * import { Loop, Nursery, openChannel } from "jsr:@broomio/core";
 *
 * const { sender, receiver } = openChannel<number>(8);
 *
 * function* produce() {
 *   using _ = sender; // closes it at the end
 *   for (let i = 1; i <= 3; i++) yield* sender.send(i);
 * }
 * function* consume() {
 *   yield* receiver.forEach((value) => console.log(value)); // 1, 2, 3
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(produce());
 *   nursery.startSoon(consume());
 * }));
 * ```
 */
export function openChannel<T>(capacity: number, options?: ChannelOptions): Channel<T> {
  checkInteger(capacity, "capacity of openChannel()", 0, Infinity, true);
  const { name } = checkOptions(options, "openChannel", KNOWN);
  const core = new ChannelCore<T>(capacity, titleOf("channel", name));
  return { sender: new SenderEnd(core), receiver: new ReceiverEnd(core) };
}
