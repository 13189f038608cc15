/**
 * Wait: the base of every operation that parks a task until something settles it.
 *
 * Invariant: `task` is set exactly while the task is parked here: from `arm` until the wait is
 * settled or interrupted, whichever comes first; what comes second finds null and does nothing
 * (R18). Independent of: who settles it, and what the task runs next.
 *
 * The protocol. A wait begins when the loop performs it: under a cancel it is refused, else the
 * task is parked and `arm` registers the wait where it will be settled. It ends once, in one of
 * these ways:
 * - `settle(value)`, `fail(error)`: what was waited for has happened. `disarm` is not called.
 * - `interrupt()`, called when a cancel comes into force where the task waits, with one of two
 *   results. WITHDRAWN: the wait has undone itself (`disarm`), nothing has happened, and the caller
 *   delivers the cancel. DEFERRED: the wait cannot be left yet (a child has to end, a lock to be
 *   had back); it remembers the cancel and ends later, in `settle`, `fail` or `meetCancel`. A
 *   second interrupt while it is deferred changes nothing.
 * - `withdraw`, by a `select` of which it is an arm, where another arm has happened.
 *
 * Two properties are declared on the prototype, because they belong to the class and must cost a
 * wait nothing:
 * - `external`: something outside the loop settles it (a promise, a callback, a socket). While one
 *   is pending the loop is not deadlocked, and a virtual clock does not jump.
 * - `withdrawable`: `arm` does nothing that `disarm` cannot undo at once, so it can be an arm of
 *   `select`. A wait that overrides `interrupt` to defer is not.
 */
import { deliver, type Interruption, WITHDRAWN } from "./cancel_delivery.ts";
import { Command } from "./command.ts";
import type { Operation } from "./coroutine.ts";
import { isCancelled } from "./errors.ts";
import { noteArrived, noteThrown } from "./stack.ts";
import type { TaskCore } from "./task.ts";

export { DEFERRED, type Interruption, WITHDRAWN } from "./cancel_delivery.ts";

/**
 * An operation that is one wait and can be taken back at any moment: what `select` chooses from.
 * Coroutines, and operations that are made of several waits, are none; for those there is `race`.
 *
 * @example
 * ```ts
 * import { Loop, select, type Selectable, sleep } from "jsr:@broomio/core";
 *
 * function* firstOf(operation: Selectable<unknown>) {
 *   return (yield* select({ done: operation, late: sleep(0.01) })).arm;
 * }
 * console.log(await new Loop().run(firstOf(sleep(60)))); // late
 * ```
 */
export interface Selectable<T> extends Operation<T> {
  /** Whether it can be taken back while it waits. */
  readonly withdrawable: boolean;
}

/** Where a task is parked, as the loop sees it. */
export interface Parking {
  /** A cancel is in force where the task is parked. */
  interrupt(): Interruption;
  /** What the task does here: "sleeping", "joining task 3". */
  describe(): string;
  /** For a wait on something that tasks hold: those tasks. */
  holders?(): readonly TaskCore[];
  /** For a wait on tasks themselves: those tasks. */
  awaited?(): readonly TaskCore[];
}

/**
 * What `task.wait` is while a task waits for the first of several waits (`select`): they have its
 * task, but are not its `wait`.
 */
export interface Choice extends Parking {
  /** One of the waits has a value: ends the choice. */
  settleWith(wait: Wait<unknown>, value: unknown): void;
  /** One of the waits has failed: ends the choice. */
  failWith(wait: Wait<unknown>, error: unknown): void;
}

/**
 * A command that parks its task. Subclasses say how to register (`arm`) and how to take that back
 * (`disarm`).
 */
export abstract class Wait<T> extends Command<T> implements Parking {
  /**
   * Something outside the loop settles it. Declared by the class: `static { this.prototype.external
   * = true; }`.
   */
  declare external: boolean;
  /** It can be an arm of `select`. Declared by the class, like `external`. */
  declare withdrawable: boolean;
  static {
    this.prototype.external = false;
    this.prototype.withdrawable = true;
  }

  /** The parked task; null before and after. */
  declare protected task: TaskCore | null;

  constructor() {
    super();
    this.task = null;
  }

  /**
   * Registers the wait. May settle at once; the task then goes on in its turn. An error surfaces at
   * the `yield*`.
   */
  protected abstract arm(task: TaskCore): void;

  /** Takes back what `arm` did, where the wait is interrupted. Never called once settled. */
  protected abstract disarm(task: TaskCore): void;

  perform(task: TaskCore): boolean {
    this.begin();
    return task.scope.cause === null ? this.park(task) : this.refuse(task);
  }

  /** Lets the task meet the cancel in force instead of waiting. */
  protected refuse(task: TaskCore): false {
    deliver(task);
    return false;
  }

  /** Parks the task, which is not cancelled. */
  protected register(task: TaskCore): void {
    this.task = task;
    task.wait = this;
    task.since = task.scheduler.tick;
    if (this.external) task.scheduler.externals++;
  }

  /** Ends what `register` began: false where it has ended before. */
  protected unregister(): boolean {
    const task = this.task;
    if (task === null) return false;
    this.task = null;
    task.wait = null;
    if (this.external) task.scheduler.externals--;
    return true;
  }

  /** Parks the task and registers the wait. */
  protected park(task: TaskCore): false {
    this.register(task);
    try {
      this.arm(task);
    } catch (error) {
      if (!this.unregister()) return false; // settled first, so the error came too late to matter
      throw error;
    }
    return false;
  }

  /** Ends the wait with a value. Ignored where the wait is over. */
  settle(value: T): void {
    const task = this.task;
    if (task === null) return;
    // An arm of a choice; the wait of the task is null where its loop has dropped it.
    if (task.wait !== this) return (task.wait as Choice | null)?.settleWith(this, value);
    this.unregister();
    task.value = value;
    task.scheduler.ready(task);
  }

  /**
   * Ends the wait with an error, which gets the stack of the coroutine (R36). Ignored where the
   * wait is over.
   */
  fail(error: unknown): void {
    const task = this.task;
    if (task === null) return;
    let failure = error;
    if (isCancelled(error) && !task.scope.made(error)) {
      // A Cancelled from elsewhere, another loop for one, is no cancel of this task. As it is, it
      // would count as one and be lost.
      failure = new Error(`What was waited for was cancelled elsewhere (${error.message})`, {
        cause: error,
      });
      noteThrown(failure);
    } else noteArrived(error);
    this.failAs(failure);
  }

  /** The same with an error that has the stack it should have: that of another coroutine. */
  protected failAs(error: unknown): void {
    const task = this.task;
    if (task === null) return;
    if (task.wait !== this) return (task.wait as Choice | null)?.failWith(this, error);
    this.unregister();
    task.resumeWithError(error);
  }

  /** Ends a deferred wait: the task meets the cancel that is in force. */
  protected meetCancel(): void {
    const task = this.task!;
    this.unregister();
    deliver(task);
  }

  interrupt(): Interruption {
    const task = this.task!;
    this.unregister();
    this.disarm(task);
    return WITHDRAWN;
  }

  /**
   * Registers as one of the waits of a choice, for which `task` is parked; may settle at once, or
   * throw.
   */
  enlist(task: TaskCore): void {
    this.task = task;
    if (this.external) task.scheduler.externals++;
    this.arm(task);
  }

  /** Takes it out of the choice, which is over; `settled` where this is the wait that ended it. */
  withdraw(settled: boolean): void {
    const task = this.task;
    if (task === null) return;
    this.unregister();
    if (!settled) this.disarm(task);
  }
}
