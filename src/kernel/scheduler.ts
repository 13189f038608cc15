/**
 * Scheduler: what all tasks of a loop share, and how one becomes ready.
 *
 * Pure: time, timers and wake-ups come through the Host; there is no clock, promise or socket here.
 * Invariants: a task is in the queue exactly when it is ready; between turns the loop is either
 * idle, and any `ready` wakes the host, or has asked the host for another turn. Independent of: how
 * tasks are stepped, what they wait for, why the run began.
 */
import { Timers } from "./timers.ts";
import type { LeakWatch } from "./leak_watch.ts";
import type { Host, HostSession } from "../host.ts";
import type { Loop } from "../loop.ts";
import type { RingBuffer } from "./ring_buffer.ts";
import { brief } from "./errors.ts";
import type { ScopeCore } from "./cancel_scope.ts";
import type { LoopWarning } from "./instrument.ts";
import { coroutineStack } from "./stack.ts";
import type { TaskCore } from "./task.ts";
import type { Timed } from "./timers.ts";

/**
 * From so many external waits on, it pays to wait for the end of a round of I/O: with few it would
 * cost a microsecond each.
 */
const MANY_EXTERNALS = 8;
/**
 * With so many tasks ready it does not pay any more: a thousand connections leave the processor's
 * cache before they are served.
 */
const MAX_GATHERED = 16;

/**
 * What a portal has to do with a loop: nothing; it may start more tasks; it lets those end that are
 * left.
 */
export const NO_PORTAL = 0;
export const OPEN_PORTAL = 1;
export const DRAINING_PORTAL = 2;

/**
 * The scheduler whose turn it is; two loops of one thread take turns, and no turn begins within
 * another.
 */
let active: Scheduler | null = null;

/**
 * The task that is running in this thread, whichever loop it belongs to; null in callbacks from
 * outside.
 */
export function runningTask(): TaskCore | null {
  return active === null ? null : active.running;
}

/** What a scheduler is made of. */
export interface SchedulerOptions {
  readonly loop: Loop;
  readonly host: Host;
  readonly queue: RingBuffer<TaskCore>;
  readonly debug: boolean;
  readonly asyncContext: boolean;
  /**
   * For choices that must be fair: numbers in [0, 1), the same in each run of a program but under
   * "random" order.
   */
  readonly random: () => number;
  /** Tells the loop's `onWarning`. */
  readonly warn: (warning: LoopWarning) => void;
}

/** The shared state of one loop. */
export class Scheduler {
  /** The loop around it, for `currentLoop`. */
  readonly loop: Loop;
  readonly host: Host;
  readonly queue: RingBuffer<TaskCore>;
  readonly timers: Timers = new Timers();
  readonly debug: boolean;
  readonly asyncContext: boolean;
  readonly random: () => number;
  /** Whether there are instruments, which then see each step; see instrumented_scheduler.ts. */
  isInstrumented: boolean = false;
  /** The task that is being stepped. */
  running: TaskCore | null = null;
  /** A step was cut short because the task did many operations that did not wait. */
  gaveWay: boolean = false;
  lastTaskId: number = 0;
  /** How many waits are pending that something outside the loop may settle. */
  externals: number = 0;
  /**
   * Called, and dropped, when no task is ready and nothing is due: for `waitAllBlocked` in testing.
   */
  whenBlocked: Set<() => void> | null = null;
  /** Told what is left behind, where a test asks. */
  leakWatch: LeakWatch | null = null;
  /**
   * Milliseconds since the loop was made, as of the last look at the clock: a small integer, cheap
   * to keep in each task.
   */
  tick: number = 0;
  /** When the turn began, in seconds, as far as is known. */
  turnStart: number = 0;
  /** The run that is under way, as the host sees it; null where there is none. */
  session: HostSession | null = null;
  /**
   * OPEN_PORTAL: the run goes on without tasks. But for NO_PORTAL: what waits is no deadlock; a
   * virtual clock jumps all the same.
   */
  portal: typeof NO_PORTAL | typeof OPEN_PORTAL | typeof DRAINING_PORTAL = NO_PORTAL;

  readonly #origin: number;
  readonly #warn: (warning: LoopWarning) => void;
  /** The host is waiting for `#alarm` or for `wake`. */
  #idle = false;
  /** The host was asked for a turn when this round of I/O has ended. */
  #gathering = false;
  #alarm = Infinity;
  #lastLook = 0;
  /** Between a start from outside, which looked at the clock, and the turn that it asked for. */
  #looked = false;
  /** The turn has begun with the look of such a start, and not looked at the clock since. */
  #looksBack = false;

  constructor(options: SchedulerOptions) {
    this.loop = options.loop;
    this.host = options.host;
    this.queue = options.queue;
    this.debug = options.debug;
    this.asyncContext = options.asyncContext;
    this.random = options.random;
    this.#warn = options.warn;
    this.#origin = this.host.now();
  }

  /** Whether each step has to be looked at. */
  get observed(): boolean {
    return this.debug || this.asyncContext || this.isInstrumented;
  }

  /**
   * Puts a task that is not parked any more into the queue; `_cause` where the cancel of that scope
   * is why.
   */
  ready(task: TaskCore, _cause?: ScopeCore): void {
    this.queue.push(task);
    if (this.#idle) this.wake();
  }

  /** Asks for a turn where the host is idle. */
  wake(): void {
    if (!this.#idle) return;
    this.#idle = false;
    this.session!.wake();
  }

  /**
   * Called by I/O before it makes a task ready: where many wait, the host has more at hand, and one
   * turn serves several.
   */
  wakeSoon(): void {
    if (this.#idle) {
      if (this.externals < MANY_EXTERNALS) return;
      this.#idle = false;
      this.#gathering = true;
      this.session!.wake(true);
    } else if (this.#gathering && this.queue.length >= MAX_GATHERED) {
      this.#gathering = false;
      this.session!.wake();
    }
  }

  /** Tells the loop's `onWarning`. */
  warn(warning: LoopWarning): void {
    this.#warn(warning);
  }

  /** Puts a timer in force; the deadline is finite. */
  addTimer(deadline: number, item: Timed): void {
    this.timers.add(deadline, item);
    if (deadline < this.#alarm) this.wake();
  }

  // Turns

  /** Begins a run. */
  open(turn: () => void): void {
    this.session = this.host.attach(turn);
  }

  /** Ends the run. */
  close(): void {
    const { session } = this;
    this.session = null;
    this.#idle = this.#looked = this.#looksBack = false;
    session?.close();
  }

  beginTurn(): void {
    active = this;
    this.#idle = this.#gathering = false;
  }

  endTurn(): void {
    active = null;
    this.running = null;
  }

  /**
   * Begins a step as part of a call from outside, in the caller's async context. False where a turn
   * is on, this loop's or another's, and between runs.
   */
  beginStep(): boolean {
    if (active !== null || this.session === null) return false;
    active = this;
    // The last turn may be an hour ago, and a task notes when it began to wait. Of many starts, the
    // first looks.
    if (!this.#looked) this.look();
    return true;
  }

  endStep(): void {
    this.endTurn();
    this.#looked = !this.#idle; // good until the turn that was asked for
  }

  /**
   * The time at the start of a turn: a look costs as much as a step, and that of a start just
   * before will do.
   */
  firstLook(): number {
    if (!this.#looked) return this.turnStart = this.look();
    this.#looked = false;
    this.#looksBack = true;
    return this.turnStart = this.#lastLook;
  }

  /** Expires what is due. */
  fire(now: number): void {
    this.timers.fire(now);
  }

  /** The time now, which is also noted as `tick`. */
  look(): number {
    const now = this.#lastLook = this.host.now();
    if (this.#looksBack) {
      // The host may have been busy since that start. A turn that counted this as its own time
      // would be cut down to one step.
      this.#looksBack = false;
      this.turnStart = now;
    }
    if (Number.isNaN(now)) throw new RangeError("The host's clock gave NaN: expected seconds");
    this.tick = Math.round((now - this.#origin) * 1000);
    return now;
  }

  /**
   * What `tick` is at this moment. Between turns `tick` stands still, for hours in a program that
   * hangs. A clock that fails is no reason to give no answer.
   */
  tickNow(): number {
    try {
      const tick = Math.round((this.host.now() - this.#origin) * 1000);
      return Number.isNaN(tick) ? this.tick : tick;
    } catch {
      return this.tick;
    }
  }

  /** Has the host wait until the next deadline, or a wake-up. */
  sleep(): void {
    this.#idle = true;
    this.#alarm = this.timers.next;
    this.session!.idle(this.#alarm, this.externals > 0);
  }

  // Lifecycle of tasks and scopes. Where nothing is done, only instruments are told.

  /** Called by `by`, in the end, for every task that is made, before it is ready. */
  taskStarted(task: TaskCore, by: (...args: never[]) => unknown, fromOutside: boolean): void {
    const parent = this.running;
    if (parent !== null && parent.extras !== null && parent.extras.locals !== null) {
      task.ensureExtras().locals = parent.extras.locals;
    }
    if (!fromOutside) this.captureContext(task); // else it is done where it turns out to be needed
    if (this.debug) task.ensureExtras().startedAt = coroutineStack(by);
  }

  /**
   * Has the task see the async context of this call from its next step on (`asyncContext: true`).
   */
  captureContext(task: TaskCore): void {
    if (this.asyncContext) task.ensureExtras().context = this.host.captureContext!();
  }

  /** Called where a task is parked that is not being stepped. */
  taskWaits(_task: TaskCore): void {}

  /** Called before a step of a task that is looked at. */
  stepBegins(_task: TaskCore): void {}

  /** Called after it. */
  stepEnds(_task: TaskCore): void {}

  /** Called for every task that has ended. */
  taskEnded(_task: TaskCore): void {}

  /** Called when a task has entered a scope. */
  scopeOpened(_scope: ScopeCore): void {}

  /** Called when a scope was cancelled, before that spreads. */
  scopeCancelled(_scope: ScopeCore): void {}

  /** Called when a task has left a scope. */
  scopeClosed(_scope: ScopeCore): void {}
}

/**
 * How a loop warns. A warning may be given in the midst of delivering a cancel: an error has
 * nowhere to go from there.
 */
export function createWarn(
  host: Host,
  onWarning: ((warning: LoopWarning) => void) | undefined,
): (warning: LoopWarning) => void {
  const print = ({ message }: LoopWarning): void => {
    try {
      host.warn(`broomio: ${message}`);
    } catch {
      // A host that cannot print: there is nobody left to tell.
    }
  };
  if (onWarning === undefined) return print;
  return (warning) => {
    try {
      onWarning(warning);
    } catch (error) {
      print(warning);
      print({ ...warning, message: `onWarning failed: ${brief(error)}` });
    }
  };
}
