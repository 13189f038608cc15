/**
 * Step: runs tasks to their next wait: resumes the coroutine on top, carries out what it asks for, leaves frames that have ended.
 *
 * Invariants: one task runs at a time; what a coroutine throws ends in `task.mode` and `task.value`, and never goes up to the loop.
 * Independent of: turns, time, why the run began. The loop calls `runBatch` once for up to 64 steps.
 */
import { observeCheckpoints, RESCHEDULE } from "./checkpoint.ts";
import { observeYields, type YieldObserver } from "./command.ts";
import { notATrap, RESUMED, type Trap, UNWOUND } from "./coroutine.ts";
import { NEXT, POP, RETURN, SUSPEND, THROW } from "./frame.ts";
import type { Scheduler } from "./scheduler.ts";
import { coroutineStack, noteThrown } from "./stack.ts";
import type { TaskCore } from "./task.ts";

/** What every generator inherits. */
const generatorNext: Iterator<Trap, unknown, unknown>["next"] =
  Object.getPrototypeOf(function* () {}).prototype.next;

/**
 * Steps up to `count` tasks; true where some may be left. The hottest code there is: the step that ends in a `checkpoint()`, known by
 * identity, is spelled out here, with the `try` around the loop and not in it, which is a fifth faster. What else can happen
 * leaves the inner loop. There, only the coroutine can throw.
 */
export function runBatch(scheduler: Scheduler, count: number): boolean {
  const { queue, observed } = scheduler;
  for (;;) {
    let task: TaskCore | undefined;
    let result: IteratorResult<Trap, unknown> | null | undefined;
    try {
      for (;;) {
        task = count-- > 0 ? queue.shift() : undefined;
        if (task === undefined) {
          scheduler.running = null;
          return count < 0;
        }
        if (observed || task.deliveries !== 0 || task.mode !== NEXT) break;
        scheduler.running = task;
        result = task.topIsGenerator
          ? generatorNext.call(task.top, task.value)
          : task.top.next(task.value);
        if (
          result.done === true || result.value !== RESCHEDULE || task.scope.cause !== null
        ) break;
        task.value = RESUMED;
        queue.push(task);
        result = undefined;
        if (!task.topIsGenerator) recognizeTop(task);
      }
    } catch (error) {
      task!.mode = THROW;
      task!.value = error;
      result = null;
    }
    if (result !== undefined) driveTask(task!, result);
    else if (observed || task!.deliveries !== 0) stepObserved(scheduler, task!);
    else stepTask(scheduler, task!);
    scheduler.running = null;
  }
}

/** A step for which somebody wants to know more: an instrument, the task's context, or a warning where it waits next. */
function stepObserved(scheduler: Scheduler, task: TaskCore): void {
  for (const instrument of scheduler.instruments) instrument.beforeStep?.(task);
  if (scheduler.debug || task.deliveries !== 0) {
    observe((by) => task.ensureExtras().position = coroutineStack(by));
  }
  const context = task.extras?.context;
  if (context) context(() => stepTask(scheduler, task));
  else stepTask(scheduler, task);
  observe(null);
  for (const instrument of scheduler.instruments) instrument.afterStep?.(task);
}

/** Sets who is told where the running coroutine stops. */
function observe(observer: YieldObserver | null): void {
  observeYields(observer);
  observeCheckpoints(observer);
}

/** Runs a task to its next wait, or its end. */
function stepTask(scheduler: Scheduler, task: TaskCore): void {
  scheduler.running = task;
  driveTask(task, resumeTask(task));
  scheduler.running = null;
}

/**
 * Carries out what the top coroutine of a task asked for, or, where it has ended, leaves its frame; and so on with what is on top
 * then, until the task is parked, ready again, or has ended.
 */
function driveTask(task: TaskCore, result: IteratorResult<Trap, unknown> | null): void {
  for (;;) {
    if (result !== null && result.done !== true) {
      const trap = result.value;
      task.value = undefined; // the trap sets it where it has a result
      try {
        // One property call both to see that a trap is one and to carry it out.
        if (!trap.perform(task as never)) {
          if (!task.topIsGenerator) recognizeTop(task);
          return;
        }
        task.renewTop();
      } catch (error) {
        task.mode = THROW;
        task.value = typeof trap?.perform === "function" ? error : new TypeError(notATrap(trap));
        noteThrown(task.value);
      }
    } else {
      if (result !== null) {
        task.value = result.value;
        if (result.value === UNWOUND) task.mode = RETURN;
      }
      const { frame } = task;
      const verdict = frame.exit(task);
      if (verdict === POP) task.frame = frame.below!;
      task.renewTop();
      if (verdict === SUSPEND) return;
    }
    result = resumeTask(task);
  }
}

/**
 * Sees, where a task stops, whether it will be resumed by the `next` of all generators. To look that up at each resume costs a third of a
 * switch: each generator function gives its generators a shape of their own, and a program has many.
 */
function recognizeTop(task: TaskCore): void {
  task.topIsGenerator = task.top.next === generatorNext;
}

/** Resumes the top coroutine of a task: what it yielded or returned, or null where it threw, as `mode` and `value` then say. */
function resumeTask(task: TaskCore): IteratorResult<Trap, unknown> | null {
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
