/**
 * call: runs a coroutine on the task's own frame stack (see task.ts for why).
 */
import { checkBody } from "../check.ts";
import { type Body, type Operation, toIterator, type Trap } from "../kernel/coroutine.ts";
import { Command } from "../kernel/command.ts";
import { appendStack, coroutineStack } from "../kernel/stack.ts";
import { Frame } from "../kernel/frame.ts";
import type { TaskCore } from "../kernel/task.ts";

/**
 * Runs a body on the task's frame stack. Other operations that are made of a coroutine are this,
 * under their own name.
 */
export class Call<T> extends Command<T> {
  readonly #body: Body<T>;
  readonly #by: string;
  #debug = false;

  constructor(body: Body<T>, by: string) {
    super();
    this.#body = body;
    this.#by = by;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    this.#debug = task.scheduler.debug;
    const body = this.#body;
    task.frame = new Frame(
      toIterator(typeof body === "function" ? body() : body, this.#by),
      task.frame,
    );
    return true;
  }

  override throw(error: unknown): IteratorResult<Trap, T> {
    if (this.#debug) appendStack(error, "called from:", coroutineStack(this.throw));
    return super.throw(error);
  }

  describe(): string {
    return this.#by;
  }
}

/**
 * Runs a coroutine as `yield*` does, but on the task's own stack: resuming costs the same at any
 * depth, and recursion can be a million deep. Prefer plain `yield*` for a few levels. Not a
 * checkpoint in itself.
 *
 * @throws {TypeError} If it is not a fresh coroutine or operation.
 * @example
 * ```ts
 * import { call, type Coroutine, Loop } from "jsr:@broomio/core";
 *
 * function* depth(n: number): Coroutine<number> {
 *   return n === 0 ? 0 : 1 + (yield* call(depth(n - 1)));
 * }
 * console.log(await new Loop().run(depth(100_000))); // 100000
 * ```
 */
export function call<T>(coroutine: Body<T>): Operation<T> {
  return new Call(checkBody(coroutine, "call"), "call");
}
