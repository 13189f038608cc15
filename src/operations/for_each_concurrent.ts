/**
 * forEachConcurrent: `forEach` of a receiver with several bodies under way at a time. The source
 * stays open.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { Nursery } from "../kernel/nursery.ts";
import { type Concurrency, Workers } from "./concurrent.ts";
import { runVisitor, type Visitor } from "./for_each.ts";
import { DONE, Gather } from "./gather.ts";

/** Where values come from. */
interface ValueSource<T> {
  next(): Operation<IteratorResult<T, unknown>>;
}

/**
 * Options of `forEach`.
 *
 * @example
 * ```ts
 * import { type ForEachOptions, Loop, openChannel, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const { sender, receiver } = openChannel<number>(4);
 * for (const seconds of [2, 2, 2, 2]) sender.trySend(seconds);
 * sender.close();
 *
 * const options: ForEachOptions = { concurrency: 2 };
 * const loop = new Loop({ host: new VirtualClock() });
 * await loop.run(receiver.forEach((seconds) => sleep(seconds), options));
 * assertEquals(loop.now, 4); // seconds
 * ```
 */
export interface ForEachOptions {
  /**
   * How many bodies are under way at a time: an integer of at least 1, or Infinity; or a limiter,
   * whose `acquire` and `release` are called by the task that runs the body. A value is received
   * only when a body can begin with it. By default 1.
   */
  concurrency?: Concurrency;
}

/** The names in {@linkcode ForEachOptions}. */
export const FOR_EACH_OPTIONS = ["concurrency"] as const;

/**
 * Runs a body for each value, to the end or until one of them gives `false`: then nothing more is
 * received, and the rest finishes.
 */
export class ForEachConcurrent<T> extends Gather<void> {
  protected readonly by = "forEach";
  readonly #source: ValueSource<T>;
  readonly #body: Visitor<T>;
  readonly #concurrency: Concurrency;
  #workers: Workers<T, void> | null = null;

  constructor(source: ValueSource<T>, body: Visitor<T>, concurrency: Concurrency) {
    super();
    this.#source = source;
    this.#body = body;
    this.#concurrency = concurrency;
  }

  protected open(): Operation<unknown> {
    const source = this.#source;
    const body = this.#body;
    const reader = { isAtHand: false, next: () => source.next(), close: () => DONE };
    return Nursery.open((nursery) => {
      const options = { concurrency: this.#concurrency, name: "forEach" };
      const work = function* (value: T): Coroutine {
        if (!(yield* runVisitor(body, value))) workers.stop();
      };
      const workers: Workers<T, void> = new Workers(nursery, reader, work, options);
      this.#workers = workers;
      return DONE;
    }, { name: "forEach" });
  }

  result(): void {
    this.#workers!.checkEnd();
  }

  dropped(): Iterable<unknown> {
    return [];
  }
}
