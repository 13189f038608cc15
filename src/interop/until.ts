/**
 * until: waits for a promise; with a signal for what makes it, and a place for a result that comes
 * too late.
 *
 * Invariant: a result goes to the task or, after a cancel, to `late`: to one of them, once. A late
 * rejection is let go.
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkFunction, checkOptions, wrongKind } from "../check.ts";
import type { TaskCore } from "../kernel/task.ts";
import { describeError, isThenable } from "../operations/dispose.ts";
import { PromiseWait } from "../operations/promise_wait.ts";

/**
 * Options of {@linkcode until}.
 *
 * @example
 * ```ts
 * import { Loop, moveOnAfter, until, type UntilOptions } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * type File = { close(): void };
 * const { promise, resolve } = Promise.withResolvers<File>();
 * const options: UntilOptions<File> = { late: (file) => file.close() };
 * await new Loop().run(moveOnAfter(0.01, until(promise, options))); // given up
 *
 * let closed = false;
 * resolve({ close: () => void (closed = true) }); // comes too late, and is closed
 * await new Promise((done) => setTimeout(done));
 * assertEquals(closed, true);
 * ```
 */
export interface UntilOptions<T> {
  /**
   * Called with a result that came after the wait was cancelled: it closes what nobody gets, as in
   * `(file) => file.close()`. It may be async. What it throws is a warning of the loop.
   */
  late?: (value: T) => unknown;
}

/**
 * A promise, or a function that makes one and takes an `AbortSignal`.
 *
 * @example
 * ```ts
 * import { Loop, moveOnAfter, until, type UntilSource } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const never: UntilSource<string> = (signal) =>
 *   new Promise((_, reject) => {
 *     signal.addEventListener("abort", () => reject(signal.reason)); // as `fetch` does
 *   });
 * assertEquals(await new Loop().run(moveOnAfter(0.01, until(never))), undefined);
 * ```
 */
export type UntilSource<T> = PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>);

class Until<T> extends PromiseWait<T> {
  readonly #make: ((signal: AbortSignal) => PromiseLike<T>) | null;
  readonly #late: ((value: T) => unknown) | undefined;
  #controller: AbortController | null = null;

  constructor(source: UntilSource<T>, late: ((value: T) => unknown) | undefined) {
    const make = typeof source === "function" ? source : null;
    super(make === null ? source as PromiseLike<T> : null, "waiting for a promise");
    this.#make = make;
    this.#late = late;
  }

  protected override arm(task: TaskCore): void {
    if (this.#make === null) return super.arm(task);
    this.#controller = new AbortController();
    const promise = (0, this.#make)(this.#controller.signal);
    if (!isThenable(promise)) {
      throw wrongKind("a promise from the function (signal) => promise", promise, "until()");
    }
    this.attach(promise);
  }

  protected override disarm(task: TaskCore): void {
    super.disarm(task);
    this.#controller?.abort(task.scope.cause?.cancelled);
  }

  protected override get wantsLate(): boolean {
    return this.#late !== undefined;
  }

  protected override late(value: T, task: TaskCore | null): void {
    if (this.#late !== undefined) callLate(this.#late, value, task);
  }
}

function callLate<T>(late: (value: T) => unknown, value: T, task: TaskCore | null): void {
  const warn = (error: unknown) => {
    const message = `The late of an until() failed: ${describeError(error)}`;
    task?.scheduler.warn({ message, task });
  };
  try {
    const pending = late(value);
    if (isThenable(pending)) pending.then(() => {}, warn);
  } catch (error) {
    warn(error);
  }
}

const KNOWN = ["late"] as const;

/**
 * Waits for a promise and gives its value, or throws what it was rejected with. A checkpoint.
 * Cancelled, it aborts the signal that it gave and lets the late result go, a rejection included;
 * with `late`, a late result is given to that, to be closed.
 *
 * @param source A promise, or a function that makes one and takes an `AbortSignal`.
 * @throws {TypeError} If there is no promise, or an option is unknown or of the wrong kind.
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
export function until<T>(source: UntilSource<T>, options?: UntilOptions<T>): Selectable<T> {
  if (typeof source !== "function" && !isThenable(source)) {
    throw wrongKind("a promise, or a function (signal) => promise", source, "until()");
  }
  const { late } = checkOptions(options, "until", KNOWN);
  if (late !== undefined) checkFunction(late, "late of until()");
  return new Until(source, late);
}
