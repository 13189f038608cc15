/**
 * inspect: what a loop still has, for tests that check that nothing was left behind.
 *
 * Invariant: it changes nothing. It starts no task, wakes none, and may be called at any moment,
 * from inside a task too. What it gives is a copy: it does not follow the loop.
 */
import { wrongKind } from "../check.ts";
import { type Task, TaskCore } from "../kernel/task.ts";
import { tasksIn } from "../kernel/task_tree.ts";
import { internalsOf, Loop } from "../loop.ts";

/**
 * What {@linkcode inspect} tells of a loop.
 *
 * @example
 * ```ts
 * import { Loop, moveOnAfter, sleep } from "jsr:@broomio/core";
 * import { inspect, type LoopInspection } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const isAtRest = ({ tasks, timers, externalWaits }: LoopInspection) =>
 *   tasks.length + timers + externalWaits === 0;
 *
 * const loop = new Loop();
 * await loop.run(moveOnAfter(0.01, sleep(60)));
 * assertEquals(isAtRest(inspect(loop)), true); // the timer of the sleep is gone, too
 * ```
 */
export interface LoopInspection {
  /** The tasks that have not ended, parents before their children. */
  readonly tasks: readonly TaskInspection[];
  /** How many of them are ready to run. The one that is running is not among these. */
  readonly ready: number;
  /** How many of them wait. */
  readonly waiters: number;
  /**
   * How many timers are in force: sleeps, deadlines of scopes, and other things that happen later.
   */
  readonly timers: number;
  /**
   * How many waits are pending that something outside the loop may settle: promises, callbacks,
   * sockets. Each `loop.hold()` that was not disposed counts as one.
   */
  readonly externalWaits: number;
  /** The locks and limiter tokens that tasks own. */
  readonly heldLocks: readonly HeldLock[];
}

/**
 * Something that a task owns until it gives it back.
 *
 * @example
 * ```ts
 * import { Lock, Loop } from "jsr:@broomio/core";
 * import { type HeldLock, inspect } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const show = ({ lock, owner }: HeldLock) => `${owner.name} owns ${lock}`;
 *
 * const loop = new Loop();
 * await loop.run(new Lock({ name: "db" }).with(function* () {
 *   assertEquals(inspect(loop).heldLocks.map(show), ['main owns lock "db"']);
 * }));
 * ```
 */
export interface HeldLock {
  /** What it is, with the name it was given: `lock "db"`. */
  readonly lock: string;
  /** The task that owns it. */
  readonly owner: Task;
}

/**
 * What {@linkcode inspect} tells of a task.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, sleep } from "jsr:@broomio/core";
 * import { inspect, type TaskInspection, VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop({ host: new VirtualClock() }).run(Nursery.open(function* (nursery) {
 *   const task = nursery.startSoon(sleep(2));
 *   yield* sleep(1);
 *   const { waitsFor, cancelled }: TaskInspection = inspect(task);
 *   assertEquals([waitsFor?.split(" ")[0], cancelled], ["sleeping", false]);
 * }));
 * ```
 */
export interface TaskInspection {
  /** The task. */
  readonly task: Task;
  /**
   * What it waits for, in the words of a deadlock report: "sleeping"; undefined where it does not
   * wait.
   */
  readonly waitsFor: string | undefined;
  /** Whether a cancel is in force where it stands: its next wait throws `Cancelled`. */
  readonly cancelled: boolean;
  /** How many wait to be told of its end: tasks that join it, and promises that were asked for. */
  readonly watchers: number;
  /** The locks and limiter tokens that it owns, newest first. */
  readonly heldLocks: readonly HeldLock[];
}

/**
 * Looks into a loop, or into a task, which may have ended.
 *
 * A loop that is at rest has nothing: no tasks, and every count is 0. If something is left, then
 * something was not given back: a timer that nobody cancelled, a wait that nobody took out.
 *
 * @throws {TypeError} If it is neither a loop nor a task of one.
 * @example
 * ```ts
 * import { Lock, Loop, sleep } from "jsr:@broomio/core";
 * import { inspect, VirtualClock } from "jsr:@broomio/core/testing";
 *
 * const loop = new Loop({ host: new VirtualClock() });
 * const lock = new Lock({ name: "db" });
 * loop.startSoon(lock.with(sleep(1)), { name: "owner" });
 * const run = loop.run(function* () {
 *   yield* sleep(0.5);
 *   console.log(inspect(loop).heldLocks[0].lock); // lock "db"
 *   console.log(inspect(loop).timers); // 1: the sleep of the owner
 * }());
 * await run;
 * console.log(inspect(loop).tasks.length); // 0
 * ```
 */
export function inspect(loop: Loop): LoopInspection;
/** Looks into a task, which may have ended. */
export function inspect(task: Task): TaskInspection;
export function inspect(target: Loop | Task): LoopInspection | TaskInspection {
  try {
    if (target instanceof Loop) return inspectLoop(target);
    if (target instanceof TaskCore) return inspectTask(target);
  } catch { // a proxy that cannot be asked for its class
  }
  throw wrongKind("a loop or a task", target, "inspect()");
}

function inspectLoop(loop: Loop): LoopInspection {
  const { scheduler, root } = internalsOf(loop);
  const tasks = tasksIn(root.scope).map(inspectTask);
  return {
    tasks,
    ready: scheduler.queue.length,
    waiters: tasks.filter(({ waitsFor }) => waitsFor !== undefined).length,
    timers: scheduler.timers.size,
    externalWaits: scheduler.externals,
    heldLocks: tasks.flatMap(({ heldLocks }) => heldLocks),
  };
}

function inspectTask(task: TaskCore): TaskInspection {
  const { extras, wait } = task;
  const heldLocks: HeldLock[] = [];
  for (let held = extras?.held ?? null; held !== null; held = held.older) {
    heldLocks.push({ lock: held.acquired, owner: task });
  }
  return {
    task,
    waitsFor: wait?.describe(),
    cancelled: task.scope.cause !== null,
    watchers: extras?.watchers?.size ?? 0,
    heldLocks,
  };
}
