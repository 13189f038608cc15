/**
 * Items: where `mapConcurrent` and `each` get what they work on, from an iterable, an async
 * iterable or a receiver, behind one face.
 *
 * Invariant: `close` closes what was not read to its end; an iterator that has thrown is at its end
 * and not closed again. Independent of: what is done with the items, and how many at a time.
 */
import { wrongKind } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { Cancelled } from "../kernel/errors.ts";
import { isThenable } from "./dispose.ts";
import { PromiseWait } from "./promise_wait.ts";

/**
 * The receiving end of a channel, as far as it is needed: `Receiver`, `Source` and `Subscription`
 * are such.
 *
 * @example
 * ```ts
 * import { Loop, mapConcurrent, type Receivable } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function countdown(from: number): Receivable<number> {
 *   return {
 *     *next() {
 *       return from > 0 ? { done: false, value: from-- } : { done: true, value: undefined };
 *     },
 *     close: () => {},
 *   };
 * }
 * function* double(n: number) {
 *   return 2 * n;
 * }
 * assertEquals(await new Loop().run(mapConcurrent(countdown(3), double)), [6, 4, 2]);
 * ```
 */
export interface Receivable<T> {
  /** Waits for a value. It need not be a checkpoint. */
  next(): Operation<IteratorResult<T, unknown>>;
  /** Ends the receiving. */
  close(): void;
}

/**
 * What can be worked through: an iterable, an async iterable or a receiver.
 *
 * @example
 * ```ts
 * import { type Items, Loop, mapConcurrent, openChannel } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* lengthOf(word: string) {
 *   return word.length;
 * }
 * const lengths = (words: Items<string>) => new Loop().run(mapConcurrent(words, lengthOf));
 *
 * const { sender, receiver } = openChannel<string>(1);
 * sender.trySend("three");
 * sender.close();
 * assertEquals(await lengths(["a", "to"]), [1, 2]); // any iterable or async iterable
 * assertEquals(await lengths(receiver), [5]); // a receiver
 * ```
 */
export type Items<T> = Iterable<T> | AsyncIterable<T> | Receivable<T>;

/** One after the other, asked for by one task at a time. */
export interface ItemReader<T> {
  /** Whether `next` gives an item, or the end, at once and always. */
  readonly isAtHand: boolean;
  /** The next one, at once or as an operation. */
  next(): IteratorResult<T, unknown> | Operation<IteratorResult<T, unknown>>;
  /** Closes what was not read to its end; waits for that where it takes time. */
  close(): Coroutine;
}

/** Whether what `next` gave has to be waited for. */
export function isOperation<T>(
  next: IteratorResult<T, unknown> | Operation<IteratorResult<T, unknown>>,
): next is Operation<IteratorResult<T, unknown>> {
  return Symbol.iterator in next;
}

class IterableReader<T> implements ItemReader<T> {
  readonly isAtHand = true;
  readonly #iterator: Iterator<T>;
  #ended = false;

  constructor(items: Iterable<T>) {
    this.#iterator = items[Symbol.iterator]();
  }

  next(): IteratorResult<T, unknown> {
    this.#ended = true; // also where it throws
    const result = this.#iterator.next();
    if (result.done !== true) this.#ended = false;
    return result;
  }

  *close(): Coroutine {
    if (this.#ended) return;
    this.#ended = true;
    this.#iterator.return?.();
  }
}

/** The pulls of one loop over an async iterable. */
export class AsyncReader<T> implements ItemReader<T> {
  readonly isAtHand = false;
  readonly #iterator: AsyncIterator<T>;
  /** A `next()` is under way, or was when a cancel came. */
  #pulling = false;
  /** It has ended by itself, so there is nothing to close. */
  #ended = false;

  constructor(items: AsyncIterable<T>) {
    this.#iterator = items[Symbol.asyncIterator]();
  }

  *next(): Coroutine<IteratorResult<T, unknown>> {
    this.#pulling = true;
    try {
      const result = yield* waitFor(this.#iterator.next(), "waiting for an async iterable");
      this.#pulling = false;
      if (result.done) this.#ended = true;
      return result;
    } catch (error) {
      if (!(error instanceof Cancelled)) this.#ended = true;
      throw error;
    }
  }

  /**
   * Tells the source to end, and waits for that; but not while it makes a value: an async generator
   * ends only after that, which may be never. Then it ends when it can, and what it makes of it is
   * let go.
   */
  *close(): Coroutine {
    if (this.#ended || this.#iterator.return === undefined) return;
    this.#ended = true;
    const closed = this.#iterator.return();
    if (this.#pulling) Promise.resolve(closed).catch(() => {});
    else yield* waitFor(closed, "closing an async iterable");
  }
}

/** Iterators of users may give what is no promise, as `for await` allows. */
function waitFor<T>(value: PromiseLike<T> | T, doing: string): PromiseWait<T> {
  return new PromiseWait(
    isThenable(value) ? value as PromiseLike<T> : Promise.resolve(value),
    doing,
  );
}

class ReceiverReader<T> implements ItemReader<T> {
  readonly isAtHand = false;
  readonly #receiver: Receivable<T>;
  #ended = false;

  constructor(receiver: Receivable<T>) {
    this.#receiver = receiver;
  }

  *next(): Coroutine<IteratorResult<T, unknown>> {
    const result = yield* this.#receiver.next();
    if (result.done) this.#ended = true;
    return result;
  }

  *close(): Coroutine {
    if (!this.#ended) this.#receiver.close();
  }
}

/** Checks what is to be worked through, and gives what reads it: made when it begins. */
export function toReader<T>(items: Items<T>, by: string): () => ItemReader<T> {
  if (typeof items === "object" && items !== null) {
    if (Symbol.iterator in items) return () => new IterableReader(items);
    if (Symbol.asyncIterator in items) return () => new AsyncReader(items);
    if (typeof items.next === "function" && typeof items.close === "function") {
      return () => new ReceiverReader(items);
    }
  }
  throw wrongKind("an iterable, an async iterable or a receiver", items, `items of ${by}()`);
}
