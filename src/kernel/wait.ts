/**
 * Wait: the base of every operation that parks a task until something settles it.
 *
 * Invariant: `task` is set exactly while the task is parked here: from `arm` until the wait is settled or interrupted,
 * whichever comes first; what comes second finds null and does nothing (R18). Each wait owns its undo, `disarm`.
 * Must never know: who settles it, or what the task runs next.
 */
import { appendStack, Cancelled } from "./errors.ts";
import { Command, coroutineStack } from "./coroutine.ts";
import type { TaskCore } from "./task.ts";

/** Where a task is parked, as the loop sees it. */
export interface Parking {
  /** Takes the task out of the wait, true; or notes that it is to be told once the wait is over, false. */
  interrupt(): boolean;
  /** What the task does here: "sleeping", "joining task 3". */
  describe(): string;
  /** For a wait on something that tasks hold: those tasks. */
  holders?(): readonly TaskCore[];
  /** For a wait on tasks themselves: those tasks. */
  awaited?(): readonly TaskCore[];
}

/** What `task.wait` is while a task waits for the first of several waits (`select`): they have its task, but are not its `wait`. */
export interface Choice extends Parking {
  /** One of the waits has a value: ends the choice. */
  settleWith(wait: Wait<unknown>, value: unknown): void;
  /** One of the waits has failed: ends the choice. */
  failWith(wait: Wait<unknown>, error: unknown): void;
}

/** A command that parks its task. Subclasses say how to register (`arm`) and how to take that back (`disarm`). */
export abstract class Wait<T> extends Command<T> implements Parking {
  /** The parked task; null before and after. */
  declare protected task: TaskCore | null;

  constructor() {
    super();
    this.task = null;
  }

  /** Registers the wait. May settle at once; the task then goes on in its turn. An error surfaces at the `yield*`. */
  protected abstract arm(task: TaskCore): void;

  /** Takes back what `arm` did, where the wait is interrupted. Never called once settled. */
  protected abstract disarm(task: TaskCore): void;

  perform(task: TaskCore): boolean {
    this.begin();
    return task.scope.cause === null ? this.park(task) : this.refuse(task);
  }

  /** Lets the task meet the cancel in force instead of waiting. */
  protected refuse(task: TaskCore): false {
    task.scheduler.deliver(task);
    return false;
  }

  /** Parks the task, which is not cancelled. */
  protected hold(task: TaskCore): void {
    this.task = task;
    task.wait = this;
    task.since = task.scheduler.tick;
  }

  /** Parks the task and registers. */
  protected park(task: TaskCore): false {
    this.hold(task);
    try {
      this.arm(task);
    } catch (error) {
      if (!this.leave()) return false; // settled first, so the error came too late to matter
      throw error;
    }
    return false;
  }

  /** Ends the wait with a value. Ignored where the wait is over. */
  settle(value: T): void {
    const task = this.task;
    if (task === null) return;
    if (task.wait !== this) return (task.wait as Choice | null)?.settleWith(this, value); // null: dropped
    this.leave();
    task.value = value;
    task.scheduler.ready(task);
  }

  /** Ends the wait with an error. Ignored where the wait is over. */
  fail(error: unknown): void {
    const task = this.task;
    if (task === null) return;
    if (task.wait !== this) return (task.wait as Choice | null)?.failWith(this, error);
    this.leave();
    task.resumeWithError(error);
  }

  interrupt(): boolean {
    const task = this.task!;
    this.leave();
    this.disarm(task);
    return true;
  }

  /** Registers as one of the waits of a choice, for which `task` is parked; may settle at once, or throw. */
  enlist(task: TaskCore): void {
    this.task = task;
    this.arm(task);
  }

  /** Takes it out of the choice, which is over; `settled` where this is the wait that ended it. */
  withdraw(settled: boolean): void {
    const task = this.task;
    if (task === null) return;
    this.leave();
    if (!settled) this.disarm(task);
  }

  /** Ends the registration with the task: false where there was none. */
  protected leave(): boolean {
    const task = this.task;
    if (task === null) return false;
    this.task = null;
    task.wait = null;
    return true;
  }
}

/**
 * A wait that something outside the loop settles: a promise, a callback, a socket. While one is pending the loop is not
 * deadlocked, and a virtual clock does not jump. Its errors are made elsewhere, so they are given the coroutine's stack.
 */
export abstract class ExternalWait<T> extends Wait<T> {
  declare private counted: boolean;

  constructor() {
    super();
    this.counted = false;
  }

  override perform(task: TaskCore): boolean {
    super.perform(task);
    if (this.task !== null) {
      this.counted = true;
      task.scheduler.externals++;
    }
    return false;
  }

  override enlist(task: TaskCore): void {
    super.enlist(task);
    if (this.task === null) return;
    this.counted = true;
    task.scheduler.externals++;
  }

  /** A Cancelled from elsewhere, another loop for one, is no cancel of this task; passed on as it is, it would count as one and be lost. */
  override fail(error: unknown): void {
    const foreign = error instanceof Cancelled && this.task !== null &&
      !this.task.scope.made(error);
    super.fail(
      foreign
        ? new Error(`What was waited for was cancelled elsewhere (${error.message})`, {
          cause: error,
        })
        : error,
    );
  }

  protected override leave(): boolean {
    if (this.counted) {
      this.counted = false;
      this.task!.scheduler.externals--;
    }
    return super.leave();
  }

  protected override explain(error: unknown): void {
    appendStack(error, "while the coroutine waited:", coroutineStack(this.throw));
  }
}
