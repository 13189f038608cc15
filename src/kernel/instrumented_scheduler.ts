/**
 * InstrumentedScheduler: the scheduler of a loop that has instruments. It tells them what happens.
 *
 * Invariants: of each task, `taskWoken` is told exactly where `taskWaiting` was, and before the
 * task is resumed; hooks are called where the kernel is in order and may be called itself.
 * Independent of: what the instruments do.
 *
 * Why a class of its own: a loop without instruments runs the empty methods of `Scheduler`, which
 * the engine inlines to nothing. Why `taskWoken` is told late: a task becomes ready in the middle
 * of what a primitive does, such as the release of a lock, and a hook that used the lock there
 * would find it half released. All other hooks are called between two such moments.
 */
import type { ScopeCore } from "./cancel_scope.ts";
import { isCancelled } from "./errors.ts";
import type { Instrument, LoopWarning, TaskOutcome, TaskWake } from "./instrument.ts";
import {
  AFTER_STEP,
  BEFORE_STEP,
  Instruments,
  SCOPE_CANCELLED,
  SCOPE_CLOSED,
  SCOPE_OPENED,
  TASK_ENDED,
  TASK_STARTED,
  TASK_WAITING,
  TASK_WOKEN,
  WARNED,
} from "./instruments.ts";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";
import { TaskCore } from "./task.ts";

const BY_TIMER: TaskWake = Object.freeze({ by: "timer" });
const BY_OUTSIDE: TaskWake = Object.freeze({ by: "outside" });

/** See above. */
class InstrumentedScheduler extends Scheduler {
  readonly #instruments: Instruments;
  /** The tasks of which it was told that they wait. */
  readonly #waiting: Set<TaskCore> = new Set();
  /** Timers are being fired. */
  #firing = false;

  constructor(options: SchedulerOptions, instruments: readonly Instrument[]) {
    super(options);
    this.#instruments = new Instruments(instruments, (message, event) => {
      this.isInstrumented = this.#instruments.size > 0;
      if (!this.#instruments.has(TASK_WOKEN)) this.#waiting.clear();
      this.warn({ message, task: taskOf(event) });
    });
    this.isInstrumented = true;
  }

  override ready(task: TaskCore, cause?: ScopeCore): void {
    // The running task has not been told to wait: it goes on, after a checkpoint for one.
    if (task !== this.running && this.#waiting.delete(task)) {
      this.#instruments.note(TASK_WOKEN, task, this.#wakeOf(cause));
    }
    super.ready(task);
  }

  #wakeOf(cause: ScopeCore | undefined): TaskWake {
    if (cause !== undefined) return { by: "cancel", scope: cause };
    if (this.running !== null) return { by: "task", task: this.running };
    return this.#firing ? BY_TIMER : BY_OUTSIDE;
  }

  override fire(now: number): void {
    this.#firing = true;
    try {
      super.fire(now);
    } finally {
      this.#firing = false;
      this.#instruments.flush();
    }
  }

  override close(): void {
    this.#instruments.flush();
    super.close();
  }

  override taskStarted(
    task: TaskCore,
    by: (...args: never[]) => unknown,
    fromOutside: boolean,
  ): void {
    super.taskStarted(task, by, fromOutside);
    this.#instruments.tell(TASK_STARTED, task, this.running);
  }

  override taskWaits(task: TaskCore): void {
    if (this.#instruments.has(TASK_WOKEN)) this.#waiting.add(task);
    this.#instruments.tell(TASK_WAITING, task, task.wait);
  }

  override stepBegins(task: TaskCore): void {
    this.#instruments.tell(BEFORE_STEP, task);
  }

  override stepEnds(task: TaskCore): void {
    this.#instruments.flush();
    if (task.wait !== null) this.taskWaits(task);
    this.#instruments.tell(AFTER_STEP, task);
  }

  override taskEnded(task: TaskCore): void {
    this.#waiting.delete(task);
    if (this.#instruments.has(TASK_ENDED)) {
      this.#instruments.tell(TASK_ENDED, task, outcomeOf(task));
    } else this.#instruments.flush();
  }

  override scopeOpened(scope: ScopeCore): void {
    const { cancelCalled } = scope; // before it was entered, or in a hook
    this.#instruments.tell(SCOPE_OPENED, scope);
    if (cancelCalled) this.scopeCancelled(scope);
  }

  override scopeCancelled(scope: ScopeCore): void {
    if (!this.#instruments.has(SCOPE_CANCELLED)) return;
    // One that was not entered is told of later; in an empty loop there is nothing to cancel.
    if (scope.parent === null && scope.firstChild === null) return;
    this.#instruments.tell(SCOPE_CANCELLED, scope, scope.cancelled);
  }

  override scopeClosed(scope: ScopeCore): void {
    if (scope.kind !== "task") this.#instruments.tell(SCOPE_CLOSED, scope);
  }

  override warn(warning: LoopWarning): void {
    super.warn(warning);
    this.#instruments.tell(WARNED, warning);
  }
}

/** The scheduler of a loop: one that is told of, where there are instruments. */
export function createScheduler(
  options: SchedulerOptions,
  instruments: readonly Instrument[],
): Scheduler {
  return instruments.length === 0
    ? new Scheduler(options)
    : new InstrumentedScheduler(options, instruments);
}

function outcomeOf(task: TaskCore): TaskOutcome {
  const { state } = task;
  if (state === "succeeded") return { state, value: task.value };
  if (state !== "cancelled") return { state: "failed", error: task.value };
  return { state, cancelled: isCancelled(task.value) ? task.value : undefined };
}

/** The task that an event is about: of a scope, the one that has it open or one in it. */
function taskOf(event: unknown): TaskCore {
  if (event instanceof TaskCore) return event;
  const { task, owner, firstChild } = event as LoopWarning & ScopeCore;
  return (task ?? owner ?? firstChild) as TaskCore;
}
