/**
 * Every error class of the core but `NurseryError`, which has a file of its own.
 *
 * Invariant: names live on the prototypes, so that printing an error shows its message and not its fields, and survive minifying.
 * Independent of: the classes that throw them.
 */
import type { Task } from "./task.ts";

/**
 * Thrown into a coroutine at the wait where it was cancelled. Let it pass, or rethrow it: the cancelled scope stops it.
 * One instance serves all tasks that one cancel reaches; its stack shows who cancelled.
 *
 * @example
 * ```ts
 * import { Cancelled, Loop, moveOnAfter, sleepForever } from "jsr:@broomio/core";
 *
 * function* patient() {
 *   try {
 *     yield* sleepForever();
 *   } catch (error) {
 *     if (error instanceof Cancelled) console.log("told to stop");
 *     throw error;
 *   }
 * }
 * await new Loop().run(moveOnAfter(0.01, patient()));
 * ```
 */
export class Cancelled extends Error {
  /** What was given to `cancel()`, or a {@linkcode TimeoutError} where a deadline passed. */
  readonly reason: unknown;

  /** Made by the loop; rarely by hand. */
  constructor(reason?: unknown) {
    super(reason === undefined ? "Cancelled" : `Cancelled: ${describeReason(reason)}`);
    this.reason = reason;
  }
  static {
    this.prototype.name = "Cancelled";
  }
}

function describeReason(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  return typeof reason === "string" ? reason : typeof reason;
}

/** Thrown by `failAfter` and `failAt` when their time is over, and the reason of a cancel that a deadline made. */
export class TimeoutError extends Error {
  static {
    this.prototype.name = "TimeoutError";
  }
}

/** Thrown by `task.join()` and by `task.promise()` where the task was cancelled. */
export class TaskCancelledError extends Error {
  /** The task that was cancelled. */
  readonly task: Task;

  /** Made by the loop. */
  constructor(task: Task) {
    super(`Task ${task.name} was cancelled`);
    this.task = task;
  }
  static {
    this.prototype.name = "TaskCancelledError";
  }
}

/** `run()` rejects with it when nothing can ever wake the tasks that are left. The message is the tree of those tasks. */
export class DeadlockError extends Error {
  /** The tasks that were left when the deadlock was found. */
  readonly tasks: readonly Task[];

  /** Made by the loop. */
  constructor(message: string, tasks: readonly Task[], options?: ErrorOptions) {
    super(message, options);
    this.tasks = tasks;
    hide(this, "tasks");
  }
  static {
    this.prototype.name = "DeadlockError";
  }
}

/** Something that is shared is of no use any more, and never will be: the task that owned a lock has ended, the other end is gone. */
export class BrokenResourceError extends Error {
  static {
    this.prototype.name = "BrokenResourceError";
  }
}

/** Thrown where something is used, or waited for, that this side has closed. */
export class ClosedResourceError extends Error {
  static {
    this.prototype.name = "ClosedResourceError";
  }
}

/** Thrown where two tasks do at once what only one at a time can do. */
export class BusyResourceError extends Error {
  static {
    this.prototype.name = "BusyResourceError";
  }
}

/** Thrown where the other end sends more than it was allowed to. */
export class LimitError extends Error {
  /** The most that was allowed, in bytes. */
  readonly limit: number;

  /** Made where something is read with a limit. */
  constructor(what: string, limit: number) {
    super(`Too long: a ${what} may have ${limit} bytes`);
    this.limit = limit;
  }
  static {
    this.prototype.name = "LimitError";
  }
}

/** Thrown to a receiver when everything was received and no sender is left. */
export class EndOfChannel extends Error {
  static {
    this.prototype.name = "EndOfChannel";
  }
}

/** Keeps a property out of what runtimes print for an uncaught error. */
export function hide(target: object, key: string): void {
  Object.defineProperty(target, key, { enumerable: false });
}
