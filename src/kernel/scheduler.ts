/**
 * Scheduler: steps tasks, delivers cancellation to them, and keeps their timers.
 *
 * Pure: time, timers and wake-ups come through the Host; it knows neither clock nor promise nor socket.
 * Invariants: one task runs at a time, and to its next trap; a task is in the queue exactly when it is ready; between turns
 * the scheduler is either idle, and any `ready` wakes the host, or has asked the host for another turn.
 * Must never know: what tasks wait for, nursery policies, why the run began.
 */
import {
  Command,
  coroutineStack,
  failing,
  notATrap,
  observeYields,
  RESUMED,
  UNWOUND,
} from "./coroutine.ts";
import type { Trap } from "./coroutine.ts";
import { RESCHEDULE } from "./checkpoint.ts";
import { generatorNext, recognizeTop, resumeTask } from "./resume.ts";
import { NEXT, POP, RETURN, SUSPEND, THROW } from "./task.ts";
import { Timers } from "./timers.ts";
import type { ReadyQueue } from "./ready_queue.ts";
import type { Host, HostSession } from "../host.ts";
import type { Frame, Task, TaskCore } from "./task.ts";
import type { Timed } from "./timers.ts";
import type { Loop } from "../loop.ts";
import type { Scope } from "./cancel_scope.ts";

/** Something a loop noticed that is probably a mistake, but not an error. */
export interface LoopWarning {
  /** What it is, and what to write instead. */
  message: string;
  /** The task it is about. */
  task: Task;
}

/**
 * Watches the tasks of a loop: `new Loop({ instruments: [instrument] })`. Called synchronously; what it throws rejects `run()`,
 * and from `taskStarted` comes out of what starts the task.
 */
export interface Instrument {
  /** A task was made; it is not running yet. */
  taskStarted?(task: Task): void;
  /** A task has ended; `task.state` says how. */
  taskEnded?(task: Task): void;
  /** A task is about to run to its next wait. */
  beforeStep?(task: Task): void;
  /** A task has run to its next wait, or its end. */
  afterStep?(task: Task): void;
}

/** What the scheduler asks of the loop around it. */
export interface SchedulerOwner {
  readonly loop: Loop;
  /** No task is ready. True where the run is over or has more to do at once; then the scheduler looks again. */
  quiet(): boolean;
  /** A turn failed outside of any task. */
  crashed(error: unknown): void;
  warn(warning: LoopWarning): void;
}

/** Steps between two looks at the clock, at most: a look costs 80 ns on Deno, a step can be 20. */
const MAX_STEPS = 64;
/**
 * How long a turn lasts, in seconds, before the host gets its chance (R5). Handing over costs 1 us on Node and 70 to 150 us on Deno, so turns
 * are short only while tasks stay ready all the time and what happens outside makes more ready.
 */
const SHORT_TURN = 0.002;
const LONG_TURN = 0.008;
/** Looks at the clock in one turn, at most: time may stand still while tasks run, as with a virtual clock. */
const MAX_LOOKS = 16_384;
/** From so many external waits on, it pays to wait for the end of a round of I/O: with few it would cost a microsecond each. */
const MANY_EXTERNALS = 8;
/** With so many tasks ready it does not pay any more: a thousand connections are out of the processor's cache before they are served. */
const MAX_GATHERED = 16;
/** After this many deliveries a coroutine that goes on all the same is dropped (R20). */
const MAX_DELIVERIES = 1000;

/** The same, but a constant of this module: what is imported V8 loads anew at each call, a sixth of a switch. */
const next = generatorNext;

/** The scheduler whose turn it is; two loops of one thread take turns, and no turn begins within another. */
let active: Scheduler | null = null;

/** The task that is running in this thread, whichever loop it belongs to; null in callbacks from outside. */
export function runningTask(): TaskCore | null {
  return active === null ? null : active.running;
}

/** The engine of one loop. */
export class Scheduler {
  readonly host: Host;
  readonly queue: ReadyQueue<TaskCore>;
  readonly timers: Timers = new Timers();
  readonly debug: boolean;
  readonly asyncContext: boolean;
  /** For choices that must be fair: numbers in [0, 1), the same in each run of a program but under "random" order. */
  readonly random: () => number;
  /** The task that is being stepped. */
  running: TaskCore | null = null;
  lastTaskId: number = 0;
  /** How many waits are pending that something outside the loop may settle. */
  externals: number = 0;
  /** Milliseconds since the loop was made, as of the last look at the clock: a small integer, cheap to keep in each task. */
  tick: number = 0;

  /** The loop around it, for `currentLoop`. */
  get loop(): Loop {
    return this.#owner.loop;
  }

  readonly #owner: SchedulerOwner;
  readonly #instruments: readonly Instrument[];
  readonly #origin: number;
  #session: HostSession | null = null;
  /** The host is waiting for `alarm` or for `wake`. */
  #idle = false;
  /** The host was asked for a turn when this round of I/O has ended. */
  #gathering = false;
  #alarm = Infinity;
  #steps = MAX_STEPS;
  #turnLength = SHORT_TURN;
  /** How many tasks were ready when the last turn handed over to the host. */
  #leftReady = 0;

  constructor(
    host: Host,
    queue: ReadyQueue<TaskCore>,
    owner: SchedulerOwner,
    options: {
      debug: boolean;
      asyncContext: boolean;
      instruments: readonly Instrument[];
      random: () => number;
    },
  ) {
    this.host = host;
    this.queue = queue;
    this.debug = options.debug;
    this.asyncContext = options.asyncContext;
    this.random = options.random;
    this.#instruments = options.instruments;
    this.#owner = owner;
    this.#origin = host.now();
  }

  /** Begins a run. */
  open(): void {
    this.#session = this.host.attach(() => this.#turn());
  }

  /** Ends the run. */
  close(): void {
    this.#session?.close();
    this.#session = null;
    this.#idle = false;
  }

  /** Puts a task that is not parked any more into the queue. */
  ready(task: TaskCore): void {
    this.queue.push(task);
    if (this.#idle) this.wake();
  }

  /** Asks for a turn where the host is idle. */
  wake(): void {
    if (!this.#idle) return;
    this.#idle = false;
    this.#session!.wake();
  }

  /** Called by I/O before it makes a task ready: where many wait, the host has more at hand, and one turn serves several. */
  wakeSoon(): void {
    if (this.#idle) {
      if (this.externals < MANY_EXTERNALS) return;
      this.#idle = false;
      this.#gathering = true;
      this.#session!.wake(true);
    } else if (this.#gathering && this.queue.length >= MAX_GATHERED) {
      this.#gathering = false;
      this.#session!.wake();
    }
  }

  /** Puts a timer in force; the deadline is finite. */
  addTimer(deadline: number, item: Timed): void {
    this.timers.add(deadline, item);
    if (deadline < this.#alarm) this.wake();
  }

  // Cancellation

  /** Takes a parked task out of its wait if a cancel is in force there; one that is ready or running meets it at its next wait. */
  interrupt(task: TaskCore): void {
    const { wait } = task;
    const { cause } = task.scope;
    if (wait === null || cause === null) return;
    try {
      if (!wait.interrupt()) return;
    } catch (error) {
      task.wait = null;
      task.resumeWithError(error);
      return;
    }
    task.wait = null;
    this.deliver(task, cause); // also where the undo, which is code of the user's, has set a shield meanwhile
  }

  /** Makes a task ready that meets a cancel, the one in force, where it stands. */
  deliver(task: TaskCore, cause: Scope = task.scope.cause!): void {
    this.applyCancel(task, cause);
    this.ready(task);
  }

  /**
   * Sets how a task meets the cancel in force: first by an error, which is what users expect to see; and once that was swallowed by
   * `return()`, which no `catch` sees. The first must be a throw: a generator loses a `return()` when a
   * `finally` below a `yield*` waits, and then runs the code after the `yield*`.
   */
  applyCancel(task: TaskCore, cause: Scope = task.scope.cause!): void {
    cause.delivered = true;
    const count = ++task.deliveries;
    if (count === 1) {
      task.mode = THROW;
      task.value = cause.cancelled;
      return;
    }
    if (count === 2) this.#warnOfSwallow(task);
    task.mode = RETURN;
    if (count > MAX_DELIVERIES) this.#drop(task, cause, count - MAX_DELIVERIES);
  }

  /** Puts an error in the place of the innermost coroutines, one more each time: who goes on may be below them. Within `cause`. */
  #drop(task: TaskCore, cause: Scope, depth: number): void {
    let frame: Frame & { scope?: Scope } | null = task.frame;
    for (; frame !== null && depth > 0; depth--) {
      frame.iterator = failing(
        new Error(
          `Task ${task.name} was cancelled ${MAX_DELIVERIES} times and went on: its coroutine is dropped`,
        ),
      );
      frame = frame.scope === cause ? null : frame.below;
    }
    task.mode = NEXT;
    task.renewTop();
  }

  #warnOfSwallow(task: TaskCore): void {
    const extras = task.ensureExtras();
    if (extras.warned) return;
    extras.warned = true;
    const { position } = extras;
    const where = position ? `\n${position.split("\n", 1)[0]}` : "";
    this.warn({
      message:
        `Task ${task.name} was cancelled, and waits again before it has left the cancelled scope. ` +
        `If a catch swallowed the Cancelled, rethrow it: if (error instanceof Cancelled) throw error. ` +
        `If this is cleanup, shield it: yield* shield(...) or yield* ensure(...).${where}`,
      task,
    });
  }

  /** Tells the loop's `onWarning`. */
  warn(warning: LoopWarning): void {
    this.#owner.warn(warning);
  }

  // Stepping

  /** One turn: due timers, then ready tasks, until none is left or the time is up. */
  #turn(): void {
    active = this;
    try {
      this.#idle = this.#gathering = false;
      let now = this.#look();
      this.#turnLength = this.#nextTurnLength();
      const end = now + this.#turnLength;
      for (let looks = 1;; looks++) {
        if (this.timers.next <= now) this.timers.fire(now);
        const timeIsUp = this.#runBatch(this.#steps);
        const before = now;
        // With nothing ready, and nothing due for long, a look would be a tenth of what a turn for one request costs.
        if (timeIsUp || this.timers.next - now < SHORT_TURN) now = this.#look();
        if (timeIsUp) {
          // Fewer steps between looks while steps are long, more while they are short.
          this.#steps = now - before > SHORT_TURN / 4
            ? Math.max(1, this.#steps >> 2)
            : Math.min(MAX_STEPS, this.#steps * 2);
        } else if (this.timers.next > now) {
          if (!this.#owner.quiet()) return this.#sleep();
          if (this.#session === null) return;
          now = this.#look();
        }
        if (now >= end || looks === MAX_LOOKS) {
          this.#leftReady = this.queue.length;
          return this.#session!.yield();
        }
      }
    } catch (error) {
      this.running = null;
      observeYields(null);
      this.#owner.crashed(error);
    } finally {
      active = null;
    }
  }

  #nextTurnLength(): number {
    const leftReady = this.#leftReady;
    if (leftReady === 0) return LONG_TURN; // all was done: what is ready now came from one round of the host
    return this.queue.length === leftReady ? Math.min(this.#turnLength * 2, LONG_TURN) : SHORT_TURN;
  }

  #look(): number {
    const now = this.host.now();
    this.tick = Math.round((now - this.#origin) * 1000);
    return now;
  }

  #sleep(): void {
    this.#idle = true;
    this.#leftReady = 0;
    this.#alarm = this.timers.next;
    this.#session!.idle(this.#alarm, this.externals > 0);
  }

  /**
   * Steps up to `count` tasks; true where some may be left. The hottest code there is: the step that ends in a `checkpoint()`, known by
   * identity, is spelled out here, with the `try` around the loop and not in it, which is a fifth faster. What else can happen
   * leaves the inner loop. There, only the coroutine can throw.
   */
  #runBatch(count: number): boolean {
    const { queue } = this;
    const observed = this.debug || this.asyncContext || this.#instruments.length > 0;
    for (;;) {
      let task: TaskCore | undefined;
      let result: IteratorResult<Trap, unknown> | null | undefined;
      try {
        for (;;) {
          task = count-- > 0 ? queue.shift() : undefined;
          if (task === undefined) {
            this.running = null;
            return count < 0;
          }
          if (observed || task.deliveries !== 0 || task.mode !== NEXT) break;
          this.running = task;
          result = task.topIsGenerator
            ? next.call(task.top, task.value)
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
      if (result !== undefined) this.#goOn(task!, result);
      else if (observed || task!.deliveries !== 0) this.#observedStep(task!);
      else this.#step(task!);
      this.running = null;
    }
  }

  /** A step for which somebody wants to know more: an instrument, the task's context, or a warning where it waits next. */
  #observedStep(task: TaskCore): void {
    for (const instrument of this.#instruments) instrument.beforeStep?.(task);
    if (this.debug || task.deliveries !== 0) {
      observeYields(() => task.ensureExtras().position = coroutineStack(Command.prototype.next));
    }
    const context = task.extras?.context;
    if (context) context(() => this.#step(task));
    else this.#step(task);
    observeYields(null);
    for (const instrument of this.#instruments) instrument.afterStep?.(task);
  }

  /** Runs a task to its next wait, or its end. */
  #step(task: TaskCore): void {
    this.running = task;
    this.#goOn(task, resumeTask(task));
    this.running = null;
  }

  /**
   * Carries out what the top coroutine of a task asked for, or, where it has ended, leaves its frame; and so on with what is on top
   * then, until the task is parked, ready again, or has ended.
   */
  #goOn(task: TaskCore, result: IteratorResult<Trap, unknown> | null): void {
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

  // Lifecycle

  /** Called by `by`, in the end, for every task that is made, before it is ready. */
  taskStarted(task: TaskCore, by: (...args: never[]) => unknown): void {
    const parent = this.running;
    if (parent !== null && parent.extras !== null && parent.extras.locals !== null) {
      task.ensureExtras().locals = parent.extras.locals;
    }
    if (this.asyncContext) task.ensureExtras().context = this.host.captureContext!();
    if (this.debug) task.ensureExtras().startedAt = coroutineStack(by);
    for (const instrument of this.#instruments) instrument.taskStarted?.(task);
  }

  /** Called for every task that has ended. */
  taskEnded(task: TaskCore): void {
    for (const instrument of this.#instruments) instrument.taskEnded?.(task);
  }
}
