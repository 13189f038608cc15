/**
 * Seeing what runs: the tree of the tasks.
 *
 * A program that hangs says what it waits for when it is asked from outside:
 *
 * ```ts ignore
 * const loop = new Loop({ debug: true });
 * using _ = dumpOnSignal(loop); // kill -USR2 PID
 * ```
 *
 * A deadlock report and the message of a `TimeoutError` are made of the same tree.
 *
 * @module
 */
export { dumpOnSignal, type DumpOptions } from "./dump_on_signal.ts";
export type { TaskNode } from "../kernel/task_tree.ts";
export { type TaskTree, taskTree } from "./task_tree.ts";
