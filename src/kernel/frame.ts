/**
 * Frame: one coroutine on a task's stack, and the small numbers that say how coroutines go on and
 * end.
 *
 * Invariant: a frame is on the stack of one task, from the command that pushed it until its `exit`
 * gave POP. Independent of: which operation pushed the frame.
 */
import type { Trap } from "./coroutine.ts";
import { isCancelled } from "./errors.ts";
import type { TaskCore } from "./task.ts";

/** How a frame is resumed, and how a coroutine ended. */
export type Mode = typeof NEXT | typeof THROW | typeof RETURN;
/** With a value. */
export const NEXT = 0;
/** With an error thrown at its wait. */
export const THROW = 1;
/** By `return()`: it unwinds, and no `catch` sees it. */
export const RETURN = 2;

/** What follows when the coroutine of a frame has ended. */
export type Verdict = typeof POP | typeof CONTINUE | typeof SUSPEND;
/** The frame is done: pop it, and resume the one below with `task.mode` and `task.value`. */
export const POP = 0;
/** The frame has put another coroutine in place: resume it. */
export const CONTINUE = 1;
/** The frame waits, or there is none below: stop stepping. */
export const SUSPEND = 2;

/** One coroutine on a task's stack. */
export class Frame {
  /** What is resumed. */
  iterator: Iterator<Trap, unknown, unknown>;
  /** The frame that called this one; null at the bottom. */
  below: Frame | null;

  constructor(iterator: Iterator<Trap, unknown, unknown>, below: Frame | null) {
    this.iterator = iterator;
    this.below = below;
  }

  /**
   * Called when the coroutine has ended as `task.mode` and `task.value` say, which it may change.
   */
  exit(_task: TaskCore): Verdict {
    return POP;
  }
}

/** An iterator that has ended. */
export const ENDED: Iterator<Trap, unknown, unknown> = {
  next: () => ({ done: true, value: undefined }),
};

/** Whether a task or coroutine ended by being cancelled. */
export function isCancellation(end: { mode: Mode; value: unknown }): boolean {
  return end.mode === RETURN || (end.mode === THROW && isCancelled(end.value));
}
