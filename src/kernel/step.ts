/**
 * Step: runs tasks to their next wait: resumes the coroutine on top, carries out what it asks for,
 * leaves frames that have ended.
 *
 * Invariants: one task runs at a time; what a coroutine throws ends in `task.mode` and
 * `task.value`, and never goes up to the loop. Independent of: turns, time, why the run began. The
 * loop calls `runBatch` once for up to 64 steps.
 */
import { deliver } from "./cancel_delivery.ts";
import { observeCheckpoints, RESCHEDULE } from "./checkpoint.ts";
import { Command, observeYields, type YieldObserver } from "./command.ts";
import { isGenerator, notATrap, RESUMED, type Trap, UNWOUND } from "./coroutine.ts";
import { NEXT, POP, RETURN, SUSPEND, THROW } from "./frame.ts";
import { watchTask } from "./never_begun.ts";
import { withoutCancelled } from "./nursery_error.ts";
import { notePlace } from "./places.ts";
import type { Scheduler } from "./scheduler.ts";
import { coroutineStack, noteThrown, placeError } from "./stack.ts";
import type { TaskCore } from "./task.ts";

/** Operations that a task may carry out in one step without waiting, before others get a turn. */
const MAX_OPERATIONS = 256;

/**
 * What every generator inherits from; of this module, because V8 loads what is imported anew at
 * each use.
 */
const generatorPrototype: Generator = Object.getPrototypeOf(function* () {}).prototype;
const generatorNext = generatorPrototype.next as Iterator<Trap, unknown, unknown>["next"];

/**
 * Steps up to `count` tasks; true where some may be left. The hottest code there is: the step that
 * ends in a `checkpoint()`, known by identity, is spelled out here, with the `try` around the loop
 * and not in it, which is a fifth faster. What else can happen leaves the inner loop. There, only
 * the coroutine can throw.
 */
export function runBatch(scheduler: Scheduler, count: number): boolean {
  if (scheduler.observed) return runObserved(scheduler, count);
  const { queue } = scheduler;
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
        if (task.deliveries !== 0 || task.mode !== NEXT) break;
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
      task!.value = withoutCancelled(error);
      result = null;
    }
    if (result !== undefined) driveTask(task!, result);
    else if (task!.deliveries !== 0) stepObserved(scheduler, task!);
    else stepTask(scheduler, task!);
    scheduler.running = null;
    if (scheduler.gaveWay) {
      scheduler.gaveWay = false;
      return true; // that step was long: time to look at the clock
    }
  }
}

/** Whether somebody wants to know of each step. */
function isWatched(scheduler: Scheduler): boolean {
  return scheduler.debug || scheduler.isInstrumented;
}

/** The task that `stepEntered` steps: a closure for each step would be garbage. */
let entered: TaskCore | null = null;

function stepEntered(): void {
  const task = entered!;
  entered = null;
  stepTask(task.scheduler, task);
}

/** A step in the async context of a task, where there is nothing else to do. */
function stepInContext(task: TaskCore): void {
  entered = task;
  const { extras } = task;
  if (extras === null || extras.context === null) stepEntered();
  else extras.context(stepEntered);
}

/** `runBatch` where each step is looked at. */
function runObserved(scheduler: Scheduler, count: number): boolean {
  const { queue } = scheduler;
  while (count-- > 0) {
    const task = queue.shift();
    if (task === undefined) return false;
    if (isWatched(scheduler) || task.deliveries !== 0) stepObserved(scheduler, task);
    else stepInContext(task);
    if (scheduler.gaveWay) {
      scheduler.gaveWay = false;
      return true; // that step was long: time to look at the clock
    }
  }
  return true;
}

/**
 * A step for which somebody wants to know more: an instrument, or a warning where it waits next.
 */
function stepObserved(scheduler: Scheduler, task: TaskCore): void {
  scheduler.stepBegins(task);
  if (scheduler.debug || task.deliveries !== 0) stepPlaced(scheduler, task);
  else stepInContext(task);
  scheduler.stepEnds(task);
}

/** A step after which it is known where the task has stopped. */
function stepPlaced(scheduler: Scheduler, task: TaskCore): void {
  observe((by) => notePlace(task, coroutineStack(by)));
  if (scheduler.debug) watchTask(task);
  stepInContext(task);
  observe(null);
  watchTask(null);
  if (scheduler.debug) task.since = scheduler.tickNow(); // the step may have been long
}

/** Sets who is told where the running coroutine stops. */
function observe(observer: YieldObserver | null): void {
  observeYields(observer);
  observeCheckpoints(observer);
}

/** Steps a fresh task at once, for a caller outside the loop. */
export function stepFresh(scheduler: Scheduler, task: TaskCore): void {
  if (isWatched(scheduler)) stepObserved(scheduler, task);
  else stepTask(scheduler, task);
}

/** Runs a task to its next wait, or its end. */
function stepTask(scheduler: Scheduler, task: TaskCore): void {
  scheduler.running = task;
  const result = resumeTask(task);
  if (isCheckpoint(task, result)) {
    // What the trap would do, as in `runBatch`: saves a loop that is looked at a tenth.
    task.value = RESUMED;
    scheduler.ready(task);
  } else driveTask(task, result);
  scheduler.running = null;
}

function isCheckpoint(task: TaskCore, result: IteratorResult<Trap, unknown> | null): boolean {
  try {
    return task.topIsGenerator && result !== null && result.value === RESCHEDULE &&
      result.done !== true && task.scope.cause === null;
  } catch {
    return false; // a getter of a result that an iterator of somebody's has made
  }
}

/**
 * Carries out what the top coroutine of a task asked for, or, where it has ended, leaves its frame;
 * and so on with what is on top then, until the task is parked, ready again, or has ended.
 */
function driveTask(task: TaskCore, result: IteratorResult<Trap, unknown> | null): void {
  for (let budget = MAX_OPERATIONS;;) {
    let ended = true;
    let value: unknown = undefined;
    if (result !== null) {
      try {
        ended = result.done === true;
        value = result.value;
      } catch (error) {
        task.mode = THROW; // from a getter of a result that an iterator of somebody's has made
        task.value = error;
        ended = true;
        result = null;
      }
    }
    if (ended) {
      if (result !== null) {
        task.value = value;
        if (value === UNWOUND) task.mode = RETURN;
      }
      const { frame } = task;
      const verdict = frame.exit(task);
      if (task.ended) return;
      if (verdict === POP) task.frame = frame.below!;
      task.renewTop();
      if (verdict === SUSPEND) return;
    } else {
      const trap = value as Trap;
      task.value = undefined; // the trap sets it where it has a result
      if (--budget < 0) return giveWay(task, trap);
      try {
        // One property call both to see that a trap is one and to carry it out.
        if (!trap.perform(task as never)) {
          if (!task.topIsGenerator) recognizeTop(task);
          return;
        }
        task.renewTop();
      } catch (error) {
        task.mode = THROW;
        task.value = isTrap(trap) ? error : new TypeError(notATrap(trap));
        noteThrown(task.value);
        if (isMisuse(trap)) {
          result = throwMisuse(task);
          continue;
        }
      }
    }
    result = resumeTask(task);
  }
}

function isTrap(value: unknown): boolean {
  try {
    return typeof (value as Partial<Trap> | null | undefined)?.perform === "function";
  } catch {
    return true; // it is the getter that threw
  }
}

/** Whether `trap` was yielded without the star: no operation stands there. */
function isMisuse(trap: Trap): boolean {
  try {
    return trap instanceof Command ? !trap.isBegun : !isTrap(trap);
  } catch {
    return false; // a proxy that was revoked
  }
}

/**
 * Puts a checkpoint before the operation `trap`, because the task has done many that did not wait
 * (R5). A cancel in force lands here, before anything of the operation has happened; else the task
 * goes to the end of the queue and then performs it.
 */
function giveWay(task: TaskCore, trap: Trap): void {
  task.scheduler.gaveWay = true;
  if (task.scope.cause !== null) return deliver(task);
  task.top = {
    next() {
      task.renewTop();
      return { done: false, value: trap };
    },
    throw(error: unknown) {
      task.renewTop();
      if (task.top.throw === undefined) throw error;
      return task.top.throw(error);
    },
    return(value: unknown) {
      task.renewTop();
      return task.top.return === undefined ? { done: true, value } : task.top.return(value);
    },
  };
  task.topIsGenerator = false;
  task.value = RESUMED;
  task.scheduler.ready(task);
}

/**
 * Sees, where a task stops, whether it will be resumed by the `next` of all generators. To look
 * that up at each resume costs a third of a switch: each generator function gives its generators a
 * shape of their own, and a program has many.
 */
function recognizeTop(task: TaskCore): void {
  task.topIsGenerator = isGenerator(task.top);
}

/**
 * Throws the error for a `yield` that should have been a `yield*` into the coroutine at fault. No
 * operation stands there whose `throw` could give the error a stack. But each `yield*` on the way
 * down looks up `throw` of the generator below it: for this one call that is a function which notes
 * where it was called. So the stack shows the coroutines around the one at fault.
 */
function throwMisuse(task: TaskCore): IteratorResult<Trap, unknown> | null {
  const original = generatorPrototype.throw;
  const { value } = task;
  function throwAndPlace(this: Generator, error: unknown): IteratorResult<unknown> {
    if (error === value) {
      noteThrown(error);
      placeError(error, throwAndPlace);
    }
    return original.call(this, error);
  }
  try {
    generatorPrototype.throw = throwAndPlace;
  } catch {
    return resumeTask(task); // frozen, as hardened environments do
  }
  try {
    return resumeTask(task);
  } finally {
    generatorPrototype.throw = original;
  }
}

const NO_RESULT = "The iterator of an operation gave no result: expected { done, value }";

/**
 * Resumes the top coroutine of a task: what it yielded or returned, or null where it threw, as
 * `mode` and `value` then say.
 */
function resumeTask(task: TaskCore): IteratorResult<Trap, unknown> | null {
  try {
    if (task.mode === NEXT && task.topIsGenerator) return generatorNext.call(task.top, task.value);
    const result = task.mode === NEXT ? task.top.next(task.value) : resumeAbruptly(task);
    if (typeof result !== "object" || result === null) throw new TypeError(NO_RESULT);
    return result;
  } catch (error) {
    task.mode = THROW;
    task.value = withoutCancelled(error);
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
