/**
 * all, race, any and allSettled: one result of several coroutines, which run at the same time.
 *
 * Invariant: all have ended when the operation ends; what comes of errors and dropped values is in
 * gather.ts.
 */
import { NEXT } from "../kernel/frame.ts";
import { type Body, bodyIterator, type Operation, toIterator } from "../kernel/coroutine.ts";
import { Nursery, type NurseryOptions } from "../kernel/nursery.ts";
import { endError, type TaskCore } from "../kernel/task.ts";
import {
  type Bodies,
  type BodyLike,
  collect,
  type Collection,
  type Coroutines,
  type Given,
} from "./collection.ts";
import { DONE, Gather } from "./gather.ts";
import type { Settled } from "./settle.ts";

/**
 * The results of {@linkcode all}, in the form of what it was given: an array for an array or
 * another iterable, a tuple for a tuple, a map for a map, a record for a record.
 *
 * @example
 * ```ts
 * import { all, Loop, type Results, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* user() {
 *   yield* sleep(0.01);
 *   return "Ada";
 * }
 * const parts = { user: user(), delay: sleep(0.01) };
 * const results: Results<typeof parts> = await new Loop().run(all(parts));
 * assertEquals(results.user, "Ada");
 * ```
 */
export type Results<C extends Coroutines> = C extends readonly unknown[]
  ? { -readonly [K in keyof C]: Given<C[K]> }
  : C extends ReadonlyMap<infer K, infer V> ? Map<K, Given<V>>
  : C extends Iterable<infer V> ? Given<V>[]
  : { -readonly [K in keyof C]: Given<C[K]> };

/**
 * The results of {@linkcode allSettled}, in the form of what it was given.
 *
 * @example
 * ```ts
 * import { allSettled, Loop, type SettledResults } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* parse(text: string) {
 *   return JSON.parse(text) as number;
 * }
 * const bodies = [parse("7"), parse("{")] as const;
 * const [first, second]: SettledResults<typeof bodies> = await new Loop().run(allSettled(bodies));
 * assertEquals(first, { ok: true, value: 7 });
 * assertEquals(second.ok, false);
 * ```
 */
export type SettledResults<B extends Bodies> = B extends readonly unknown[]
  ? { -readonly [K in keyof B]: Settled<Given<B[K]>> }
  : B extends ReadonlyMap<infer K, infer V> ? Map<K, Settled<Given<V>>>
  : B extends Iterable<infer V> ? Settled<Given<V>>[]
  : { -readonly [K in keyof B]: Settled<Given<B[K]>> };

/**
 * What one of several gives.
 *
 * @example
 * ```ts
 * import { Loop, moveOnAfter, type OneOf, type Operation, race, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // The first result, or undefined where none comes within a second.
 * function firstInTime<const C extends Iterable<Operation<unknown>>>(
 *   coroutines: C,
 * ): Operation<OneOf<C> | undefined> {
 *   return moveOnAfter(1, race(coroutines));
 * }
 * function* answer() {
 *   yield* sleep(0.01);
 *   return 42;
 * }
 * assertEquals(await new Loop().run(firstInTime([sleep(60), answer()])), 42);
 * ```
 */
export type OneOf<C extends Iterable<BodyLike> | ReadonlyMap<unknown, BodyLike>> = C extends
  ReadonlyMap<unknown, infer V> ? Given<V> : C extends Iterable<infer V> ? Given<V> : never;

/** Runs every coroutine of a collection as a task. */
abstract class Together<T> extends Gather<T> {
  protected readonly by: string;
  protected readonly collection: Collection;
  protected readonly tasks: TaskCore[] = [];

  constructor(by: string, collection: Collection) {
    super();
    this.by = by;
    this.collection = collection;
  }

  protected open(): Operation<unknown> {
    return this.start({ name: this.by });
  }

  /**
   * Starts them; before any is started, all are seen to be fresh: what is not is an error of the
   * caller, not of a task.
   */
  protected start(options: NurseryOptions, each?: (task: TaskCore, nursery: Nursery) => void) {
    const { by, collection, tasks } = this;
    const begun = collection.coroutines.map((given) => begin(given, by));
    return Nursery.open((nursery) => {
      for (let i = 0; i < begun.length; i++) {
        const task = nursery.startSoon(begun[i], { name: collection.nameOf(i, by) }) as TaskCore;
        tasks.push(task);
        each?.(task, nursery);
      }
      return DONE;
    }, options);
  }

  /** The values of those that succeeded. */
  protected values(): unknown[] {
    return this.tasks.filter(({ mode }) => mode === NEXT).map(({ value }) => value);
  }
}

/** An operation that gives what was begun already. */
function begin(given: BodyLike, by: string): Operation<unknown> {
  const iterator = typeof given === "function"
    ? bodyIterator(given as Body<unknown>, by)
    : toIterator(given, by);
  return { [Symbol.iterator]: () => iterator };
}

/** The value of a task that did not fail. One that cancelled itself, alone, has none. */
function valueOf(task: TaskCore): unknown {
  if (task.mode === NEXT) return task.value;
  throw endError(task);
}

class All<T> extends Together<T> {
  result(): T {
    return this.collection.build(this.tasks.map(valueOf)) as T;
  }

  dropped(succeeded: boolean): Iterable<unknown> {
    return succeeded ? [] : this.values();
  }
}

/** Ends with the first that succeeds. */
abstract class FirstOf<T> extends Together<T> {
  protected winner: TaskCore | null = null;

  protected startUntilWon(options: NurseryOptions): Operation<unknown> {
    return this.start(options, (task, nursery) => {
      task.onEnd(() => {
        if (this.winner === null && task.mode === NEXT) {
          this.winner = task;
          nursery.cancel(`another won the ${this.by}`);
        }
        return false;
      });
    });
  }

  /** Never what was given: two may have ended with the same object. */
  dropped(succeeded: boolean): Iterable<unknown> {
    const values = this.values();
    if (!succeeded) return values;
    const given = this.winner!.value;
    return values.filter((value) => value !== given);
  }
}

class Race<T> extends FirstOf<T> {
  protected override open(): Operation<unknown> {
    return this.startUntilWon({ name: this.by });
  }

  result(): T {
    return valueOf(this.winner ?? this.tasks[0]) as T;
  }
}

class Any<T> extends FirstOf<T> {
  protected override open(): Operation<unknown> {
    return this.startUntilWon({ name: this.by, exceptionPolicy: "ignore" });
  }

  result(): T {
    if (this.winner !== null) return this.winner.value as T;
    const errors = this.tasks.map(endError);
    const count = errors.length === 0 ? "any() of nothing cannot succeed" : "None succeeded";
    throw new AggregateError(errors, `${count} (${errors.length} errors)`);
  }
}

class AllSettled<T> extends Together<T> {
  protected override open(): Operation<unknown> {
    return this.start({ name: this.by, exceptionPolicy: "ignore" });
  }

  result(): T {
    return this.collection.build(
      this.tasks.map((task) =>
        task.mode === NEXT ? { ok: true, value: task.value } : { ok: false, error: endError(task) }
      ),
    ) as T;
  }

  dropped(succeeded: boolean): Iterable<unknown> {
    return succeeded ? [] : this.values();
  }
}

/**
 * Runs coroutines at the same time and gives all their results, in the form in which the coroutines
 * were given: an array, another iterable, a map or a record. A checkpoint, but for none. The first
 * to fail cancels the others. A result of the others, then or under a cancel, is dropped: one that
 * is disposable is disposed.
 *
 * @throws {unknown} The error, if one of them failed; a {@linkcode NurseryError} of all errors, if
 * several did.
 * @throws {TypeError} If it is no such collection, or one is not a fresh coroutine or operation.
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
export function all<const C extends Coroutines>(coroutines: C): Operation<Results<C>> {
  return new All("all", collect(coroutines, "all", { functions: false, records: true }));
}

/**
 * Runs coroutines at the same time and gives the result of the first to end; the others are
 * cancelled, and their cleanup is waited for. Results of others that ended in the same turn are
 * dropped, and disposed if they are disposable: use `select` if none may be lost. A checkpoint.
 *
 * @throws {unknown} The error, if one failed before the first had ended, or while it was cancelled;
 * a {@linkcode NurseryError} of all errors, if several did.
 * @throws {RangeError} If there are none: nobody would ever win.
 * @throws {TypeError} If it is no collection, or one is not a fresh coroutine or operation.
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
export function race<
  const C extends Iterable<Operation<unknown>> | ReadonlyMap<unknown, Operation<unknown>>,
>(
  coroutines: C,
): Operation<OneOf<C>> {
  const collection = collect(coroutines, "race", { functions: false, records: false });
  if (collection.coroutines.length === 0) {
    throw new RangeError("race() of nothing would never end: give it a coroutine");
  }
  return new Race("race", collection);
}

/**
 * Runs bodies at the same time and gives the result of the first to succeed; the others are
 * cancelled, and their cleanup is waited for. Errors count only if all fail. Results that are
 * dropped are disposed if they are disposable. A checkpoint.
 *
 * @throws {AggregateError} If all failed, or there are none: their errors, in the order of the
 * bodies.
 * @throws {TypeError} If it is no collection, or one is no body.
 * @example
 * ```ts
 * import { any, Loop, sleep } from "jsr:@broomio/core";
 *
 * function* mirror(name: string, seconds: number, works: boolean) {
 *   yield* sleep(seconds);
 *   if (!works) throw new Error(`${name} is down`);
 *   return name;
 * }
 * const mirrors = [mirror("near", 0.01, false), mirror("far", 0.02, true)];
 * console.log(await new Loop().run(any(mirrors))); // far
 * ```
 */
export function any<const B extends Iterable<BodyLike> | ReadonlyMap<unknown, BodyLike>>(
  bodies: B,
): Operation<OneOf<B>> {
  return new Any("any", collect(bodies, "any", { functions: true, records: false }));
}

/**
 * Runs bodies at the same time, to the end of each, and gives how each ended: `{ ok: true, value }`
 * or `{ ok: false, error }`, in the form in which the bodies were given. A cancel from outside is
 * none of these: it cancels all. A checkpoint, but for none.
 *
 * @throws {TypeError} If it is no collection, or one is no body.
 * @example
 * ```ts
 * import { allSettled, Loop, sleep } from "jsr:@broomio/core";
 *
 * function* check(n: number) {
 *   yield* sleep(0.01);
 *   if (n > 1) throw new RangeError(`${n} is too large`);
 *   return n;
 * }
 * for (const result of await new Loop().run(allSettled([check(1), check(2)]))) {
 *   console.log(result.ok ? result.value : String(result.error)); // 1, RangeError: 2 is too large
 * }
 * ```
 */
export function allSettled<const B extends Bodies>(bodies: B): Operation<SettledResults<B>> {
  return new AllSettled(
    "allSettled",
    collect(bodies, "allSettled", { functions: true, records: true }),
  );
}
