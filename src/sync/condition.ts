/**
 * Condition: waits, under a lock, for what other tasks do under that lock.
 *
 * Invariants
 * - A wait begins and ends with its task owning the lock, also where it is cancelled: cleanup
 *   around it may rely on that.
 * - A wait is among the waiters of the condition until it is notified or cancelled, and from then
 *   on among those of the lock, behind those that are there already, until its task owns the lock.
 * - A notification is never lost: a task that is cancelled after it was notified gets the
 *   notification, and meets the cancel at its next wait (R18); one that is cancelled before has
 *   stopped waiting, so `notify` goes to another.
 *
 * Rejected: `release`, `park`, `shield(acquire)` in a row. Between those both a cancel and a
 * notification could land. So this is one wait.
 */
import { checkBody, checkFunction, checkInstance, checkInteger, wrongKind } from "../check.ts";
import type { Body, Coroutine, Operation } from "../kernel/coroutine.ts";
import { DEFERRED, type Interruption, type Selectable, WITHDRAWN } from "../kernel/wait.ts";
import type { TaskCore } from "../kernel/task.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { Call } from "../operations/call.ts";
import { isThenable } from "../operations/dispose.ts";
import { AcquireWait } from "./acquire_wait.ts";
import { WithCommand } from "../operations/guard.ts";
import { coreOf, Lock, type LockCore, type LockStatistics } from "./lock.ts";
import { type SyncOptions, titleFrom } from "./sync_options.ts";

/**
 * Who waits, as in Trio.
 *
 * @example
 * ```ts
 * import { Condition, type ConditionStatistics } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const changed = new Condition();
 * const { tasksWaiting, lock }: ConditionStatistics = changed.statistics();
 * assertEquals([tasksWaiting, lock.locked], [0, false]);
 * ```
 */
export interface ConditionStatistics {
  /** The number of tasks that wait to be notified. */
  readonly tasksWaiting: number;
  /** The lock. */
  readonly lock: LockStatistics;
}

/** The condition as its waits see it. */
class ConditionCore {
  readonly title: string;
  readonly lock: LockCore;
  readonly waiters: WaitList<ConditionWait> = new WaitList();

  constructor(title: string, lock: LockCore) {
    this.title = title;
    this.lock = lock;
  }

  /** Adds a wait to those that are to be notified. */
  add(wait: ConditionWait): void {
    if (this.waiters.size === 0) (this.lock.conditions ??= new Set()).add(this.waiters);
    this.waiters.push(wait);
  }

  /** Removes a wait from those that are to be notified. */
  remove(wait: ConditionWait): void {
    this.waiters.remove(wait);
    if (this.waiters.size === 0) this.lock.conditions!.delete(this.waiters);
  }
}

/** Waits for a notification, and then, or where it is cancelled, for the lock. */
class ConditionWait extends AcquireWait<LockCore> {
  static {
    this.prototype.withdrawable = false; // the lock must be had back first
  }

  declare private readonly condition: ConditionCore;
  declare private notified: boolean;
  declare private cancelled: boolean;

  constructor(condition: ConditionCore) {
    super(condition.lock);
    this.condition = condition;
    this.notified = false;
    this.cancelled = false;
  }

  protected override arm(): void {
    this.core.checkOwner(`wait on ${this.condition.title} without`);
    this.condition.add(this);
    this.core.handOff();
  }

  /** Notified by the owner of the lock, so the lock is not free: it waits for that from now on. */
  notify(): void {
    this.notified = true;
    this.condition.remove(this);
    this.waiters.push(this);
  }

  override handedOver(): void {
    const task = this.waiter;
    if (this.notified || task.scope.cause === null) return this.settle();
    this.meetCancel();
  }

  /** The task must own the lock again first: the cancel lands with that. */
  override interrupt(): Interruption {
    if (this.notified || this.cancelled) return DEFERRED;
    this.cancelled = true;
    this.condition.remove(this);
    if (this.core.tryAcquire(this.waiter)) {
      this.unregister();
      return WITHDRAWN;
    }
    this.waiters.push(this);
    return DEFERRED;
  }

  override describe(): string {
    const { title, lock } = this.condition;
    return this.notified || this.cancelled
      ? `getting ${lock.acquired} back after waiting on ${title}`
      : `waiting on ${title}`;
  }

  override holders(): readonly TaskCore[] {
    return this.notified || this.cancelled ? this.core.holders() : [];
  }
}

/**
 * Lets tasks that share a lock wait until one of them has changed something.
 *
 * @example
 * ```ts
 * import { Condition, Loop, sleep } from "jsr:@broomio/core";
 *
 * const condition = new Condition();
 * const basket: string[] = [];
 * function* eater() {
 *   yield* condition.with(function* () {
 *     while (basket.length === 0) yield* condition.wait(); // a loop: another may have been faster
 *     console.log(`eats ${basket.pop()}`);
 *   });
 * }
 * function* baker() {
 *   yield* sleep(0.01);
 *   yield* condition.with(function* () {
 *     basket.push("bread");
 *     condition.notify();
 *   });
 * }
 * const loop = new Loop();
 * loop.startSoon(eater());
 * loop.startSoon(baker());
 * await loop.run();
 * ```
 */
export class Condition {
  /** The lock that a task must own to wait or to notify. */
  readonly lock: Lock;

  readonly #core: ConditionCore;

  /**
   * Makes a condition.
   *
   * @param lock Shared with others; by default one of its own.
   * @throws {TypeError} If `lock` is no lock, or an option unknown or of the wrong kind.
   */
  constructor(lock: Lock = new Lock(), options: SyncOptions = {}) {
    this.lock = checkInstance(lock, Lock, "lock of Condition");
    this.#core = new ConditionCore(titleFrom("condition", "Condition", options), coreOf(lock));
  }

  /** Waits until this task owns the lock; as `lock.acquire()`. A checkpoint. */
  acquire(): Selectable<void> {
    return this.lock.acquire();
  }

  /** Makes the running task the owner where the lock is free; as `lock.tryAcquire()`. */
  tryAcquire(): boolean {
    return this.lock.tryAcquire();
  }

  /** Gives the lock back; as `lock.release()`. */
  release(): void {
    this.lock.release();
  }

  /**
   * Runs `body` while this task owns the lock; as `lock.with(body)`. A checkpoint.
   *
   * @throws {TypeError} If `body` is neither a coroutine nor a function.
   * @throws {BrokenResourceError} If the lock is broken, because its owner ended.
   */
  with<T>(body: Body<T>): Operation<T> {
    return new WithCommand(this.lock, checkBody(body, "with"));
  }

  /**
   * Gives the lock away, waits to be notified, and gets the lock back, also where it is cancelled.
   * A checkpoint. What the task waits for may be undone before its turn: check it again, in a loop.
   *
   * @throws {BrokenResourceError} If a task ended while it owned the lock.
   * @throws {Error} If this task does not own the lock.
   */
  wait(): Operation<void> {
    return new ConditionWait(this.#core);
  }

  /**
   * Waits, as {@linkcode Condition.wait} does, until `predicate` gives something truthy, and gives
   * that. It is called at once, and after each notification, while this task owns the lock. A
   * checkpoint only if it waits.
   *
   * @throws {TypeError} If `predicate` is no function, or gives a promise.
   * @throws {BrokenResourceError} If a task ended while it owned the lock.
   * @throws {Error} If this task does not own the lock.
   */
  waitFor<T>(predicate: () => T): Operation<T> {
    checkFunction(predicate, "predicate of waitFor()");
    return new Call(() => waitFor(this, this.#core, predicate), "waitFor");
  }

  /**
   * Wakes the tasks that have waited longest; they go on when they have the lock. Gives how many
   * that were. Never waits.
   *
   * @param count How many at most; 1 by default.
   * @throws {TypeError} If `count` is not a number.
   * @throws {RangeError} If `count` is not an integer of at least 0.
   * @throws {Error} If the running task does not own the lock.
   */
  notify(count = 1): number {
    checkInteger(count, "count of notify()");
    const { waiters, lock, title } = this.#core;
    lock.checkOwner(`notify ${title} without`);
    let notified = 0;
    for (; notified < count && waiters.first !== null; notified++) waiters.first.notify();
    return notified;
  }

  /**
   * Wakes every task that waits; they go on, one after the other, when they have the lock. Gives
   * how many that were. Never waits.
   *
   * @throws {Error} If the running task does not own the lock.
   */
  notifyAll(): number {
    return this.notify(this.#core.waiters.size);
  }

  /** How many tasks wait, and what the lock is doing. */
  statistics(): ConditionStatistics {
    return { tasksWaiting: this.#core.waiters.size, lock: this.lock.statistics() };
  }
}

function* waitFor<T>(condition: Condition, core: ConditionCore, predicate: () => T): Coroutine<T> {
  core.lock.checkOwner(`wait on ${core.title} without`);
  for (;;) {
    const value = predicate();
    if (isThenable(value)) {
      throw wrongKind("a value that is true or false", value, "predicate of waitFor()");
    }
    if (value) return value;
    yield* condition.wait();
  }
}
