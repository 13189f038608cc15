/**
 * ProcessPool: the door to pools of processes.
 */
import type { Operation } from "../kernel/coroutine.ts";
import { nodeProcesses } from "./node_processes.ts";
import { openPool, type Pool } from "./pool.ts";
import type { PoolOptions } from "./settings.ts";
import { hasNodeModules } from "./thread_pool.ts";
import type { AnyModule } from "./typed.ts";

/** A pool of processes. */
export type ProcessPool<Module = AnyModule> = Pool<Module>;

/**
 * Runs the exports of a module in child processes of Deno, Node or Bun. A call costs more than with
 * threads, and memory is neither shared nor moved: what is marked with `transfer` is copied, and
 * shared memory is refused. But what a process does to itself, a crash in native code included,
 * harms no other.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { ProcessPool } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // A module of its own: hash.ts. Here it fits on a line.
 * const module = "data:text/javascript,export const pidOf = () => process.pid";
 * type Handlers = { pidOf(): number };
 *
 * await new Loop().run(function* () {
 *   const pool: ProcessPool<Handlers> = yield* ProcessPool.open<Handlers>({ module, size: 1 });
 *   assertEquals(typeof (yield* pool.execute("pidOf")), "number");
 * }()); // here the process is gone
 * ```
 */
export const ProcessPool: {
  /**
   * Opens a pool of processes; all else is as with `ThreadPool.open`.
   *
   * In Deno it needs `--allow-run` and `--allow-env`, and the children have all permissions.
   *
   * @throws {WorkerError} If no worker can be started or the module cannot be loaded within
   * `startTimeout`; the message says why, and which permission is missing.
   * @throws {TypeError | RangeError} If an option is not valid.
   * @throws {Error} If this is a browser.
   */
  open<Module = AnyModule>(options: PoolOptions): Operation<Pool<Module>>;
} = {
  open<Module>(options: PoolOptions) {
    if (!hasNodeModules()) throw new Error("ProcessPool.open needs Deno, Node or Bun");
    return openPool<Module>(options, "ProcessPool.open", "worker_process", nodeProcesses);
  },
};
