/**
 * Work outside the loop: pools of threads and of processes, whose workers call the exports of a
 * module.
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
