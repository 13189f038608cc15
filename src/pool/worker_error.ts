/**
 * The error classes of pools.
 */

/**
 * Thrown where a worker ended while it ran the call (it exited, crashed, ran out of memory or was
 * killed), or where no worker could be started. The error that ended it, where the runtime reports
 * one, is the `cause`.
 */
export class WorkerError extends Error {
  static {
    this.prototype.name = "WorkerError";
  }
}

/** Thrown by `execute` where as many calls wait for a worker as `maxWaiting` allows. */
export class PoolFullError extends Error {
  static {
    this.prototype.name = "PoolFullError";
  }
}
