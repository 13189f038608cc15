/**
 * forEachOf: runs a body for each value of a source, one after the other. Every `forEach`, and
 * `each`, is made of it.
 *
 * Independent of: where the values come from.
 */
import { checkFunction } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";

/**
 * What is done with each value: a function that returns nothing, or a coroutine that is run to its
 * end before the next value is asked for. `false`, returned by either, ends the loop.
 *
 * @example
 * ```ts
 * import { Loop, openChannel, type Visitor } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const { sender, receiver } = openChannel<string>(4);
 * for (const line of ["a", "b", "end", "c"]) sender.trySend(line);
 *
 * const lines: string[] = [];
 * const keep: Visitor<string> = (line) => {
 *   if (line === "end") return false; // no more
 *   lines.push(line);
 * };
 * await new Loop().run(receiver.forEach(keep));
 * assertEquals(lines, ["a", "b"]);
 * ```
 */
export type Visitor<T> = (value: T) => Operation<void | false> | void | false;

/** Asks for values to the end, or until the body says `false`; gives whether it came to the end. */
export function* forEachOf<T>(
  source: { next(): Operation<IteratorResult<T, unknown>> },
  body: Visitor<T>,
): Coroutine<boolean> {
  for (;;) {
    const result = yield* source.next();
    if (result.done) return true;
    let verdict = body(result.value);
    if (typeof verdict === "object" && verdict !== null) {
      if ("then" in verdict) throw promiseError();
      verdict = yield* verdict;
    }
    if (verdict === false) return false;
  }
}

/** Runs a body once; gives whether it wants more. */
export function* runVisitor<A extends unknown[]>(
  body: (...args: A) => ReturnType<Visitor<unknown>>,
  ...args: A
): Coroutine<boolean> {
  let verdict = body(...args);
  if (typeof verdict === "object" && verdict !== null) {
    if ("then" in verdict) throw promiseError();
    verdict = yield* verdict;
  }
  return verdict !== false;
}

function promiseError(): TypeError {
  return new TypeError("The body returned a promise: make it a function*, not an async function");
}

/** Checks a body where it is given, not at the first value. */
export function checkVisitor(body: unknown, by: string): void {
  checkFunction(body, `body of ${by}()`, "a function that takes a value");
}
