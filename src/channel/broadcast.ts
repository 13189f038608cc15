/**
 * Broadcast: every subscriber sees every value, each at its own pace, with a stated policy for slow ones.
 *
 * Invariants
 * - A subscription is the receiver of an inbox of its own, a channel core whose one sender is the broadcast. So everything about
 *   receiving, fairness and cancelling is as on channels.
 * - Under "wait" a value goes into all inboxes in one step, when all have room: no subscriber sees it before another could, and
 *   a `send` that is cancelled was seen by none. Senders wait in one line, so all see values in the same order.
 *
 * Must never know: how a channel passes values.
 */
import type { Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import type { TaskCore } from "../kernel/task.ts";
import { ListedWait, WaitList } from "../kernel/wait_list.ts";
import { checkCapacity, type Receiver, ReceiverEnd } from "./channel.ts";
import { ChannelCore, type End, partner } from "./core.ts";

/**
 * What a broadcast does when the buffer of a subscriber is full: `send` waits until every subscriber has room; or that
 * subscriber loses the oldest value it has not received, or the new one.
 */
export type SlowPolicy = "wait" | "dropOldest" | "dropNewest";

/** Options of a {@linkcode Broadcast}. */
export interface BroadcastOptions {
  /** How many values are kept for each subscriber: a whole number of at least 1, or Infinity. By default 16. */
  capacity?: number;
  /** What happens where that is not enough; "wait" by default. */
  slow?: SlowPolicy;
  /** For messages and deadlock reports. */
  name?: string;
}

/** What a broadcast holds, and who is there. */
export interface BroadcastStatistics {
  /** How many subscriptions are open; clones of one count once. */
  readonly subscribers: number;
  /** How many values the slowest of them has yet to receive. */
  readonly buffered: number;
  /** How many are kept for each. */
  readonly capacity: number;
  /** How many tasks wait to send. */
  readonly waitingSenders: number;
}

/** A subscriber's end of a {@linkcode Broadcast}. A clone of it shares its values: each goes to one of them. */
export interface Subscription<T> extends Receiver<T> {
  /** How many values it has lost by being slow. */
  readonly dropped: number;
}

/**
 * Sends every value to every subscriber.
 *
 * @example
 * ```ts
 * import { Broadcast, Loop, Nursery } from "jsr:@broomio/core";
 *
 * const news = new Broadcast<string>();
 * function* reader(name: string) {
 *   using subscription = news.subscribe();
 *   yield* subscription.forEach((text) => console.log(name, text));
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(reader("Ann"));
 *   nursery.startSoon(reader("Bob"));
 *   nursery.startSoon(function* () {
 *     yield* news.send("rain"); // seen by those who have subscribed by now
 *     news.close();
 *   }());
 * }));
 * ```
 */
export class Broadcast<T> implements Disposable {
  readonly #core: BroadcastCore<T>;

  /**
   * Makes a broadcast without subscribers.
   *
   * @throws {TypeError | RangeError} If an option is not valid.
   */
  constructor(options: BroadcastOptions = {}) {
    const { capacity = 16, slow = "wait", name } = options;
    checkCapacity(capacity, 1);
    if (!["wait", "dropOldest", "dropNewest"].includes(slow)) {
      throw new RangeError(
        `slow is "wait", "dropOldest" or "dropNewest", not ${JSON.stringify(slow)}`,
      );
    }
    this.#core = new BroadcastCore(
      capacity,
      slow,
      name ? `broadcast ${JSON.stringify(name)}` : "a broadcast",
    );
  }

  /**
   * A new subscriber, which sees every value that is sent from now on. Close it, or senders may wait for it.
   *
   * @throws {ClosedResourceError} If the broadcast was closed.
   */
  subscribe(): Subscription<T> {
    this.#core.check("subscribe to");
    return new SubscriptionEnd(new Inbox(this.#core));
  }

  /**
   * Sends a value to every subscriber; where there is none, it is gone. A checkpoint. Under "wait", waits until every subscriber has
   * room, senders being served first come, first served; cancelled, nobody has seen the value.
   *
   * @throws {ClosedResourceError} If the broadcast was closed, also while it waits.
   */
  send(value: T): Operation<void> {
    return new BroadcastWait(this.#core, value);
  }

  /**
   * Sends without waiting: false where, under "wait", a subscriber has no room. It may be called from anywhere, such as from a
   * callback of the runtime; tell the loop with `loop.hold()` that such a call is to come.
   *
   * @throws {ClosedResourceError} If the broadcast was closed.
   */
  trySend(value: T): boolean {
    this.#core.check("send on");
    return this.#core.offer(value, null);
  }

  /**
   * Ends the broadcast: subscribers get what was sent, and then the end; who waits to send gets a {@linkcode ClosedResourceError}.
   * Never waits; a second time it does nothing.
   */
  close(): void {
    this.#core.close();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What the broadcast holds, and who is there. */
  statistics(): BroadcastStatistics {
    const { inboxes, capacity, senders } = this.#core;
    let buffered = 0;
    for (const inbox of inboxes) buffered = Math.max(buffered, inbox.buffered);
    return { subscribers: inboxes.size, buffered, capacity, waitingSenders: senders.size };
  }
}

/** What a broadcast and its inboxes share. */
class BroadcastCore<T> {
  readonly capacity: number;
  readonly slow: SlowPolicy;
  readonly title: string;
  readonly inboxes: Set<Inbox<T>> = new Set();
  readonly senders: WaitList<BroadcastWait<T>> = new WaitList();
  /** How many inboxes have no room. Under "wait", senders wait exactly while there is one. */
  full: number = 0;
  open: boolean = true;

  constructor(capacity: number, slow: SlowPolicy, title: string) {
    this.capacity = capacity;
    this.slow = slow;
    this.title = title;
  }

  check(doing: string): void {
    if (!this.open) throw this.closedError(doing);
  }

  closedError(doing: string): Error {
    return new ClosedResourceError(`Cannot ${doing} ${this.title}: it was closed`);
  }

  /** Puts a value into every inbox, in all or none; `task` is not woken by what it does itself. */
  offer(value: T, task: TaskCore | null): boolean {
    if (this.slow === "wait" && this.full > 0) return false;
    this.#distribute(value, task);
    return true;
  }

  #distribute(value: T, task: TaskCore | null): void {
    for (const inbox of this.inboxes) inbox.put(value, task);
  }

  /** Called whenever an inbox may have got room: lets those send who wait. */
  serve(task: TaskCore | null): void {
    while (this.full === 0 && this.senders.first !== null) {
      const sender = partner(this.senders, task);
      if (sender === null) return;
      this.senders.remove(sender);
      sender.settle(); // first, so that the other arms of its select are out of the inboxes
      this.#distribute(sender.value, task);
    }
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    for (let sender = this.senders.shift(); sender !== null; sender = this.senders.shift()) {
      sender.fail(this.closedError("send on"));
    }
    for (const inbox of this.inboxes) inbox.end();
  }
}

/** The values for one subscriber. */
class Inbox<T> extends ChannelCore<T> {
  dropped: number = 0;
  readonly #broadcast: BroadcastCore<T>;

  constructor(broadcast: BroadcastCore<T>) {
    super(broadcast.capacity, broadcast.title);
    this.#broadcast = broadcast;
    this.openSenders = 1;
    broadcast.inboxes.add(this);
  }

  put(value: T, task: TaskCore | null): void {
    if (this.offer(value, task)) return;
    // No room, although there was: the other arms of the sender's `select` ran code of the user's, which sent. One too many does no harm.
    if (this.#broadcast.slow === "wait") return this.store(value);
    this.dropped++;
    if (this.#broadcast.slow === "dropNewest") return;
    this.unstore();
    this.store(value);
  }

  protected override store(value: T): void {
    super.store(value);
    if (this.buffered === this.capacity) this.#broadcast.full++;
  }

  protected override unstore(): T {
    if (this.buffered === this.capacity) this.#broadcast.full--;
    return super.unstore();
  }

  protected override refill(task: TaskCore | null): void {
    this.#broadcast.serve(task);
  }

  override receiverClosed(end: End<T>): void {
    if (this.openReceivers === 1) {
      this.#broadcast.inboxes.delete(this);
      if (this.buffered === this.capacity) this.#broadcast.full--;
    }
    super.receiverClosed(end);
    this.#broadcast.serve(null);
  }

  /** The broadcast was closed. */
  end(): void {
    this.openSenders = 0;
    this.endReceivers();
  }
}

class SubscriptionEnd<T> extends ReceiverEnd<T> implements Subscription<T> {
  readonly #inbox: Inbox<T>;

  constructor(inbox: Inbox<T>) {
    super(inbox);
    this.#inbox = inbox;
  }

  get dropped(): number {
    return this.#inbox.dropped;
  }
}

/** Waits until every inbox has taken a value. */
class BroadcastWait<T> extends ListedWait<void> {
  declare readonly value: T;
  readonly #core: BroadcastCore<T>;

  constructor(core: BroadcastCore<T>, value: T) {
    super();
    this.#core = core;
    this.value = value;
  }

  protected arm(task: TaskCore): void {
    this.#core.check("send on");
    if (this.#core.offer(this.value, task)) this.settle();
    else this.#core.senders.push(this);
  }

  protected disarm(): void {
    this.#core.senders.remove(this);
  }

  describe(): string {
    const { title, full, inboxes } = this.#core;
    return `sending on ${title}, where ${full} of ${inboxes.size} subscribers have no room`;
  }
}
