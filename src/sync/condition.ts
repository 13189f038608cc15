/**
 * Condition: waits, under a lock, for what other tasks do under that lock.
 *
 * Invariants
 * - A wait begins and ends with its task owning the lock, also where it is cancelled: cleanup around it may rely on that.
 * - A waiting task is in the line of the condition until it is notified or cancelled, and from then on in the line of the lock, behind those
 *   that are there already, until it owns that.
 * - A notification is never lost: a task that is cancelled after it was notified gets the notification, and meets the cancel at its next
 *   wait (R18); one that is cancelled before is in line no more, so `notify` goes to another.
 *
 * Hence a wait of its own instead of `release`, `park`, `shield(acquire)` in a row: between those a cancel and a notification could both land.
 */
import type { Body, Operation } from "../kernel/coroutine.ts";
import type { TaskCore } from "../kernel/task.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { WithCommand } from "./guard.ts";
import { coreOf, Lock, type LockCore, type LockStatistics, OwnerWait } from "./lock.ts";
import { checkCount } from "./parking_lot.ts";
import { type SyncOptions, titleOf } from "./title.ts";

/** Who waits, as in Trio. */
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
  readonly line: WaitList<ConditionWait> = new WaitList();

  constructor(title: string, lock: LockCore) {
    this.title = title;
    this.lock = lock;
  }

  /** Puts a wait into the line of the condition. */
  enter(wait: ConditionWait): void {
    if (this.line.size === 0) (this.lock.conditions ??= new Set()).add(this.line);
    this.line.push(wait);
  }

  /** Takes a wait out of the line of the condition. */
  leave(wait: ConditionWait): void {
    this.line.remove(wait);
    if (this.line.size === 0) this.lock.conditions!.delete(this.line);
  }
}

class ConditionWait extends OwnerWait {
  declare private readonly core: ConditionCore;
  declare private notified: boolean;
  declare private cancelled: boolean;

  constructor(core: ConditionCore) {
    super();
    this.core = core;
    this.notified = false;
    this.cancelled = false;
  }

  protected get line(): WaitList<OwnerWait> {
    return this.core.lock.line;
  }

  protected arm(): void {
    this.core.lock.checkOwner(`wait on ${this.core.title} without`);
    this.core.enter(this);
    this.core.lock.pass();
  }

  /** From one line to the other: it is notified by the owner of the lock, so that is not free. */
  notify(): void {
    this.notified = true;
    this.core.leave(this);
    this.line.push(this);
  }

  granted(): void {
    const task = this.waiter;
    if (this.notified || task.scope.cause === null) return this.settle();
    this.leave();
    task.scheduler.deliver(task);
  }

  /** The lock must be had back first; the cancel lands with it. */
  override interrupt(): boolean {
    if (this.notified || this.cancelled) return false;
    this.cancelled = true;
    this.core.leave(this);
    if (this.core.lock.admit(this.waiter)) return this.leave();
    this.line.push(this);
    return false;
  }

  describe(): string {
    const { title, lock } = this.core;
    return this.notified || this.cancelled
      ? `getting ${lock.title} back after waiting on ${title}`
      : `waiting on ${title}`;
  }

  holders(): readonly TaskCore[] {
    const { holder } = this.core.lock;
    return holder !== null && (this.notified || this.cancelled) ? [holder] : [];
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
   * @throws {TypeError} If `lock` is no lock.
   */
  constructor(lock: Lock = new Lock(), options: SyncOptions = {}) {
    if (!(lock instanceof Lock)) {
      throw new TypeError(
        "A condition has a lock: new Condition(lock, options), or new Condition()",
      );
    }
    this.lock = lock;
    this.#core = new ConditionCore(titleOf("condition", options), coreOf(lock));
  }

  /** Waits until this task owns the lock; as `lock.acquire()`. */
  acquire(): Operation<void> {
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

  /** Runs `body` while this task owns the lock; as `lock.with(body)`. */
  with<T>(body: Body<T>): Operation<T> {
    return new WithCommand(this.lock, body);
  }

  /**
   * Gives the lock away, waits to be notified, and gets the lock back, also where it is cancelled. A checkpoint. What the
   * task waits for may be undone before its turn: check it again, in a loop.
   *
   * @throws {BrokenResourceError} If a task ended while it owned the lock.
   * @throws {Error} If this task does not own the lock.
   */
  wait(): Operation<void> {
    return new ConditionWait(this.#core);
  }

  /**
   * Wakes the tasks that have waited longest; they go on when they have the lock. Gives how many that were. Never waits.
   *
   * @param count How many at most; 1 by default.
   * @throws {RangeError} If `count` is not a whole number of at least 0.
   * @throws {Error} If the running task does not own the lock.
   */
  notify(count = 1): number {
    checkCount("notify", count);
    const { line, lock, title } = this.#core;
    lock.checkOwner(`notify ${title} without`);
    let notified = 0;
    for (; notified < count && line.first !== null; notified++) line.first.notify();
    return notified;
  }

  /**
   * Wakes every task that waits; they go on, one after the other, when they have the lock. Gives how many that were. Never waits.
   *
   * @throws {Error} If the running task does not own the lock.
   */
  notifyAll(): number {
    return this.notify(this.#core.line.size);
  }

  /** How many tasks wait, and what the lock is doing. */
  statistics(): ConditionStatistics {
    return { tasksWaiting: this.#core.line.size, lock: this.lock.statistics() };
  }
}
