/**
 * ensure: cleanup that runs, shielded, when the surrounding scope, nursery or task ends. It is kept
 * on the scope (see cancel_scope.ts).
 */
import { checkBody } from "../check.ts";
import type { Body, Operation } from "../kernel/coroutine.ts";
import { Command } from "../kernel/command.ts";
import { addCleanup } from "../kernel/cancel_scope.ts";
import type { TaskCore } from "../kernel/task.ts";

class Ensure extends Command<void> {
  readonly #cleanup: Body<unknown> | (() => void);

  constructor(cleanup: Body<unknown> | (() => void)) {
    super();
    this.#cleanup = cleanup;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    const cleanup = this.#cleanup;
    addCleanup(task, typeof cleanup === "function" ? () => cleanup() ?? NOTHING : cleanup);
    return true;
  }

  describe(): string {
    return "ensure";
  }
}

/** A cleanup that is over at once. */
const NOTHING: Operation<void> = {
  [Symbol.iterator]: () => ({ next: () => ({ done: true, value: undefined }) }),
};

/**
 * Registers cleanup that runs when the surrounding scope, nursery or task ends, however it ends:
 * shielded, so it may wait; last registered first; in a nursery after its children. If body and
 * cleanup both throw, both are reported. Not a checkpoint.
 *
 * @param cleanup A coroutine, or a function that returns one or nothing.
 * @throws {TypeError} If it is neither.
 * @example
 * ```ts
 * import { ensure, Loop, sleep } from "jsr:@broomio/core";
 *
 * function* session() {
 *   yield* ensure(function* () {
 *     yield* sleep(0.01);
 *     console.log("logged out");
 *   });
 *   console.log("at work");
 * }
 * await new Loop().run(session());
 * ```
 */
export function ensure(cleanup: Body<unknown> | (() => void)): Operation<void> {
  return new Ensure(checkBody(cleanup, "ensure"));
}
