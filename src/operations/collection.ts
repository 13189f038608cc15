/**
 * Collections of coroutines: the forms in which `all`, `allSettled`, `race` and `any` take them,
 * and give results back.
 *
 * Invariant: what is no such collection, or holds what is no coroutine, is refused where it is
 * given (R2). Independent of: what is done with the coroutines.
 */
import { show, wrongKind } from "../check.ts";
import type { Operation } from "../kernel/coroutine.ts";
import { isThenable } from "./dispose.ts";

/**
 * Several coroutines: an array, any other iterable, a map, or a record.
 *
 * @example
 * ```ts
 * import { all, type Coroutines, Loop, moveOnAfter, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // `all`, in any of its forms, but for a second at most.
 * const allInTime = <C extends Coroutines>(coroutines: C) => moveOnAfter(1, all(coroutines));
 *
 * function* half(n: number) {
 *   yield* sleep(0.01);
 *   return n / 2;
 * }
 * assertEquals(await new Loop().run(allInTime({ a: half(4), b: half(6) })), { a: 2, b: 3 });
 * ```
 */
export type Coroutines =
  | readonly Operation<unknown>[]
  | ReadonlyMap<unknown, Operation<unknown>>
  | Iterable<Operation<unknown>>
  | Readonly<Record<string, Operation<unknown>>>;

/**
 * Several bodies, in the same forms: coroutines, or functions that make one.
 *
 * @example
 * ```ts
 * import { allSettled, type Bodies, Loop } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const checks = {
 *   *disk() {
 *     return "ok";
 *   },
 *   *network() {
 *     throw new Error("no route");
 *   },
 * } satisfies Bodies;
 * const { disk, network } = await new Loop().run(allSettled(checks));
 * assertEquals([disk.ok, network.ok], [true, false]);
 * ```
 */
export type Bodies =
  | readonly BodyLike[]
  | ReadonlyMap<unknown, BodyLike>
  | Iterable<BodyLike>
  | Readonly<Record<string, BodyLike>>;

/**
 * A coroutine, an operation, or a function that makes one.
 *
 * @example
 * ```ts
 * import { any, type BodyLike, Loop } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* broken(): Generator<never, string> {
 *   throw new Error("down");
 * }
 * function* working() {
 *   return "up";
 * }
 * const bodies: BodyLike[] = [broken, working()]; // a function, or what it gives
 * assertEquals(await new Loop().run(any(bodies)), "up");
 * ```
 */
export type BodyLike = Operation<unknown> | (() => Operation<unknown>);

/**
 * What a coroutine, or a body, gives.
 *
 * @example
 * ```ts
 * import { type Given, Loop, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* load(id: number) {
 *   yield* sleep(0.01);
 *   return { id, name: "Ada" };
 * }
 * type User = Given<ReturnType<typeof load>>;
 * const user: User = await new Loop().run(load(7));
 * assertEquals(user, { id: 7, name: "Ada" });
 * ```
 */
export type Given<B> = B extends Operation<infer T> ? T
  : B extends () => Operation<infer T> ? T
  : never;

/**
 * Coroutines with what each is called, and how results are given back in the form in which they
 * came.
 */
export class Collection {
  readonly keys: readonly unknown[];
  readonly coroutines: readonly BodyLike[];
  readonly #build: (results: unknown[]) => unknown;

  constructor(
    keys: readonly unknown[],
    coroutines: readonly BodyLike[],
    build: (results: unknown[]) => unknown,
  ) {
    this.keys = keys;
    this.coroutines = coroutines;
    this.#build = build;
  }

  /** The name of the task of one of them: "all 3". */
  nameOf(index: number, by: string): string {
    const key = this.keys[index];
    return `${by} ${typeof key === "string" || typeof key === "number" ? key : show(key)}`;
  }

  /** The results in the form of what was given: an array, a record, a map. */
  build(results: unknown[]): unknown {
    return this.#build(results);
  }
}

/**
 * Takes in several coroutines. An iterator is read to its end here.
 *
 * @param accepts Whether functions that make a coroutine, and records, are accepted too.
 * @throws {TypeError} If it is something else, or has what is no coroutine in it.
 */
export function collect(
  given: unknown,
  by: string,
  accepts: { functions: boolean; records: boolean },
): Collection {
  const { functions, records } = accepts;
  const many = records
    ? "an array, another iterable, a map or a record of coroutines"
    : "an array or another iterable of coroutines";
  if (typeof given !== "object" || given === null || isThenable(given)) {
    throw wrongKind(many, given, `${by}()`);
  }
  if (given instanceof Map) {
    const keys = [...given.keys()];
    const values = check([...given.values()], keys, by, functions);
    return new Collection(keys, values, (results) => new Map(keys.map((k, i) => [k, results[i]])));
  }
  if (Symbol.iterator in given) {
    const values = readAll(given as Iterable<unknown>, by);
    const keys = [...values.keys()];
    return new Collection(keys, check(values, keys, by, functions), (results) => results);
  }
  const prototype = Object.getPrototypeOf(given);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!records || !plain || Symbol.asyncIterator in given) throw wrongKind(many, given, `${by}()`);
  const keys = Object.keys(given);
  const record = given as Record<string, unknown>;
  const values = check(keys.map((key) => record[key]), keys, by, functions);
  return new Collection(keys, values, (results) => {
    const record: Record<string, unknown> = {};
    for (let i = 0; i < keys.length; i++) {
      // Not an assignment: a key may be called "__proto__".
      const value = { value: results[i], writable: true, enumerable: true, configurable: true };
      Object.defineProperty(record, keys[i], value);
    }
    return record;
  });
}

/**
 * Everything in an iterable. One coroutine is an iterable too: what it yields are operations that
 * have begun.
 */
function readAll(given: Iterable<unknown>, by: string): unknown[] {
  if (Array.isArray(given)) return given.slice();
  const values: unknown[] = [];
  for (const value of given) {
    if (isTrap(value)) {
      throw new TypeError(
        `Expected several coroutines, got one (${by}()): put it into an array, as in ${by}([work()])`,
      );
    }
    values.push(value);
  }
  return values;
}

/**
 * Whether a coroutine has yielded this: an operation that has begun, or the trap of a checkpoint.
 */
function isTrap(value: unknown): boolean {
  if (typeof (value as { perform?: unknown } | null)?.perform !== "function") return false;
  try {
    return (value as Operation<unknown>)[Symbol.iterator]() === undefined;
  } catch {
    return true;
  }
}

function check(
  values: unknown[],
  keys: readonly unknown[],
  by: string,
  functions: boolean,
): BodyLike[] {
  for (const [i, value] of values.entries()) {
    if (functions && typeof value === "function") continue;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      if (Symbol.iterator in value) continue;
    }
    const what = functions ? "a coroutine or a function* that makes one" : "a coroutine";
    const hint = typeof value === "function"
      ? ": call it"
      : isThenable(value)
      ? ": wrap it in until(promise)"
      : "";
    throw wrongKind(what, value, `${by}(), ${show(keys[i])}${hint}`);
  }
  return values as BodyLike[];
}
