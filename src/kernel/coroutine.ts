/**
 * What a coroutine may yield, and what the loop gives back.
 *
 * Lives here: the `Coroutine`, `Operation` and `Trap` types, `Command` (the base of every operation this
 * package makes) and `toIterator`, the gate through which every coroutine enters a loop.
 * Invariant: a command is used once; a generator is given to a loop once.
 * Must never know: how tasks are queued, or who settles a wait.
 *
 * Why a command is its own iterator. `yield* sleep(1)` asks for an iterator, calls its `next(undefined)`, passes what that
 * yields to whoever drives the coroutine, and calls `next(value)` with what the driver sends. A generator function would
 * need a second generator object for each wait (66 ns a switch where this needs 33); so a command hands out
 * itself, yields itself as the trap, and reuses one result record for all. The record is read by the loop before
 * any other code runs, so sharing it is safe.
 */
import type { TaskCore } from "./task.ts";

/**
 * A unit of work that a loop drives: the object that calling a `function*` gives. Nothing of it runs until a loop starts
 * it; inside it, `yield*` is what `await` is in an async function.
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
 * Whatever `yield*` accepts inside a coroutine: the waiting functions of this package return one, and a {@linkcode Coroutine}
 * is one. An operation that carries state is used once.
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
 * What an operation yields to the loop. Traps are made by operations only: a coroutine says `yield* operation`, never
 * `yield trap`.
 */
export interface Trap {
  /** Carries the trap out for a task; called by the loop. True where the task goes on at once. */
  perform(task: never): boolean;
}

/** A coroutine or operation, or a function that gives one. */
export type Body<T, Arguments extends unknown[] = []> =
  | Operation<T>
  | ((...args: Arguments) => Operation<T>);

/**
 * What the loop sends to resume the one stateless command, `checkpoint()`: anything but `undefined`, which means "begin".
 * Not a symbol: storing one of the engine's own constants needs no write barrier.
 */
export const RESUMED = null;

/** What the loop passes to a generator's `return()`, to tell unwinding from a `return` of the coroutine's own. */
export const UNWOUND: unique symbol = Symbol("unwound");

/** On every generator that a loop was given. A property costs a few ns where a WeakSet costs 150 to 500. */
const GIVEN: unique symbol = Symbol("broomio.given");

const FRESH = 0;
const CLAIMED = 1;
const YIELDED = 2;
const PERFORMED = 3;
const FINISHED = 4;

/** Told whenever a coroutine yields a command: how the loop learns where a suspended generator stands. */
let observer: (() => void) | null = null;

/** Sets the observer while a task is stepped whose position will be wanted (see `Scheduler.step`). */
export function observeYields(next: (() => void) | null): void {
  observer = next;
}

/** The base of every operation of this package: its own iterator and its own trap. */
export abstract class Command<T> implements Operation<T>, Iterator<Trap, T, unknown>, Trap {
  /** FRESH until `yield*` begins it (CLAIMED between, where a loop is given it), YIELDED until the loop performs it, PERFORMED until it is resumed. */
  declare private stage: number;

  /** Fields are declared and set here, in every base of an operation: each class with initializers costs 10 ns an object. */
  constructor() {
    this.stage = FRESH;
  }

  /** Carries the command out: false where it parked or rescheduled the task, true where the task goes on with `task.value`. */
  abstract perform(task: TaskCore): boolean;

  [Symbol.iterator](): Iterator<Trap, T, unknown> {
    if (this.stage !== FRESH) {
      throw new TypeError(
        `This operation (${this.describe()}) was used already: make a new one for each yield*`,
      );
    }
    return this;
  }

  next(sent?: unknown): IteratorResult<Trap, T> {
    if (this.stage <= CLAIMED) {
      this.stage = YIELDED;
      if (observer !== null) observer();
      yielding.value = this;
      return yielding;
    }
    this.stage = FINISHED;
    returning.value = sent;
    return returning as IteratorReturnResult<T>;
  }

  throw(error: unknown): IteratorResult<Trap, T> {
    this.stage = FINISHED;
    this.explain(error);
    throw error;
  }

  /** Makes a finished operation fresh, for its maker, who may hand out again what nobody has any more: false where it is not finished. */
  renew(): boolean {
    if (this.stage !== FINISHED) return false;
    this.stage = FRESH;
    return true;
  }

  /** Keeps it for a task that will begin it later: nobody else can use it from now on. */
  claim(): void {
    this.stage = CLAIMED;
  }

  /** Uses the operation without `yield*`: for one that carries out others, as `select` does. */
  adopt(): void {
    this[Symbol.iterator]();
    this.stage = PERFORMED;
  }

  /** Called first by `perform`: `yield operation` without the star reaches the loop without having been begun. */
  protected begin(): void {
    if (this.stage !== YIELDED) {
      throw new TypeError(
        `Yielded an operation (${this.describe()}): write yield* instead of yield`,
      );
    }
    this.stage = PERFORMED;
  }

  /** Called with an error that is about to surface at the `yield*`, on the coroutine's own stack. */
  protected explain(_error: unknown): void {}

  /** What the task does here, for warnings and deadlock reports. */
  abstract describe(): string;
}

const yielding: IteratorYieldResult<Trap> = { done: false, value: undefined as unknown as Trap };
const returning: IteratorReturnResult<unknown> = { done: true, value: undefined };

/** Our own frames, below those of a coroutine; they tell a user nothing. */
const DRIVER =
  /^ +at (?:resumeTask|resumeAbruptly|[\w$.]*\.#?(?:step|runBatch)|#(?:step|runBatch)) \(/; // "#step" alone is Node's
/** What an engine puts between a generator and its driver. */
const GLUE = /^ +at [\w$.]+\.(?:next|throw|return) \(<anonymous>\)$/;

/** The frames of a stack that are a coroutine's. */
export function coroutineFrames(lines: string[]): string[] {
  const end = lines.findIndex((line) => DRIVER.test(line));
  return (end < 0 ? lines : lines.slice(0, end)).filter((line) => !GLUE.test(line));
}

/** The stack below the call of `above`: of a coroutine, as far as `yield*` reaches. */
export function coroutineStack(above: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  const capture =
    (Error as { captureStackTrace?(target: object, above: unknown): void }).captureStackTrace;
  if (capture === undefined) return new Error().stack ?? "";
  capture(holder, above);
  return coroutineFrames(holder.stack?.split("\n").slice(1) ?? []).join("\n");
}

/**
 * The iterator of a coroutine or operation that is given to a loop.
 *
 * @param by What was called, for the message: "startSoon".
 * @throws {TypeError} If it is not a fresh coroutine or operation; the message says what to write instead.
 */
export function toIterator<T>(given: Operation<T>, by: string): Iterator<Trap, T, unknown> {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) {
    const begin = given[Symbol.iterator];
    if (typeof begin === "function") {
      const iterator = begin.call(given);
      if (given instanceof Command) given.claim();
      else if (iterator as unknown === given) {
        // A generator, or any other iterator that is its own.
        const marked = given as { [GIVEN]?: boolean };
        if (marked[GIVEN] === true) {
          throw new TypeError(
            `${by}() was given a coroutine that a loop was given already: call the function* again for a fresh one`,
          );
        }
        marked[GIVEN] = true;
      }
      return iterator;
    }
  }
  throw new TypeError(misuse(given, by));
}

/** The iterator of a body; one that throws where a function body throws, so that leaving works the same either way. */
export function bodyIterator<T, A extends unknown[]>(
  body: Body<T, A>,
  by: string,
  ...args: A
): Iterator<Trap, T, unknown> {
  try {
    return toIterator(typeof body === "function" ? body(...args) : body, by);
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
  if (typeof value === "object" && value !== null) {
    if (typeof (value as { then?: unknown }).then === "function") {
      return "Yielded a promise: use yield* until(promise)";
    }
    if (Symbol.iterator in value) return "Yielded a coroutine: use yield* instead of yield";
  }
  return `Yielded ${
    show(value)
  }: a coroutine waits with yield* and an operation, as in yield* sleep(1)`;
}

function show(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 40))}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) {
    const name = (value as object).constructor?.name;
    return name ? `an object of class ${name}` : "an object";
  }
  return String(value);
}
