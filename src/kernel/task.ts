/**
 * Task: one coroutine on its way through a loop, with the stack of coroutines it called.
 *
 * Invariants: `frame` is the top of the stack and the task itself its bottom; `mode` and `value`
 * say how the top is resumed next, and, once the task has ended, how it ended; `wait` is set
 * exactly while the task is parked; `scope` is the innermost cancel scope in force. Independent of:
 * how tasks are queued, and how cancels spread.
 *
 * Why a stack of frames. `yield*` hands each resume down through every generator on the way: 2 us
 * at a depth of 100, and the native stack overflows at a few thousand. So `call`, scopes and
 * nurseries push a frame here instead, and only the top is resumed: flat cost at any depth, and a
 * scope can unwind exactly the frames above its own.
 */
import type { ScopeCore } from "./cancel_scope.ts";
import { isGenerator, type Trap } from "./coroutine.ts";
import { isCancelled, TaskCancelledError } from "./errors.ts";
import {
  CONTINUE,
  ENDED,
  Frame,
  isCancellation,
  type Mode,
  NEXT,
  RETURN,
  SUSPEND,
} from "./frame.ts";
import { THROW, type Verdict } from "./frame.ts";
import type { NurseryCore } from "./nursery.ts";
import type { OwnedResource } from "./ownership.ts";
import type { Scheduler } from "./scheduler.ts";
import { appendStack } from "./stack.ts";
import { type Parking, type Selectable, Wait } from "./wait.ts";

/**
 * What a task is doing, or how it ended.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, sleep, type TaskState } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const states: TaskState[] = [];
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const task = nursery.startSoon(sleep(0.01));
 *   states.push(task.state);
 *   yield* task.join();
 *   states.push(task.state);
 * }));
 * assertEquals(states, ["ready", "succeeded"]);
 * ```
 */
export type TaskState = "ready" | "running" | "waiting" | "succeeded" | "failed" | "cancelled";

/**
 * A coroutine that a loop or a nursery runs.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, sleep, type Task } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* add(a: number, b: number) {
 *   yield* sleep(0.01);
 *   return a + b;
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const task: Task<number> = nursery.startSoon(add(1, 2), { name: "adder" });
 *   assertEquals([task.name, task.state], ["adder", "ready"]);
 *   assertEquals(yield* task.join(), 3);
 * }));
 * ```
 */
export interface Task<T = unknown> {
  /** Unique within the loop, counted from 1. */
  readonly id: number;
  /** The name given when it was started, or `#` and the id; the one given to `run` is `main`. */
  readonly name: string;
  /** What the task is doing, or how it ended. */
  readonly state: TaskState;
  /**
   * The task that opened the nursery this one runs in; null for a task that the loop itself was
   * given.
   */
  readonly parent: Task | null;
  /**
   * Waits for the task to end and gives its value. A checkpoint. The error of a failed task still
   * goes to its nursery too.
   *
   * @throws {TaskCancelledError} If the task was cancelled.
   */
  join(): Selectable<T>;
  /** Cancels this task alone, at its next wait. Never waits; the first reason stays. */
  cancel(reason?: unknown): void;
  /**
   * A promise of the task's value, for code outside the loop. Rejects as {@linkcode Task.join}
   * throws.
   */
  promise(): Promise<T>;
}

/** One value of one task local, and those around it: an immutable list, innermost first. */
export interface Binding {
  /** The task local, by identity. */
  readonly local: object;
  readonly value: unknown;
  readonly outer: Binding | null;
}

/**
 * Told of the end of a task; true where that takes care of its error, so that the nursery need not.
 */
export type Watcher = (task: TaskCore) => boolean;

/** What few tasks have, kept apart so that a sleeping task stays small. */
export class Extras {
  name: string | undefined = undefined;
  /** The bindings of task locals, inherited from the task that started this one. */
  locals: Binding | null = null;
  /** The code outside the loop that started the task, where there is such. */
  caller: Caller | null = null;
  /** Called once when the task has ended. */
  watchers: Set<Watcher> | null = null;
  /** What the task owns, newest first: told when it ends. */
  held: OwnedResource | null = null;
  /** Runs a step in the async context in which the task was started (`asyncContext: true`). */
  context: ((run: () => void) => void) | null = null;
  /** Debug: the stack at the place where the task was started. */
  startedAt: string = "";
  /** It was warned of a cancel that this task swallowed: once is enough. */
  warned: boolean = false;
  /** The stack of the wait it is in; known in debug mode and after a swallowed cancel. */
  position: string = "";
}

/**
 * Code outside the loop that started a task. It is also the extras of that task: one object less
 * for each call that comes from outside.
 */
export interface Caller extends Extras {
  /** The task is about to take its first step. */
  taskStarts(task: TaskCore): void;
  /**
   * Its coroutine has returned `task.value`. May give another one, which the task runs before it
   * ends.
   */
  taskReturned(task: TaskCore): Iterator<Trap, unknown, unknown> | null;
  /** The task has ended as its `mode` and `value` say. An error is the caller's from now on. */
  taskEnded(task: TaskCore): void;
}

/** The task as the loop sees it. */
export class TaskCore<T = unknown> extends Frame implements Task<T> {
  readonly id: number;
  readonly scheduler: Scheduler;
  readonly nursery: NurseryCore;
  /** The siblings, in the list that the nursery's scope heads; null once it has ended. */
  previous: TaskCore | null = null;
  next: TaskCore | null = null;

  frame: Frame = this;
  /**
   * The iterator of `frame`: stepping is hot, and reads it here without asking which kind of frame
   * that is.
   */
  top: Iterator<Trap, unknown, unknown>;
  /**
   * `top` was seen to be a native generator, with the `next` of all generators; false also where
   * nobody looked.
   */
  topIsGenerator: boolean;
  mode: Mode = NEXT;
  value: unknown = undefined;
  wait: Parking | null = null;
  ended: boolean = false;

  scope: ScopeCore;
  /**
   * The outermost scope that this task itself has open; null exactly when `scope` is the nursery's.
   */
  outermost: ScopeCore | null = null;
  /** How often a cancel was delivered since the innermost scope in force was entered (R20). */
  deliveries: number = 0;
  /** The loop's tick at which it was parked. */
  since: number = 0;
  extras: Extras | null = null;

  constructor(iterator: Iterator<Trap, unknown, unknown>, nursery: NurseryCore) {
    super(iterator, null);
    this.top = iterator;
    this.topIsGenerator = isGenerator(iterator);
    this.nursery = nursery;
    this.scope = nursery.scope;
    this.scheduler = nursery.scheduler;
    this.id = ++this.scheduler.lastTaskId;
  }

  get name(): string {
    return this.extras?.name ?? `#${this.id}`;
  }

  get state(): TaskState {
    if (this.ended) {
      if (this.mode === NEXT) return "succeeded";
      return isCancellation(this) ? "cancelled" : "failed";
    }
    if (this.scheduler.running === this) return "running";
    return this.wait === null ? "ready" : "waiting";
  }

  get parent(): Task | null {
    return this.nursery.owner;
  }

  join(): Selectable<T> {
    return new JoinWait(this);
  }

  cancel(reason?: unknown): void {
    if (!this.ended) this.nursery.scope.taskScope(this).cancel(reason);
  }

  promise(): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      const settle = (): boolean => {
        if (this.mode === NEXT) resolve(this.value as T);
        else reject(endError(this));
        return false;
      };
      if (this.ended) settle();
      else this.onEnd(settle);
    });
    // The nursery reports the error; a promise that nobody looks at must not report it again.
    promise.catch(() => {});
    return promise;
  }

  /** The rarely used fields, made when first needed. */
  ensureExtras(): Extras {
    return this.extras ??= new Extras();
  }

  /** Calls back when the task has ended. */
  onEnd(watcher: Watcher): void {
    (this.ensureExtras().watchers ??= new Set()).add(watcher);
  }

  /** Called when `frame` or its iterator has changed. */
  renewTop(): void {
    this.top = this.frame.iterator;
    this.topIsGenerator = isGenerator(this.top);
  }

  /** Makes the task ready, with an error to be thrown at its wait. */
  resumeWithError(error: unknown): void {
    this.mode = THROW;
    this.value = error;
    this.scheduler.ready(this);
  }

  /**
   * Ends the task without running it, where its loop cannot go on. Nothing it waits for keeps hold
   * of it, and its scopes are left.
   */
  abandon(error: unknown): void {
    try {
      this.wait?.interrupt();
    } catch {
      // Its undo failed too; `error` says more.
    }
    this.wait = null;
    while (this.scope.owner === this) this.scope.leave(this);
    this.mode = THROW;
    this.value = error;
    this.#end();
    this.nursery.remove(this as TaskCore);
  }

  /** Debug: adds where this task was started, and those around it, to the stack of its error. */
  #tellOrigin(error: unknown): void {
    let task: TaskCore | null = this as TaskCore;
    for (let count = 0; task !== null && count < MAX_ORIGINS; count++) {
      appendStack(error, `task ${task.name} was started:`, task.extras?.startedAt ?? "");
      task = task.nursery.owner;
    }
  }

  /**
   * The bottom coroutine has ended, and so has the task, once the cleanups registered in it have
   * run.
   */
  override exit(): Verdict {
    if (this.mode === RETURN) this.value = this.scope.cause?.cancelled;
    const caller = this.extras === null ? null : this.extras.caller;
    if (caller !== null && this.mode === NEXT) {
      const more = caller.taskReturned(this as TaskCore);
      if (more !== null) {
        this.iterator = more;
        this.value = undefined;
        return CONTINUE;
      }
    }
    const own = this.outermost;
    if (own !== null) {
      if (own.cleanUp(this, this)) return CONTINUE;
      own.leave(this);
    }
    if (this.scheduler.debug && this.mode === THROW) this.#tellOrigin(this.value);
    this.nursery.childEnded(this, this.#end());
    return SUSPEND;
  }

  /** Notes the end, and tells who watches; true where one of them takes care of the error. */
  #end(): boolean {
    this.ended = true;
    this.frame = this;
    this.iterator = this.top = ENDED;
    this.topIsGenerator = false;
    for (let held = this.extras?.held; held; held = this.extras?.held) held.forsake();
    const caller = this.extras?.caller ?? null;
    const watchers = this.extras?.watchers;
    let handled = caller !== null;
    caller?.taskEnded(this as TaskCore);
    if (watchers) {
      this.extras!.watchers = null;
      for (const watcher of watchers) if (watcher(this)) handled = true;
    }
    return handled;
  }
}

/** How many tasks, outwards, an error tells the origin of. */
const MAX_ORIGINS = 10;

/** What `join` throws for a task that did not succeed. */
export function endError(task: TaskCore): unknown {
  if (!isCancellation(task)) return task.value;
  return new TaskCancelledError(task, isCancelled(task.value) ? task.value : undefined);
}

class JoinWait<T> extends Wait<T> {
  readonly #target: TaskCore<T>;
  readonly #finish: Watcher = () => {
    const target = this.#target;
    if (target.mode === NEXT) this.settle(target.value as T);
    else if (isCancellation(target)) this.fail(endError(target));
    else this.failAs(target.value);
    return false;
  };

  constructor(target: TaskCore<T>) {
    super();
    this.#target = target;
  }

  protected arm(task: TaskCore): void {
    if (this.#target.ended) this.#finish(this.#target);
    else if ((this.#target as TaskCore) === task) {
      throw new Error(`Task ${task.name} cannot join itself: it would wait forever`);
    } else this.#target.onEnd(this.#finish);
  }

  protected disarm(): void {
    this.#target.extras?.watchers?.delete(this.#finish);
  }

  describe(): string {
    return `joining task ${this.#target.name}`;
  }

  awaited(): readonly TaskCore[] {
    return [this.#target];
  }
}
