/**
 * The error classes of pools.
 */

/**
 * Thrown where a worker ended while it ran the call (it exited, crashed, ran out of memory or was
 * killed), or where no worker could be started. The error that ended it, where the runtime reports
 * one, is the `cause`.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { ThreadPool, WorkerError } from "jsr:@broomio/core/pool";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const module = "data:text/javascript,export const crash = () => process.exit(1)";
 * await assertRejects(
 *   () =>
 *     new Loop().run(function* () {
 *       const pool = yield* ThreadPool.open({ module, size: 1 });
 *       yield* pool.execute("crash");
 *     }()),
 *   WorkerError,
 * );
 * ```
 */
export class WorkerError extends Error {
  static {
    this.prototype.name = "WorkerError";
  }
}

/**
 * Thrown by `execute` where as many calls wait for a worker as `maxWaiting` allows.
 *
 * @example
 * ```ts
 * import { all, Loop } from "jsr:@broomio/core";
 * import { PoolFullError, ThreadPool } from "jsr:@broomio/core/pool";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const module = "data:text/javascript,export const add = (a, b) => a + b";
 * function* main() {
 *   const pool = yield* ThreadPool.open({ module, size: 1, maxWaiting: 1 });
 *   const calls = [1, 2, 3].map((n) => pool.execute("add", n, n));
 *   yield* all(calls); // one runs, one waits, one is too many
 * }
 * await assertRejects(() => new Loop().run(main()), PoolFullError);
 * ```
 */
export class PoolFullError extends Error {
  static {
    this.prototype.name = "PoolFullError";
  }
}
