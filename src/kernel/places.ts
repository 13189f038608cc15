/**
 * Places: where each coroutine on the stack of a task stands, for loops in debug mode and for
 * `explore`.
 *
 * Invariant: the place of a coroutine is that of its last `yield*`, known only where a step was
 * looked at (`stepPlaced` in step.ts). Kept beside the frames: most loops never want it.
 */
import type { Frame } from "./frame.ts";
import type { TaskCore } from "./task.ts";

const places = new WeakMap<Frame, string>();

/** Notes where the coroutine on top stops. */
export function notePlace(task: TaskCore, stack: string): void {
  task.ensureExtras().position = stack;
  places.set(task.frame, stack);
}

/** The stacks of the coroutines of a task, innermost first; of those that are known. */
export function placesOf(task: TaskCore): string[] {
  const stacks: string[] = [];
  for (let frame: Frame | null = task.frame; frame !== null; frame = frame.below) {
    const stack = places.get(frame);
    if (stack !== undefined) stacks.push(stack);
  }
  return stacks;
}
