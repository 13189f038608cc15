/**
 * How values that nobody gets are disposed (R33), and how anything disposable is.
 *
 * Invariant: disposing a dropped value never changes how the operation that dropped it ends: what
 * goes wrong is a warning. Independent of: who drops them.
 */
import { show } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import type { TaskCore } from "../kernel/task.ts";
import { PromiseWait } from "./promise_wait.ts";

/**
 * What `using` and `await using` accept.
 *
 * @example
 * ```ts
 * import { type AnyDisposable, Loop, use } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const log: string[] = [];
 * const open = (name: string): AnyDisposable => ({ [Symbol.dispose]: () => void log.push(name) });
 * await new Loop().run(function* () {
 *   yield* use(open("first"));
 *   yield* use(open("second"));
 * }());
 * assertEquals(log, ["second", "first"]); // the last one first
 * ```
 */
export type AnyDisposable = Disposable | AsyncDisposable;

/**
 * How a value is disposed, or null if it cannot be. As `await using` does it, `Symbol.asyncDispose`
 * comes first. Whatever reading the value throws comes out.
 */
export function disposerOf(value: unknown): (() => unknown) | null {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return null;
  const later = (value as AsyncDisposable)[Symbol.asyncDispose];
  if (typeof later === "function") return () => later.call(value);
  const now = (value as Disposable)[Symbol.dispose];
  return typeof now === "function" ? () => now.call(value) : null;
}

/** Disposes one value, and waits for that where it gives a promise. */
export function* disposeWith(disposer: () => unknown): Coroutine {
  const pending = disposer();
  if (isThenable(pending)) yield* new PromiseWait(pending, "disposing");
}

/**
 * Disposes what an operation drops: at once what can be disposed at once. Gives an operation for
 * what has to be waited for, or null.
 */
export function disposeDropped(
  values: Iterable<unknown>,
  by: string,
  task: TaskCore,
): Operation<void> | null {
  let pending: PromiseLike<unknown>[] | null = null;
  for (const value of new Set(values)) {
    try {
      const result = disposerOf(value)?.();
      if (isThenable(result)) (pending ??= []).push(result);
    } catch (error) {
      warnOf(error, by, task);
    }
  }
  return pending === null ? null : awaitAll(pending, by, task);
}

function* awaitAll(pending: PromiseLike<unknown>[], by: string, task: TaskCore): Coroutine {
  // A reaction at once: one that rejects while another is waited for must not be an unhandled
  // rejection.
  const settled = pending.map((promise) =>
    Promise.resolve(promise).then(() => {}, (error) => warnOf(error, by, task))
  );
  for (const promise of settled) yield* new PromiseWait(promise, "disposing what was dropped");
}

function warnOf(error: unknown, by: string, task: TaskCore): void {
  const text = describeError(error);
  task.scheduler.warn({ message: `${by}() could not dispose a value it dropped: ${text}`, task });
}

/** An error for a warning: with its stack if it has one. Never throws. */
export function describeError(error: unknown): string {
  try {
    return error instanceof Error ? error.stack ?? error.message : show(error);
  } catch {
    return "an error that cannot be shown";
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
