/**
 * What a coroutine may yield, and what the loop gives back: the types `Coroutine`, `Operation` and
 * `Trap`, and `toIterator`, through which every coroutine enters a loop.
 *
 * Invariant: a generator is given to a loop once.
 * Independent of: how tasks are queued, and who settles a wait.
 */
import { show } from "../check.ts";
import { Command } from "./command.ts";

/**
 * A unit of work that a loop drives: the object that calling a `function*` gives. Nothing of it
 * runs until a loop starts it; inside it, `yield*` is what `await` is in an async function.
 *
 * @example
 * ```ts
 * import { type Coroutine, Loop, sleep } from "jsr:@broomio/core";
 *
 * function* tick(): Coroutine<string> {
 *   yield* sleep(0.01);
 *   return "tock";
 * }
 * console.log(await new Loop().run(tick()));
 * ```
 */
export type Coroutine<T = void> = Generator<Trap, T, unknown>;

/**
 * Whatever `yield*` accepts inside a coroutine: the waiting functions of this package return one,
 * and a {@linkcode Coroutine} is one. An operation that carries state is used once. One that is
 * made and never begun does nothing, without a word: the lint rules of `@broomio/core/lint` find it
 * before the program runs, and `new Loop({ debug: true })` may, afterwards.
 *
 * @example
 * ```ts
 * import { Loop, type Operation, sleep } from "jsr:@broomio/core";
 *
 * const pause: Operation<void> = sleep(0.01);
 * await new Loop().run(pause);
 * ```
 */
export interface Operation<T> {
  /** Starts the operation; called by `yield*`. */
  [Symbol.iterator](): Iterator<Trap, T, unknown>;
}

/**
 * What an operation yields to the loop. Traps are made by operations only: a coroutine says `yield*
 * operation`, never `yield trap`.
 *
 * @example
 * ```ts
 * import { checkpoint, type Coroutine, Loop, type Trap } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // Passes the traps of a coroutine on to the loop, and counts them.
 * function* counted<T>(inner: Coroutine<T>): Generator<Trap, [T, number], unknown> {
 *   let traps = 0;
 *   for (let step = inner.next();; step = inner.next(yield step.value)) {
 *     if (step.done) return [step.value, traps];
 *     traps++;
 *   }
 * }
 * function* work() {
 *   yield* checkpoint();
 *   yield* checkpoint();
 *   return "done";
 * }
 * assertEquals(await new Loop().run(counted(work())), ["done", 2]);
 * ```
 */
export interface Trap {
  /** Carries the trap out for a task; called by the loop. True where the task goes on at once. */
  perform(task: never): boolean;
}

/**
 * A coroutine or operation, or a function that gives one.
 *
 * @example
 * ```ts
 * import { type Body, call, type Coroutine, currentLoop, Loop, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // How long a body takes, in seconds.
 * function* timeOf(body: Body<unknown>): Coroutine<number> {
 *   const loop = yield* currentLoop();
 *   const start = loop.now;
 *   yield* call(body);
 *   return loop.now - start;
 * }
 * const loop = new Loop({ host: new VirtualClock() });
 * assertEquals(await loop.run(timeOf(sleep(5))), 5); // an operation, or a coroutine
 * assertEquals(await loop.run(timeOf(() => sleep(5))), 5); // a function that makes one
 * ```
 */
export type Body<T, Arguments extends unknown[] = []> =
  | Operation<T>
  | ((...args: Arguments) => Operation<T>);

/**
 * What the loop sends to resume the one stateless command, `checkpoint()`: anything but
 * `undefined`, which means "begin". Not a symbol: storing one of the engine's own constants needs
 * no write barrier.
 */
export const RESUMED = null;

/**
 * What the loop passes to a generator's `return()`, to tell unwinding from a `return` of the
 * coroutine's own.
 */
export const UNWOUND: unique symbol = Symbol("unwound");

/**
 * On every iterator that a loop was given, but for those in `givenUnmarked`. A property costs a few
 * ns where V8 knows the shape of the object, and 600 to 900 where that is new.
 */
const GIVEN: unique symbol = Symbol("broomio.given");
/**
 * Generators that a loop was given and that are not marked, because their function was not among
 * the last ones seen. Each generator function gives its generators a shape of their own, so one
 * that is written in place makes a new shape at each call. A place in a WeakSet costs 150 to 300 ns
 * then, whatever the shape, and as much again in the collector. To note the first generator of a
 * function on its prototype would cost 100, but keep it, with the arguments of its call, for as
 * long as there is the function.
 */
const givenUnmarked = new WeakSet<object>();
/**
 * The prototypes of the generators seen last: each generator function has one of its own. So many
 * that a program which starts a dozen kinds of task in turn has them all here.
 */
const recentPrototypes: (object | null)[] = new Array(16).fill(null);
let nextRecent = 0;

/** What every generator function inherits, and what every generator does. */
const GENERATOR_FUNCTION: object = Object.getPrototypeOf(function* () {});
const GENERATOR: object = (GENERATOR_FUNCTION as { prototype: object }).prototype;

function AnyGenerator(): void {}
AnyGenerator.prototype = GENERATOR;

/**
 * Whether something is a native generator. By its prototypes and not by its `next`: each generator
 * function gives its generators a shape of their own, and where the function is written in place,
 * that shape is new at each call, so looking up any property costs 0.3 to 1 us. This costs 0.04.
 */
export function isGenerator(value: object): boolean {
  return value instanceof AnyGenerator;
}

/**
 * The iterator of a coroutine or operation that is given to a loop.
 *
 * @param by What was called, for the message: "startSoon".
 * @throws {TypeError} If it is not a fresh coroutine or operation; the message says what to write
 * instead.
 */
export function toIterator<T>(given: Operation<T>, by: string): Iterator<Trap, T, unknown> {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) {
    if (isGenerator(given)) return markGenerator(given as Coroutine<T>, by);
    const begin = given[Symbol.iterator];
    if (typeof begin === "function") {
      const iterator = begin.call(given);
      if (given instanceof Command) given.claim();
      else if (iterator as unknown === given) return markGiven(iterator, by);
      return iterator;
    }
  }
  throw new TypeError(misuse(given, by));
}

/** Notes that a loop was given this iterator, which is its own iterable. */
function markGiven<I extends object>(iterator: I & { [GIVEN]?: boolean }, by: string): I {
  if (iterator[GIVEN] === true) throw givenAlready(by);
  iterator[GIVEN] = true;
  return iterator;
}

/** The same for a native generator. */
function markGenerator<G extends object>(generator: G, by: string): G {
  const prototype = Object.getPrototypeOf(generator);
  if (recentPrototypes.includes(prototype)) {
    if (givenUnmarked.has(generator)) throw givenAlready(by);
    return markGiven(generator, by);
  }
  // Not a look-up of the property by name: that costs as much as adding it, where the shape is new.
  if (Object.hasOwn(generator, GIVEN) || givenUnmarked.has(generator)) throw givenAlready(by);
  givenUnmarked.add(generator);
  recentPrototypes[nextRecent++ % recentPrototypes.length] = prototype;
  return generator;
}

function givenAlready(by: string): TypeError {
  return new TypeError(
    `${by}() was given a coroutine that a loop was given already: call the function* again for a fresh one`,
  );
}

/**
 * The iterator of a body; one that throws where a function body throws, so that leaving works the
 * same either way.
 */
export function bodyIterator<T, A extends unknown[]>(
  body: Body<T, A>,
  by: string,
  ...args: A
): Iterator<Trap, T, unknown> {
  try {
    if (typeof body !== "function") return toIterator(body, by);
    const made = body(...args);
    // What a generator function gives is a generator, and fresh: there is nothing to check or mark.
    return Object.getPrototypeOf(body) === GENERATOR_FUNCTION
      ? made as Coroutine<T>
      : toIterator(made, by);
  } catch (error) {
    return failing(error);
  }
}

/** An iterator that throws when resumed: stands in for a coroutine that cannot go on. */
export function failing(error: unknown): Iterator<Trap, never, unknown> {
  return {
    next() {
      throw error;
    },
  };
}

function misuse(given: unknown, by: string): string {
  if (typeof given === "function") {
    const name = given.name || "main";
    return `${by}() was given the function ${name} itself: call it, as in ${by}(${name}())`;
  }
  if (typeof given === "object" && given !== null) {
    if (typeof (given as { then?: unknown }).then === "function") {
      return `${by}() was given a promise: make the async function a function*, or wrap it, as in ${by}(until(promise))`;
    }
    if (Symbol.asyncIterator in given) {
      return `${by}() was given an async generator: make the async function* a function*, with yield* for await`;
    }
  }
  return `${by}() wants a coroutine, the result of calling a function*, and was given ${
    show(given)
  }`;
}

/** The sentence for a value that a coroutine yielded and that is not a trap. */
export function notATrap(value: unknown): string {
  if (value === undefined) {
    return "A bare yield does nothing here: use yield* checkpoint() to let other tasks run";
  }
  try {
    if (typeof value === "object" && value !== null) {
      if (typeof (value as { then?: unknown }).then === "function") {
        return "Yielded a promise: use yield* until(promise)";
      }
      if (Symbol.iterator in value) return "Yielded a coroutine: use yield* instead of yield";
    }
  } catch {
    // A proxy or a getter that cannot be looked at.
  }
  return `Yielded ${
    show(value)
  }: a coroutine waits with yield* and an operation, as in yield* sleep(1)`;
}
