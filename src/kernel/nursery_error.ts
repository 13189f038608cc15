/**
 * NurseryError: what comes out of a nursery in which something failed, how it is printed, and how
 * errors are found in errors.
 *
 * Invariants: `errors` and `tasks` run parallel; messages stay short however deep nurseries nest;
 * nothing that was thrown, however hostile, makes any function here throw or loop. Independent of:
 * nurseries.
 */
import { checkFunction } from "../check.ts";
import { brief, classOf, headOf, hide, isCancelled, isError, shorten } from "./errors.ts";
import { coroutineFrames } from "./stack.ts";
import type { Task } from "./task.ts";

/** How many of the other tasks a message names. */
const MAX_NAMES = 3;

/**
 * What comes out of a nursery in which something failed: every error, in order of occurrence, the
 * same object once. The very first, looked up through nested nurseries, is the `cause`.
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
  /**
   * The number of errors below that are not themselves a NurseryError; kept so that deep nesting
   * stays cheap.
   */
  readonly #leaves: number;
  /** The tasks on the way to the first of them. */
  readonly #path: string;
  /** The names of a few of the other tasks. */
  readonly #others: readonly string[];

  /** Made by a nursery when it ends. */
  constructor(errors: readonly unknown[], tasks: readonly Task[], options?: { note?: string }) {
    let leaves = 0;
    for (const error of errors) {
      const inner = asNursery(error);
      leaves += inner === null ? 1 : inner.#leaves;
    }
    const nested = asNursery(errors[0]);
    // The leaf, not the nested NurseryError: runtimes print both `cause` and `errors`, which would
    // double at each level.
    const cause = nested === null ? errors[0] : nested.cause;
    const path = shorten(
      nested === null ? tasks[0].name : `${tasks[0].name} > ${nested.#path}`,
      80,
    );
    const others = [
      ...(nested === null ? [] : nested.#others),
      ...tasks.slice(1, MAX_NAMES + 1).map(shortName),
    ]
      .slice(0, MAX_NAMES);
    super(errors, summarize(leaves, path, cause, others, options?.note), { cause });
    this.tasks = tasks;
    this.#leaves = leaves;
    this.#path = path;
    this.#others = others;
    hide(this, "tasks");
  }

  /**
   * The first error inside that is an instance of `ErrorClass`, or `undefined`. Looks into what
   * aggregate errors and `SuppressedError` hold, and into `cause`.
   *
   * @throws {TypeError} If `ErrorClass` is no class.
   */
  find<E>(ErrorClass: abstract new (...args: never[]) => E): E | undefined {
    return search(this, checkFunction(ErrorClass, "find()", "a class"), false);
  }

  /**
   * Every error, each object once, with aggregate errors and `SuppressedError` replaced by what
   * they hold.
   */
  flatten(): unknown[] {
    const flat = new Set<unknown>();
    const seen = new Set<unknown>();
    const pending: unknown[] = [this];
    while (pending.length > 0) {
      const error = pending.pop();
      if (typeof error === "object" && error !== null) {
        if (seen.has(error)) continue;
        seen.add(error);
      }
      const parts = partsOf(error);
      if (parts === null) flat.add(error);
      else pushReversed(pending, parts);
    }
    return [...flat];
  }

  /** How `console.log` shows it: each error once, below its task. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return render(this, 0);
  }
  static {
    this.prototype.name = "NurseryError";
  }
}

/** The errors of a nursery that the user did not open: a lone one as itself (R3). */
export function combineErrors(
  errors: readonly unknown[],
  tasks: readonly Task[],
  options?: { note?: string },
): unknown {
  return errors.length === 1 ? errors[0] : new NurseryError(errors, tasks, options);
}

/**
 * Finds an error by its class: the error itself, or the first of that class anywhere inside it.
 * Looks into what aggregate errors (such as {@linkcode NurseryError}) and `SuppressedError` hold,
 * and into `cause`.
 *
 * @returns `undefined` where there is none.
 * @throws {TypeError} If `ErrorClass` is no class.
 * @example
 * ```ts
 * import { findError, Loop, Nursery, sleep } from "jsr:@broomio/core";
 *
 * class NotFound extends Error {}
 * try {
 *   await new Loop().run(Nursery.open(function* () {
 *     yield* sleep(0.01);
 *     throw new NotFound("user 7");
 *   }));
 * } catch (error) {
 *   const missing = findError(error, NotFound);
 *   if (missing === undefined) throw error;
 *   console.log(missing.message); // user 7
 * }
 * ```
 */
export function findError<E>(
  error: unknown,
  ErrorClass: abstract new (...args: never[]) => E,
): E | undefined {
  return search(error, checkFunction(ErrorClass, "findError()", "a class"), true);
}

/** Depth first; what an error holds comes before its cause. */
function search<E>(
  root: unknown,
  ErrorClass: abstract new (...args: never[]) => E,
  withRoot: boolean,
): E | undefined {
  const seen = new Set<unknown>();
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const error = pending.pop();
    if (typeof error !== "object" || error === null || seen.has(error)) continue;
    seen.add(error);
    try {
      if (error instanceof ErrorClass && (withRoot || error !== root)) return error;
      if ("cause" in error) pending.push(error.cause);
      const parts = partsOf(error);
      if (parts !== null) pushReversed(pending, parts);
    } catch {
      // Not an error that can be looked into, such as a revoked proxy.
    }
  }
  return undefined;
}

/** What an aggregate error or a `SuppressedError` holds; null for anything else. */
function partsOf(error: unknown): readonly unknown[] | null {
  try {
    if (error instanceof AggregateError) return Array.isArray(error.errors) ? error.errors : [];
    if (isSuppressedError(error)) return [error.error, error.suppressed];
  } catch {
    // Not an error that can be looked into.
  }
  return null;
}

/** By its shape: Node 20 has no such class, and what compiles `using` brings its own. */
function isSuppressedError(error: unknown): error is { error: unknown; suppressed: unknown } {
  return isError(error) && error.name === "SuppressedError" && "suppressed" in error;
}

/**
 * What a coroutine threw, without the Cancelled that `using` combines with an error (R11): where an
 * error and a Cancelled were thrown, the error; where nothing else was, the Cancelled.
 */
export function withoutCancelled(error: unknown): unknown {
  if (isCancelled(error)) return error;
  try {
    if (!isSuppressedError(error)) return error;
    const later = withoutCancelled(error.error);
    const earlier = withoutCancelled(error.suppressed);
    if (isCancelled(later)) return earlier;
    if (isCancelled(earlier)) return later;
    if (later !== error.error) error.error = later;
    if (earlier !== error.suppressed) error.suppressed = earlier;
  } catch {
    // Frozen, or hostile: it stays as it is.
  }
  return error;
}

function asNursery(error: unknown): NurseryError | null {
  return isError(error) && error instanceof NurseryError ? error : null;
}

function render(error: unknown, depth: number): string {
  const text = isError(error) ? renderOne(error) : brief(error);
  const nursery = asNursery(error);
  if (nursery === null) return text;
  if (depth === 8) return `${text}\n  ...`;
  const shown = nursery.errors.slice(0, 10).map((each, i) =>
    `\n  in task ${nursery.tasks[i].name}: ${render(each, depth + 1).replaceAll("\n", "\n  ")}`
  );
  const more = nursery.errors.length - shown.length;
  return `${text}${shown.join("")}${more > 0 ? `\n  and ${more} more` : ""}`;
}

/** The stack of an error, below the name of its class. */
function renderOne(error: Error): string {
  try {
    const { stack } = error;
    if (typeof stack !== "string") return headOf(error);
    const text = coroutineFrames(stack.split("\n")).join("\n");
    const { name } = error;
    return text.startsWith(`${name}: `) ? classOf(error) + text.slice(name.length) : text;
  } catch {
    return headOf(error);
  }
}

/** A loop, not a spread: a nursery can hold a million errors. */
function pushReversed(stack: unknown[], errors: readonly unknown[]): void {
  for (let i = errors.length - 1; i >= 0; i--) stack.push(errors[i]);
}

function summarize(
  leaves: number,
  path: string,
  first: unknown,
  others: readonly string[],
  note: string | undefined,
): string {
  let text = leaves === 1
    ? `1 error, in task ${path}: ${brief(first)}`
    : `${leaves} errors; the first, in task ${path}: ${brief(first)}`;
  if (others.length > 0) {
    const more = leaves - 1 - others.length;
    text += `; others in task${others.length + more > 1 ? "s" : ""} ${others.join(", ")}`;
    if (more > 0) text += ` and ${more} more`;
  }
  return note === undefined ? text : `${text} (${note})`;
}

function shortName({ name }: Task): string {
  return shorten(name, 30);
}

/** One error for two: where a body and its cleanup both failed, neither is lost. */
export function bothErrors(first: unknown, second: unknown): AggregateError {
  const joined = isError(first) && first instanceof CleanupError;
  const errors = joined ? [...first.errors, second] : [first, second];
  const more = errors.length > 2 ? ` and ${errors.length - 2} more` : "";
  const text = `${brief(errors[0])}; then cleanup failed: ${brief(errors[1])}${more}`;
  return new CleanupError(errors, text, { cause: errors[0] });
}

/**
 * An AggregateError made by `bothErrors`; own class only so that a third error joins it instead of
 * nesting.
 */
class CleanupError extends AggregateError {
  static {
    this.prototype.name = "AggregateError";
  }
}
