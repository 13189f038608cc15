/**
 * What an exploration finds, as errors, and what tells one failure from another.
 */
import { show } from "../../check.ts";
import { DeadlockError } from "../../kernel/errors.ts";
import { NurseryError } from "../../kernel/nursery_error.ts";

/**
 * A run left something behind: timers, or waits for something outside.
 *
 * @example
 * ```ts
 * import { Lock, Loop } from "jsr:@broomio/core";
 * import { coroutineTest, LeakError } from "jsr:@broomio/core/testing";
 * import { assertEquals, assertRejects } from "jsr:@std/assert";
 *
 * const test = coroutineTest(function* ({ loop }) {
 *   loop.hold(); // and nobody disposes it
 * });
 * const error = await assertRejects(() => test(), LeakError);
 * assertEquals(error.left.length, 1);
 * ```
 */
export class LeakError extends Error {
  /** What was left, one entry each kind. */
  readonly left: readonly string[];

  /** Made by `explore` and `coroutineTest`. */
  constructor(left: readonly string[]) {
    super(`Left behind when all tasks had ended: ${left.join(", ")}`);
    this.left = left;
  }
  static {
    this.prototype.name = "LeakError";
  }
}

/**
 * A run took more steps than it may: a loop that never ends, or a limit that is too low.
 *
 * @example
 * ```ts
 * import { checkpoint } from "jsr:@broomio/core";
 * import { explore, StepLimitError } from "jsr:@broomio/core/testing";
 * import { assertEquals, assertRejects } from "jsr:@std/assert";
 *
 * const busyWait = function* () {
 *   for (let ready = false; !ready;) yield* checkpoint(); // nobody sets it
 * };
 * const error = await assertRejects(() => explore(busyWait, { maxSteps: 100 }));
 * assertEquals((error as Error).cause instanceof StepLimitError, true);
 * ```
 */
export class StepLimitError extends Error {
  /** Made by `explore`. */
  constructor(limit: number) {
    super(`More than ${limit} steps: a loop that does not end, or maxSteps is too low`);
  }
  static {
    this.prototype.name = "StepLimitError";
  }
}

/**
 * A run waited for something outside that did not come.
 *
 * @example
 * ```ts
 * import { until } from "jsr:@broomio/core";
 * import { ExplorationError, explore, OutsideError } from "jsr:@broomio/core/testing";
 *
 * const program = () => until(Promise.resolve("a reply")); // comes from outside the loop
 * try {
 *   await explore(program, { schedules: 2 });
 * } catch (error) {
 *   const cause = error instanceof ExplorationError ? error.cause : undefined;
 *   if (cause instanceof OutsideError) console.log("in some schedule no reply comes");
 *   throw error;
 * }
 * ```
 */
export class OutsideError extends Error {
  /** Made by `explore`. */
  constructor(seconds: number) {
    super(`Waited ${seconds} s for something outside the loop that did not come`);
  }
  static {
    this.prototype.name = "OutsideError";
  }
}

/** What tells one failure from another: its class, and its message without the numbers in it. */
export function failureKey(error: unknown): string {
  if (error instanceof DeadlockError) return error.name;
  if (error instanceof NurseryError && error.errors.length > 0) return failureKey(error.errors[0]);
  try {
    return error instanceof Error
      ? `${error.name}: ${String(error.message).slice(0, 200).replace(/\d+/g, "#")}`
      : `thrown: ${String(error)}`;
  } catch {
    return "thrown: a value that cannot be shown";
  }
}

/** An error as its class and message; anything else that was thrown by its kind. */
export function describe(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return `${thrown.name}: ${thrown.message}`;
  } catch {
    // an error that cannot be looked at
  }
  return `${show(thrown)} was thrown`;
}
