/**
 * What a pool is told when it is opened, and what it tells about itself.
 *
 * Invariant: `PoolSettings` has been checked; durations are in seconds.
 */
import { type Duration, toSeconds } from "../duration.ts";

/** Options of `ThreadPool.open` and `ProcessPool.open`. */
export interface PoolOptions {
  /** The module whose exports are called: `new URL("./hash.ts", import.meta.url)`. */
  module: string | { readonly href: string };
  /** The most workers there are; by default as many as the machine can run at once. */
  size?: number;
  /**
   * How many workers `open` starts, and waits for, and how many stay however idle; 1 by default. With 0 the first call starts the first worker,
   * and a module that cannot be loaded is first noticed there.
   */
  warm?: number;
  /** How many calls a worker holds at a time; 1 by default. More is for handlers that wait: coroutines and async functions. */
  concurrency?: number;
  /** How many calls may wait for a worker: with more, `execute` throws {@linkcode PoolFullError}. No limit by default: each waits in its own task. */
  maxWaiting?: number;
  /** How long workers beyond `warm` stay with nothing to do; 30 seconds by default. */
  idleTimeout?: Duration;
  /** How long a handler may go on after its caller was cancelled, before its worker is ended; 1 second by default. */
  cancelGrace?: Duration;
  /**
   * The address of the script the workers start from, for programs that were bundled into one file: a bundle of
   * this package's `worker_thread`, `worker_process` or `worker_browser`, in `src/pool`.
   */
  entry?: string | { readonly href: string };
}

/** The options, checked and complete. */
export interface PoolSettings {
  readonly module: string;
  readonly size: number;
  readonly warm: number;
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly idleTimeout: number;
  readonly cancelGrace: number;
}

/** What goes on in a pool, at one moment. */
export interface PoolStatistics {
  /** Workers that take calls. */
  readonly workers: number;
  /** Those of them that hold a call. */
  readonly busy: number;
  /** Those of them that hold none. */
  readonly idle: number;
  /** Workers that are being started. */
  readonly starting: number;
  /** Calls that workers hold, those included whose caller was cancelled and which have not answered. */
  readonly running: number;
  /** Calls that wait for a worker. */
  readonly waiting: number;
  /** Calls so far that gave a value. */
  readonly completed: number;
  /** Calls so far that threw. */
  readonly failed: number;
  /** Calls so far whose caller was cancelled. */
  readonly cancelled: number;
  /** Workers so far that ended though the pool had not told them to. */
  readonly died: number;
}

/** Checks the options; gives what makes the settings, once it is known how many workers the machine can run at once. */
export function checkOptions(options: PoolOptions): (parallelism: number) => PoolSettings {
  const { size, warm, concurrency = 1, maxWaiting = Infinity } = options;
  const module = addressOf(options.module);
  if (module === undefined) {
    throw new TypeError(
      'A pool wants the address of a module: { module: new URL("./hash.ts", import.meta.url) }',
    );
  }
  if (size !== undefined) checkCount("size", size, 1);
  if (warm !== undefined) checkCount("warm", warm, 0);
  if (warm !== undefined && size !== undefined && warm > size) {
    throw new RangeError(`warm is at most size, ${size}, not ${warm}`);
  }
  checkCount("concurrency", concurrency, 1);
  if (maxWaiting !== Infinity) checkCount("maxWaiting", maxWaiting, 0);
  const idleTimeout = toSeconds(options.idleTimeout ?? 30);
  const cancelGrace = toSeconds(options.cancelGrace ?? 1);
  return (parallelism) => {
    const most = size ?? Math.max(parallelism, warm ?? 1);
    return {
      module,
      size: most,
      warm: warm ?? 1,
      concurrency,
      maxWaiting,
      idleTimeout,
      cancelGrace,
    };
  };
}

/** A module's address as text; undefined for what is none. A bare path would be relative to this package, so it is refused. */
export function addressOf(module: PoolOptions["module"] | undefined): string | undefined {
  const text = typeof module === "object" ? module?.href : module;
  return typeof text === "string" && /^[a-z][a-z0-9+.-]+:/i.test(text) ? text : undefined;
}

function checkCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is a whole number of at least ${least}, not ${value}`);
  }
}
