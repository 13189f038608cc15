/**
 * Every error class of the core.
 *
 * Invariant: names live on the prototypes, so that printing an error shows its message and not its fields, and survive minifying.
 * Must never know: the classes that throw them.
 */
import { coroutineFrames } from "./coroutine.ts";
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

/**
 * What comes out of a nursery in which something failed: every error, in order of occurrence. The very first, looked up
 * through nested nurseries, is the `cause`.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, NurseryError } from "jsr:@broomio/core";
 *
 * function* broken() {
 *   throw new RangeError("boom");
 * }
 * try {
 *   await new Loop().run(Nursery.open(function* (nursery) {
 *     nursery.startSoon(broken());
 *   }));
 * } catch (error) {
 *   if (error instanceof NurseryError) console.log(error.find(RangeError)?.message); // boom
 * }
 * ```
 */
export class NurseryError extends AggregateError {
  /** The task of each error, parallel to `errors`. */
  readonly tasks: readonly Task[];
  /** The number of errors below that are not themselves a NurseryError; kept so that deep nesting stays cheap. */
  readonly #leaves: number;
  /** The tasks on the way to the first of them. */
  readonly #path: string;

  /** Made by a nursery when it ends. */
  constructor(errors: readonly unknown[], tasks: readonly Task[], options?: { note?: string }) {
    let leaves = 0;
    for (const error of errors) leaves += error instanceof NurseryError ? error.#leaves : 1;
    const [first] = errors;
    const nested = first instanceof NurseryError;
    // The leaf, not the nested NurseryError: runtimes print both `cause` and `errors`, which would double at each level.
    const cause = nested ? first.cause : first;
    const path = shorten(nested ? `${tasks[0].name} > ${first.#path}` : `${tasks[0].name}`, 80);
    super(errors, summarize(leaves, path, cause, options?.note), { cause });
    this.tasks = tasks;
    this.#leaves = leaves;
    this.#path = path;
    hide(this, "tasks");
  }

  /** The first error that is an instance of `ErrorClass`, looking into nested aggregate errors, or `undefined`. */
  find<E>(ErrorClass: abstract new (...args: never[]) => E): E | undefined {
    const pending: unknown[] = [this];
    while (pending.length > 0) {
      const error = pending.pop();
      if (error !== this && error instanceof ErrorClass) return error;
      if (error instanceof AggregateError) pushReversed(pending, error.errors);
    }
    return undefined;
  }

  /** Every error, with nested aggregate errors replaced by what they hold. */
  flatten(): unknown[] {
    const flat: unknown[] = [];
    const pending: unknown[] = [this];
    while (pending.length > 0) {
      const error = pending.pop();
      if (error instanceof AggregateError) pushReversed(pending, error.errors);
      else flat.push(error);
    }
    return flat;
  }

  /** How `console.log` shows it: each error once, below its task. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return render(this, 0);
  }
  static {
    this.prototype.name = "NurseryError";
  }
}

function render(error: unknown, depth: number): string {
  const stack = error instanceof Error ? error.stack ?? String(error) : String(error);
  const text = coroutineFrames(stack.split("\n")).join("\n");
  if (!(error instanceof NurseryError)) return text;
  if (depth === 8) return `${text}\n  ...`;
  const shown = error.errors.slice(0, 10).map((each, i) =>
    `\n  in task ${error.tasks[i].name}: ${render(each, depth + 1).replaceAll("\n", "\n  ")}`
  );
  const more = error.errors.length - shown.length;
  return `${text}${shown.join("")}${more > 0 ? `\n  and ${more} more` : ""}`;
}

/** A loop, not a spread: a nursery can hold a million errors. */
function pushReversed(stack: unknown[], errors: readonly unknown[]): void {
  for (let i = errors.length - 1; i >= 0; i--) stack.push(errors[i]);
}

function summarize(leaves: number, path: string, first: unknown, note: string | undefined): string {
  const text = leaves === 1
    ? `1 error, in task ${path}: ${brief(first)}`
    : `${leaves} errors; the first, in task ${path}: ${brief(first)}`;
  return note === undefined ? text : `${text} (${note})`;
}

function brief(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return shorten(text.split("\n", 1)[0], 160);
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}

/** Keeps a property out of what runtimes print for an uncaught error. */
function hide(target: object, key: string): void {
  Object.defineProperty(target, key, { enumerable: false });
}

/** One error for two: where a body and its cleanup both failed, neither is lost. */
export function bothErrors(first: unknown, second: unknown): AggregateError {
  const errors = first instanceof CleanupError ? [...first.errors, second] : [first, second];
  const more = errors.length > 2 ? ` and ${errors.length - 2} more` : "";
  const text = `${brief(errors[0])}; then cleanup failed: ${brief(errors[1])}${more}`;
  return new CleanupError(errors, text, { cause: errors[0] });
}

/** An AggregateError made by `bothErrors`; own class only so that a third error joins it instead of nesting. */
class CleanupError extends AggregateError {
  static {
    this.prototype.name = "AggregateError";
  }
}

/** Replaces the stack of an error that the loop made by one that says more. */
export function setStack(error: Error, frames: string): void {
  error.stack = `${error.name}: ${error.message}${frames && `\n${frames}`}`;
}

/** Adds where a coroutine stood to the stack of an error that was made elsewhere. */
export function appendStack(error: unknown, title: string, frames: string): void {
  if (!(error instanceof Error) || frames === "" || error.stack?.includes(frames)) return;
  try {
    error.stack = `${error.stack ?? error}\n    ${title}\n${frames}`;
  } catch {
    // A frozen error keeps the stack it has.
  }
}
