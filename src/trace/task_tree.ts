/**
 * taskTree: what the tasks of a loop are doing, at this moment.
 *
 * Invariant: it changes nothing, and may be called at any moment, from inside a task and from a
 * callback.
 */
import { wrongKind } from "../check.ts";
import { linesOf, type TaskNode, TaskReader, walkTasks } from "../kernel/task_tree.ts";
import { internalsOf, Loop } from "../loop.ts";

/**
 * The tasks of a loop at one moment. It does not follow the loop.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { type TaskTree, taskTree } from "jsr:@broomio/core/trace";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function countWaiting({ tasks }: TaskTree): number {
 *   return tasks.filter((task) => task.state === "waiting").length;
 * }
 * const loop = new Loop({ host: new VirtualClock() });
 * await loop.run(Nursery.open(function* (nursery) {
 *   for (let i = 0; i < 3; i++) nursery.startSoon(sleep(2));
 *   yield* sleep(1);
 *   assertEquals(countWaiting(taskTree(loop)), 3);
 * }));
 * ```
 */
export interface TaskTree {
  /**
   * The tasks that have not ended, parents before their children; `depth` says how many are around
   * each.
   */
  readonly tasks: readonly TaskNode[];
  /**
   * One line a task, indented below its parent; in debug mode a second one with the place where it
   * waits.
   */
  toString(): string;
}

/**
 * The tasks of a loop: how they are nested, what each waits for and for how long, who holds that,
 * deadlines, shields, cancels that are in force, and, with `debug: true`, where each waits.
 *
 * @throws {TypeError} If it is no loop.
 * @example
 * ```ts
 * import { Lock, Loop, Nursery, sleep } from "jsr:@broomio/core";
 * import { taskTree } from "jsr:@broomio/core/trace";
 *
 * const loop = new Loop();
 * await loop.run(Nursery.open(function* (nursery) {
 *   const lock = new Lock({ name: "db" });
 *   nursery.startSoon(lock.with(sleep(0.01)), { name: "owner" });
 *   nursery.startSoon(lock.with(sleep(0.01)), { name: "other" });
 *   yield* sleep(0.005);
 *   console.log(`${taskTree(loop)}`);
 *   // main: running
 *   //   owner: sleeping for 0.01 s, for 5 ms
 *   //   other: acquiring lock "db", held by owner, for 5 ms
 * }));
 * ```
 */
export function taskTree(loop: Loop): TaskTree {
  if (!(loop instanceof Loop)) throw wrongKind("a loop", loop, "taskTree()");
  const tasks: TaskNode[] = [];
  const { root, scheduler } = internalsOf(loop);
  const reader = new TaskReader(scheduler);
  walkTasks(root.scope, (task, depth) => void tasks.push(reader.nodeOf(task, depth)));
  return {
    tasks,
    toString: () => tasks.length === 0 ? "no tasks" : tasks.flatMap(linesOf).join("\n"),
  };
}
