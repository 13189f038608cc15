/**
 * NurseryError: what comes out of a nursery in which something failed, and how it is printed; and how two errors become one.
 *
 * Invariant: `errors` and `tasks` run parallel; messages stay short however deep nurseries nest.
 * Independent of: nurseries.
 */
import { hide } from "./errors.ts";
import { coroutineFrames } from "./stack.ts";
import type { Task } from "./task.ts";

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
