/**
 * Workers: run a body for each of many items, so many at a time: under `mapConcurrent`,
 * `asCompleted` and `forEach` with concurrency.
 *
 * Invariants
 * - A worker is a slot, and has the limiter's before it pulls. After its pull it starts another
 *   worker, if there may be more and none waits to pull. So an item is pulled only when a slot is
 *   free for it, and items begin in order.
 * - Where pulling takes time, or a limiter does, one worker at a time waits to pull: one that is
 *   done while another waits ends. Else all go on, and tasks are reused: with 8 slots and a
 *   million items 8 tasks do the work.
 * - After a failure, a cancel or `stop` nothing more is pulled.
 * - A worker that was cancelled alone (its body cancelled the task it runs in) ends the whole with
 *   an error: its item has no result, and others may not have been pulled.
 *
 * Rejected: a task for each item, which costs three times as much and pulls items before their
 * turn. One puller at a time always, which came to that: a third dearer where items are at hand.
 */
import { checkInteger, wrongKind } from "../check.ts";
import { CancelScope, type ScopeCore } from "../kernel/cancel_scope.ts";
import { checkpoint } from "../kernel/checkpoint.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import type { Nursery } from "../kernel/nursery.ts";
import { endError, type TaskCore } from "../kernel/task.ts";
import { isOperation, type ItemReader } from "./items.ts";

/**
 * What limits how many are under way: `Semaphore`, `CapacityLimiter`, `RateLimiter`, or anything
 * else of this form.
 *
 * @example
 * ```ts
 * import type { Limiter } from "jsr:@broomio/core";
 * import { CapacityLimiter, Loop, mapConcurrent, RateLimiter } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const tokens = new CapacityLimiter(2);
 * const rate = new RateLimiter({ limit: 100 });
 * const both: Limiter = { // two at a time, and 100 a second
 *   *acquire() {
 *     yield* rate.acquire();
 *     yield* tokens.acquire();
 *   },
 *   release: () => tokens.release(),
 * };
 * function* double(n: number) {
 *   return 2 * n;
 * }
 * const results = await new Loop().run(mapConcurrent([1, 2, 3], double, { concurrency: both }));
 * assertEquals(results, [2, 4, 6]);
 * ```
 */
export interface Limiter {
  /** Waits for a slot. A checkpoint, or else items that never wait would starve other tasks. */
  acquire(): Operation<unknown>;
  /** Gives the slot back. Called by the task that acquired it. */
  release(): void;
}

/**
 * How many at a time: an integer of at least 1, `Infinity`, or a limiter, which may be shared.
 *
 * @example
 * ```ts
 * import { type Concurrency, Loop, mapConcurrent, RateLimiter, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * async function timeOf(concurrency: Concurrency): Promise<number> {
 *   const loop = new Loop({ host: new VirtualClock() });
 *   await loop.run(mapConcurrent([1, 1, 1, 1], sleep, { concurrency }));
 *   return loop.now; // seconds
 * }
 * assertEquals(await timeOf(2), 2); // two at a time
 * assertEquals(await timeOf(Infinity), 1);
 * ```
 */
export type Concurrency = number | Limiter;

/**
 * Checks a concurrency.
 *
 * @throws {TypeError} If it is neither a number nor a limiter.
 * @throws {RangeError} If it is a number and no integer of at least 1, nor Infinity.
 */
export function checkConcurrency(concurrency: Concurrency, by: string): Concurrency {
  const name = `concurrency of ${by}()`;
  if (typeof concurrency === "number") return checkInteger(concurrency, name, 1, Infinity, true);
  const { acquire, release } = concurrency ?? {};
  if (typeof acquire === "function" && typeof release === "function") return concurrency;
  throw wrongKind("a number, or a limiter with acquire() and release()", concurrency, name);
}

/** A task that works through items. */
class WorkingTask {
  declare task: TaskCore;
}

/** The tasks that work through items. */
export class Workers<T, R = unknown> {
  readonly #nursery: Nursery;
  readonly #reader: ItemReader<T>;
  readonly #work: (item: T, index: number) => Operation<R>;
  readonly #limit: number;
  readonly #limiter: Limiter | null;
  readonly #name: string;
  /** Called with what the work on an item gave. */
  readonly #whenWorked: ((value: R, index: number) => void) | undefined;
  /** Called when the last worker has ended. */
  readonly #whenDone: (() => void) | undefined;
  #pulled = 0;
  #workers = 0;
  /** How many workers pull, or are about to. */
  #pulling = 0;
  /** Around a pull that has to be waited for. */
  #pullScope: CancelScope | null = null;
  #stopped = false;
  /** The first worker that failed or was cancelled alone. */
  #broken: WorkingTask | null = null;

  constructor(
    nursery: Nursery,
    reader: ItemReader<T>,
    work: (item: T, index: number) => Operation<R>,
    options: {
      concurrency: Concurrency;
      name: string;
      whenWorked?: (value: R, index: number) => void;
      whenDone?: () => void;
    },
  ) {
    const { concurrency, name, whenWorked, whenDone } = options;
    this.#nursery = nursery;
    this.#reader = reader;
    this.#work = work;
    this.#limit = typeof concurrency === "number" ? concurrency : Infinity;
    this.#limiter = typeof concurrency === "number" ? null : concurrency;
    this.#name = name;
    this.#whenWorked = whenWorked;
    this.#whenDone = whenDone;
    this.#startWorker();
  }

  /** Pulls no more; what is under way goes on. */
  stop(): void {
    this.#stopped = true;
    this.#pullScope?.cancel();
  }

  /**
   * Called when all have ended and none has failed.
   *
   * @throws {TaskCancelledError} If one was cancelled alone.
   */
  checkEnd(): void {
    if (this.#broken !== null) throw endError(this.#broken.task);
  }

  #startWorker(): void {
    this.#pulling++;
    this.#workers++;
    const worker = new WorkingTask();
    worker.task = this.#nursery.startSoon(this.#run(worker), { name: this.#name }) as TaskCore;
  }

  /**
   * One generator does everything, for speed: each one more costs a tenth of what an item costs.
   */
  *#run(worker: WorkingTask): Coroutine {
    const limiter = this.#limiter;
    const goOn = limiter === null && this.#reader.isAtHand;
    let well = false;
    try {
      while (!this.#stopped) {
        // Before each pull a checkpoint, as acquiring is one too: bodies that never wait starve
        // nobody (R5), and a cancel lands here.
        if (limiter === null) yield* checkpoint();
        else yield* limiter.acquire();
        try {
          if (this.#stopped) break; // while the slot was waited for
          const next = this.#reader.next();
          const result = isOperation(next) ? yield* this.#pull(next) : next;
          if (result === undefined || result.done === true) break;
          const index = this.#pulled++;
          if (--this.#pulling === 0 && this.#workers < this.#limit && !this.#stopped) {
            this.#startWorker();
          }
          const value = yield* this.#work(result.value, index);
          this.#whenWorked?.(value, index);
        } finally {
          if (limiter !== null) limiter.release();
        }
        if (this.#pulling > 0 && !goOn) {
          well = true;
          return;
        }
        this.#pulling++;
      }
      this.#stopped = well = true;
    } finally {
      if (!well) {
        this.#stopped = true;
        // Else it was cancelled with all the others.
        if ((this.#nursery.scope as ScopeCore).cause === null) this.#broken ??= worker;
      }
      if (--this.#workers === 0) this.#whenDone?.();
    }
  }

  /** Waits for an item, until `stop`. One that has come by then is worked on all the same (R18). */
  *#pull(
    next: Operation<IteratorResult<T, unknown>>,
  ): Coroutine<IteratorResult<T, unknown> | undefined> {
    const result = yield* CancelScope.open((scope) => {
      this.#pullScope = scope;
      return next;
    }, { name: this.#name });
    this.#pullScope = null;
    return result;
  }
}
