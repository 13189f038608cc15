/**
 * lazy: a value that is computed once, when it is first asked for, and shared by all who ask.
 *
 * Invariants
 * - The body runs in a task of its own, at the root of the loop, exactly while somebody waits for
 *   it: cancelling one who waits leaves the others alone, and where the last one is cancelled, the
 *   task is cancelled too and its end waited for.
 * - The body never runs twice at once: who asks while a cancelled computation cleans up waits for
 *   that, and then begins anew.
 * - A value is kept for good; an error is given to those who wait and not kept: who asks next
 *   begins anew.
 * - No error is lost: one of the cleanup of a computation that was cancelled is thrown to the last
 *   who waited. Cleanup that the body registers belongs to the computation: hence its scope.
 */
import { checkFunction } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { CancelScope } from "../kernel/cancel_scope.ts";
import type { TaskCore } from "../kernel/task.ts";
import { Call } from "./call.ts";
import { currentTask } from "./current.ts";
import { settle, type Settled } from "./settle.ts";
import { shield } from "./shield.ts";

/**
 * What {@linkcode lazy} gives: `yield* value` or `yield* value()`, as often as one likes.
 *
 * @example
 * ```ts
 * import { type Lazy, lazy, Loop, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * class Service {
 *   #loads = 0;
 *   readonly config: Lazy<number> = lazy(() => this.#load());
 *   *#load() {
 *     yield* sleep(0.01);
 *     return ++this.#loads;
 *   }
 * }
 * const service = new Service();
 * await new Loop().run(service.config());
 * assertEquals(await new Loop().run(service.config()), 1); // loaded once
 * ```
 */
export interface Lazy<T> extends Operation<T> {
  /** An operation that gives the value. */
  (): Operation<T>;
}

/** One computation under way. */
class Computation<T> {
  waiting = 0;
  /** Somebody was given its value or error. */
  told = false;
  declare task: TaskCore<Settled<T>>;
}

class LazyCore<T> {
  readonly #body: () => Operation<T>;
  #value: { readonly value: T } | null = null;
  #computation: Computation<T> | null = null;
  /** The task of the computation that was cancelled last; it may still clean up. */
  #ending: TaskCore | null = null;

  constructor(body: () => Operation<T>) {
    this.#body = body;
  }

  *get(): Coroutine<T> {
    while (this.#ending !== null && !this.#ending.ended) yield* settle(this.#ending.join());
    if (this.#value !== null) return this.#value.value;
    const computation = this.#computation ??= this.#begin((yield* currentTask()) as TaskCore);
    computation.waiting++;
    let ended = false;
    try {
      const result = yield* computation.task.join();
      ended = computation.told = true;
      if (result.ok) return result.value;
      throw result.error;
    } finally {
      computation.waiting--;
      if (!ended && computation.waiting === 0) yield* shield(this.#abandon(computation));
    }
  }

  /** The last who waited was cancelled, and so is the computation; an error then is not lost. */
  *#abandon(computation: Computation<T>): Coroutine<void> {
    const { task } = computation;
    if (!task.ended) {
      if (this.#computation === computation) this.#computation = null;
      this.#ending = task as TaskCore;
      task.cancel("nobody waits for it any more");
    }
    const end = yield* settle(task.join());
    if (end.ok && !end.value.ok && !computation.told) throw end.value.error;
  }

  #begin(task: TaskCore): Computation<T> {
    const computation = new Computation<T>();
    const started = task.scheduler.loop.startSoon(this.#compute(computation), { name: "lazy" });
    computation.task = started as TaskCore<Settled<T>>;
    return computation;
  }

  *#compute(computation: Computation<T>): Coroutine<Settled<T>> {
    try {
      const result = yield* settle(CancelScope.open(this.#body)) as Operation<Settled<T>>;
      if (result.ok) this.#value = result;
      return result;
    } finally {
      if (this.#computation === computation) this.#computation = null;
    }
  }
}

/**
 * A value that is computed once, by `body`, when it is first asked for; all who ask meanwhile wait
 * for the same computation. One who is cancelled while waiting leaves the others alone; with the
 * last one the computation is cancelled too, and an error of its cleanup is thrown to that one. An
 * error is not kept: who asks after it begins anew. What the body registers with `ensure` or `use`
 * ends with the computation. A checkpoint only where it waits.
 *
 * @param body A function that makes a coroutine.
 * @throws {TypeError} If `body` is no function.
 * @example
 * ```ts
 * import { all, lazy, Loop, sleep } from "jsr:@broomio/core";
 *
 * const config = lazy(function* () {
 *   console.log("loading"); // once
 *   yield* sleep(0.01);
 *   return { port: 8080 };
 * });
 * function* server() {
 *   return (yield* config()).port;
 * }
 * console.log(await new Loop().run(all([server(), server()]))); // [8080, 8080]
 * ```
 */
export function lazy<T>(body: () => Operation<T>): Lazy<T> {
  checkFunction(body, "body of lazy()", "a function* that computes the value");
  const core = new LazyCore(body);
  const get = () => new Call(() => core.get(), "lazy") as Operation<T>;
  return Object.assign(get, { [Symbol.iterator]: () => get()[Symbol.iterator]() });
}
