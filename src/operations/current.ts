/**
 * currentTask and currentLoop: how a coroutine learns who runs it. Neither is a checkpoint.
 */
import { Command } from "../kernel/command.ts";
import type { Operation } from "../kernel/coroutine.ts";
import type { Task, TaskCore } from "../kernel/task.ts";
import type { Loop } from "../loop.ts";

class Current<T> extends Command<T> {
  readonly #pick: (task: TaskCore) => T;

  constructor(pick: (task: TaskCore) => T) {
    super();
    this.#pick = pick;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    task.value = this.#pick(task);
    return true;
  }

  describe(): string {
    return "current";
  }
}

/**
 * The task that runs this coroutine. Not a checkpoint.
 *
 * @example
 * ```ts
 * import { currentTask, Loop } from "jsr:@broomio/core";
 *
 * function* whoAmI() {
 *   return (yield* currentTask()).name;
 * }
 * console.log(await new Loop().run(whoAmI())); // main
 * ```
 */
export function currentTask(): Operation<Task> {
  return new Current((task) => task);
}

/**
 * The loop that runs this coroutine. Not a checkpoint.
 *
 * @example
 * ```ts
 * import { currentLoop, Loop } from "jsr:@broomio/core";
 *
 * function* clock() {
 *   return (yield* currentLoop()).now;
 * }
 * console.log(await new Loop().run(clock()) >= 0); // true
 * ```
 */
export function currentLoop(): Operation<Loop> {
  return new Current((task) => task.scheduler.loop);
}
