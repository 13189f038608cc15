/**
 * Cancel scopes: the tree along which cancellation spreads, and the frames that stop it.
 *
 * Invariants
 * - The scopes that one task has open form a chain, linked both ways: `parent` outwards, `inner` inwards. A scope's `parent` is where
 *   it was opened; for the outermost scope of a task that is its nursery's scope. `firstChild` heads the tasks of a nursery's scope.
 * - `cause` is the scope whose cancel is in force here, or null. It is the one question a wait asks, so it is kept up to date by
 *   whoever changes it: opening a scope copies the parent's, cancelling spreads downwards and stops at scopes that
 *   have a cause already or are shielded. So each scope is visited once however often its ancestors are cancelled.
 * - A deadline is in the timer queue exactly when it is finite and the scope is open and not cancelled.
 *
 * Must never know: policies of nurseries, what a task waits for.
 */
import {
  type Body,
  bodyIterator,
  Command,
  type Coroutine,
  coroutineStack,
  type Operation,
} from "./coroutine.ts";
import { toDeadline, toSeconds } from "../duration.ts";
import type { Duration } from "../duration.ts";
import { bothErrors, Cancelled, setStack, TimeoutError } from "./errors.ts";
import { CONTINUE, Frame, isCancellation, NEXT, POP, THROW } from "./task.ts";
import type { Mode, TaskCore, Verdict } from "./task.ts";
import type { Timed } from "./timers.ts";
import type { Scheduler } from "./scheduler.ts";

/** Options of {@linkcode CancelScope.open}. */
export interface CancelScopeOptions {
  /** The scope is cancelled this long after it is entered. */
  timeout?: Duration;
  /** The scope is cancelled at this time: seconds on the loop's clock. With a `timeout` too, the earlier counts. */
  deadline?: number;
  /** Cancels from outside do not reach into the scope. */
  shield?: boolean;
  /** For messages. */
  name?: string;
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
   * Runs `body` in a scope of its own. Gives the body's value, or `undefined` where the scope was cancelled and that hit anything.
   * A checkpoint only where the body is one.
   *
   * @throws {TypeError | RangeError} If an option is not valid.
   */
  static open<T>(
    body: Body<T, [scope: CancelScope]>,
    options: CancelScopeOptions = {},
  ): Operation<T | undefined> {
    return new ScopeCommand(body, "open", options);
  }

  /** Cancels everything in the scope. Never waits; the first reason stays; after the scope has ended it does nothing. */
  abstract cancel(reason?: unknown): void;

  /** When the scope is cancelled: seconds on the loop's clock, or Infinity. It can be moved while the scope is open. */
  abstract deadline: number;

  /** Whether cancels from outside stop here. Unsetting it under a cancelled parent delivers that cancel at once. */
  abstract shield: boolean;

  /** Whether `cancel` was called or the deadline has passed. */
  abstract readonly cancelCalled: boolean;

  /** Whether a cancellation was stopped here. */
  abstract readonly cancelledCaught: boolean;

  /** What was given to `cancel()`, or a {@linkcode TimeoutError}. */
  abstract readonly reason: unknown;
}

/** The scope as the loop sees it. */
export class Scope extends CancelScope implements Timed {
  readonly scheduler: Scheduler;
  readonly name: string;
  generation: number = 0;
  /** Null for the scope at the root, and until the scope is entered. */
  parent: Scope | null = null;
  /** The task that has it open; null for the scope at the root. */
  owner: TaskCore | null = null;
  inner: Scope | null = null;
  firstChild: TaskCore | null = null;
  lastChild: TaskCore | null = null;
  cause: Scope | null = null;

  cancelCalled: boolean = false;
  cancelledCaught: boolean = false;
  reason: unknown = undefined;
  /** The cancel was made by the deadline. */
  expired: boolean = false;
  /** The cancel of this very scope was delivered to some task. */
  delivered: boolean = false;

  /** What `ensure` registered, to run when the scope ends. */
  cleanups: Body<unknown>[] | null = null;
  /** Until it is left. */
  isOpen: boolean = true;
  /** Told once: with the Cancelled when the scope is cancelled, from wherever, or without when it ends. */
  watchers: Set<(cancelled?: Cancelled) => void> | null = null;

  #shield: boolean;
  #deadline: number;
  #cancelled: Cancelled | null = null;
  /** How the body ended, while cleanups run. */
  #end: { mode: Mode; value: unknown } | null = null;

  constructor(scheduler: Scheduler, name = "", deadline = Infinity, shield = false) {
    super();
    this.scheduler = scheduler;
    this.name = name;
    this.#deadline = deadline;
    this.#shield = shield;
  }

  /** The error that is thrown into the tasks this scope's cancel reaches. */
  get cancelled(): Cancelled {
    return this.#cancelled ??= new Cancelled(this.reason);
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
    if (this.isOpen && this.parent !== null) this.#refresh();
  }

  get deadline(): number {
    return this.#deadline;
  }

  set deadline(deadline: number) {
    this.#deadline = toDeadline(deadline);
    if (this.parent !== null && this.isOpen) this.#arm();
  }

  cancel(reason?: unknown): void {
    if (this.cancelCalled || !this.isOpen) return;
    this.cancelCalled = true;
    this.reason = reason;
    this.scheduler.timers.cancel(this);
    if (this.cause === null) spread(this, this);
  }

  expire(): void {
    this.expired = true;
    this.cancel(new TimeoutError(`The deadline of ${this.name || "a cancel scope"} has passed`));
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
    if (this.cancelCalled && this.cause === null) this.cause = this; // cancelled before it was entered
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
    if (this.watchers !== null) notify([this]);
  }

  /** Whether a cancellation that arrives at the end of this scope stops here: it was cancelled, and nothing around it is (R19). */
  get stops(): boolean {
    return this.cancelCalled &&
      (this.#shield || this.parent === null || this.parent.cause === null);
  }

  /** Starts what `ensure` registered, on `frame`, or takes in how it went: true while there is something to run. */
  cleanUp(frame: Frame, task: TaskCore): boolean {
    const end = this.#end;
    if (end !== null) {
      this.#end = null;
      const errors = task.mode === NEXT ? task.value as unknown[] : [task.value];
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
    this.#end = { mode: task.mode, value: task.value };
    frame.iterator = runCleanups(this.cleanups);
    this.cleanups = null;
    task.mode = NEXT;
    task.value = undefined;
    return true;
  }

  /** The scope that `task`, a child in this nursery's scope, has around all of itself; made when it is first needed. */
  taskScope(task: TaskCore): Scope {
    const outermost = task.outermost;
    if (outermost !== null && outermost.#wholeTask) return outermost;
    const scope = new Scope(this.scheduler, `task ${task.name}`);
    scope.#wholeTask = true;
    scope.parent = this;
    scope.owner = task;
    scope.cause = this.cause;
    scope.inner = outermost;
    if (outermost === null) task.scope = scope;
    else outermost.parent = scope;
    task.outermost = scope;
    return scope;
  }
  #wholeTask = false;

  #arm(): void {
    const { timers, host } = this.scheduler;
    timers.cancel(this);
    if (this.cancelCalled || this.#deadline === Infinity) return;
    if (this.#deadline <= host.now()) this.expire();
    else this.scheduler.addTimer(this.#deadline, this);
  }

  /** Works out `cause` anew, here and inside, after the shield has changed. */
  #refresh(): void {
    const outer = this.#shield ? null : this.parent!.cause;
    if (outer !== null && this.cause === null) return spread(this, outer);
    const pending: Scope[] = [this];
    for (let scope = pending.pop(); scope !== undefined; scope = pending.pop()) {
      const cause = (scope.#shield ? null : scope.parent!.cause) ??
        (scope.cancelCalled ? scope : null);
      if (cause === scope.cause) continue;
      scope.cause = cause;
      if (scope.inner !== null) pending.push(scope.inner);
      for (let child = scope.firstChild; child !== null; child = child.next) {
        if (child.outermost !== null) pending.push(child.outermost);
      }
    }
  }
}

/**
 * Puts `cause` in force in `top` and in all below it that is neither shielded nor cancelled already, and delivers it to the tasks that wait there.
 * A list of work instead of recursion: nurseries nest thousands deep.
 */
function spread(top: Scope, cause: Scope): void {
  const pending: Scope[] = [top];
  const watched: Scope[] = [];
  for (let start = pending.pop(); start !== undefined; start = pending.pop()) {
    for (let scope: Scope | null = start; scope !== null; scope = scope.inner) {
      if (scope !== top && (scope.shield || scope.cause !== null)) break;
      scope.cause = cause;
      if (scope.watchers !== null) watched.push(scope);
      for (let child = scope.firstChild; child !== null; child = child.next) {
        if (child.outermost !== null) pending.push(child.outermost);
        else cause.scheduler.interrupt(child);
      }
      if (scope.inner === null && scope.owner !== null) cause.scheduler.interrupt(scope.owner);
    }
  }
  // Last, because these call code of the user's, which may cancel more.
  if (watched.length > 0) notify(watched, cause.cancelled);
}

function notify(scopes: Scope[], cancelled?: Cancelled): void {
  for (const scope of scopes) {
    const watchers = scope.watchers;
    scope.watchers = null;
    if (watchers !== null) { for (const watcher of watchers) watcher(cancelled); }
  }
}

/** Runs cleanups, last registered first, each shielded; gives the errors. */
function* runCleanups(cleanups: Body<unknown>[]): Coroutine<unknown[]> {
  const errors: unknown[] = [];
  for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) {
    try {
      yield* shielded(cleanup, undefined, "ensure");
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}

/** What a scope makes of its own cancel: `open` gives undefined, `move` the value of a body that swallowed it, `fail` throws. */
export type ScopeStyle = "open" | "move" | "fail";

/** The frame of a scope's body. */
export class ScopeFrame extends Frame {
  readonly scope: Scope;
  readonly #style: ScopeStyle;
  /**
   * What `task.deliveries` was outside: the way of delivering belongs to the scope that was cancelled (R20). -1 where that is outside
   * too: then they are counted on, or a loop around a scope could swallow for ever.
   */
  readonly #deliveries: number;

  constructor(iterator: Frame["iterator"], task: TaskCore, scope: Scope, style: ScopeStyle) {
    super(iterator, task.frame);
    this.scope = scope;
    this.#style = style;
    this.#deliveries = -1;
    if (scope.shield || task.scope.cause === null) {
      this.#deliveries = task.deliveries;
      task.deliveries = 0;
    }
    task.frame = this;
  }

  override exit(task: TaskCore): Verdict {
    if (this.scope.cleanUp(this, task)) return CONTINUE;
    this.close(task);
    return POP;
  }

  /** Leaves the scope, and turns how the body ended into how the operation ends. */
  protected close(task: TaskCore): void {
    const { scope } = this;
    const cancelled = isCancellation(task);
    const caught = cancelled && scope.stops;
    scope.leave(task);
    if (cancelled && !caught) {
      if (this.#deliveries > task.deliveries) task.deliveries = this.#deliveries;
      return;
    }
    if (this.#deliveries >= 0) task.deliveries = this.#deliveries;
    if (caught) {
      scope.cancelledCaught = scope.delivered = true;
      task.mode = NEXT;
      task.value = undefined;
    }
    if (task.mode !== NEXT || !scope.delivered) return;
    if (this.#style === "open") task.value = undefined;
    if (this.#style === "fail" && scope.expired) {
      task.mode = THROW;
      task.value = scope.reason;
    }
  }
}

/** The operation that runs a body in a scope. */
export class ScopeCommand<T> extends Command<T> {
  readonly #body: Body<T, [scope: CancelScope]>;
  readonly #style: ScopeStyle;
  readonly #options: CancelScopeOptions;
  readonly #timeout: number;
  #scope: Scope | null = null;

  constructor(body: Body<T, [scope: CancelScope]>, style: ScopeStyle, options: CancelScopeOptions) {
    super();
    this.#body = body;
    this.#style = style;
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
    const scope = new Scope(task.scheduler, name, expiry, shield);
    this.#scope = scope;
    const by = this.#style === "open" ? "CancelScope.open" : scope.name;
    const iterator = bodyIterator(this.#body, by, scope);
    new ScopeFrame(iterator, task, scope, this.#style);
    scope.enter(task);
    return true;
  }

  protected override explain(error: unknown): void {
    // The reason of an expiry was made by the loop: give it the stack of the coroutine that it surfaces in.
    if (this.#style === "fail" && error instanceof TimeoutError && error === this.#scope?.reason) {
      const { timeout, deadline } = this.#options;
      error.message = timeout === undefined
        ? `Not done at ${deadline} s`
        : `Not done within ${this.#timeout} s`;
      setStack(error, coroutineStack(this.throw));
    }
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
