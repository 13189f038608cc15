/**
 * Loop: the door to the scheduler. It owns the root nursery, begins and ends runs, and calls a deadlock what is one.
 *
 * Invariants: one run at a time; a run ends when the root nursery is empty; the tasks of the next run wait in a new root nursery.
 * Must never know: how tasks are stepped, what the time is made of.
 */
import { Scope } from "./kernel/cancel_scope.ts";
import { coroutineStack, type Operation } from "./kernel/coroutine.ts";
import { deadlockReport, liveTasks } from "./kernel/deadlock_report.ts";
import { Cancelled, DeadlockError, NurseryError, setStack } from "./kernel/errors.ts";
import type { Host } from "./host.ts";
import { webHost } from "./runtime/web_host.ts";
import { NurseryCore, type TaskOptions } from "./kernel/nursery.ts";
import { createQueue, type ExecutionOrder, seededRandom } from "./kernel/ready_queue.ts";
import { type Instrument, type LoopWarning, Scheduler } from "./kernel/scheduler.ts";
import { NEXT, type Task, type TaskCore } from "./kernel/task.ts";

/** Options of a {@linkcode Loop}. */
export interface LoopOptions {
  /** In which order ready tasks run: "fifo" by default; the others are there to find hidden assumptions in tests. */
  executionOrder?: ExecutionOrder;
  /** What "random" draws from: a whole number. By default a new one each time; read it as `loop.seed`. */
  seed?: number;
  /** Where time and wake-ups come from: by default the runtime; a `VirtualClock` in tests. */
  host?: Host;
  /** Watch the tasks of the loop. */
  instruments?: Instrument[];
  /** Called with probable mistakes; by default they are printed. What it throws is printed too. */
  onWarning?: (warning: LoopWarning) => void;
  /** Each task sees the `AsyncLocalStorage` store of the code that started it, instead of that of the `run()` call. */
  asyncContext?: boolean;
  /** Errors tell where their task was started, deadlock reports where each task waits. Costs a stack trace for each wait. */
  debug?: boolean;
}

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
  /** The seed that "random" order draws from. */
  readonly seed: number;

  readonly #scheduler: Scheduler;
  readonly #order: ExecutionOrder;
  #root: NurseryCore;
  #run: Run | null = null;

  /**
   * Makes a loop; nothing runs before `run()`.
   *
   * @throws {RangeError} If an option has no valid value.
   * @throws {TypeError} If `asyncContext` is wanted of a host that has none.
   */
  constructor(options: LoopOptions = {}) {
    const { executionOrder = "fifo", host = webHost, onWarning, asyncContext = false } = options;
    this.seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
    if (!Number.isSafeInteger(this.seed)) {
      throw new RangeError(`seed is a whole number, not ${this.seed}`);
    }
    if (asyncContext && host.captureContext === undefined) {
      throw new TypeError("asyncContext: this host has no async context (AsyncLocalStorage)");
    }
    this.#order = executionOrder;
    const print = (warning: LoopWarning) => host.warn(`broomio: ${warning.message}`);
    const queue = createQueue<TaskCore>(executionOrder, seededRandom(this.seed));
    const owner = {
      loop: this,
      quiet: () => this.#quiet(),
      crashed: (error: unknown) => {
        this.#abandon(error);
        this.#end((run) => run.reject(error));
      },
      // Called in the midst of delivering a cancel: an error has nowhere to go from there.
      warn: onWarning === undefined ? print : (warning: LoopWarning) => {
        try {
          onWarning(warning);
        } catch (error) {
          print(warning);
          host.warn(`broomio: onWarning failed: ${error}`);
        }
      },
    };
    this.#scheduler = new Scheduler(host, queue, owner, {
      debug: options.debug ?? false,
      asyncContext,
      instruments: options.instruments ?? [],
      random: seededRandom(executionOrder === "random" ? this.seed : 0),
    });
    this.#root = this.#newRoot();
  }

  /** The time on the loop's clock: seconds, monotonic. */
  get now(): number {
    return this.#scheduler.host.now();
  }

  /** The tasks that have not ended, parents before their children. */
  get tasks(): Iterable<Task> {
    return liveTasks(this.#root);
  }

  /**
   * Starts a task of the loop. It never runs at once. May be called before `run()`, and from anywhere while that runs.
   *
   * @throws {TypeError} If it is not a fresh coroutine or operation.
   */
  startSoon<T>(coroutine: Operation<T>, options?: TaskOptions): Task<T> {
    return this.#root.startSoon(coroutine, options);
  }

  /**
   * Runs until no task is left. With `main`, starts that too and gives its value.
   * Rejects with a {@linkcode NurseryError} where tasks failed: the first to fail cancels the others.
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
      const task = main === undefined ? null : this.#root.startSoon(main, { name: "main" });
      if (this.#root.size === 0) return resolve();
      this.#run = {
        main: task as TaskCore | null,
        resolve: resolve as (value: unknown) => void,
        reject,
        deadlock: null,
        calledFrom: coroutineStack(this.run),
      };
      this.#scheduler.open();
    });
  }

  /** Cancels every task of the loop; where there is none, that is nothing. Never waits. */
  cancel(reason?: unknown): void {
    if (this.#root.size > 0) this.#root.scope.cancel(reason);
  }

  /**
   * Says that something outside the loop will wake a task: until disposed, waiting is not a deadlock. A run ends all the same when
   * no task is left.
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

  #newRoot(): NurseryCore {
    return new NurseryCore(new Scope(this.#scheduler, "the loop"), null, "abort");
  }

  /** No task is ready: the end, a wait, or a deadlock. True where there is no waiting. */
  #quiet(): boolean {
    const scheduler = this.#scheduler;
    const run = this.#run!;
    if (this.#root.size === 0) {
      this.#finish(run);
      return true;
    }
    if (scheduler.timers.size > 0 || scheduler.externals > 0) return false;
    const left = liveTasks(this.#root);
    if (run.deadlock === null) {
      const note = this.#seedNote();
      const report = deadlockReport(this.#root, scheduler.tick) + (note ? `\n  (${note})` : "");
      run.deadlock = { report, tasks: left };
      this.#root.scope.cancel(new DeadlockError(report, left));
    } else {
      // They waited through that cancel, shielded: nothing is left to try.
      run.deadlock.report += `\nDropped, because cancelling did not reach them: ${
        left.map((task) => task.name).join(", ")
      }`;
      this.#abandon(new DeadlockError(run.deadlock.report, left));
      this.#finish(run);
    }
    return true;
  }

  /** Ends the tasks that are left without running them. */
  #abandon(error: unknown): void {
    for (const task of liveTasks(this.#root)) task.abandon(error);
    while (this.#scheduler.queue.shift() !== undefined);
  }

  /** Ends the run as the root nursery did. */
  #finish(run: Run): void {
    const { errors, tasks, scope } = this.#root;
    const { main, deadlock, calledFrom } = run;
    const rejectWith = (error: Error): void => {
      setStack(error, calledFrom);
      this.#end(() => run.reject(error));
    };
    const failure = errors.length === 0
      ? undefined
      : new NurseryError(errors, tasks, { note: this.#seedNote() });
    if (deadlock !== null) {
      const cause = failure === undefined ? undefined : { cause: failure };
      rejectWith(new DeadlockError(deadlock.report, deadlock.tasks, cause));
    } else if (failure !== undefined) rejectWith(failure);
    else if (main === null || main.mode === NEXT) this.#end(() => run.resolve(main?.value));
    else this.#end(() => run.reject(main.value ?? new Cancelled(scope.reason)));
  }

  #end(settle: (run: Run) => void): void {
    const run = this.#run!;
    this.#scheduler.close();
    this.#run = null;
    this.#root = this.#newRoot();
    settle(run);
  }

  /** What a failure needs to be had again. */
  #seedNote(): string | undefined {
    return this.#order === "random" ? `executionOrder "random", seed ${this.seed}` : undefined;
  }
}

/** A call of `run()` under way. */
interface Run {
  readonly main: TaskCore | null;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** The stack of the call: the errors that the loop itself makes would else show its own frames alone. */
  readonly calledFrom: string;
  /** Set once a deadlock was found and everything cancelled. */
  deadlock: { report: string; tasks: readonly Task[] } | null;
}
