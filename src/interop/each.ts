/**
 * each: goes through an async iterable, one value at a time, and closes it however the loop ends.
 */
import { CancelScope } from "../kernel/cancel_scope.ts";
import { wrongKind } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { ensure } from "../operations/ensure.ts";
import { checkVisitor, forEachOf, type Visitor } from "../operations/for_each.ts";
import { AsyncReader } from "../operations/items.ts";
import { abortSignal } from "./abort_signal.ts";

const SOURCE = "an async iterable, or a function (signal) => async iterable";

function hasAsyncIterator(source: unknown): boolean {
  return typeof (source as AsyncIterable<unknown> | null)?.[Symbol.asyncIterator] === "function";
}

function* iterate<T>(
  source: AsyncIterable<T> | ((signal: AbortSignal) => AsyncIterable<T>),
  body: Visitor<T>,
): Coroutine {
  const iterable = typeof source === "function" ? source(yield* abortSignal()) : source;
  if (!hasAsyncIterator(iterable)) {
    throw wrongKind(SOURCE, iterable, "each()");
  }
  const reader = new AsyncReader(iterable);
  yield* ensure(() => reader.close());
  yield* forEachOf(reader, body);
}

/**
 * Runs `body` for each value of an async iterable, one after the other, as `for await` does. A
 * checkpoint. However the loop ends early (an error, a cancel, `false` from the body), the source
 * is closed with its `return()`, and that is waited for, shielded; it is not where the cancel came
 * while the source was making a value, which is let go then.
 *
 * @param source An async iterable, or a function that makes one and takes an `AbortSignal`, which
 * aborts on a cancel and at the end.
 * @throws {TypeError} If there is no async iterable.
 * @example
 * ```ts
 * import { each, Loop } from "jsr:@broomio/core";
 *
 * async function* countdown() {
 *   for (let i = 3; i > 0; i--) yield i;
 * }
 * await new Loop().run(each(countdown(), (n) => console.log(n))); // 3, 2, 1
 * ```
 */
export function each<T>(
  source: AsyncIterable<T> | ((signal: AbortSignal) => AsyncIterable<T>),
  body: Visitor<T>,
): Operation<void> {
  checkVisitor(body, "each");
  if (typeof source !== "function" && !hasAsyncIterator(source)) {
    throw wrongKind(SOURCE, source, "each()");
  }
  return CancelScope.open(() => iterate(source, body), { name: "each" });
}
