/**
 * Loop: runs tasks in turns. A turn expires what is due, steps what is ready, and, when nothing is
 * left to do at once, has the host wait.
 *
 * Pure: no clock, timer, promise or socket of its own; time and wake-ups come through the Host
 * (host.ts). Invariants: one run at a time; the tasks of the next run wait in a new root nursery;
 * no turn runs inside another. Independent of: how a task is stepped (kernel/step.ts), and when a
 * run is over (kernel/run.ts).
 */
import { checkBoolean, checkFunction, checkInteger, checkOptions } from "./check.ts";
import { observeYields } from "./kernel/command.ts";
import { ScopeCore } from "./kernel/cancel_scope.ts";
import type { Operation } from "./kernel/coroutine.ts";
import { checkInstruments } from "./kernel/instrument.ts";
import { createScheduler } from "./kernel/instrumented_scheduler.ts";
import {
  type ExploredLoop,
  LOOP_OPTIONS,
  type LoopInternals,
  type LoopOptions,
  type Ordering,
  type PortalLoop,
} from "./kernel/loop_types.ts";
import { NurseryCore, type TaskOptions } from "./kernel/nursery.ts";
import { createQueue, type ExecutionOrder, seededRandom } from "./kernel/ready_queue.ts";
import { NOWHERE, OVER, Run, WAIT } from "./kernel/run.ts";
import {
  createWarn,
  DRAINING_PORTAL,
  NO_PORTAL,
  OPEN_PORTAL,
  runningTask,
  type Scheduler,
} from "./kernel/scheduler.ts";
import { captureStack } from "./kernel/stack.ts";
import { runBatch, stepFresh } from "./kernel/step.ts";
import type { Task, TaskCore } from "./kernel/task.ts";
import { tasksIn } from "./kernel/task_tree.ts";
import { webHost } from "./runtime/web_host.ts";

export type { ExploredLoop, LoopInternals, LoopOptions, Ordering, PortalLoop };

/** Steps between two looks at the clock, at most: a look costs 80 ns on Deno, a step can be 20. */
const MAX_STEPS = 64;
/**
 * Seconds that a turn lasts before the host gets its chance (R5). Handing over costs 1 us on Node,
 * 70 to 150 on Deno: short only while tasks stay ready and what happens outside makes more ready.
 */
const SHORT_TURN = 0.002;
const LONG_TURN = 0.008;
/** Looks at the clock in one turn, at most: a virtual clock may stand still while tasks run. */
const MAX_LOOKS = 16_384;
/** Batches of steps for cleanup in a loop whose host has failed. */
const MAX_UNWINDING = 10_000;
/** After so many seconds a task that was started after a run is warned of. */
const REMIND_AFTER = 1;

/** What the task of `run(main)` is called. */
const MAIN: TaskOptions = { name: "main" };

/** Makes a loop whose order of execution the caller decides: for `explore` in `testing/`. */
export let exploredLoop: (options: LoopOptions, ordering: Ordering) => ExploredLoop;

/** The internals of a loop, which only the class itself can read. */
export let internalsOf: (loop: Loop) => LoopInternals;

/** Makes a loop for a portal: an error that nobody takes care of goes to `onStray` alone. */
export let portalLoop: (
  options: LoopOptions,
  onStray: (error: unknown, task: Task) => void,
) => PortalLoop;

/**
 * Has a task that was made from outside run to its first wait at once, in the caller's async
 * context; in a turn it is queued (R41).
 */
export let stepNow: (task: TaskCore) => void;

/**
 * Runs coroutines.
 *
 * @example
 * ```ts
 * import { Loop, sleep } from "jsr:@broomio/core";
 *
 * function* test(index: number) {
 *   console.log(`${index} started`);
 *   yield* sleep(0.02);
 *   console.log(`${index} stopped`);
 * }
 * const loop = new Loop();
 * loop.startSoon(test(1));
 * loop.startSoon(test(2));
 * await loop.run();
 * ```
 */
export class Loop {
  static {
    portalLoop = (options, onStray) => {
      const loop = new Loop(options);
      loop.#onStray = onStray;
      loop.#root = loop.#newRoot();
      let ended: Promise<void> = Promise.resolve();
      return {
        loop,
        enter() {
          if (loop.#run === null) {
            loop.#scheduler.portal = OPEN_PORTAL;
            ended = loop.run();
            ended.catch(() => {}); // every task was told; `close` tells it again
          }
          return loop.#root;
        },
        close: (grace, reason) => {
          if (loop.#run !== null) loop.#drain(grace, reason, ended);
          return ended;
        },
      };
    };
    stepNow = (task) => task.scheduler.loop.#stepNow(task);
    internalsOf = (loop) => ({
      scheduler: loop.#scheduler,
      root: loop.#root,
      isOver: loop.#wasRun && loop.#run === null,
    });
  }

  /** The seed that "random" order draws from. */
  readonly seed: number;

  readonly #scheduler: Scheduler;
  readonly #order: ExecutionOrder;
  #root: NurseryCore;
  #run: Run | null = null;
  /** Set exactly in the loop of a portal. */
  #onStray: ((error: unknown, task: Task) => void) | null = null;
  /** How many steps are taken until the next look at the clock. */
  #steps = MAX_STEPS;
  #turnLength = SHORT_TURN;
  /** How many tasks were ready when the last turn handed over to the host. */
  #leftReady = 0;
  /** For the loop that `exploredLoop` is making. */
  static #ordering: Ordering | null = null;

  static {
    exploredLoop = (options, ordering) => {
      Loop.#ordering = ordering;
      const loop = new Loop(options);
      const turn = () => loop.#turn();
      return {
        scheduler: loop.#scheduler,
        begin(main, settle) {
          const task = loop.#root.startSoon(main, MAIN) as TaskCore;
          // As new: what an earlier run was like must not tell in the order of this one.
          loop.#steps = MAX_STEPS;
          loop.#turnLength = SHORT_TURN;
          loop.#leftReady = 0;
          loop.#run = new Run(loop.#root, task, settle, NOWHERE);
          loop.#scheduler.open(turn);
        },
        crash(error) {
          loop.#run!.drop(error);
          loop.#endRun();
        },
      };
    };
  }
  readonly #callTurn = (): void => this.#turn();
  /** A run was begun. */
  #wasRun = false;
  /** Takes back the reminder of tasks that wait for another run; null where there is none. */
  #reminder: (() => void) | null = null;

  /**
   * Makes a loop; nothing runs before `run()`.
   *
   * @throws {RangeError} If an option has no valid value.
   * @throws {TypeError} If an option is not known, or of the wrong kind, or `asyncContext` is
   * wanted of a host that has none.
   */
  constructor(options: LoopOptions = {}) {
    checkOptions(options, "Loop", LOOP_OPTIONS);
    const { executionOrder = "fifo", host = webHost, onWarning, asyncContext = false } = options;
    const { instruments = [], debug = false } = options;
    const { seed = Math.floor(Math.random() * 2 ** 32) } = options;
    this.seed = checkInteger(seed, "seed", Number.MIN_SAFE_INTEGER);
    checkBoolean(debug, "debug");
    checkBoolean(asyncContext, "asyncContext");
    if (onWarning !== undefined) checkFunction(onWarning, "onWarning");
    checkInstruments(instruments);
    if (asyncContext && host.captureContext === undefined) {
      throw new TypeError("asyncContext: this host has no async context (AsyncLocalStorage)");
    }
    this.#order = executionOrder;
    const ordering = Loop.#ordering;
    Loop.#ordering = null;
    const parts = {
      loop: this,
      host,
      queue: ordering?.queue ?? createQueue<TaskCore>(executionOrder, seededRandom(this.seed)),
      debug,
      asyncContext,
      random: ordering?.random ?? seededRandom(executionOrder === "random" ? this.seed : 0),
      warn: createWarn(host, onWarning),
    };
    this.#scheduler = createScheduler(parts, instruments);
    this.#root = this.#newRoot();
  }

  /** The time on the loop's clock: seconds, monotonic. */
  get now(): number {
    return this.#scheduler.host.now();
  }

  /** The tasks that have not ended, parents before their children. */
  get tasks(): Iterable<Task> {
    return tasksIn(this.#root.scope);
  }

  /**
   * Starts a task of the loop. It never runs at once. May be called before `run()`, and from
   * anywhere while that runs.
   *
   * @throws {TypeError} If it is not a fresh coroutine or operation.
   */
  startSoon<T>(coroutine: Operation<T>, options?: TaskOptions): Task<T> {
    const task = this.#root.startSoon(coroutine, options);
    if (this.#run === null && this.#wasRun) this.#remind();
    return task;
  }

  /**
   * Runs until no task is left. With `main`, starts that too and gives its value.
   * The first task to fail cancels the others. Rejects with its error, or with a {@linkcode
   * NurseryError} of several.
   *
   * @throws {DeadlockError} If nothing can ever wake the tasks that are left.
   * @throws {Cancelled} If `main` was cancelled before it had a value.
   * @throws {Error} If the loop is running already.
   */
  run(): Promise<void>;
  /** Starts `main`, runs until no task is left, and gives main's value. */
  run<T>(main: Operation<T>): Promise<T>;
  run<T>(main?: Operation<T>): Promise<T | void> {
    return new Promise<T | void>((resolve, reject) => {
      if (this.#run !== null) {
        throw new Error("This loop is running already: start more with startSoon()");
      }
      const task = main === undefined ? null : this.#root.startSoon(main, MAIN);
      const isOpen = this.#scheduler.portal === OPEN_PORTAL;
      if (this.#root.size === 0 && !isOpen) return resolve();
      const settle = { resolve: resolve as (value: unknown) => void, reject };
      this.#run = new Run(this.#root, task as TaskCore | null, settle, {
        calledFrom: captureStack(this.run),
        seedNote: this.#order === "random"
          ? `executionOrder "random", seed ${this.seed}`
          : undefined,
      });
      this.#wasRun = true;
      this.#cancelReminder();
      try {
        this.#scheduler.open(this.#callTurn);
      } catch (error) {
        this.#crash(error);
      }
    });
  }

  /** Cancels every task of the loop; where there is none, that is nothing. Never waits. */
  cancel(reason?: unknown): void {
    if (this.#root.size === 0) return;
    const source = runningTask() ?? undefined;
    if (this.#scheduler.portal === NO_PORTAL) {
      return this.#root.scope.cancelFrom("loop", source, reason);
    }
    // The root nursery of a portal stays as it is, for those who come later.
    for (const task of this.#root.tasksLeft()) task.cancel(reason);
  }

  /**
   * Says that something outside the loop will wake a task: until disposed, waiting is not a
   * deadlock. A run ends all the same when no task is left.
   */
  hold(): Disposable {
    const scheduler = this.#scheduler;
    let held = true;
    scheduler.externals++;
    return {
      [Symbol.dispose]() {
        if (!held) return;
        held = false;
        scheduler.externals--;
        scheduler.wake();
      },
    };
  }

  /** One turn: due timers, then ready tasks, until none is left or the time is up. */
  #turn(): void {
    const scheduler = this.#scheduler;
    const { timers } = scheduler;
    scheduler.beginTurn();
    try {
      let now = scheduler.firstLook();
      this.#turnLength = this.#nextTurnLength();
      for (let looks = 1;; looks++) {
        if (timers.next <= now) scheduler.fire(now);
        const timeIsUp = runBatch(scheduler, this.#steps);
        const before = now;
        // With nothing ready, and nothing due for long, a look would be a tenth of what a turn for
        // one request costs.
        if (timeIsUp || timers.next - now < SHORT_TURN) now = scheduler.look();
        if (timeIsUp) {
          // Fewer steps between looks while steps are long, more while they are short.
          this.#steps = now - Math.max(before, scheduler.turnStart) > SHORT_TURN / 4
            ? Math.max(1, this.#steps >> 2)
            : Math.min(MAX_STEPS, this.#steps * 2);
        } else if (timers.next > now) {
          const quiet = this.#run!.quiet();
          if (quiet === WAIT) {
            this.#leftReady = 0;
            return scheduler.sleep();
          }
          if (quiet === OVER) return this.#endRun();
          now = scheduler.look();
        }
        if (now - scheduler.turnStart >= this.#turnLength || looks === MAX_LOOKS) {
          this.#leftReady = scheduler.queue.length;
          return scheduler.session!.yield();
        }
      }
    } catch (error) {
      observeYields(null);
      scheduler.running = null;
      this.#crash(error);
    } finally {
      scheduler.endTurn();
    }
  }

  /** See `stepNow`. */
  #stepNow(task: TaskCore): void {
    const scheduler = this.#scheduler;
    if (!scheduler.beginStep()) {
      scheduler.captureContext(task);
      return scheduler.ready(task);
    }
    try {
      stepFresh(scheduler, task);
      // To note the context, for a task that waits, costs more than the step on some runtimes.
      if (!task.ended) scheduler.captureContext(task);
    } catch (error) {
      observeYields(null);
      scheduler.running = null;
      this.#crash(error);
    } finally {
      scheduler.endStep();
    }
  }

  /** See `PortalLoop.close`; a run is under way, which ends with `ended`. */
  #drain(grace: number, reason: unknown, ended: Promise<void>): void {
    const scheduler = this.#scheduler;
    const cancel = (): void => {
      scheduler.portal = NO_PORTAL;
      this.#root.scope.cancelFrom("loop", undefined, reason);
      scheduler.wake(); // what waits all the same may be a deadlock now
    };
    scheduler.portal = DRAINING_PORTAL;
    scheduler.wake();
    if (grace === 0) return cancel();
    if (grace === Infinity) return;
    const timer = { generation: 0, expire: cancel };
    scheduler.addTimer(this.now + grace, timer);
    const forget = () => scheduler.timers.cancel(timer);
    ended.then(forget, forget);
  }

  #newRoot(): NurseryCore {
    const scope = new ScopeCore(this.#scheduler, "the loop");
    scope.kind = "loop";
    const root = new NurseryCore(scope, null, this.#onStray === null ? "abort" : "ignore");
    root.onIgnored = this.#onStray;
    return root;
  }

  #nextTurnLength(): number {
    const leftReady = this.#leftReady;
    // All was done: what is ready now came from one round of the host.
    if (leftReady === 0) return LONG_TURN;
    return this.#scheduler.queue.length === leftReady
      ? Math.min(this.#turnLength * 2, LONG_TURN)
      : SHORT_TURN;
  }

  #endRun(): void {
    const run = this.#run!;
    this.#scheduler.portal = NO_PORTAL;
    this.#run = null;
    this.#root = this.#newRoot();
    try {
      this.#scheduler.close();
    } finally {
      run.settle();
    }
  }

  /**
   * Ends the run because something failed outside of any task: the host, for one. The tasks are
   * cancelled and step on as far as they can without turns, so that their `finally` blocks run;
   * those that wait on in spite of the cancel are dropped.
   */
  #crash(error: unknown): void {
    const run = this.#run!;
    try {
      run.crash(error);
      for (let left = MAX_UNWINDING; left > 0 && runBatch(this.#scheduler, MAX_STEPS); left--);
    } catch {
      // `error` was first.
    }
    run.abandonAll(error);
    try {
      this.#endRun();
    } catch {
      // The host fails in `close` too. The run has settled.
    }
  }

  /** Has a task that was started after a run warned of, unless the loop runs again soon (R3). */
  #remind(): void {
    this.#reminder ??= this.#scheduler.host.remind?.(() => {
      this.#reminder = null;
      const [task] = this.tasks;
      if (task === undefined) return;
      this.#scheduler.warn({
        message:
          `Task ${task.name} was started in a loop whose run is over, so it waits: call run() again, or, ` +
          "to run coroutines from callbacks, use a Portal",
        task,
      });
    }, REMIND_AFTER) ?? null;
  }

  #cancelReminder(): void {
    this.#reminder?.();
    this.#reminder = null;
  }
}
