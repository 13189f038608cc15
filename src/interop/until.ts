/**
 * until: waits for a promise.
 */
import type { Operation, Trap } from "../kernel/coroutine.ts";
import type { TaskCore } from "../kernel/task.ts";
import { Wait } from "../kernel/wait.ts";

class Until<T> extends Wait<T> {
  static {
    this.prototype.external = true;
  }

  readonly #source: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>);
  #controller: AbortController | null = null;

  constructor(source: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>)) {
    super();
    this.#source = source;
  }

  protected arm(): void {
    let promise = this.#source;
    if (typeof promise === "function") {
      this.#controller = new AbortController();
      promise = promise(this.#controller.signal);
    }
    if (typeof promise?.then !== "function") {
      throw new TypeError("until() wants a promise, or a function (signal) => promise");
    }
    // Both reactions stay on the promise for good: cancelled, they do nothing, and a late rejection
    // counts as handled.
    promise.then((value) => this.settle(value), (error) => this.fail(error));
  }

  /** The promise was made all the same: nobody else looks at what it is rejected with. */
  protected override refuse(task: TaskCore): false {
    ignoreRejection(this.#source);
    return super.refuse(task);
  }

  override throw(error: unknown): IteratorResult<Trap, T> {
    ignoreRejection(this.#source); // thrown into before it began: a task that never ran
    return super.throw(error);
  }

  protected disarm(task: TaskCore): void {
    this.#controller?.abort(task.scope.cause?.cancelled);
  }

  describe(): string {
    return "waiting for a promise";
  }
}

/** A native promise only: calling `then` may be what begins another thenable's work. */
function ignoreRejection(source: unknown): void {
  if (source instanceof Promise) source.catch(() => {});
}

/**
 * Waits for a promise and gives its value, or throws what it was rejected with. A checkpoint.
 * Cancelled, it aborts the signal it gave and lets the late result go, a rejection included.
 *
 * @param source A promise, or a function that makes one and takes an `AbortSignal`.
 * @throws {TypeError} If there is no promise.
 * @example
 * ```ts
 * import { Loop, until } from "jsr:@broomio/core";
 *
 * function* title() {
 *   const bytes = yield* until(new Blob(["hello"]).text());
 *   return bytes.toUpperCase();
 * }
 * console.log(await new Loop().run(title())); // HELLO
 * ```
 */
export function until<T>(
  source: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>),
): Operation<T> {
  return new Until(source);
}
