/**
 * Seeing what runs: who waits for what, at this moment.
 *
 * {@linkcode taskTree} gives the tasks of a loop as they are nested, with what each waits for and
 * since when, who holds that, deadlines, shields and cancels. It changes nothing, and may be called
 * at any moment, from a task or from a callback:
 *
 * ```ts
 * import { Lock, Loop, Nursery, sleep } from "jsr:@broomio/core";
 * import { taskTree } from "jsr:@broomio/core/trace";
 *
 * const loop = new Loop();
 * await loop.run(Nursery.open(function* (nursery) {
 *   const lock = new Lock({ name: "db" });
 *   nursery.startSoon(lock.with(sleep(0.02)), { name: "owner" });
 *   nursery.startSoon(lock.with(sleep(0.02)), { name: "other" });
 *   yield* sleep(0.01);
 *   console.log(`${taskTree(loop)}`);
 * }));
 * ```
 *
 * ```text
 * main: running
 *   owner: sleeping for 0.02 s, for 10 ms
 *   other: acquiring lock "db", held by owner, for 10 ms
 * ```
 *
 * A program that hangs can be asked from outside: after `dumpOnSignal(loop)` it prints that tree at
 * `kill -USR2 PID`, on Deno, Node and Bun. `new Loop({ debug: true })` adds the line at which each
 * task waits and where it was started. The reports of a `DeadlockError` and the messages of a
 * `TimeoutError` are made of the same tree.
 *
 * What happens over time is told to instruments of the loop, which belong to the core: who started
 * each task, what it waits for, who woke it, how it ended, which scope was cancelled and why.
 * Without instruments a loop pays nothing; one that throws is dropped with a warning. A longer
 * example is `examples/who_woke_whom.ts`:
 *
 * ```ts
 * import { type Instrument, Loop, sleep } from "jsr:@broomio/core";
 *
 * const print: Instrument = {
 *   taskWaiting: (task, wait) => console.log(`${task.name}: ${wait.describe()}`),
 *   taskEnded: (task) => console.log(`${task.name}: ${task.state}`),
 * };
 * await new Loop({ instruments: [print] }).run(sleep(0.01));
 * ```
 *
 * Limits: a tree is a moment and does not follow the loop. Browsers have no signals; there
 * `dumpOnSignal` does nothing. Timelines, a monitor over the network and OpenTelemetry are not
 * here yet.
 *
 * @module
 */
export { dumpOnSignal, type DumpOptions } from "./dump_on_signal.ts";
export type { TaskNode } from "../kernel/task_tree.ts";
export { type TaskTree, taskTree } from "./task_tree.ts";
