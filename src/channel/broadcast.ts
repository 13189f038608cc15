/**
 * Broadcast: every subscriber sees every value, each at its own pace, with a stated policy for slow
 * ones.
 *
 * Invariants
 * - A subscription is the receiver of a channel core of its own, whose one sender is the broadcast.
 *   So everything about receiving, fairness and cancelling is as on channels.
 * - Under "wait" a value goes to all subscriptions in one step, when all have room: no subscriber
 *   sees it before another could, and a `send` that is cancelled was seen by none. Senders wait in
 *   one list, so all subscribers see values in the same order.
 *
 * Independent of: how a channel passes values.
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkInteger, checkOneOf, checkOptions } from "../check.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import type { TaskCore } from "../kernel/task.ts";
import { titleOf } from "../kernel/title.ts";
import { ListedWait, WaitList } from "../kernel/wait_list.ts";
import { type Receiver, ReceiverEnd } from "./channel.ts";
import { ChannelCore, type End, partner } from "./core.ts";

/**
 * What a broadcast does when the buffer of a subscriber is full: `send` waits until every
 * subscriber has room; or that subscriber loses the oldest value it has not received, or the new
 * one.
 *
 * @example
 * ```ts
 * import { Broadcast, Loop, type SlowPolicy } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * async function keptBy(slow: SlowPolicy): Promise<number[]> {
 *   const news = new Broadcast<number>({ capacity: 2, slow });
 *   using subscription = news.subscribe();
 *   for (const n of [1, 2, 3]) news.trySend(n);
 *   news.close();
 *   const kept: number[] = [];
 *   await new Loop().run(subscription.forEach((n) => void kept.push(n)));
 *   return kept;
 * }
 * assertEquals(await keptBy("dropOldest"), [2, 3]);
 * assertEquals(await keptBy("dropNewest"), [1, 2]);
 * ```
 */
export type SlowPolicy = "wait" | "dropOldest" | "dropNewest";

/**
 * Options of a {@linkcode Broadcast}.
 *
 * @example
 * ```ts
 * import { Broadcast, type BroadcastOptions } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: BroadcastOptions = { capacity: 100, slow: "dropOldest", name: "prices" };
 * const prices = new Broadcast<number>(options); // a slow reader holds up nobody
 * assertEquals(prices.statistics().capacity, 100);
 * ```
 */
export interface BroadcastOptions {
  /**
   * How many values are kept for each subscriber: an integer of at least 1, or Infinity. By default
   * 16.
   */
  capacity?: number;
  /** What happens where that is not enough; "wait" by default. */
  slow?: SlowPolicy;
  /** For messages and deadlock reports. */
  name?: string;
}

const KNOWN = ["capacity", "slow", "name"] as const;
const SLOW_POLICIES = ["wait", "dropOldest", "dropNewest"] as const;

/**
 * What a broadcast holds, and who is there.
 *
 * @example
 * ```ts
 * import { Broadcast, type BroadcastStatistics } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const news = new Broadcast<string>();
 * using _ = news.subscribe();
 * news.trySend("rain");
 * const { subscribers, buffered }: BroadcastStatistics = news.statistics();
 * assertEquals([subscribers, buffered], [1, 1]);
 * ```
 */
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

/**
 * A subscriber's end of a {@linkcode Broadcast}. A clone of it shares its values: each goes to one
 * of them.
 *
 * @example
 * ```ts
 * import { Broadcast, Loop, type Subscription } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const prices = new Broadcast<number>({ capacity: 1, slow: "dropOldest" });
 * const subscription: Subscription<number> = prices.subscribe();
 * for (const price of [10, 11, 12]) prices.trySend(price);
 *
 * assertEquals(await new Loop().run(subscription.receive()), 12); // a Receiver, ...
 * assertEquals(subscription.dropped, 2); // ... which knows what it has missed
 * subscription.close();
 * ```
 */
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
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   * @throws {RangeError} If `capacity` or `slow` has no valid value.
   */
  constructor(options?: BroadcastOptions) {
    const { capacity = 16, slow = "wait", name } = checkOptions(options, "Broadcast", KNOWN);
    checkInteger(capacity, "capacity of Broadcast", 1, Infinity, true);
    checkOneOf(slow, "slow of Broadcast", SLOW_POLICIES);
    this.#core = new BroadcastCore(capacity, slow, titleOf("broadcast", name));
  }

  /**
   * A new subscriber, which sees every value that is sent from now on. Close it, or senders may
   * wait for it.
   *
   * @throws {ClosedResourceError} If the broadcast was closed.
   */
  subscribe(): Subscription<T> {
    this.#core.check("subscribe to");
    return new SubscriptionEnd(new SubscriptionCore(this.#core));
  }

  /**
   * Sends a value to every subscriber; where there is none, it is gone. A checkpoint. Under "wait",
   * waits until every subscriber has room, senders being served first come, first served;
   * cancelled, nobody has seen the value.
   *
   * @throws {ClosedResourceError} If the broadcast was closed, also while it waits.
   */
  send(value: T): Selectable<void> {
    return new BroadcastWait(this.#core, value);
  }

  /**
   * Sends without waiting: false where, under "wait", a subscriber has no room. It may be called
   * from anywhere, such as from a callback of the runtime; tell the loop with `loop.hold()` that
   * such a call is to come.
   *
   * @throws {ClosedResourceError} If the broadcast was closed.
   */
  trySend(value: T): boolean {
    this.#core.check("send on");
    return this.#core.trySend(value, null);
  }

  /**
   * Ends the broadcast: subscribers get what was sent, and then the end; who waits to send gets a
   * {@linkcode ClosedResourceError}. Never waits; a second time it does nothing.
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
    const { subscriptions, capacity, senders } = this.#core;
    let buffered = 0;
    for (const { buffered: count } of subscriptions) buffered = Math.max(buffered, count);
    return { subscribers: subscriptions.size, buffered, capacity, waitingSenders: senders.size };
  }
}

/** What a broadcast and its subscriptions share. */
class BroadcastCore<T> {
  readonly capacity: number;
  readonly slow: SlowPolicy;
  readonly title: string;
  readonly subscriptions: Set<SubscriptionCore<T>> = new Set();
  readonly senders: WaitList<BroadcastWait<T>> = new WaitList();
  /** How many subscriptions have no room. Under "wait", senders wait exactly while there is one. */
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

  /**
   * Gives a value to every subscription, to all or none; `task` is not woken by what it does
   * itself.
   */
  trySend(value: T, task: TaskCore | null): boolean {
    if (this.slow === "wait" && this.full > 0) return false;
    this.#distribute(value, task);
    return true;
  }

  #distribute(value: T, task: TaskCore | null): void {
    for (const subscription of this.subscriptions) subscription.put(value, task);
  }

  /** Called whenever a subscription may have got room: lets those send who wait. */
  sendWaiting(task: TaskCore | null): void {
    while (this.full === 0 && this.senders.first !== null) {
      const sender = partner(this.senders, task);
      if (sender === null) return;
      this.senders.remove(sender);
      sender.settle(); // first, so that the other arms of its select wait no more
      this.#distribute(sender.value, task);
    }
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    for (let sender = this.senders.shift(); sender !== null; sender = this.senders.shift()) {
      sender.fail(this.closedError("send on"));
    }
    for (const subscription of this.subscriptions) subscription.end();
  }
}

/** The channel towards one subscriber. */
class SubscriptionCore<T> extends ChannelCore<T> {
  dropped: number = 0;
  readonly #broadcast: BroadcastCore<T>;

  constructor(broadcast: BroadcastCore<T>) {
    super(broadcast.capacity, broadcast.title);
    this.#broadcast = broadcast;
    this.openSenders = 1;
    broadcast.subscriptions.add(this);
  }

  put(value: T, task: TaskCore | null): void {
    if (this.trySend(value, task)) return;
    // There was room, and now is none: undoing the other arms of the sender's `select` ran code of
    // the user, which sent. One value more than the capacity does no harm.
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
    this.#broadcast.sendWaiting(task);
  }

  override receiverClosed(end: End<T>): void {
    if (this.openReceivers === 1) {
      this.#broadcast.subscriptions.delete(this);
      if (this.buffered === this.capacity) this.#broadcast.full--;
    }
    super.receiverClosed(end);
    this.#broadcast.sendWaiting(null);
  }

  /** The broadcast was closed. */
  end(): void {
    this.openSenders = 0;
    this.endReceivers();
  }
}

class SubscriptionEnd<T> extends ReceiverEnd<T> implements Subscription<T> {
  readonly #own: SubscriptionCore<T>;

  constructor(own: SubscriptionCore<T>) {
    super(own);
    this.#own = own;
  }

  get dropped(): number {
    return this.#own.dropped;
  }
}

/** Waits until every subscription has got a value. */
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
    if (this.#core.trySend(this.value, task)) this.settle();
    else this.#core.senders.push(this);
  }

  protected disarm(): void {
    this.#core.senders.remove(this);
  }

  describe(): string {
    const { title, full, subscriptions } = this.#core;
    return `sending on ${title}, where ${full} of ${subscriptions.size} subscribers have no room`;
  }
}
