/**
 * ThreadPool: the door to pools of threads.
 */
import type { Operation } from "../kernel/coroutine.ts";
import { builtin } from "../runtime/builtin.ts";
import { nodeThreads } from "./node_threads.ts";
import { openPool, type Pool } from "./pool.ts";
import type { PoolOptions } from "./settings.ts";
import type { AnyModule } from "./typed.ts";
import { webWorkers } from "./worker_web.ts";

/** A pool of threads. */
export type ThreadPool<Module = AnyModule> = Pool<Module>;

/**
 * Runs the exports of a module on other threads: worker threads in Deno, Node and Bun, Web Workers
 * in browsers.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { ThreadPool } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // A module of its own: sum.ts. Here it fits on a line.
 * const module = "data:text/javascript,export const add = (a, b) => a + b";
 * type Handlers = { add(a: number, b: number): number };
 *
 * await new Loop().run(function* () {
 *   const pool: ThreadPool<Handlers> = yield* ThreadPool.open<Handlers>({ module, size: 1 });
 *   assertEquals(yield* pool.execute("add", 1, 2), 3);
 * }()); // here the thread is gone
 * ```
 */
export const ThreadPool: {
  /**
   * Opens a pool of threads, and waits until the first of them (`warm`) have loaded the module. A
   * checkpoint. The pool is a resource of the surrounding scope, nursery or task: when that ends,
   * after the children, the pool ends, and waits until every worker is gone.
   *
   * In Deno the workers read the module and this package: `--allow-read`, but for what comes from
   * JSR.
   *
   * @throws {WorkerError} If no worker can be started or the module cannot be loaded within
   * `startTimeout`; the message says why, and which permission is missing.
   * @throws {TypeError | RangeError} If an option is not valid.
   */
  open<Module = AnyModule>(options: PoolOptions): Operation<Pool<Module>>;
} = {
  open: <Module>(options: PoolOptions) =>
    hasNodeModules()
      ? openPool<Module>(options, "ThreadPool.open", "worker_thread", nodeThreads)
      : openPool<Module>(options, "ThreadPool.open", "worker_browser", webWorkers),
};

/** Whether this is Deno, Node or Bun. */
export function hasNodeModules(): boolean {
  return builtin("node:worker_threads") !== undefined;
}
