/**
 * call: runs a coroutine on the task's own frame stack (see task.ts for why).
 */
import { checkBody } from "../check.ts";
import { type Body, type Operation, toIterator, type Trap } from "../kernel/coroutine.ts";
import { Command } from "../kernel/command.ts";
import { appendStack, coroutineStack } from "../kernel/stack.ts";
import { Frame } from "../kernel/frame.ts";
import type { TaskCore } from "../kernel/task.ts";

class Call<T> extends Command<T> {
  readonly #body: Body<T>;
  #debug = false;

  constructor(body: Body<T>) {
    super();
    this.#body = body;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    this.#debug = task.scheduler.debug;
    const body = this.#body;
    task.frame = new Frame(
      toIterator(typeof body === "function" ? body() : body, "call"),
      task.frame,
    );
    return true;
  }

  override throw(error: unknown): IteratorResult<Trap, T> {
    if (this.#debug) appendStack(error, "called from:", coroutineStack(this.throw));
    return super.throw(error);
  }

  describe(): string {
    return "call";
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
  return new Call(checkBody(coroutine, "call"));
}
