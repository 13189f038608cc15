/**
 * Resume: how the coroutine on top of a task is made to go on, by a value, an error or a `return()`.
 *
 * Invariant: what a coroutine throws ends in `task.mode` and `task.value`, and never goes up to the loop.
 * Must never know: queues, turns, what a trap does.
 */
import { type Trap, UNWOUND } from "./coroutine.ts";
import { NEXT, type TaskCore, THROW } from "./task.ts";

/** What every generator inherits. */
export const generatorNext: Iterator<Trap, unknown, unknown>["next"] =
  Object.getPrototypeOf(function* () {}).prototype.next;

/**
 * Sees, where a task stops, whether it will be resumed by the `next` of all generators. To look that up at each resume costs a third of a
 * switch: each generator function gives its generators a shape of their own, and a program has many.
 */
export function recognizeTop(task: TaskCore): void {
  task.topIsGenerator = task.top.next === generatorNext;
}

/** Resumes the top coroutine of a task: what it yielded or returned, or null where it threw, as `mode` and `value` then say. */
export function resumeTask(task: TaskCore): IteratorResult<Trap, unknown> | null {
  try {
    return task.mode === NEXT ? task.top.next(task.value) : resumeAbruptly(task);
  } catch (error) {
    task.mode = THROW;
    task.value = error;
    return null;
  }
}

/** Resumes with a throw or a return; an iterator that does not know how simply ends that way. */
function resumeAbruptly(task: TaskCore): IteratorResult<Trap, unknown> {
  const { mode, top, value } = task;
  task.mode = NEXT;
  if (mode === THROW) {
    if (top.throw === undefined) throw value;
    return top.throw(value);
  }
  if (top.return === undefined) return { done: true, value: UNWOUND };
  return top.return(UNWOUND);
}
