/**
 * all and race: several coroutines for one result, in a nursery of their own.
 */
import { type Coroutine, type Operation, toIterator } from "../kernel/coroutine.ts";
import { NurseryError } from "../kernel/nursery_error.ts";
import { TaskCancelledError } from "../kernel/errors.ts";
import { Nursery } from "../kernel/nursery.ts";
import { NEXT } from "../kernel/frame.ts";
import type { Task, TaskCore } from "../kernel/task.ts";

/**
 * The results of {@linkcode all}: an array for an array, a tuple for a tuple, a record for a
 * record.
 */
export type Results<C extends readonly Operation<unknown>[] | Record<string, Operation<unknown>>> =
  {
    -readonly [K in keyof C]: C[K] extends Operation<infer T> ? T : never;
  };

/**
 * Runs coroutines at the same time and gives all their results, in the form in which they were
 * given. A checkpoint, but for none. The first to fail cancels the others.
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
  const keys = Object.keys(coroutines);
  const begun = keys.map((key) =>
    begin((coroutines as Record<string, Operation<unknown>>)[key], "all")
  );
  const tasks: Task[] = [];
  yield* Nursery.open(function* (nursery) {
    for (const [i, key] of keys.entries()) {
      tasks.push(nursery.startSoon(begun[i], { name: `all ${key}` }));
    }
  }, { name: "all" });
  const results: Record<string, unknown> = Array.isArray(coroutines) ? [] as never : {};
  for (const [i, key] of keys.entries()) results[key] = resultOf(tasks[i]);
  return results;
}

/** The value of a task that did not fail. One that cancelled itself, alone, has none. */
function resultOf(task: Task): unknown {
  const { mode, value } = task as TaskCore;
  if (mode === NEXT) return value;
  throw new NurseryError([new TaskCancelledError(task)], [task]);
}

/**
 * Takes a coroutine in, before any is started: what is none is an error of the caller, not of a
 * task.
 */
function begin(coroutine: Operation<unknown>, by: string): Operation<unknown> {
  const iterator = toIterator(coroutine, by);
  return { [Symbol.iterator]: () => iterator };
}

/**
 * Runs coroutines at the same time and gives the result of the first to end; the others are
 * cancelled, and their cleanup waited for. Results of others that ended in the same turn are
 * dropped: use `select` where none may be lost. A checkpoint.
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
export function race<const C extends readonly Operation<unknown>[]>(
  coroutines: C,
): Operation<Results<C>[number]> {
  if (!Array.isArray(coroutines)) throw new TypeError("race() wants an array of coroutines");
  if (coroutines.length === 0) {
    throw new RangeError("race() of nothing would never end: give it a coroutine");
  }
  return compete(coroutines as readonly Operation<Results<C>[number]>[]);
}

function* compete<T>(coroutines: readonly Operation<T>[]): Coroutine<T> {
  const begun = coroutines.map((coroutine) => begin(coroutine, "race"));
  let first!: Task;
  let won = false;
  yield* Nursery.open(function* (nursery) {
    for (const [i, coroutine] of begun.entries()) {
      const task = nursery.startSoon(coroutine, { name: `race ${i}` }) as TaskCore;
      if (i === 0) first = task;
      task.onEnd(() => {
        if (won || task.mode !== NEXT) return false;
        won = true;
        first = task;
        nursery.cancel("another won the race");
        return false;
      });
    }
  }, { name: "race" });
  return resultOf(first) as T;
}
