/**
 * Work outside the loop: pools of threads and of processes, whose workers call the exports of a
 * module. For work that keeps a processor busy, or that blocks: it would hold up every task.
 *
 * A pool belongs to the scope that it is opened in: when that ends, every worker is gone.
 *
 * ```ts
 * import { failAfter, Loop } from "jsr:@broomio/core";
 * import { ThreadPool } from "jsr:@broomio/core/pool";
 *
 * // A file in real life: new URL("./words.ts", import.meta.url), with typeof import("./words.ts")
 * const module = "data:text/javascript,export const count = (text) => text.split(' ').length";
 * type Words = { count(text: string): number };
 *
 * function* main() {
 *   const pool = yield* ThreadPool.open<Words>({ module, size: 2 });
 *   console.log(yield* failAfter(10, pool.execute("count", "to be or not"))); // 4
 *   console.log(yield* pool.map(["a b", "c"], "count")); // [ 2, 1 ]
 * }
 *
 * await new Loop().run(main());
 * ```
 *
 * - Handlers are plain functions, async functions or coroutines. A coroutine runs in a loop of the
 *   worker, so that a cancel of the caller cancels it too, with its cleanup. A handler that hears
 *   no cancel is ended with its worker after `cancelGrace`, and a new worker takes its place.
 * - Errors come back with class, message, stack, cause and fields. A worker that dies fails the
 *   calls that it held with a {@linkcode WorkerError}, and no others.
 * - Calls wait in line, first come, first served; beyond `maxWaiting` they are refused with a
 *   {@linkcode PoolFullError}.
 * - {@linkcode transfer} moves a buffer instead of copying it. {@linkcode ProcessPool} does the
 *   same with processes, which share no memory with the program.
 *
 * What differs from runtime to runtime
 * - Deno: the workers read the module and this package: `--allow-read`, but for what comes from
 *   JSR. Processes need `--allow-run` and `--allow-env`, and the children have all permissions.
 * - Browsers: {@linkcode ThreadPool} uses Web Workers; there are no processes.
 * - Bun: shared memory that is passed to a process is copied, where others refuse it.
 *
 * @module
 */
export { ThreadPool } from "./thread_pool.ts";
export { ProcessPool } from "./process_pool.ts";
export type { Pool } from "./pool.ts";
export type { PoolOptions, PoolStatistics } from "./settings.ts";
export type { MapOptions } from "./map.ts";
export type { AnyModule, HandlerArguments, HandlerName, HandlerResult, Outcome } from "./typed.ts";
export { transfer } from "./transfer.ts";
export { PoolFullError, WorkerError } from "./worker_error.ts";
