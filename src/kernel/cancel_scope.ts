/**
 * Cancel scopes: the tree along which cancels spread, and the operation that opens one.
 *
 * Invariants
 * - The scopes that one task has open form a chain, linked both ways: `parent` outwards, `inner`
 *   inwards. A scope's `parent` is where it was opened; for the outermost scope of a task that is
 *   its nursery's scope. `firstChild` heads the tasks of a nursery's scope.
 * - A deadline is in the timer queue exactly when it is finite and the scope is open and not
 *   cancelled.
 * - The flags depend on each other. These combinations exist:
 *
 *   | | `isOpen` | `parent` | `cancelCalled` | `cause` | `delivered` | `cancelledCaught` |
 *   |---|---|---|---|---|---|---|
 *   | made, not entered | true | null | either | null | false | false |
 *   | the root of a loop | true | null | false, then true | null, then itself | either | either |
 *   | entered | true | set | false | null, or a scope around it | false | false |
 *   | cancelled | true | set | true | itself, or one around it that was first | either | nurseries:
 *   either |
 *   | left | false | set | either | as it was | either | true only if `cancelCalled` |
 *
 *   `expired` implies `cancelCalled`. `delivered` implies that the cancel of this very scope met a
 *   task. A shielded scope has no cause from outside: its cause is null or itself.
 *   `cancelledCaught` implies `delivered` once the scope was left.
 *
 * Independent of: the policies of nurseries, and what a task waits for. How cancels spread is in
 * cancel_delivery.ts.
 */
import { checkBody, checkBoolean, checkOptions, checkString } from "../check.ts";
import { notify, refresh, spread } from "./cancel_delivery.ts";
import { Command } from "./command.ts";
import { type Body, bodyIterator, type Coroutine, type Operation } from "./coroutine.ts";
import { type Duration, toDeadline, toSeconds } from "../duration.ts";
import { Cancelled, type CancelSource, TimeoutError } from "./errors.ts";
import type { ScopeKind } from "./instrument.ts";
import { type Frame, isCancellation, type Mode, NEXT, THROW } from "./frame.ts";
import { bothErrors } from "./nursery_error.ts";
import { ScopeFrame, type ScopeOpener, type ScopeStyle } from "./scope_frame.ts";
import { runningTask, type Scheduler } from "./scheduler.ts";
import { reportScope } from "./task_tree.ts";
import type { Binding, Task, TaskCore } from "./task.ts";
import type { Timed } from "./timers.ts";

/**
 * Options of {@linkcode CancelScope.open}.
 *
 * @example
 * ```ts
 * import { CancelScope, type CancelScopeOptions, Loop, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: CancelScopeOptions = { timeout: { minutes: 1 }, name: "upload" };
 * const loop = new Loop({ host: new VirtualClock() });
 * await loop.run(CancelScope.open(() => sleep(3600), options));
 * assertEquals(loop.now, 60); // seconds
 * ```
 */
export interface CancelScopeOptions {
  /** The scope is cancelled this long after it is entered. */
  timeout?: Duration;
  /**
   * The scope is cancelled at this time: seconds on the loop's clock. With a `timeout` too, the
   * earlier counts.
   */
  deadline?: number;
  /** Cancels from outside do not reach into the scope. */
  shield?: boolean;
  /** For messages. */
  name?: string;
}

const OPTIONS = ["timeout", "deadline", "shield", "name"] as const;

function checkScope(given: CancelScopeOptions | undefined): CancelScopeOptions {
  const options = checkOptions(given, "CancelScope.open", OPTIONS);
  if (options.shield !== undefined) checkBoolean(options.shield, "shield");
  if (options.name !== undefined) checkString(options.name, "name");
  return options;
}

/**
 * A part of a coroutine that can be cancelled as a whole, from outside or by a deadline.
 *
 * @example
 * ```ts
 * import { CancelScope, Loop, sleep } from "jsr:@broomio/core";
 *
 * function* impatient() {
 *   const value = yield* CancelScope.open(function* (scope) {
 *     scope.cancel("changed my mind");
 *     yield* sleep(60); // throws Cancelled
 *     return 1;
 *   });
 *   console.log(value); // undefined
 * }
 * await new Loop().run(impatient());
 * ```
 */
export abstract class CancelScope {
  /**
   * Runs `body` in a scope of its own. Gives the body's value, or `undefined` where the scope was
   * cancelled and that hit anything. A checkpoint only where the body is one.
   *
   * @throws {TypeError | RangeError} If an option is not valid.
   */
  static open<T>(
    body: Body<T, [scope: CancelScope]>,
    options?: CancelScopeOptions,
  ): Operation<T | undefined> {
    return new ScopeCommand(checkBody(body, "CancelScope.open"), "open", checkScope(options));
  }

  /**
   * Cancels everything in the scope. Never waits; the first reason stays; after the scope has ended
   * it does nothing.
   */
  abstract cancel(reason?: unknown): void;

  /**
   * When the scope is cancelled: seconds on the loop's clock, or Infinity. It can be moved while
   * the scope is open.
   */
  abstract deadline: number;

  /**
   * Whether cancels from outside stop here. Unsetting it under a cancelled parent delivers that
   * cancel at once.
   */
  abstract shield: boolean;

  /** Whether `cancel` was called or the deadline has passed. */
  abstract readonly cancelCalled: boolean;

  /** Whether a cancellation was stopped here. */
  abstract readonly cancelledCaught: boolean;

  /** What was given to `cancel()`, or a {@linkcode TimeoutError}. */
  abstract readonly reason: unknown;
}

/** How many tasks a timeout tells of. */
const MAX_REPORTED = 10;

/** The scope as the loop sees it. */
export class ScopeCore extends CancelScope implements Timed {
  readonly scheduler: Scheduler;
  readonly name: string;
  /** What it is the scope of; set before it is entered. */
  kind: ScopeKind = "block";
  generation: number = 0;
  /** Null for the scope at the root, and until the scope is entered. */
  parent: ScopeCore | null = null;
  /** The task that has it open; null for the scope at the root. */
  owner: TaskCore | null = null;
  inner: ScopeCore | null = null;
  firstChild: TaskCore | null = null;
  lastChild: TaskCore | null = null;
  cause: ScopeCore | null = null;

  cancelCalled: boolean = false;
  cancelledCaught: boolean = false;
  reason: unknown = undefined;
  source: CancelSource = "explicit";
  origin: Task | CancelScope | undefined = undefined;
  /** The cancel was made by the deadline. */
  expired: boolean = false;
  /** The cancel of this very scope was delivered to some task. */
  delivered: boolean = false;

  /** What `ensure` registered, to run when the scope ends. */
  cleanups: Cleanup[] | null = null;
  /** Until it is left. */
  isOpen: boolean = true;
  /**
   * Told once: with the Cancelled when the scope is cancelled, from wherever, or without when it
   * ends.
   */
  watchers: Set<(cancelled?: Cancelled) => void> | null = null;

  #shield: boolean;
  #deadline: number;
  #cancelled: Cancelled | null = null;
  /** How the body ended, while cleanups run, and those that have not run. */
  #end: { mode: Mode; value: unknown; left: Cleanup[] } | null = null;

  constructor(scheduler: Scheduler, name = "", deadline = Infinity, shield = false) {
    super();
    this.scheduler = scheduler;
    this.name = name;
    this.#deadline = deadline;
    this.#shield = shield;
  }

  /** The error that is thrown into the tasks this scope's cancel reaches. */
  get cancelled(): Cancelled {
    return this.#cancelled ??= new Cancelled(this.reason, {
      source: this.source,
      origin: this.origin,
    });
  }

  /** Whether `error` is the cancel of this very scope. */
  threw(error: unknown): boolean {
    return this.#cancelled !== null && this.#cancelled === error;
  }

  /** Whether `error` is the cancel of this scope or of one around it. */
  made(error: Cancelled): boolean {
    if (this.#cancelled === error) return true;
    let scope = this.parent;
    while (scope !== null && scope.#cancelled !== error) scope = scope.parent;
    return scope !== null;
  }

  get shield(): boolean {
    return this.#shield;
  }

  set shield(shield: boolean) {
    if (typeof shield !== "boolean") {
      throw new TypeError(`shield is true or false, not ${typeof shield}`);
    }
    this.#shield = shield;
    if (this.isOpen && this.parent !== null) refresh(this);
  }

  get deadline(): number {
    return this.#deadline;
  }

  set deadline(deadline: number) {
    this.#deadline = toDeadline(deadline);
    if (this.parent !== null && this.isOpen) this.#arm();
  }

  cancel(reason?: unknown): void {
    this.cancelFrom("explicit", runningTask() ?? undefined, reason);
  }

  /** Cancels, and says what did it. */
  cancelFrom(source: CancelSource, origin: Task | CancelScope | undefined, reason: unknown): void {
    if (this.cancelCalled || !this.isOpen) return;
    this.cancelCalled = true;
    this.reason = reason;
    this.source = source;
    this.origin = origin;
    this.scheduler.timers.cancel(this);
    this.scheduler.scopeCancelled(this);
    // An instrument may have changed a shield: then the cause is set, and nobody was interrupted.
    if (this.cause === null || this.cause === this) spread(this, this);
  }

  expire(): void {
    this.expired = true;
    const text = `The deadline of ${this.name || "a cancel scope"} has passed`;
    const error = new TimeoutError(`${text}\n${reportScope(this, MAX_REPORTED)}`);
    this.cancelFrom("deadline", this, error);
  }

  /** Makes this the innermost scope of `task`. */
  enter(task: TaskCore): void {
    const parent = task.scope;
    this.parent = parent;
    this.owner = task;
    if (parent.owner === task) parent.inner = this;
    else task.outermost = this;
    task.scope = this;
    if (!this.#shield) this.cause = parent.cause;
    // Cancelled before it was entered.
    if (this.cancelCalled && this.cause === null) this.cause = this;
    this.scheduler.scopeOpened(this);
    if (this.#deadline !== Infinity) this.#arm();
  }

  /** Ends the scope, the innermost one of `task`. */
  leave(task: TaskCore): void {
    const parent = this.parent!;
    this.isOpen = false;
    this.scheduler.timers.cancel(this);
    task.scope = parent;
    if (parent.owner === task) parent.inner = null;
    else task.outermost = null;
    this.scheduler.scopeClosed(this);
    if (this.watchers !== null) notify([this]);
  }

  /**
   * Whether a cancellation that arrives at the end of this scope stops here: it was cancelled, and
   * nothing around it is (R19).
   */
  get stops(): boolean {
    return this.cancelCalled &&
      (this.#shield || this.parent === null || this.parent.cause === null);
  }

  /**
   * Starts what `ensure` registered, on `frame`, or takes in how it went: true while there is
   * something to run.
   */
  cleanUp(frame: Frame, task: TaskCore): boolean {
    const end = this.#end;
    if (end !== null) {
      this.#end = null;
      // Each is shielded, but an instrument may have taken the shield away: then a cancel unwinds
      // one of them, which is no error, and the others run all the same.
      const errors = task.mode === NEXT
        ? task.value as unknown[]
        : task.mode === THROW
        ? [task.value]
        : [];
      if (end.left.length > 0) this.cleanups = end.left;
      for (const error of errors) {
        end.value = end.mode === THROW && !isCancellation(end)
          ? bothErrors(end.value, error)
          : error;
        end.mode = THROW;
      }
      task.mode = end.mode;
      task.value = end.value;
    }
    if (this.cleanups === null) return false;
    this.#end = { mode: task.mode, value: task.value, left: this.cleanups };
    frame.iterator = runCleanups(task, this.cleanups);
    this.cleanups = null;
    task.mode = NEXT;
    task.value = undefined;
    return true;
  }

  /**
   * The scope that `task`, a child in this nursery's scope, has around all of itself; made when it
   * is first needed.
   */
  taskScope(task: TaskCore): ScopeCore {
    const outermost = task.outermost;
    if (outermost !== null && outermost.kind === "task") return outermost;
    const scope = new ScopeCore(this.scheduler, `task ${task.name}`);
    scope.kind = "task";
    scope.parent = this;
    scope.owner = task;
    scope.cause = this.cause;
    scope.inner = outermost;
    if (outermost === null) task.scope = scope;
    else outermost.parent = scope;
    task.outermost = scope;
    return scope;
  }

  #arm(): void {
    const { timers, host } = this.scheduler;
    timers.cancel(this);
    if (this.cancelCalled || this.#deadline === Infinity) return;
    if (this.#deadline <= host.now()) this.expire();
    else this.scheduler.addTimer(this.#deadline, this);
  }
}

/** The innermost scope that `task` itself has open; for none, one around the whole task. */
export function surroundingScope(task: TaskCore): ScopeCore {
  const { scope } = task;
  return scope.owner === task ? scope : scope.taskScope(task);
}

/** A cleanup, and the task locals where it was registered. */
interface Cleanup {
  readonly body: Body<unknown>;
  readonly locals: Binding | null;
}

/** Registers cleanup that runs when the scope around `task` ends. */
export function addCleanup(task: TaskCore, body: Body<unknown>): void {
  const locals = task.extras?.locals ?? null;
  (surroundingScope(task).cleanups ??= []).push({ body, locals });
}

/** Runs cleanups, last registered first, each shielded; gives the errors. */
function* runCleanups(task: TaskCore, cleanups: Cleanup[]): Coroutine<unknown[]> {
  const errors: unknown[] = [];
  const outer = task.extras?.locals ?? null;
  for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) {
    if (task.extras !== null) task.extras.locals = cleanup.locals;
    try {
      yield* shielded(cleanup.body, undefined, "ensure");
      // deno-lint-ignore broomio/no-swallowed-cancelled -- kept, and thrown with the others
    } catch (error) {
      errors.push(error);
    }
  }
  if (task.extras !== null) task.extras.locals = outer;
  return errors;
}

/** The operation that runs a body in a scope. */
export class ScopeCommand<T> extends Command<T> implements ScopeOpener {
  readonly style: ScopeStyle;
  readonly #body: Body<T, [scope: CancelScope]>;
  readonly #options: CancelScopeOptions;
  readonly #timeout: number;

  constructor(body: Body<T, [scope: CancelScope]>, style: ScopeStyle, options: CancelScopeOptions) {
    super();
    this.#body = body;
    this.style = style;
    this.#options = options;
    this.#timeout = options.timeout === undefined ? Infinity : toSeconds(options.timeout);
    if (options.deadline !== undefined) toDeadline(options.deadline);
  }

  perform(task: TaskCore): boolean {
    this.begin();
    const { deadline = Infinity, shield = false, name } = this.#options;
    const expiry = this.#timeout === Infinity
      ? deadline
      : Math.min(deadline, task.scheduler.host.now() + this.#timeout);
    const scope = new ScopeCore(task.scheduler, name, expiry, shield);
    const by = this.style === "open" ? "CancelScope.open" : scope.name;
    const iterator = bodyIterator(this.#body, by, scope);
    new ScopeFrame(iterator, task, scope, this);
    scope.enter(task);
    return true;
  }

  limit(): string {
    const { timeout, deadline } = this.#options;
    return timeout === undefined
      ? `Not done at ${deadline} s`
      : `Not done within ${this.#timeout} s`;
  }

  describe(): string {
    return "cancel scope";
  }
}

/** The operation behind `shield`, and around what `ensure` registered. */
export function shielded<T>(
  body: Body<T>,
  timeout: Duration | undefined,
  name: string,
): Operation<T | undefined> {
  return new ScopeCommand(body as Body<T, [CancelScope]>, "move", { timeout, shield: true, name });
}
