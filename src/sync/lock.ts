/**
 * Lock: one task at a time.
 *
 * Invariants
 * - While tasks are in line, the lock has an owner: `release` makes the first in line the owner before it has run (R29), so
 *   nobody barges in between, and one that is cancelled between the hand-over and its turn owns the lock all the same: its `acquire`
 *   gives it the lock, and the cancel lands at its next wait (R18, R30).
 * - A lock whose owner ended is broken for good (R31): what it protects was left half done.
 *
 * Must never know: what it protects.
 */
import type { Body, Operation } from "../kernel/coroutine.ts";
import { BrokenResourceError } from "../kernel/errors.ts";
import { OwnedResource } from "../kernel/ownership.ts";
import { runningTask } from "../kernel/scheduler.ts";
import type { Task, TaskCore } from "../kernel/task.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { WithCommand } from "./guard.ts";
import { LineWait } from "./parking_lot.ts";
import { type SyncOptions, titleOf } from "./title.ts";

/** What a lock is doing, as in Trio. */
export interface LockStatistics {
  /** Whether a task owns it. */
  readonly locked: boolean;
  /** The task that owns it. */
  readonly owner: Task | null;
  /** The number of tasks that wait for it. */
  readonly tasksWaiting: number;
}

/** A wait that ends with its task owning the lock. */
export abstract class OwnerWait extends LineWait {
  /** Called when the task has been made the owner. */
  abstract granted(): void;
}

/** The lock as its waits see it. */
export class LockCore extends OwnedResource {
  readonly title: string;
  readonly line: WaitList<OwnerWait> = new WaitList();
  /** The lines of the conditions of this lock in which somebody waits: when it breaks, nobody will notify them. */
  conditions: Set<WaitList<LineWait>> | null = null;
  #brokenBy: string | null = null;

  constructor(title: string) {
    super();
    this.title = title;
  }

  /** Makes `task` the owner where the lock is free; false where `task` would have to wait. */
  admit(task: TaskCore): boolean {
    const { holder } = this;
    if (holder === null) {
      if (this.#brokenBy !== null) throw this.#broken();
      this.take(task);
      return true;
    }
    if (holder === task) {
      throw new Error(
        `Task ${task.name} owns ${this.title} already: waiting for it would never end`,
      );
    }
    return false;
  }

  /** Throws unless the running task is the owner. */
  checkOwner(act: string): void {
    const { holder } = this;
    if (holder === null || holder.scheduler.running !== holder) throw this.#notOwner(act);
  }

  /** Makes the first in line the owner. */
  pass(): void {
    this.giveBack();
    const wait = nextOf(this.line);
    if (wait === null) return;
    this.take(wait.waiter);
    wait.granted();
  }

  protected override ownerEnded(task: TaskCore): void {
    this.#brokenBy = task.name;
    for (const line of [this.line, ...this.conditions ?? []]) {
      for (let wait = nextOf(line); wait !== null; wait = nextOf(line)) wait.fail(this.#broken());
    }
    this.conditions = null;
  }

  #broken(): BrokenResourceError {
    return new BrokenResourceError(
      `Cannot acquire ${this.title}: it is broken, as task ${this.#brokenBy} ended while it owned it`,
    );
  }

  #notOwner(act: string): Error {
    const task = runningTask();
    const who = task === null ? "Code outside of any task" : `Task ${task.name}`;
    const why = this.holder !== null
      ? `task ${this.holder.name} owns it`
      : this.#brokenBy !== null
      ? `it is broken, as task ${this.#brokenBy} ended while it owned it`
      : "nobody owns it";
    return new Error(`${who} cannot ${act} ${this.title}: ${why}`);
  }
}

/** Takes the first in line, passing over tasks that their loop gave up while they waited in spite of a cancel. */
function nextOf<W extends LineWait>(line: WaitList<W>): W | null {
  let wait = line.shift();
  while (wait !== null && wait.waiter.ended) wait = line.shift();
  return wait;
}

class AcquireWait extends OwnerWait {
  declare private readonly core: LockCore;

  constructor(core: LockCore) {
    super();
    this.core = core;
  }

  protected get line(): WaitList<OwnerWait> {
    return this.core.line;
  }

  protected arm(task: TaskCore): void {
    if (this.core.admit(task)) this.settle();
    else this.core.line.push(this);
  }

  granted(): void {
    this.settle();
  }

  describe(): string {
    return `acquiring ${this.core.title}`;
  }

  holders(): readonly TaskCore[] {
    const { holder } = this.core;
    return holder === null ? [] : [holder];
  }
}

/** What is inside a lock, for its conditions. */
export let coreOf: (lock: Lock) => LockCore;

/**
 * Mutual exclusion: one task at a time owns it, the others wait in line. Owned by the task that acquired it, which alone can
 * release it, and must before it ends: else the lock is broken for good. Loops of one thread can share it, each under `loop.hold()`:
 * a loop knows no other, and would take waiting for one for a deadlock.
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

  /** Makes a lock that nobody owns. */
  constructor(options: SyncOptions = {}) {
    this.#core = new LockCore(titleOf("lock", options));
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
  acquire(): Operation<void> {
    return new AcquireWait(this.#core);
  }

  /**
   * Makes the running task the owner where the lock is free; false where it is not. Never waits.
   *
   * @throws {BrokenResourceError} If a task ended while it owned the lock.
   * @throws {Error} If the running task owns it already, or none is running: a lock belongs to a task.
   */
  tryAcquire(): boolean {
    const task = runningTask();
    if (task === null) {
      throw new Error(`tryAcquire() of ${this.#core.title} outside of any task: who would own it?`);
    }
    return this.#core.admit(task);
  }

  /**
   * Gives the lock back; the first in line owns it from now on. Never waits.
   *
   * @throws {Error} If the running task does not own it.
   */
  release(): void {
    this.#core.checkOwner("release");
    this.#core.pass();
  }

  /**
   * Runs `body` while this task owns the lock, and releases it however the body ends. Gives the body's value. A checkpoint.
   *
   * @throws {BrokenResourceError} If a task ended while it owned the lock.
   * @throws {Error} If this task owns it already, or the body has released it.
   */
  with<T>(body: Body<T>): Operation<T> {
    return new WithCommand(this, body);
  }

  /** Who owns it, and how many wait. */
  statistics(): LockStatistics {
    const { holder, line } = this.#core;
    return { locked: holder !== null, owner: holder, tasksWaiting: line.size };
  }
}
