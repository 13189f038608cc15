/**
 * Host: the contract through which a loop gets its time, its timers and its wake-ups.
 *
 * Independent of: tasks, and any runtime. The default implementation is in `runtime/web_host.ts`.
 */

/**
 * The port through which a {@linkcode Loop} sees the world's time. Give one with `new Loop({ host
 * })`: the `VirtualClock` of `@broomio/core/testing` is one.
 *
 * @example
 * ```ts
 * import { type Host, Loop, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // A host that counts how often the loop asks for the time; the rest it leaves to another.
 * const clock = new VirtualClock();
 * let looks = 0;
 * const host: Host = {
 *   now() {
 *     looks++;
 *     return clock.now();
 *   },
 *   attach: (turn) => clock.attach(turn),
 *   warn: (message) => clock.warn(message),
 * };
 * await new Loop({ host }).run(sleep(60));
 * assertEquals(looks > 0, true);
 * ```
 */
export interface Host {
  /** The time now: seconds, monotonic, from any origin. */
  now(): number;
  /**
   * Ties a loop to the host for one run. The host calls `turn`, never from inside `turn`, when the
   * session asks for it.
   */
  attach(turn: () => void): HostSession;
  /**
   * Gives a function that runs another in the async context (`AsyncLocalStorage`) of this call.
   * Absent where there is none.
   */
  captureContext?(): (run: () => void) => void;
  /** Shows a warning for which the loop has no `onWarning`. */
  warn(message: string): void;
  /**
   * Calls back once, after so many seconds of real time, without keeping the process alive; gives
   * what takes that back. Absent where nothing can.
   */
  remind?(callback: () => void, seconds: number): () => void;
}

/**
 * One run of a loop, as its host sees it. After each turn the loop calls one of `yield`, `idle` and
 * `close`.
 *
 * @example
 * ```ts
 * import { type Host, type HostSession, Loop, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const log: string[] = [];
 * const clock = new VirtualClock();
 *
 * // Writes down how long a loop sleeps.
 * function attach(turn: () => void): HostSession {
 *   const session = clock.attach(turn);
 *   return {
 *     yield: () => session.yield(),
 *     idle(deadline, external) {
 *       log.push(`idle until ${deadline}`);
 *       session.idle(deadline, external);
 *     },
 *     wake: () => session.wake(),
 *     close: () => session.close(),
 *   };
 * }
 * const host: Host = { now: () => clock.now(), warn: console.warn, attach };
 * await new Loop({ host }).run(sleep(5));
 * assertEquals(log, ["idle until 5"]);
 * ```
 */
export interface HostSession {
  /** Tasks are ready: call `turn` again once timers, messages and I/O had their chance. */
  yield(): void;
  /**
   * No task is ready: call `turn` at `deadline` (the host's seconds, or Infinity), or after `wake`.
   * `external` tells whether something outside the loop may call `wake`.
   */
  idle(deadline: number, external: boolean): void;
  /**
   * While idle: a task became ready, call `turn` soon. With `soon`, more tasks are likely to become
   * ready before this round of the host's own loop ends: it may wait for that.
   */
  wake(soon?: boolean): void;
  /** The run is over; no turn follows. */
  close(): void;
}
