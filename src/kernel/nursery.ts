/**
 * Nursery: tasks that end before the block that started them does.
 *
 * Invariants
 * - The tasks of a nursery are the children of its scope, and `size` counts them; the frame of
 *   `open` ends only when the body has ended and `size` is 0 (R9).
 * - `errors` and `tasks` run parallel, in order of occurrence, and never hold a Cancelled (R11).
 * - A nursery takes new tasks until its frame has found it empty, so a child may start siblings
 *   (R12).
 *
 * Independent of: how tasks are stepped, and how cancels spread.
 */
import { interrupt } from "./cancel_delivery.ts";
import { type CancelScope, ScopeCore } from "./cancel_scope.ts";
import { checkBody, checkFunction, checkOneOf, checkOptions, checkString } from "../check.ts";
import { Command } from "./command.ts";
import { type Body, bodyIterator, type Operation, toIterator, type Trap } from "./coroutine.ts";
import { type Duration, toSeconds } from "../duration.ts";
import { isCancellation, NEXT } from "./frame.ts";
import { NurseryFrame } from "./nursery_frame.ts";
import type { Scheduler } from "./scheduler.ts";
import { Delay, StartWait } from "./start.ts";
import { type Caller, type Task, TaskCore } from "./task.ts";

/** What a nursery does when a child fails; see {@linkcode NurseryExceptionPolicy}. */
export type NurseryExceptionPolicy = "abort" | "accumulate" | "ignore";

/**
 * The policies: `Abort` cancels the body and the other children at the first error; `Accumulate`
 * lets everything run to its end and then reports all errors; `Ignore` drops the errors of
 * children. An error of the body cancels the children always.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, NurseryExceptionPolicy, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* broken() {
 *   throw new Error("a child failed");
 * }
 * const exceptionPolicy = NurseryExceptionPolicy.Ignore; // the same as "ignore"
 * const result = await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(broken());
 *   yield* sleep(0.01); // not cancelled
 *   return "done";
 * }, { exceptionPolicy }));
 * assertEquals(result, "done");
 * ```
 */
export const NurseryExceptionPolicy: {
  readonly Abort: "abort";
  readonly Accumulate: "accumulate";
  readonly Ignore: "ignore";
} = { Abort: "abort", Accumulate: "accumulate", Ignore: "ignore" };

/**
 * Options of {@linkcode Nursery.open}.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, type NurseryOptions, sleepForever } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: NurseryOptions = { exceptionPolicy: "accumulate", timeout: 0.01, name: "jobs" };
 * const result = await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(sleepForever()); // cancelled after 10 ms
 *   return yield* sleepForever();
 * }, options));
 * assertEquals(result, undefined);
 * ```
 */
export interface NurseryOptions {
  /** What the error of a child does; by default `Abort`. */
  exceptionPolicy?: NurseryExceptionPolicy;
  /**
   * The nursery is cancelled, body and children, this long after it is opened. Not an error:
   * `timedOut` tells.
   */
  timeout?: Duration;
  /** For messages. */
  name?: string;
}

/**
 * Options of `startSoon` and its kin.
 *
 * @example
 * ```ts
 * import { Loop, sleep, type TaskOptions } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: TaskOptions = { name: "heartbeat" }; // shown in errors, reports and traces
 * const loop = new Loop();
 * assertEquals(loop.startSoon(sleep(0.01), options).name, "heartbeat");
 * await loop.run();
 * ```
 */
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
   * Opens a nursery, runs `body` in it and waits for the children. Gives the body's value, or
   * `undefined` where the nursery was cancelled and that hit anything. A checkpoint where the body
   * is one, and where a child has to be waited for.
   *
   * @throws {NurseryError} If the body or, unless ignored, a child failed.
   * @throws {TypeError | RangeError} If an option is not valid.
   */
  static open<T>(
    body: Body<T, [nursery: Nursery]>,
    options?: NurseryOptions,
  ): Operation<T | undefined> {
    return new NurseryCommand(checkBody(body, "Nursery.open"), checkNursery(options));
  }

  /**
   * Starts a child. It does not run before the caller waits. Also from outside of any task, such as
   * a callback.
   *
   * @throws {TypeError} If it is not a fresh coroutine or operation.
   * @throws {Error} If the nursery is closed.
   */
  abstract startSoon<T>(coroutine: Operation<T>, options?: TaskOptions): Task<T>;

  /**
   * Starts a child after a delay. It counts as a child at once; cancelled before its time, it never
   * runs.
   *
   * @throws {TypeError} If it is not a fresh coroutine or operation.
   * @throws {RangeError} If the delay is NaN or negative.
   * @throws {Error} If the nursery is closed.
   */
  abstract startLater<T>(coroutine: Operation<T>, delay: Duration, options?: TaskOptions): Task<T>;

  /**
   * Starts a child and waits until it calls `started(value)`; gives that value. A checkpoint.
   * Cancelled, it cancels the child and waits for it. What the child throws before it has called
   * `started` comes out here, and not of the nursery.
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

  /**
   * Whether it takes no new tasks: its block has ended. To ask before `startSoon` in a callback.
   */
  abstract readonly closed: boolean;
}

const NURSERY_OPTIONS = ["exceptionPolicy", "timeout", "name"] as const;
const TASK_OPTIONS = ["name"] as const;

function checkNursery(given: NurseryOptions | undefined): NurseryOptions {
  const options = checkOptions(given, "Nursery.open", NURSERY_OPTIONS);
  const { exceptionPolicy, name } = options;
  if (exceptionPolicy !== undefined) {
    checkOneOf(exceptionPolicy, "exceptionPolicy", Object.values(NurseryExceptionPolicy));
  }
  if (name !== undefined) checkString(name, "name");
  return options;
}

/** Called first: what is refused leaves its coroutine as it was. */
function checkTask(options: TaskOptions | undefined, by: string): void {
  if (options === undefined) return;
  const { name } = checkOptions(options, by, TASK_OPTIONS);
  if (name !== undefined) checkString(name, "name");
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
  /** The frame has found it empty. */
  ended: boolean = false;
  /** The errors, from the second on. */
  #seen: Set<unknown> | null = null;
  /** Told of what the policy "ignore" would drop. */
  onIgnored: ((error: unknown, task: Task) => void) | null = null;
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
    checkTask(options, "startSoon");
    const task = this.#add<T>(toIterator(coroutine, "startSoon"), options, this.startSoon);
    this.scheduler.ready(task);
    return task;
  }

  /**
   * Makes a child for code outside the loop, who is told of its end; `stepNow` of loop.ts has it
   * begin.
   */
  addFromOutside(
    iterator: Iterator<Trap, unknown, unknown>,
    options: TaskOptions | undefined,
    caller: Caller,
  ): TaskCore {
    this.#checkOpen("run");
    const task = this.#add(iterator, options, this.addFromOutside, caller);
    caller.taskStarts(task);
    return task;
  }

  startLater<T>(coroutine: Operation<T>, delay: Duration, options?: TaskOptions): Task<T> {
    this.#checkOpen("startLater");
    checkTask(options, "startLater");
    const seconds = toSeconds(delay);
    const task = this.#add<T>(toIterator(coroutine, "startLater"), options, this.startLater);
    task.wait = new Delay(task, seconds);
    task.since = this.scheduler.tickNow(); // the last turn may be long ago
    this.scheduler.taskWaits(task);
    interrupt(task); // in a cancelled nursery it never runs
    return task;
  }

  start<V>(
    body: (started: (value: V) => void) => Operation<unknown>,
    options?: TaskOptions,
  ): Operation<V> {
    checkFunction(body, "body of start()", "a function that takes started and gives a coroutine");
    checkTask(options, "start");
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

  get closed(): boolean {
    return this.ended || !this.scope.isOpen;
  }

  get timedOut(): boolean {
    return this.scope.expired && this.scope.delivered;
  }

  /** Called by a child that has ended; `handled` where its error was given to someone else. */
  childEnded(task: TaskCore, handled: boolean): void {
    const { scope } = this;
    this.remove(task);
    if (task.mode !== NEXT) {
      if (isCancellation(task)) {
        if (scope.stops) scope.cancelledCaught = true;
      } else if (handled) {
        // the business of whoever took care of it
      } else if (this.policy === "ignore") {
        this.onIgnored?.(task.value, task);
      } else {
        this.addError(task.value, task);
        if (this.policy === "abort") scope.cancelFrom("sibling failed", task, task.value);
      }
    }
    if (this.size === 0 && this.whenEmpty !== null) this.whenEmpty();
  }

  /** Takes out a child that has ended. */
  remove(task: TaskCore): void {
    const { scope } = this;
    const { previous, next } = task;
    if (previous === null) scope.firstChild = next;
    else previous.next = next;
    if (next === null) scope.lastChild = previous;
    else next.previous = previous;
    task.previous = task.next = null;
    this.size--;
    this.scheduler.taskEnded(task);
  }

  /** The same object counts once: the error of a child comes again from the body that joined it. */
  addError(error: unknown, task: Task): void {
    if (this.errors.length > 0 && typeof error === "object" && error !== null) {
      this.#seen ??= new Set(this.errors);
      if (this.#seen.has(error)) return;
      this.#seen.add(error);
    }
    this.errors.push(error);
    this.tasks.push(task);
  }

  #checkOpen(by: string): void {
    if (this.closed) {
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
    caller: Caller | null = null,
  ): TaskCore<T> {
    const task = new TaskCore<T>(iterator, this);
    if (caller !== null) {
      task.extras = caller;
      caller.caller = caller;
    }
    const name = options?.name;
    if (name !== undefined) task.ensureExtras().name = name;
    const { scope } = this;
    task.previous = scope.lastChild;
    if (scope.lastChild === null) scope.firstChild = task;
    else scope.lastChild.next = task;
    scope.lastChild = task;
    this.size++;
    this.scheduler.taskStarted(task as TaskCore, by, caller !== null);
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
    this.#timeout = options.timeout === undefined ? Infinity : toSeconds(options.timeout);
    this.#name = options.name ?? "";
  }

  perform(task: TaskCore): boolean {
    this.begin();
    const { scheduler } = task;
    const deadline = this.#timeout === Infinity ? Infinity : scheduler.host.now() + this.#timeout;
    const scope = new ScopeCore(scheduler, this.#name, deadline);
    scope.kind = "nursery";
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
