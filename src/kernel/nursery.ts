/**
 * Nursery: tasks that end before the block that started them does.
 *
 * Invariants
 * - The tasks of a nursery are the children of its scope, and `size` counts them; the frame of `open` ends only when the body has
 *   ended and `size` is 0 (R9).
 * - `errors` and `tasks` run parallel, in order of occurrence, and never hold a Cancelled (R11).
 * - A nursery takes new tasks until its frame has found it empty, so a child may start siblings (R12).
 *
 * Independent of: how tasks are stepped, and how cancels spread.
 */
import { type CancelScope, ScopeCore } from "./cancel_scope.ts";
import { applyCancel, interrupt } from "./cancel_delivery.ts";
import { Command } from "./command.ts";
import { type Body, bodyIterator, type Operation, toIterator, type Trap } from "./coroutine.ts";
import { type Duration, toSeconds } from "../duration.ts";
import type { Cancelled } from "./errors.ts";
import { CONTINUE, ENDED, isCancellation, type Mode, NEXT, POP, SUSPEND, THROW } from "./frame.ts";
import type { Verdict } from "./frame.ts";
import { NurseryError } from "./nursery_error.ts";
import type { Scheduler } from "./scheduler.ts";
import { ScopeFrame, type ScopeOpener } from "./scope_frame.ts";
import { noteThrown } from "./stack.ts";
import { Delay, StartWait } from "./start.ts";
import { type Task, TaskCore } from "./task.ts";
import { DEFERRED, type Interruption, type Parking } from "./wait.ts";

/** What a nursery does when a child fails; see {@linkcode NurseryExceptionPolicy}. */
export type NurseryExceptionPolicy = "abort" | "accumulate" | "ignore";

/**
 * The policies: `Abort` cancels the body and the other children at the first error; `Accumulate` lets everything run to
 * its end and then reports all errors; `Ignore` drops the errors of children. An error of the body cancels the children always.
 */
export const NurseryExceptionPolicy: {
  readonly Abort: "abort";
  readonly Accumulate: "accumulate";
  readonly Ignore: "ignore";
} = { Abort: "abort", Accumulate: "accumulate", Ignore: "ignore" };

/** Options of {@linkcode Nursery.open}. */
export interface NurseryOptions {
  /** What the error of a child does; by default `Abort`. */
  exceptionPolicy?: NurseryExceptionPolicy;
  /** The nursery is cancelled, body and children, this long after it is opened. Not an error: `timedOut` tells. */
  timeout?: Duration;
  /** For messages. */
  name?: string;
}

/** Options of `startSoon` and its kin. */
export interface TaskOptions {
  /** For messages; by default `#` and the task's id. */
  name?: string;
}

/**
 * A block that does not end before every task that was started in it.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, sleep } from "jsr:@broomio/core";
 *
 * function* greet(name: string) {
 *   yield* sleep(0.01);
 *   console.log(`hello ${name}`);
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(greet("world"));
 *   nursery.startSoon(greet("moon"));
 * })); // both have been greeted by now
 * ```
 */
export abstract class Nursery {
  /**
   * Opens a nursery, runs `body` in it and waits for the children. Gives the body's value, or `undefined` where the
   * nursery was cancelled and that hit anything.
   *
   * @throws {NurseryError} If the body or, unless ignored, a child failed.
   * @throws {TypeError | RangeError} If an option is not valid.
   */
  static open<T>(
    body: Body<T, [nursery: Nursery]>,
    options: NurseryOptions = {},
  ): Operation<T | undefined> {
    return new NurseryCommand(body, options);
  }

  /**
   * Starts a child. It does not run before the caller waits. Also from outside of any task, such as a callback.
   *
   * @throws {TypeError} If it is not a fresh coroutine or operation.
   * @throws {Error} If the nursery is closed.
   */
  abstract startSoon<T>(coroutine: Operation<T>, options?: TaskOptions): Task<T>;

  /**
   * Starts a child after a delay. It counts as a child at once; cancelled before its time, it never runs.
   *
   * @throws {TypeError} If it is not a fresh coroutine or operation.
   * @throws {RangeError} If the delay is NaN or negative.
   * @throws {Error} If the nursery is closed.
   */
  abstract startLater<T>(coroutine: Operation<T>, delay: Duration, options?: TaskOptions): Task<T>;

  /**
   * Starts a child and waits until it calls `started(value)`; gives that value. A checkpoint. Cancelled, it cancels the child and
   * waits for it. What the child throws before it has called `started` comes out here, and not of the nursery.
   *
   * @throws {Error} If the child ends without having called `started`, or the nursery is closed.
   */
  abstract start<V>(
    body: (started: (value: V) => void) => Operation<unknown>,
    options?: TaskOptions,
  ): Operation<V>;

  /** Cancels the body and every child. Never waits. */
  abstract cancel(reason?: unknown): void;

  /** The scope around body and children. */
  abstract readonly scope: CancelScope;

  /** The children that have not ended, oldest first. */
  abstract readonly children: Iterable<Task>;

  /** Whether `timeout` cut the nursery short. */
  abstract readonly timedOut: boolean;
}

/** The nursery as the loop sees it. */
export class NurseryCore extends Nursery {
  readonly scope: ScopeCore;
  readonly scheduler: Scheduler;
  readonly owner: TaskCore | null;
  readonly policy: NurseryExceptionPolicy;
  size: number = 0;
  readonly errors: unknown[] = [];
  readonly tasks: Task[] = [];
  closed: boolean = false;
  /** Called when the last child has ended, where the frame waits for that. */
  whenEmpty: (() => void) | null = null;

  constructor(scope: ScopeCore, owner: TaskCore | null, policy: NurseryExceptionPolicy) {
    super();
    this.scope = scope;
    this.scheduler = scope.scheduler;
    this.owner = owner;
    this.policy = policy;
  }

  startSoon<T>(coroutine: Operation<T>, options?: TaskOptions): Task<T> {
    this.#checkOpen("startSoon");
    const task = this.#add<T>(toIterator(coroutine, "startSoon"), options, this.startSoon);
    this.scheduler.ready(task);
    return task;
  }

  startLater<T>(coroutine: Operation<T>, delay: Duration, options?: TaskOptions): Task<T> {
    this.#checkOpen("startLater");
    const seconds = toSeconds(delay);
    const task = this.#add<T>(toIterator(coroutine, "startLater"), options, this.startLater);
    task.wait = new Delay(task, seconds);
    task.since = this.scheduler.tick;
    interrupt(task); // in a cancelled nursery it never runs
    return task;
  }

  start<V>(
    body: (started: (value: V) => void) => Operation<unknown>,
    options?: TaskOptions,
  ): Operation<V> {
    if (typeof body !== "function") {
      throw new TypeError("start() wants a function that takes started and returns a coroutine");
    }
    return new StartWait<V>(this, body, options);
  }

  /** Starts the child of a `start`. */
  startChild(body: () => Operation<unknown>, options: TaskOptions | undefined): TaskCore {
    this.#checkOpen("start");
    const task = this.#add(bodyIterator(body, "start"), options, this.startChild);
    this.scheduler.ready(task);
    return task;
  }

  cancel(reason?: unknown): void {
    this.scope.cancel(reason);
  }

  get children(): Iterable<Task> {
    return this.tasksLeft();
  }

  /** The children that have not ended, oldest first. */
  tasksLeft(): TaskCore[] {
    const children: TaskCore[] = [];
    for (let child = this.scope.firstChild; child !== null; child = child.next) {
      children.push(child);
    }
    return children;
  }

  get timedOut(): boolean {
    return this.scope.expired && this.scope.delivered;
  }

  /** Called by a child that has ended; `handled` where its error was given to someone else. */
  childEnded(task: TaskCore, handled: boolean): void {
    const { scope } = this;
    const { previous, next } = task;
    if (previous === null) scope.firstChild = next;
    else previous.next = next;
    if (next === null) scope.lastChild = previous;
    else next.previous = previous;
    task.previous = task.next = null;
    this.size--;
    this.scheduler.taskEnded(task);
    if (task.mode !== NEXT) {
      if (isCancellation(task)) {
        if (scope.stops) scope.cancelledCaught = true;
      } else if (!handled && this.policy !== "ignore") {
        this.addError(task.value, task);
        if (this.policy === "abort") scope.cancel(task.value);
      }
    }
    if (this.size === 0 && this.whenEmpty !== null) this.whenEmpty();
  }

  addError(error: unknown, task: Task): void {
    this.errors.push(error);
    this.tasks.push(task);
  }

  #checkOpen(by: string): void {
    if (this.closed || !this.scope.isOpen) {
      throw new Error(
        `${by}() in ${
          this.scope.name || "a nursery"
        }, which is closed: start tasks before its block ends`,
      );
    }
  }

  /** `by` is what was called: an error tells from where (R36). */
  #add<T>(
    iterator: Iterator<Trap, T, unknown>,
    options: TaskOptions | undefined,
    by: (...args: never[]) => unknown,
  ): TaskCore<T> {
    const task = new TaskCore<T>(iterator, this);
    if (options?.name !== undefined) task.ensureExtras().name = options.name;
    this.scheduler.taskStarted(task, by); // before it counts: an instrument that throws leaves nothing behind
    const { scope } = this;
    task.previous = scope.lastChild;
    if (scope.lastChild === null) scope.firstChild = task;
    else scope.lastChild.next = task;
    scope.lastChild = task;
    this.size++;
    return task;
  }
}

class NurseryCommand<T> extends Command<T | undefined> {
  readonly #body: Body<T, [nursery: Nursery]>;
  readonly #policy: NurseryExceptionPolicy;
  readonly #timeout: number;
  readonly #name: string;

  constructor(body: Body<T, [nursery: Nursery]>, options: NurseryOptions) {
    super();
    this.#body = body;
    this.#policy = options.exceptionPolicy ?? "abort";
    if (!Object.values(NurseryExceptionPolicy).includes(this.#policy)) {
      throw new RangeError(
        `exceptionPolicy is "abort", "accumulate" or "ignore", not ${JSON.stringify(this.#policy)}`,
      );
    }
    this.#timeout = options.timeout === undefined ? Infinity : toSeconds(options.timeout);
    this.#name = options.name ?? "";
  }

  perform(task: TaskCore): boolean {
    this.begin();
    const { scheduler } = task;
    const deadline = this.#timeout === Infinity ? Infinity : scheduler.host.now() + this.#timeout;
    const scope = new ScopeCore(scheduler, this.#name, deadline);
    const nursery = new NurseryCore(scope, task, this.#policy);
    const frame = new NurseryFrame(task, scope, nursery);
    scope.enter(task);
    frame.iterator = bodyIterator(this.#body, "Nursery.open", nursery);
    return true;
  }

  describe(): string {
    return "nursery";
  }
}

/** What the frame of a scope asks; a nursery's timeout is no error, so `limit` is not called. */
const OPENER: ScopeOpener = { style: "open", limit: () => "" };

/** The frame of a nursery's body, which afterwards waits for the children. */
class NurseryFrame extends ScopeFrame implements Parking {
  readonly #nursery: NurseryCore;
  #bodyEnded = false;
  #result: unknown = undefined;
  /** How the body was cancelled: what goes on outwards where this nursery does not stop it. */
  #cancellation: { mode: Mode; value: unknown } | null = null;
  /** A cancel arrived while it waited for the children. */
  #interrupted = false;

  constructor(task: TaskCore, scope: ScopeCore, nursery: NurseryCore) {
    super(ENDED, task, scope, OPENER);
    this.#nursery = nursery;
  }

  /** Called when the body has ended, whenever the nursery was found empty, and when the cleanups have run. */
  override exit(task: TaskCore): Verdict {
    const nursery = this.#nursery;
    if (!nursery.closed) {
      if (!this.#bodyEnded) this.#endBody(task);
      if (nursery.size > 0) return this.#waitForChildren(task);
      nursery.closed = true;
      task.mode = NEXT;
    }
    if (this.scope.cleanUp(this, task)) return CONTINUE;
    if (task.mode !== NEXT) nursery.addError(task.value, task);
    this.#conclude(task);
    this.close(task);
    return POP;
  }

  #endBody(task: TaskCore): void {
    this.#bodyEnded = true;
    this.iterator = ENDED;
    if (task.mode === NEXT) {
      this.#result = task.value;
    } else if (isCancellation(task)) {
      this.#cancellation = { mode: task.mode, value: task.value };
      if (this.scope.cause === null) this.scope.cancel((task.value as Cancelled).reason); // rethrown out of place
    } else {
      this.#nursery.addError(task.value, task);
      this.scope.cancel(task.value);
    }
  }

  #waitForChildren(task: TaskCore): Verdict {
    task.mode = NEXT;
    task.value = undefined;
    task.wait = this;
    task.since = task.scheduler.tick;
    this.#nursery.whenEmpty = () => {
      this.#nursery.whenEmpty = null;
      task.wait = null;
      task.scheduler.ready(task);
    };
    if (this.scope.cause !== null) this.interrupt();
    return SUSPEND;
  }

  /** A wait like any other, but one that cannot be left before the children: the cancel lands after them. */
  interrupt(): Interruption {
    this.#interrupted = true;
    this.scope.cause!.delivered = true;
    return DEFERRED;
  }

  #conclude(task: TaskCore): void {
    const { errors, tasks } = this.#nursery;
    task.mode = NEXT;
    task.value = this.#result;
    if (errors.length > 0) {
      task.mode = THROW;
      task.value = new NurseryError(errors, tasks);
      noteThrown(task.value);
    } else if (this.#cancellation !== null) {
      task.mode = this.#cancellation.mode;
      task.value = this.#cancellation.value;
    } else if (this.#interrupted && this.scope.cause !== null) {
      applyCancel(task);
    }
  }

  awaited(): readonly TaskCore[] {
    return this.#nursery.tasksLeft();
  }

  describe(): string {
    const { size, scope } = this.#nursery;
    return `waiting for ${size} ${size === 1 ? "child" : "children"}${
      scope.name && ` of ${scope.name}`
    }`;
  }
}
