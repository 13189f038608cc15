/**
 * What a pool is told when it is opened, and what it reports about itself.
 *
 * Invariant: `PoolSettings` has been checked; durations are in seconds.
 */
import { checkInteger, checkOptions, wrongKind, wrongValue } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";

/**
 * Options of `ThreadPool.open` and `ProcessPool.open`.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type PoolOptions, ThreadPool } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: PoolOptions = {
 *   module: "data:text/javascript,export const add = (a, b) => a + b",
 *   size: 2, // workers at most
 *   warm: 0, // the first call starts the first one
 *   maxWaiting: 100,
 *   cancelGrace: 0.5, // seconds
 * };
 * await new Loop().run(function* () {
 *   const pool = yield* ThreadPool.open<{ add(a: number, b: number): number }>(options);
 *   assertEquals(yield* pool.execute("add", 1, 2), 3);
 * }());
 * ```
 */
export interface PoolOptions {
  /** The module whose exports are called: `new URL("./hash.ts", import.meta.url)`. */
  module: string | { readonly href: string };
  /** The most workers there are; by default as many as the machine can run at once. */
  size?: number;
  /**
   * How many workers `open` starts, and waits for, and how many stay however long they are idle; 1
   * by default. With 0 the first call starts the first worker, and a module that cannot be loaded
   * is first noticed there.
   */
  warm?: number;
  /**
   * How many calls a worker runs at a time; 1 by default. More is for handlers that wait. Make
   * those coroutines: one that does not end when its caller is cancelled ends its worker, after
   * `cancelGrace`, and the other calls in that worker fail with a `WorkerError` that says so.
   */
  concurrency?: number;
  /**
   * How many calls may wait for a worker: with more, `execute` throws {@linkcode PoolFullError}. No
   * limit by default: each waits in its own task.
   */
  maxWaiting?: number;
  /** How long workers beyond `warm` stay with nothing to do; 30 seconds by default. */
  idleTimeout?: Duration;
  /**
   * How long a handler may go on after its caller was cancelled, before its worker is ended; 1
   * second by default. Until it has answered, its worker is given no other call.
   */
  cancelGrace?: Duration;
  /** How long a worker may take to start and load the module; 60 seconds by default. */
  startTimeout?: Duration;
  /**
   * The address of the script that workers start from, for programs that were bundled into one
   * file: a bundle of this package's `worker_thread`, `worker_process` or `worker_browser`, in
   * `src/pool`.
   */
  entry?: string | { readonly href: string };
}

const KNOWN_OPTIONS: readonly (keyof PoolOptions)[] = [
  ...["module", "size", "warm", "concurrency", "maxWaiting", "idleTimeout"] as const,
  ...["cancelGrace", "startTimeout", "entry"] as const,
];

/** The options, checked and complete. */
export interface PoolSettings {
  readonly module: string;
  readonly size: number;
  readonly warm: number;
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly idleTimeout: number;
  readonly cancelGrace: number;
  readonly startTimeout: number;
}

/**
 * What goes on in a pool, at one moment.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type PoolStatistics, ThreadPool } from "jsr:@broomio/core/pool";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const isIdle = ({ running, waiting }: PoolStatistics) => running + waiting === 0;
 *
 * const module = "data:text/javascript,export const nothing = () => {}";
 * await new Loop().run(function* () {
 *   const pool = yield* ThreadPool.open({ module, size: 1, warm: 0 });
 *   assertEquals(isIdle(pool.statistics()), true);
 * }());
 * ```
 */
export interface PoolStatistics {
  /** Workers that take calls. */
  readonly workers: number;
  /** Those of them that have a call. */
  readonly busy: number;
  /** Those of them that have none. */
  readonly idle: number;
  /** Workers that are being started. */
  readonly starting: number;
  /**
   * Calls in workers, including those whose caller was cancelled and that have not been answered.
   */
  readonly running: number;
  /** Calls that wait for a worker. */
  readonly waiting: number;
  /** Calls so far that gave a value. */
  readonly completed: number;
  /** Calls so far that threw. */
  readonly failed: number;
  /** Calls so far whose caller was cancelled. */
  readonly cancelled: number;
  /**
   * Workers so far that ended while the pool still needed them: by themselves, or by the pool
   * because they did not start in time or are counted in `overdue`.
   */
  readonly died: number;
  /**
   * Workers so far that the pool ended because a cancelled call went on for longer than
   * `cancelGrace`.
   */
  readonly overdue: number;
}

/**
 * Checks the options; gives what makes the settings, once it is known how many workers the machine
 * can run at once.
 */
export function checkPoolOptions(
  options: PoolOptions,
  by: string,
): (parallelism: number) => PoolSettings {
  checkOptions(options, by, KNOWN_OPTIONS);
  const module = checkAddress(options?.module, "module");
  const { size, warm, concurrency = 1, maxWaiting = Infinity } = options;
  if (size !== undefined) checkInteger(size, "size", 1);
  if (warm !== undefined) checkInteger(warm, "warm", 0, size);
  checkInteger(concurrency, "concurrency", 1);
  checkInteger(maxWaiting, "maxWaiting", 0, Infinity, true);
  const { idleTimeout = 30, cancelGrace = 1, startTimeout = 60 } = options;
  const times = {
    idleTimeout: toSeconds(idleTimeout, "idleTimeout"),
    cancelGrace: toSeconds(cancelGrace, "cancelGrace"),
    startTimeout: toSeconds(startTimeout, "startTimeout"),
  };
  return (parallelism) => ({
    module,
    size: size ?? Math.max(parallelism, warm ?? 1),
    warm: warm ?? 1,
    concurrency,
    maxWaiting,
    ...times,
  });
}

/**
 * A module's address as text. A bare path is refused: it would be relative to this package.
 *
 * @throws {TypeError} If it is not of a kind that can be an address.
 * @throws {RangeError} If it is a string, but not an absolute address.
 */
export function checkAddress(address: unknown, name: string): string {
  const text = typeof address === "object" && address !== null
    ? (address as { href?: unknown }).href
    : address;
  const what = 'an absolute address, such as new URL("./hash.ts", import.meta.url)';
  if (typeof text !== "string") throw wrongKind(what, address, name);
  if (!/^[a-z][a-z0-9+.-]+:/i.test(text)) throw wrongValue(what, text, name);
  return text;
}
