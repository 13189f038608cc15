/**
 * toAsyncIterable: what a receiver receives, for code outside the loop.
 *
 * Invariant: the loop is held exactly while the iteration is open and no pull is under way. Then
 * only the outside knows whether more will be asked for; during a pull a task of the loop waits for
 * the channel, and what nothing can wake is a deadlock like any other. An iteration never outlives
 * the run that its senders are in: it ends with the error of that run, or with the end (R33b).
 */
import { checkInstance, checkObject, wrongKind } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { BrokenResourceError, Cancelled } from "../kernel/errors.ts";
import type { NurseryCore } from "../kernel/nursery.ts";
import { NurseryError } from "../kernel/nursery_error.ts";
import type { Task } from "../kernel/task.ts";
import { internalsOf, Loop } from "../loop.ts";

/**
 * The receiving end of a channel, as far as is needed here.
 *
 * @example
 * ```ts
 * import { Loop, openChannel, toAsyncIterable, type ValueReceiver } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // Each value with its number, for code outside the loop.
 * async function* numbered<T>(receiver: ValueReceiver<T>, loop: Loop) {
 *   let index = 0;
 *   for await (const value of toAsyncIterable(receiver, loop)) yield [++index, value];
 * }
 * const { sender, receiver } = openChannel<string>(2);
 * for (const name of ["Ada", "Bob"]) sender.trySend(name);
 * sender.close();
 * assertEquals(await Array.fromAsync(numbered(receiver, new Loop())), [[1, "Ada"], [2, "Bob"]]);
 * ```
 */
export interface ValueReceiver<T> {
  /** Waits for a value. It need not be a checkpoint. */
  next(): Operation<IteratorResult<T, undefined>>;
  /** A value, if there is one now. */
  tryNext(): IteratorResult<T, undefined> | undefined;
  /** Ends the receiving. */
  close(): void;
}

/**
 * An async iterator that can be iterated once, and ended early.
 *
 * @example
 * ```ts
 * import type { ClosableAsyncIterator } from "jsr:@broomio/core";
 * import { Loop, openChannel, toAsyncIterable } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const loop = new Loop();
 * const { sender, receiver } = openChannel<number>(4);
 * for (const n of [1, 2, 3]) sender.trySend(n);
 *
 * const numbers: ClosableAsyncIterator<number> = toAsyncIterable(receiver, loop);
 * assertEquals((await numbers.next()).value, 1);
 * await numbers.return(); // not to the end: closes the receiver
 * assertEquals((await numbers.next()).done, true);
 * ```
 */
export interface ClosableAsyncIterator<T> extends AsyncIterableIterator<T, undefined> {
  /** Ends the iteration and closes the source. */
  return(): Promise<IteratorResult<T, undefined>>;
}

class ReceiverIterator<T> implements ClosableAsyncIterator<T> {
  readonly #receiver: ValueReceiver<T>;
  readonly #loop: Loop;
  /**
   * The root of the run that the senders are in. When the loop has another one, that run is over.
   */
  readonly #root: NurseryCore;
  readonly #pulls = new Set<Task>();
  #hold: Disposable | null = null;
  #open = true;

  constructor(receiver: ValueReceiver<T>, loop: Loop) {
    this.#receiver = receiver;
    this.#loop = loop;
    this.#root = internalsOf(loop).root;
    this.#balance();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (!this.#open) return resolve(END);
      try {
        const result = this.#receiver.tryNext();
        if (result !== undefined) {
          if (result.done) this.#finish();
          return resolve(result);
        }
        if (internalsOf(this.#loop).root !== this.#root) {
          // Nothing more comes: a task that waited for it would never run (R33b).
          this.#finish();
          this.#receiver.close();
          const failure = this.#failure();
          return failure === null ? resolve(END) : reject(failure.error);
        }
      } catch (error) {
        this.#finish();
        return reject(error);
      }
      if (internalsOf(this.#loop).isOver) {
        this.#finish();
        return reject(new BrokenResourceError(OVER));
      }
      const task = this.#loop.startSoon(
        this.#pull(resolve, reject, () => this.#pulls.delete(task)),
        { name: "toAsyncIterable" },
      );
      task.promise().catch(reject); // a loop that crashes runs no `catch` of ours
      this.#pulls.add(task);
      this.#balance();
    });
  }

  /** What the run has failed with, or is failing with; null if it has not. */
  #failure(): { readonly error: unknown } | null {
    const { errors, tasks, scope } = this.#root;
    if (errors.length > 0) {
      return { error: errors.length === 1 ? errors[0] : new NurseryError(errors, tasks) };
    }
    return scope.cancelCalled ? { error: scope.cancelled } : null;
  }

  *#pull(
    resolve: (result: IteratorResult<T, undefined>) => void,
    reject: (error: unknown) => void,
    ended: () => void,
  ): Coroutine {
    try {
      const result = yield* this.#receiver.next();
      ended();
      if (result.done) this.#finish();
      resolve(result);
    } catch (error) {
      ended();
      if (this.#open) {
        this.#finish();
        this.#receiver.close(); // nobody else has it, and its senders would wait for ever
        const failure = error instanceof Cancelled ? this.#failure() : null;
        reject(failure === null ? error : failure.error);
      } else resolve(END);
      if (error instanceof Cancelled) throw error;
    } finally {
      this.#balance();
    }
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (this.#open) {
      this.#finish();
      this.#receiver.close(); // ends the pulls too
    }
    return Promise.resolve(END);
  }

  #finish(): void {
    this.#open = false;
    this.#balance();
  }

  #balance(): void {
    const held = this.#open && this.#pulls.size === 0;
    if (held) this.#hold ??= this.#loop.hold();
    else {
      this.#hold?.[Symbol.dispose]();
      this.#hold = null;
    }
  }
}

/** A pull would be a task that never runs (R33b). */
const OVER = "Cannot receive: the run of the loop is over, so nothing will be sent";

const RECEIVER = "the receiving end of a channel";

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * What a receiver receives, as an async iterable for code outside the loop: `for await` runs beside
 * `loop.run()`. It can be iterated once. Leaving the loop early closes the receiver.
 *
 * When the run of the loop is over, it gives what is left in the channel and then the error of the
 * run, or the end.
 *
 * While it is open, the loop waits for it rather than call a sender deadlocked: iterate it, or end
 * it with `return()`.
 *
 * @param receiver The receiving end of a channel; it belongs to the iterable from now on.
 * @param loop The loop that the senders run on.
 * @throws {TypeError} If it is no receiver, or no loop.
 * @example
 * ```ts
 * import { Loop, openChannel, toAsyncIterable } from "jsr:@broomio/core";
 *
 * const loop = new Loop();
 * const { sender, receiver } = openChannel<number>(0);
 * const done = loop.run(function* () {
 *   using _ = sender;
 *   for (let i = 1; i <= 3; i++) yield* sender.send(i);
 * }());
 * for await (const value of toAsyncIterable(receiver, loop)) console.log(value); // 1, 2, 3
 * await done;
 * ```
 */
export function toAsyncIterable<T>(
  receiver: ValueReceiver<T>,
  loop: Loop,
): ClosableAsyncIterator<T> {
  checkObject(receiver, "receiver of toAsyncIterable()", RECEIVER);
  const { next, tryNext, close } = receiver;
  if (![next, tryNext, close].every((each) => typeof each === "function")) {
    throw wrongKind(RECEIVER, receiver, "receiver of toAsyncIterable()");
  }
  return new ReceiverIterator(receiver, checkInstance(loop, Loop, "loop of toAsyncIterable()"));
}
