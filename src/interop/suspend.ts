/**
 * suspend: waits for a callback. The one primitive under everything that comes from outside the
 * loop.
 */
import { checkFunction } from "../check.ts";
import { type Selectable, Wait } from "../kernel/wait.ts";

/**
 * Begins something and says how to take it back.
 *
 * @example
 * ```ts
 * import { Loop, suspend, type SuspendStart } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // `setTimeout`, as something to wait for.
 * const after = (milliseconds: number): SuspendStart<string> => (resume) => {
 *   const timer = setTimeout(() => resume("done"), milliseconds);
 *   return () => clearTimeout(timer); // called when the wait is cancelled
 * };
 * assertEquals(await new Loop().run(suspend(after(10))), "done");
 * ```
 */
export type SuspendStart<T> = (
  resume: (value: T) => void,
  fail: (error: unknown) => void,
) => (() => void) | void;

class Suspend<T> extends Wait<T> {
  static {
    this.prototype.external = true;
  }

  readonly #start: SuspendStart<T>;
  #undo: (() => void) | void = undefined;
  #interrupted = false;

  constructor(start: SuspendStart<T>) {
    super();
    this.#start = start;
  }

  protected arm(): void {
    const undo = (0, this.#start)((value) => this.settle(value), (error) => this.fail(error));
    if (this.#interrupted) undo?.(); // by a cancel from within `start`
    else this.#undo = undo;
  }

  protected disarm(): void {
    this.#interrupted = true;
    this.#undo?.();
  }

  describe(): string {
    return "suspended until a callback";
  }
}

/**
 * Waits until `resume(value)` or `fail(error)` is called. A checkpoint. It settles once; later
 * calls do nothing.
 *
 * @param start Begins the work. What it returns undoes that: called once, if the wait is cancelled
 * before it has settled. Must not be interrupted? Then write `shield(suspend(...))`.
 * @throws {TypeError} If `start` is no function.
 * @example
 * ```ts
 * import { Loop, suspend } from "jsr:@broomio/core";
 *
 * function* tick() {
 *   yield* suspend<void>((resume) => {
 *     const timer = setTimeout(resume, 10);
 *     return () => clearTimeout(timer);
 *   });
 * }
 * await new Loop().run(tick());
 * ```
 */
export function suspend<T>(start: SuspendStart<T>): Selectable<T> {
  return new Suspend(
    checkFunction(start, "start of suspend()", "a function (resume, fail) => undo"),
  );
}
