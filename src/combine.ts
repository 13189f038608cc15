/**
 * all and race: several coroutines for one result, in a nursery of their own.
 */
import { call } from "./call.ts";
import type { Coroutine, Operation } from "./coroutine.ts";
import { Nursery } from "./nursery.ts";

/** The results of {@linkcode all}: an array for an array, a tuple for a tuple, a record for a record. */
export type Results<C extends readonly Operation<unknown>[] | Record<string, Operation<unknown>>> =
  {
    -readonly [K in keyof C]: C[K] extends Operation<infer T> ? T : never;
  };

/**
 * Runs coroutines at the same time and gives all their results, in the form in which they were given. A checkpoint, but for
 * none. The first to fail cancels the others.
 *
 * @throws {NurseryError} If any of them failed.
 * @throws {TypeError} If one is not a fresh coroutine or operation.
 * @example
 * ```ts
 * import { all, Loop, sleep } from "jsr:@broomio/core";
 *
 * function* double(n: number) {
 *   yield* sleep(0.01);
 *   return 2 * n;
 * }
 * function* main() {
 *   const [a, b] = yield* all([double(1), double(2)]);
 *   const { c } = yield* all({ c: double(3) });
 *   return a + b + c;
 * }
 * console.log(await new Loop().run(main())); // 12
 * ```
 */
export function all<
  const C extends readonly Operation<unknown>[] | Record<string, Operation<unknown>>,
>(
  coroutines: C,
): Operation<Results<C>> {
  if (typeof coroutines !== "object" || coroutines === null) {
    throw new TypeError("all() wants an array or a record of coroutines");
  }
  return collect(coroutines) as Coroutine<unknown> as Coroutine<Results<C>>;
}

function* collect(
  coroutines: readonly Operation<unknown>[] | Record<string, Operation<unknown>>,
): Coroutine<unknown> {
  const results: Record<string, unknown> = Array.isArray(coroutines)
    ? new Array(coroutines.length) as unknown as Record<string, unknown>
    : {};
  yield* Nursery.open(function* (nursery) {
    const keys = Object.keys(coroutines);
    for (const key of keys) results[key] = undefined; // so that the keys stand in the order given
    for (const key of keys) {
      nursery.startSoon(keep(key, (coroutines as Record<string, Operation<unknown>>)[key]), {
        name: `all ${key}`,
      });
    }
  }, { name: "all" });
  return results;

  function* keep(key: string, coroutine: Operation<unknown>): Coroutine {
    results[key] = yield* call(coroutine);
  }
}

/**
 * Runs coroutines at the same time and gives the result of the first to end; the others are cancelled, and their cleanup waited for.
 * Results of others that ended in the same turn are dropped: use `select` where none may be lost. A checkpoint.
 *
 * @throws {NurseryError} If one failed before the first had ended, or while it was cancelled.
 * @throws {RangeError} If there are none: nobody would ever win.
 * @throws {TypeError} If one is not a fresh coroutine or operation.
 * @example
 * ```ts
 * import { Loop, race, sleep } from "jsr:@broomio/core";
 *
 * function* after(seconds: number, name: string) {
 *   yield* sleep(seconds);
 *   return name;
 * }
 * console.log(await new Loop().run(race([after(0.01, "hare"), after(60, "tortoise")]))); // hare
 * ```
 */
export function race<T>(coroutines: readonly Operation<T>[]): Operation<T> {
  if (!Array.isArray(coroutines)) throw new TypeError("race() wants an array of coroutines");
  if (coroutines.length === 0) {
    throw new RangeError("race() of nothing would never end: give it a coroutine");
  }
  return compete(coroutines as readonly Operation<T>[]);
}

function* compete<T>(coroutines: readonly Operation<T>[]): Coroutine<T> {
  let won = false;
  let result: T | undefined;
  yield* Nursery.open(function* (nursery) {
    for (const [i, coroutine] of coroutines.entries()) {
      nursery.startSoon(contender(nursery, coroutine), { name: `race ${i}` });
    }
  }, { name: "race" });
  return result as T;

  function* contender(nursery: Nursery, coroutine: Operation<T>): Coroutine {
    const value = yield* call(coroutine);
    if (won) return;
    won = true;
    result = value;
    nursery.cancel("another won the race");
  }
}
