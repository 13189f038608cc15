/**
 * map: many calls at a time, results in order.
 *
 * Invariant: at most `inFlight` items have been taken from the source and not yet been given to
 * `each`.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { wrongKind } from "../check.ts";
import { Cancelled } from "../kernel/errors.ts";
import { Nursery } from "../kernel/nursery.ts";
import type { Task } from "../kernel/task.ts";

/**
 * Options of `pool.map`.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type MapOptions, ThreadPool } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const module = "data:text/javascript,export const square = (n) => n * n";
 * type Handlers = { square(n: number): number };
 *
 * const log: string[] = [];
 * const options: MapOptions<number, number> = {
 *   inFlight: 4,
 *   each: (result, item) => void log.push(`${item} -> ${result}`), // in the order of the items
 * };
 * await new Loop().run(function* () {
 *   const pool = yield* ThreadPool.open<Handlers>({ module, size: 1 });
 *   yield* pool.map([1, 2, 3], "square", options);
 * }());
 * assertEquals(log, ["1 -> 1", "2 -> 4", "3 -> 9"]);
 * ```
 */
export interface MapOptions<Item, Result> {
  /**
   * How many items may be in progress at a time, including those whose turn for `each` has not
   * come; by default twice as many as workers run.
   */
  inFlight?: number;
  /**
   * Called with each result, in the order of the items, as soon as it and those before it are
   * there: to show progress, or to put them somewhere. A coroutine it returns is run to its end
   * before the next.
   */
  each?: (result: Result, item: Item, index: number) => Operation<unknown> | void;
}

/** How one call ended. */
type Ending<Result> = { readonly ok: true; readonly value: Result } | {
  readonly ok: false;
  readonly error: unknown;
};

/** Calls `call` for each item. */
export function mapInOrder<Item, Result>(
  items: Iterable<Item>,
  call: (item: Item) => Operation<Result>,
  inFlight: number,
  each: MapOptions<Item, Result>["each"],
): Operation<Result[]> {
  if (typeof items?.[Symbol.iterator] !== "function") {
    throw wrongKind("an iterable of items", items, "map()");
  }
  return run();

  function* run(): Coroutine<Result[]> {
    const results: Result[] = [];
    const failures: unknown[] = [];

    yield* Nursery.open(function* (nursery) {
      const pending: { item: Item; task: Task<Result> }[] = [];

      /** Throws nothing, so that the error comes out as it is and not in a `NurseryError`. */
      function* attempt(item: Item): Coroutine<Result> {
        const outcome = yield* caught(call(item));
        if (outcome.ok) return outcome.value;
        failures.push(outcome.error);
        nursery.cancel(outcome.error);
        return undefined as never; // nobody gets it: `run` throws
      }

      function* deliver(): Coroutine {
        const { item, task } = pending.shift()!;
        const result = yield* task.join();
        const index = results.push(result) - 1;
        const more = each?.(result, item, index);
        if (more) yield* more;
      }

      function* feed(): Coroutine {
        for (const item of items) {
          pending.push({ item, task: nursery.startSoon(attempt(item)) });
          if (pending.length >= inFlight) yield* deliver(); // before the next is taken
        }
        while (pending.length > 0) yield* deliver();
      }

      const outcome = yield* caught(feed());
      if (outcome.ok) return;
      failures.push(outcome.error);
      nursery.cancel(outcome.error);
    });

    if (failures.length > 0) throw failures[0];
    return results;
  }
}

/** How an operation ended; a cancellation passes through. */
function* caught<T>(operation: Operation<T>): Coroutine<Ending<T>> {
  try {
    return { ok: true, value: yield* operation };
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    return { ok: false, error };
  }
}
