/**
 * Run: one call of `loop.run()`: when it is over, what is a deadlock, and how it ends.
 *
 * Invariant: it is over when the root nursery is empty, or when the tasks that are left were
 * dropped. It settles once. Independent of: how tasks are stepped, and when turns happen.
 */
import { deadlockReport } from "./deadlock_report.ts";
import { DeadlockError } from "./errors.ts";
import { NEXT } from "./frame.ts";
import type { NurseryCore } from "./nursery.ts";
import { combineErrors, type NurseryError } from "./nursery_error.ts";
import { NO_PORTAL, OPEN_PORTAL } from "./scheduler.ts";
import { type CapturedStack, framesOf, replaceLoopFrames, setStack } from "./stack.ts";
import { tasksIn } from "./task_tree.ts";
import type { Task, TaskCore } from "./task.ts";

/** What the loop does where no task is ready. */
export type Quiet = typeof WAIT | typeof AGAIN | typeof OVER;
/** Something will wake a task: wait for it. */
export const WAIT = 0;
/** Tasks have become ready meanwhile. */
export const AGAIN = 1;
/** The run is over. */
export const OVER = 2;

/** How often tasks are dropped that were started when others were dropped. */
const MAX_ROUNDS = 100;

/** How a run is told that it is over. */
export interface Settle {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Where a run of `explore` was called from: what happened in it is shown in another way. */
export const NOWHERE = { calledFrom: {}, seedNote: undefined };

/** A call of `run()` under way. */
export class Run {
  readonly #root: NurseryCore;
  readonly #main: TaskCore | null;
  readonly #settle: Settle;
  /**
   * The stack of the call: the errors that the loop itself makes would else show its own frames
   * alone.
   */
  readonly #calledFrom: CapturedStack;
  /** What a failure needs to be had again. */
  readonly #seedNote: string | undefined;
  /** Set once a deadlock was found and everything cancelled. */
  #deadlock: { report: string; tasks: readonly Task[] } | null = null;
  /** What went wrong outside of any task. */
  #crash: { error: unknown } | null = null;

  constructor(
    root: NurseryCore,
    main: TaskCore | null,
    settle: Settle,
    options: { calledFrom: CapturedStack; seedNote: string | undefined },
  ) {
    this.#root = root;
    this.#main = main;
    this.#settle = settle;
    this.#calledFrom = options.calledFrom;
    this.#seedNote = options.seedNote;
  }

  /** Called where no task is ready: the end, a wait, or a deadlock. */
  quiet(): Quiet {
    const root = this.#root;
    const { scheduler } = root;
    if (root.size === 0) return scheduler.portal === OPEN_PORTAL ? WAIT : OVER;
    const callbacks = scheduler.whenBlocked;
    if (callbacks !== null) {
      scheduler.whenBlocked = null;
      for (const callback of callbacks) callback();
      return AGAIN;
    }
    if (scheduler.timers.size > 0 || scheduler.externals > 0) return WAIT;
    if (scheduler.portal !== NO_PORTAL) return WAIT; // code outside may wake them
    const left = tasksIn(root.scope);
    if (this.#deadlock === null) {
      const note = this.#seedNote;
      const report = deadlockReport(root.scope) + (note ? `\n  (${note})` : "");
      this.#deadlock = { report, tasks: left };
      root.scope.cancelFrom("loop", undefined, new DeadlockError(report, left));
      return AGAIN;
    }
    // They waited through that cancel, shielded: nothing is left to try.
    this.#deadlock.report += `\nDropped, because cancelling did not reach them: ${
      left.map((task) => task.name).join(", ")
    }`;
    this.abandonAll(new DeadlockError(this.#deadlock.report, left));
    return OVER;
  }

  /**
   * Something failed outside of any task, such as the host: cancels every task, for their cleanup
   * to run.
   */
  crash(error: unknown): void {
    this.#crash = { error };
    this.#root.scope.cancelFrom("loop", undefined, error);
  }

  /** Ends the run where it stands. */
  drop(error: unknown): void {
    this.#crash = { error };
    this.abandonAll(error);
  }

  /**
   * Ends the tasks that are left without running them, children before their parents. What is told
   * of their ends may start more, which end so too.
   */
  abandonAll(error: unknown): void {
    const { scope, scheduler } = this.#root;
    for (let rounds = 0; scope.firstChild !== null && rounds < MAX_ROUNDS; rounds++) {
      for (const task of tasksIn(scope).reverse()) task.abandon(error);
    }
    while (scheduler.queue.shift() !== undefined);
  }

  /** Settles as the root nursery ended. Called once, when the loop is ready for another run. */
  settle(): void {
    const { errors, tasks, scope } = this.#root;
    const { resolve, reject } = this.#settle;
    const main = this.#main;
    if (this.#crash !== null) return reject(this.#crash.error);
    if (errors.length === 0 && this.#deadlock === null && (main === null || main.mode === NEXT)) {
      return resolve(main?.value);
    }
    const frames = framesOf(this.#calledFrom);
    if (this.#deadlock !== null) {
      const { report, tasks: left } = this.#deadlock;
      const cause = errors.length === 0 ? undefined : { cause: combineErrors(errors, tasks) };
      const error = new DeadlockError(report, left, cause);
      setStack(error, frames);
      reject(error);
    } else if (errors.length > 0) {
      const error = combineErrors(errors, tasks, { note: this.#seedNote });
      if (errors.length > 1) setStack(error as NurseryError, frames);
      else replaceLoopFrames(error, frames, this.#seedNote);
      reject(error);
    } else reject(main!.value ?? scope.cancelled);
  }
}
