/**
 * Host: the contract through which a loop gets its time, its timers and its wake-ups.
 *
 * Independent of: tasks, and any runtime. The default implementation is in `runtime/web_host.ts`.
 */

/**
 * The port through which a {@linkcode Loop} sees the world's time. Give one with `new Loop({ host
 * })`: the `VirtualClock` of `@broomio/core/testing` is one.
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
