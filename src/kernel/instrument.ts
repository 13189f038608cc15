/**
 * Instrument: the hooks through which code outside sees what a loop does, and what they are told.
 *
 * Independent of: when and how they are called (instruments.ts, instrumented_scheduler.ts).
 */
import { checkObject, wrongKind } from "../check.ts";
import type { Cancelled } from "./errors.ts";
import type { Task } from "./task.ts";

/**
 * Something a loop noticed that is probably a mistake, but not an error.
 *
 * @example
 * ```ts
 * import { Loop, type LoopWarning, moveOnAfter, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const warnings: LoopWarning[] = [];
 * const loop = new Loop({ onWarning: (warning) => warnings.push(warning) });
 * await loop.run(moveOnAfter(0.01, function* () {
 *   try {
 *     yield* sleep(60);
 *   } catch {
 *     // swallows the cancel
 *   }
 *   yield* sleep(60);
 * }));
 * assertEquals(warnings.map((warning) => warning.task.name), ["main"]);
 * ```
 */
export interface LoopWarning {
  /** What it is, and what to write instead. */
  message: string;
  /** The task it is about. */
  task: Task;
}

/**
 * What a task waits for, as an {@linkcode Instrument} sees it. To be asked while it waits.
 *
 * @example
 * ```ts
 * import { Loop, sleep, type Task, type TaskWait } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const log: string[] = [];
 * const taskWaiting = (task: Task, wait: TaskWait) => {
 *   log.push(`${task.name}: ${wait.describe()}`);
 * };
 * await new Loop({ instruments: [{ taskWaiting }] }).run(sleep(0.01));
 * assertEquals(log, ["main: sleeping for 0.01 s"]);
 * ```
 */
export interface TaskWait {
  /** In the words of a deadlock report: `acquiring lock "db"`. */
  describe(): string;
  /** For a wait on something that tasks hold: those tasks. */
  holders?(): readonly Task[];
}

/**
 * What made a waiting task ready.
 *
 * @example
 * ```ts
 * import { Loop, moveOnAfter, sleep, type Task, type TaskWake } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const log: string[] = [];
 * const taskWoken = (_task: Task, wake: TaskWake) => {
 *   log.push(wake.by === "cancel" ? `cancel of ${wake.scope.name}` : wake.by);
 * };
 * await new Loop({ instruments: [{ taskWoken }] }).run(function* () {
 *   yield* sleep(0.01);
 *   yield* moveOnAfter(0.01, sleep(60));
 * }());
 * assertEquals(log, ["timer", "cancel of moveOnAfter"]);
 * ```
 */
export type TaskWake =
  | {
    /** Another task did: it sent, released, set, or ended. */
    readonly by: "task";
    /** That task. */
    readonly task: Task;
  }
  | {
    /** Its time has come. */
    readonly by: "timer";
  }
  | {
    /** Something outside of any task of this loop: a callback, a promise, I/O, an instrument. */
    readonly by: "outside";
  }
  | {
    /** It was cancelled. */
    readonly by: "cancel";
    /** The scope whose cancel reached it; `scopeCancelled` told who cancelled that. */
    readonly scope: ScopeView;
  };

/**
 * How a task ended.
 *
 * @example
 * ```ts
 * import { Loop, sleep, type Task, type TaskOutcome } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const failures: unknown[] = [];
 * const taskEnded = (_task: Task, outcome: TaskOutcome) => {
 *   if (outcome.state === "failed") failures.push(outcome.error);
 * };
 * const broken = new Error("broken");
 * await new Loop({ instruments: [{ taskEnded }] }).run(function* () {
 *   yield* sleep(0.01);
 *   throw broken;
 * }()).catch(() => {});
 * assertEquals(failures, [broken]);
 * ```
 */
export type TaskOutcome =
  | {
    /** As `task.state` has it. */
    readonly state: "succeeded";
    /** What its coroutine returned. */
    readonly value: unknown;
  }
  | {
    /** As `task.state` has it. */
    readonly state: "failed";
    /** What it threw. */
    readonly error: unknown;
  }
  | {
    /** As `task.state` has it. */
    readonly state: "cancelled";
    /** What it met; undefined where it was made to end without that. */
    readonly cancelled: Cancelled | undefined;
  };

/**
 * What a scope is the scope of: a block (`CancelScope.open`, `moveOnAfter`, `shield` and their
 * kin), a nursery, a whole task, or the loop.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, type ScopeKind, shield, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const kinds: ScopeKind[] = [];
 * const loop = new Loop({ instruments: [{ scopeOpened: ({ kind }) => kinds.push(kind) }] });
 * await loop.run(Nursery.open(function* () {
 *   yield* shield(sleep(0.01));
 * }));
 * assertEquals(kinds, ["nursery", "block"]);
 * ```
 */
export type ScopeKind = "block" | "nursery" | "task" | "loop";

/**
 * A cancel scope, as an {@linkcode Instrument} sees it.
 *
 * @example
 * ```ts
 * import { type Cancelled, CancelScope, Loop, type ScopeView, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const log: string[] = [];
 * const scopeCancelled = (scope: ScopeView, cancelled: Cancelled) => {
 *   log.push(`${scope.name} of ${scope.owner?.name}: ${cancelled.message}`);
 * };
 * await new Loop({ instruments: [{ scopeCancelled }] }).run(
 *   CancelScope.open(function* (scope) {
 *     scope.cancel("bored");
 *     yield* sleep(60);
 *   }, { name: "plan" }),
 * );
 * assertEquals(log, ["plan of main: Cancelled by task main: bored"]);
 * ```
 */
export interface ScopeView {
  /** What it is the scope of. */
  readonly kind: ScopeKind;
  /** The name it was given, or "". */
  readonly name: string;
  /** The task that has it open; null for that of the loop. */
  readonly owner: Task | null;
  /** The scope around it; null for that of the loop. */
  readonly parent: ScopeView | null;
  /** When it is cancelled: seconds on the loop's clock, or Infinity. */
  readonly deadline: number;
  /** Whether cancels from outside stop here. */
  readonly shield: boolean;
  /** Whether it was cancelled, or its deadline has passed. */
  readonly cancelCalled: boolean;
  /** Whether a cancellation was stopped here. */
  readonly cancelledCaught: boolean;
  /** Why it was cancelled. */
  readonly reason: unknown;
  /** Cancels everything in it, as `scope.cancel()` does. */
  cancel(reason?: unknown): void;
}

/**
 * Watches the tasks of a loop: `new Loop({ instruments: [instrument] })`. All hooks are optional; a
 * loop without instruments pays nothing for them.
 *
 * - The hooks are read when the loop is made, and called with the instrument as `this`, never
 *   inside each other, in the order in which things happened, for all instruments the same.
 * - They are called when it happens, but for `taskWoken`: that is called when the code that woke
 *   the task has finished its step, and before the task is resumed.
 * - Of one task an instrument sees: `taskStarted`; for each step, perhaps `taskWaiting` and
 *   `taskWoken` before it, then `beforeStep` and `afterStep`; within the last step `taskEnded`. A
 *   task that is dropped in a deadlock ends without a last step.
 * - A hook may start tasks and cancel. One that throws, or gives a promise that rejects, or goes on
 *   starting tasks because of the tasks that it starts: that instrument is dropped, with a warning.
 *
 * @example
 * ```ts
 * import { type Instrument, Loop, Nursery, sleep } from "jsr:@broomio/core";
 *
 * const log: string[] = [];
 * const instrument: Instrument = {
 *   taskStarted: (task, by) => log.push(`${task.name} started by ${by?.name ?? "outside"}`),
 *   taskWaiting: (task, wait) => log.push(`${task.name} waits: ${wait.describe()}`),
 *   taskWoken: (task, wake) => log.push(`${task.name} woken by ${wake.by}`),
 *   taskEnded: (task, { state }) => log.push(`${task.name} ${state}`),
 * };
 * await new Loop({ instruments: [instrument] }).run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(sleep(0.01), { name: "child" });
 * }));
 * console.log(log.join("\n"));
 * // main started by outside
 * // child started by main
 * // main waits: waiting for 1 child
 * // child waits: sleeping for 0.01 s
 * // child woken by timer
 * // child succeeded
 * // main woken by task
 * // main succeeded
 * ```
 */
export interface Instrument {
  /**
   * A task was made; it has not run yet.
   *
   * @param by The task of this loop that was running; null for code outside of any.
   */
  taskStarted?(task: Task, by: Task | null): void;
  /** A task waits; or, with `startLater`, it was started and its time has not come. */
  taskWaiting?(task: Task, wait: TaskWait): void;
  /** A task that waited is ready, and will be resumed in its turn. */
  taskWoken?(task: Task, wake: TaskWake): void;
  /** A task is resumed: it is about to run to its next wait. */
  beforeStep?(task: Task): void;
  /** A task has run to its next wait, or its end. */
  afterStep?(task: Task): void;
  /** A task has ended. */
  taskEnded?(task: Task, outcome: TaskOutcome): void;
  /**
   * A task has opened a scope or a nursery. Neither `scopeOpened` nor `scopeClosed` tells of the
   * scope of the loop and of the one around a whole task, which `task.cancel()` cancels: they begin
   * and end with the loop and the task.
   */
  scopeOpened?(scope: ScopeView): void;
  /**
   * A scope was cancelled: by a call, its deadline, a failure in its nursery, a signal.
   *
   * @param cancelled The error that the tasks in it will meet: its `source` and `origin` say who
   * cancelled, its `reason` why.
   */
  scopeCancelled?(scope: ScopeView, cancelled: Cancelled): void;
  /** A task has left a scope. */
  scopeClosed?(scope: ScopeView): void;
  /** The loop has given a warning. */
  warned?(warning: LoopWarning): void;
}

/** The names of all hooks. */
export const HOOKS: readonly (keyof Instrument)[] = [
  "taskStarted",
  "taskWaiting",
  "taskWoken",
  "beforeStep",
  "afterStep",
  "taskEnded",
  "scopeOpened",
  "scopeCancelled",
  "scopeClosed",
  "warned",
];

/** Checks instruments where they are given. */
export function checkInstruments(instruments: readonly Instrument[]): void {
  if (!Array.isArray(instruments)) throw wrongKind("an array", instruments, "instruments");
  for (const instrument of instruments) {
    checkObject(instrument, "instruments", "an instrument");
    for (const hook of HOOKS) {
      const given: unknown = instrument[hook];
      if (given !== undefined && typeof given !== "function") {
        throw wrongKind("a function", given, `${hook} of an instrument`);
      }
    }
  }
}
