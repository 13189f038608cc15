/**
 * each: goes through an async iterable, one value at a time, and closes it however the loop ends.
 */
import { CancelScope } from "../kernel/cancel_scope.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { ensure } from "../operations/ensure.ts";
import { Cancelled } from "../kernel/errors.ts";
import { checkVisitor, forEachOf, type Visitor } from "../operations/for_each.ts";
import { abortSignal } from "./abort_signal.ts";
import { until } from "./until.ts";

/** The pulls of one loop over an async iterable. */
class Pulls<T> {
  readonly #iterator: AsyncIterator<T>;
  /** A `next()` is under way, or was when a cancel came. */
  #pulling = false;
  /** It has ended by itself, so there is nothing to close. */
  #ended = false;

  constructor(source: AsyncIterable<T>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  *next(): Coroutine<IteratorResult<T, unknown>> {
    this.#pulling = true;
    try {
      const result = yield* until(this.#iterator.next());
      this.#pulling = false;
      if (result.done) this.#ended = true;
      return result;
    } catch (error) {
      if (!(error instanceof Cancelled)) this.#ended = true;
      throw error;
    }
  }

  /**
   * Tells the source to end, and waits for that; but not while it makes a value: an async generator
   * ends only after that, which may be never. Then it ends when it can, and what it makes of it is
   * let go.
   */
  *close(): Coroutine {
    if (this.#ended || this.#iterator.return === undefined) return;
    const closed = this.#iterator.return();
    if (this.#pulling) Promise.resolve(closed).catch(() => {});
    else yield* until(closed);
  }
}

function* iterate<T>(
  source: AsyncIterable<T> | ((signal: AbortSignal) => AsyncIterable<T>),
  body: Visitor<T>,
): Coroutine {
  const iterable = typeof source === "function" ? source(yield* abortSignal()) : source;
  if (typeof iterable?.[Symbol.asyncIterator] !== "function") {
    throw new TypeError("each() wants an async iterable, or a function (signal) => async iterable");
  }
  const pulls = new Pulls(iterable);
  yield* ensure(() => pulls.close());
  yield* forEachOf(pulls, body);
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
  return CancelScope.open(() => iterate(source, body), { name: "each" });
}
