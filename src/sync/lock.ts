/**
 * Lock: one task at a time.
 *
 * Invariants
 * - While tasks wait, the lock has an owner: `release` makes the first waiter the owner before that
 *   has run (R29), so that no other task gets it in between. A waiter that is cancelled between the
 *   hand-over and its turn owns the lock all the same: its `acquire` succeeds, and the cancel lands
 *   at its next wait (R18, R30).
 * - A lock whose owner ended is broken for good (R31): what it protects was left half done.
 *
 * Independent of: what it protects.
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkBody } from "../check.ts";
import type { Body, Operation } from "../kernel/coroutine.ts";
import { BrokenResourceError } from "../kernel/errors.ts";
import { OwnedResource } from "../kernel/ownership.ts";
import { runningTask } from "../kernel/scheduler.ts";
import type { Task, TaskCore } from "../kernel/task.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { WithCommand } from "../operations/guard.ts";
import { type Acquirable, AcquireWait, type ListWait, nextWaiter } from "./acquire_wait.ts";
import { type SyncOptions, titleFrom } from "./sync_options.ts";

/**
 * What a lock is doing, as in Trio.
 *
 * @example
 * ```ts
 * import { Lock, type LockStatistics, Loop } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const lock = new Lock();
 * const ownerOf = ({ owner }: LockStatistics) => owner?.name ?? "nobody";
 * const loop = new Loop();
 * loop.startSoon(
 *   lock.with(function* () {
 *     assertEquals(ownerOf(lock.statistics()), "printer");
 *   }),
 *   { name: "printer" },
 * );
 * await loop.run();
 * assertEquals(ownerOf(lock.statistics()), "nobody");
 * ```
 */
export interface LockStatistics {
  /** Whether a task owns it. */
  readonly locked: boolean;
  /** The task that owns it. */
  readonly owner: Task | null;
  /** The number of tasks that wait for it. */
  readonly tasksWaiting: number;
}

/** The lock as its waits and its conditions see it. */
export class LockCore extends OwnedResource implements Acquirable {
  readonly acquired: string;
  readonly waiters: WaitList<AcquireWait> = new WaitList();
  /**
   * The waiters of each condition of this lock that has any: when the lock breaks, nobody will
   * notify them.
   */
  conditions: Set<WaitList<ListWait>> | null = null;
  #brokenBy: string | null = null;

  constructor(title: string) {
    super();
    this.acquired = title;
  }

  /** Makes `task` the owner if the lock is free; false where `task` would have to wait. */
  tryAcquire(task: TaskCore): boolean {
    const { holder } = this;
    if (holder === null) {
      if (this.#brokenBy !== null) throw this.#broken();
      this.take(task);
      return true;
    }
    if (holder === task) {
      throw new Error(
        `Task ${task.name} owns ${this.acquired} already: waiting for it would never end`,
      );
    }
    return false;
  }

  /** Throws unless the running task is the owner. */
  checkOwner(act: string): void {
    const { holder } = this;
    if (holder === null || holder.scheduler.running !== holder) throw this.#notOwner(act);
  }

  /** Ends the ownership, and makes the first waiter the owner. */
  handOff(): void {
    this.giveBack();
    const wait = nextWaiter(this.waiters);
    if (wait === null) return;
    this.take(wait.waiter);
    wait.handedOver();
  }

  holders(): readonly TaskCore[] {
    return this.holder === null ? [] : [this.holder];
  }

  protected override ownerEnded(task: TaskCore): void {
    this.#brokenBy = task.name;
    for (const waiters of [this.waiters, ...this.conditions ?? []]) {
      for (let wait = nextWaiter(waiters); wait !== null; wait = nextWaiter(waiters)) {
        wait.fail(this.#broken());
      }
    }
    this.conditions = null;
  }

  #broken(): BrokenResourceError {
    return new BrokenResourceError(
      `Cannot acquire ${this.acquired}: ${this.#whyBroken}`,
    );
  }

  get #whyBroken(): string {
    return `it is broken, as task ${this.#brokenBy} ended while it owned it`;
  }

  #notOwner(act: string): Error {
    const task = runningTask();
    const who = task === null ? "Code outside of any task" : `Task ${task.name}`;
    const why = this.holder !== null
      ? `task ${this.holder.name} owns it`
      : this.#brokenBy !== null
      ? this.#whyBroken
      : "nobody owns it";
    return new Error(`${who} cannot ${act} ${this.acquired}: ${why}`);
  }
}

/** What is inside a lock, for its conditions. */
export let coreOf: (lock: Lock) => LockCore;

/**
 * Mutual exclusion: one task at a time owns it, the others wait. It belongs to the task that
 * acquired it. Only that task can release it, and must do so before it ends: else the lock is
 * broken for good. Loops of one thread can share it, each under `loop.hold()`: a loop knows no
 * other, and would take waiting for one for a deadlock.
 *
 * @example
 * ```ts
 * import { Lock, Loop, sleep } from "jsr:@broomio/core";
 *
 * const lock = new Lock({ name: "account" });
 * let balance = 100;
 * function* withdraw(amount: number) {
 *   yield* lock.with(function* () {
 *     const before = balance;
 *     yield* sleep(0.01); // without the lock, the other would read the same balance here
 *     balance = before - amount;
 *   });
 * }
 * const loop = new Loop();
 * loop.startSoon(withdraw(10));
 * loop.startSoon(withdraw(20));
 * await loop.run();
 * console.log(balance); // 70
 * ```
 */
export class Lock {
  readonly #core: LockCore;

  static {
    coreOf = (lock) => lock.#core;
  }

  /**
   * Makes a lock that nobody owns.
   *
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   */
  constructor(options?: SyncOptions) {
    this.#core = new LockCore(titleFrom("lock", "Lock", options));
  }

  /** Whether a task owns it. */
  get locked(): boolean {
    return this.#core.holder !== null;
  }

  /**
   * Waits until this task owns the lock. A checkpoint, also where it is free.
   *
   * @throws {BrokenResourceError} If a task ended while it owned the lock.
   * @throws {Error} If this task owns it already.
   */
  acquire(): Selectable<void> {
    return new AcquireWait(this.#core);
  }

  /**
   * Makes the running task the owner where the lock is free; false where it is not. Never waits.
   *
   * @throws {BrokenResourceError} If a task ended while it owned the lock.
   * @throws {Error} If the running task owns it already, or none is running: a lock belongs to a
   * task.
   */
  tryAcquire(): boolean {
    const task = runningTask();
    if (task === null) {
      throw new Error(
        `tryAcquire() of ${this.#core.acquired} outside of any task: a lock belongs to a task`,
      );
    }
    return this.#core.tryAcquire(task);
  }

  /**
   * Gives the lock back; the first waiter owns it from now on. Never waits.
   *
   * @throws {Error} If the running task does not own it.
   */
  release(): void {
    this.#core.checkOwner("release");
    this.#core.handOff();
  }

  /**
   * Runs `body` while this task owns the lock, and releases it however the body ends. Gives the
   * body's value. A checkpoint.
   *
   * @throws {BrokenResourceError} If a task ended while it owned the lock.
   * @throws {TypeError} If the body is no coroutine, no operation and no function.
   * @throws {Error} If this task owns it already, or the body has released it.
   */
  with<T>(body: Body<T>): Operation<T> {
    return new WithCommand(this, checkBody(body, "with"));
  }

  /** Who owns it, and how many wait. */
  statistics(): LockStatistics {
    const { holder, waiters } = this.#core;
    return { locked: holder !== null, owner: holder, tasksWaiting: waiters.size };
  }
}
