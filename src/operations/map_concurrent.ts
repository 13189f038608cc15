/**
 * mapConcurrent and asCompleted: a mapper over many items, so many at a time.
 *
 * Independent of: where the items come from (items.ts), how tasks share the work (concurrent.ts).
 */
import { checkFunction, checkOptions, wrongKind } from "../check.ts";
import type { Operation } from "../kernel/coroutine.ts";
import { Nursery } from "../kernel/nursery.ts";
import { Wait } from "../kernel/wait.ts";
import { ListedWait, WaitList } from "../kernel/wait_list.ts";
import { checkConcurrency, type Concurrency, Workers } from "./concurrent.ts";
import { runVisitor, type Visitor } from "./for_each.ts";
import { DONE, Gather } from "./gather.ts";
import { type ItemReader, type Items, toReader } from "./items.ts";

/**
 * Options of {@linkcode mapConcurrent} and {@linkcode asCompleted}.
 *
 * @example
 * ```ts
 * import { Loop, mapConcurrent, type MapConcurrentOptions, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: MapConcurrentOptions = { concurrency: 2 };
 * const loop = new Loop({ host: new VirtualClock() });
 * await loop.run(mapConcurrent([1, 1, 1, 1], (seconds) => sleep(seconds), options));
 * assertEquals(loop.now, 2); // seconds: two at a time
 * ```
 */
export interface MapConcurrentOptions {
  /**
   * How many items are mapped at a time: an integer of at least 1, or Infinity; or a limiter, such
   * as a `CapacityLimiter` that others use too, or a `RateLimiter`. Its `acquire` and `release` are
   * called by the task that does the item. By default Infinity.
   */
  concurrency?: Concurrency;
}

/**
 * Maps one item; `index` counts from 0.
 *
 * @example
 * ```ts
 * import { Loop, mapConcurrent, type Mapper, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const number: Mapper<string, string> = function* (line, index) {
 *   yield* sleep(0.01);
 *   return `${index + 1}. ${line}`;
 * };
 * assertEquals(await new Loop().run(mapConcurrent(["a", "b"], number)), ["1. a", "2. b"]);
 * ```
 */
export type Mapper<T, R> = (item: T, index: number) => Operation<R>;

const KNOWN = ["concurrency"] as const;

/** What both forms share. */
abstract class Mapping<T, R, Out> extends Gather<Out> {
  protected readonly by: string;
  readonly #open: () => ItemReader<T>;
  protected readonly mapper: Mapper<T, R>;
  protected readonly concurrency: Concurrency;
  protected reader: ItemReader<T> | null = null;

  constructor(by: string, items: Items<T>, mapper: Mapper<T, R>, options?: MapConcurrentOptions) {
    super();
    this.by = by;
    this.#open = toReader(items, by);
    this.mapper = checkFunction(mapper, `mapper of ${by}()`, "a function* that maps one item");
    const { concurrency = Infinity } = checkOptions(options, by, KNOWN);
    this.concurrency = checkConcurrency(concurrency, by);
  }

  protected openReader(): ItemReader<T> {
    return this.reader = this.#open();
  }

  protected map(item: T, index: number): Operation<R> {
    const mapped = this.mapper(item, index);
    if (typeof mapped === "object" && mapped !== null && Symbol.iterator in mapped) return mapped;
    throw wrongKind("a coroutine from the mapper: make it a function*", mapped, `${this.by}()`);
  }

  override cleanUp(): Operation<unknown> | null {
    return this.reader?.close() ?? null;
  }
}

class MapConcurrent<T, R> extends Mapping<T, R, R[]> {
  readonly #results: R[] = [];
  #workers: Workers<T, R> | null = null;

  protected open(): Operation<unknown> {
    const reader = this.openReader();
    const results = this.#results;
    const map = (item: T, index: number) => this.map(item, index);
    return Nursery.open((nursery) => {
      const whenWorked = (result: R, index: number) => void (results[index] = result);
      const { concurrency, by: name } = this;
      this.#workers = new Workers(nursery, reader, map, { concurrency, name, whenWorked });
      return DONE;
    }, { name: this.by });
  }

  result(): R[] {
    this.#workers!.checkEnd();
    return this.#results;
  }

  dropped(succeeded: boolean): Iterable<unknown> {
    return succeeded ? [] : this.#results;
  }
}

/** A worker that has a result and waits until that is taken. */
class ResultWait<R> extends ListedWait<void> {
  readonly result: R;
  readonly index: number;
  readonly #results: Results<R>;

  constructor(results: Results<R>, result: R, index: number) {
    super();
    this.#results = results;
    this.result = result;
    this.index = index;
  }

  protected arm(): void {
    this.#results.waiting.push(this);
    this.#results.wake();
  }

  protected disarm(): void {
    this.#results.waiting.remove(this);
    this.#results.lost.push(this.result);
  }

  describe(): string {
    return "giving a result of asCompleted";
  }
}

/** Waits until a worker has a result, or none is left. */
class AnyResultWait extends Wait<void> {
  readonly #results: Results<unknown>;

  constructor(results: Results<unknown>) {
    super();
    this.#results = results;
  }

  protected arm(): void {
    this.#results.reader = this;
  }

  protected disarm(): void {
    this.#results.reader = null;
  }

  describe(): string {
    return "waiting for a result of asCompleted";
  }
}

/** The results on their way to the body. */
class Results<R> {
  readonly waiting: WaitList<ResultWait<R>> = new WaitList();
  readonly lost: R[] = [];
  reader: AnyResultWait | null = null;
  done: boolean = false;

  wake(): void {
    const { reader } = this;
    this.reader = null;
    reader?.settle();
  }
}

class AsCompleted<T, R> extends Mapping<T, R, void> {
  readonly #body: ResultVisitor<R>;
  readonly #results = new Results<R>();

  constructor(
    items: Items<T>,
    mapper: Mapper<T, R>,
    options: MapConcurrentOptions | undefined,
    body: ResultVisitor<R>,
  ) {
    super("asCompleted", items, mapper, options);
    this.#body = body;
  }

  protected open(): Operation<unknown> {
    const reader = this.openReader();
    const results = this.#results;
    const body = this.#body;
    const map = (item: T, index: number) => this.map(item, index);
    const { concurrency, by: name } = this;
    return Nursery.open(function* (nursery) {
      const whenDone = () => {
        results.done = true;
        results.wake();
      };
      const workers = new Workers(nursery, reader, function* (item: T, index: number) {
        yield* new ResultWait(results, yield* map(item, index), index);
      }, { concurrency, name, whenDone });
      for (;;) {
        const next = results.waiting.shift();
        if (next === null) {
          if (results.done) return workers.checkEnd();
          yield* new AnyResultWait(results as Results<unknown>);
          continue;
        }
        next.settle();
        if (!(yield* runVisitor(body, next.result, next.index))) return nursery.cancel("enough");
      }
    }, { name });
  }

  result(): void {}

  dropped(): Iterable<unknown> {
    return this.#results.lost;
  }
}

/**
 * What is done with each result: as a {@linkcode Visitor}, which is also told the index of the
 * item.
 *
 * @example
 * ```ts
 * import { asCompleted, Loop, type ResultVisitor, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* wait(seconds: number) {
 *   yield* sleep(seconds);
 *   return `${seconds} s`;
 * }
 * const log: string[] = [];
 * const note: ResultVisitor<string> = (result, index) => void log.push(`${index}: ${result}`);
 * await new Loop({ host: new VirtualClock() }).run(asCompleted([2, 1], wait).forEach(note));
 * assertEquals(log, ["1: 1 s", "0: 2 s"]);
 * ```
 */
export type ResultVisitor<R> = (
  result: R,
  index: number,
) => ReturnType<Visitor<R>>;

/**
 * The results of {@linkcode asCompleted}.
 *
 * @example
 * ```ts
 * import { asCompleted, type CompletedResults, Loop, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* wait(seconds: number) {
 *   yield* sleep(seconds);
 *   return seconds;
 * }
 * function* fastest(results: CompletedResults<number>) {
 *   let first = Infinity;
 *   yield* results.forEach((seconds) => {
 *     first = seconds;
 *     return false; // the others are cancelled
 *   });
 *   return first;
 * }
 * assertEquals(await new Loop().run(fastest(asCompleted([60, 0.01], wait))), 0.01);
 * ```
 */
export interface CompletedResults<R> {
  /**
   * Maps the items and runs `body` for each result, one after the other, in the order in which they
   * are ready, until `body` gives `false`. A mapper whose result is not taken yet keeps its slot. A
   * checkpoint.
   */
  forEach(body: ResultVisitor<R>): Operation<void>;
}

/**
 * Maps many items, so many at a time, and gives the results in the order of the items. An item is
 * pulled only when a slot is free for it, and none after a failure. The first error cancels the
 * mappers that are under way. However it ends, what was not read to the end is closed: an iterator
 * with `return()`, a receiver with `close()`. A checkpoint, but for none.
 *
 * @param items An iterable, an async iterable or a receiver.
 * @param mapper A `function*` of item and index.
 * @throws {unknown} The error of a mapper or of the items; a {@linkcode NurseryError} of several.
 * @throws {TypeError} If an argument is of the wrong kind, or an option unknown.
 * @throws {RangeError} If `concurrency` is a number and no integer of at least 1, nor Infinity.
 * @example
 * ```ts
 * import { Loop, mapConcurrent, sleep } from "jsr:@broomio/core";
 *
 * function* double(n: number) {
 *   yield* sleep(0.01);
 *   return 2 * n;
 * }
 * const results = await new Loop().run(mapConcurrent([1, 2, 3], double, { concurrency: 2 }));
 * console.log(results); // [2, 4, 6]
 * ```
 */
export function mapConcurrent<T, R>(
  items: Items<T>,
  mapper: Mapper<T, R>,
  options?: MapConcurrentOptions,
): Operation<R[]> {
  return new MapConcurrent("mapConcurrent", items, mapper, options);
}

/**
 * {@linkcode mapConcurrent} that gives each result as soon as it is ready, to a body.
 *
 * @param items An iterable, an async iterable or a receiver.
 * @param mapper A `function*` of item and index.
 * @throws {TypeError} If an argument is of the wrong kind, or an option unknown.
 * @throws {RangeError} If `concurrency` is a number and no integer of at least 1, nor Infinity.
 * @example
 * ```ts
 * import { asCompleted, Loop, sleep } from "jsr:@broomio/core";
 *
 * function* wait(seconds: number) {
 *   yield* sleep(seconds);
 *   return seconds;
 * }
 * const results = asCompleted([0.03, 0.01], wait, { concurrency: 2 });
 * await new Loop().run(results.forEach((seconds) => console.log(seconds))); // 0.01, 0.03
 * ```
 */
export function asCompleted<T, R>(
  items: Items<T>,
  mapper: Mapper<T, R>,
  options?: MapConcurrentOptions,
): CompletedResults<R> {
  const operation = (body: ResultVisitor<R>) => new AsCompleted(items, mapper, options, body);
  operation(() => {}); // checks the arguments
  return {
    forEach(body) {
      return operation(checkFunction(body, "body of forEach()", "a function that takes a value"));
    },
  };
}
