/**
 * OutsideRun: one coroutine that code outside the loop started and waits for.
 *
 * Invariants
 * - Its end is told once, when the task and all of its cleanup have ended: by `resolve` or by
 *   `reject`.
 * - The first cancel decides what it is rejected with: the reason of `cancel` or of the signal, a
 *   TimeoutError, or the reason of its nursery's cancel; where anything else cancelled the task, a
 *   TaskCancelledError.
 * - It is in the list of its signal exactly while the task lives.
 *
 * Independent of: promises, portals, HTTP.
 */
import type { ScopeCore } from "../kernel/cancel_scope.ts";
import type { Trap } from "../kernel/coroutine.ts";
import { TimeoutError } from "../kernel/errors.ts";
import type { NurseryCore } from "../kernel/nursery.ts";
import { isCancellation, NEXT } from "../kernel/frame.ts";
import { runningTask } from "../kernel/scheduler.ts";
import { type Caller, endError, Extras, type TaskCore } from "../kernel/task.ts";
import { stepNow } from "../loop.ts";
import { joinSignal, leaveSignal } from "./signal_runs.ts";

/** What a run can be told. */
export interface OutsideRunOptions {
  readonly signal?: AbortSignal;
  readonly name?: string;
  /** In seconds. */
  readonly timeout?: number;
}

/** Where runs come into a loop. */
export interface Entrance {
  /** The nursery of the runs; null where no more may start. */
  enter(): NurseryCore | null;
  /** How many runs have not ended. */
  active: number;
}

/** What ended a run that gave no value. */
export type Ending = typeof FAILED | typeof CANCELLED | typeof EXPIRED | typeof CLOSED;
/** An error of its own, or a cancel from elsewhere, which is a TaskCancelledError. */
export const FAILED = 0;
/** `cancel`, or the signal. */
export const CANCELLED = 1;
/** The deadline. */
export const EXPIRED = 2;
/** The cancel of the nursery that it runs in. */
export const CLOSED = 3;

/** See above. */
export abstract class OutsideRun<T> extends Extras implements Caller {
  /** Null until it is started. */
  protected task: TaskCore | null = null;
  #options: OutsideRunOptions | undefined = undefined;
  /** What it is rejected with where a cancel of ours ends it. */
  #cause: { readonly reason: unknown } | null = null;
  /** The scope around the whole task; made when it is first needed. */
  #scope: ScopeCore | null = null;
  readonly #entrance: Entrance;

  constructor(entrance: Entrance) {
    super();
    this.#entrance = entrance;
  }

  /** Its value. */
  protected abstract resolve(value: T): void;
  /** What it failed with, or was cancelled with. */
  protected abstract reject(error: unknown, ending: Ending): void;

  /** Whether its end was told. */
  get ended(): boolean {
    return this.task !== null && this.task.ended;
  }

  /** Starts it; the signal is not aborted. */
  start(
    nursery: NurseryCore,
    iterator: Iterator<Trap, T, unknown>,
    options: OutsideRunOptions | undefined,
  ): void {
    this.#options = options;
    const task = nursery.addFromOutside(iterator, options, this);
    this.#entrance.active++;
    stepNow(task);
  }

  taskStarts(task: TaskCore): void {
    this.task = task;
    if (this.#options === undefined) return;
    const { signal, timeout } = this.#options;
    if (signal !== undefined) joinSignal(signal, this);
    if (timeout !== undefined && timeout !== Infinity) {
      this.#ensureScope().deadline = task.scheduler.host.now() + timeout;
    }
  }

  taskReturned(_task: TaskCore): Iterator<Trap, unknown, unknown> | null {
    return null;
  }

  /** Cancels it, with what it is rejected with. The first reason stays. */
  cancel(reason: unknown): void {
    if (this.task === null || this.task.ended) return;
    const scope = this.#ensureScope();
    if (scope.cause !== null) return; // one from outside of it was first
    this.#cause = { reason };
    // A signal, or that the client has gone, which some runtimes tell with a signal.
    scope.cancelFrom("signal", runningTask() ?? undefined, reason);
  }

  /** Takes the timeout back: it goes on for as long as it likes. */
  protected endTimeout(): void {
    if (this.#scope !== null) this.#scope.deadline = Infinity;
  }

  #ensureScope(): ScopeCore {
    const task = this.task!;
    return this.#scope ??= task.nursery.scope.taskScope(task);
  }

  /** The task has ended; its nursery has nothing to do with how. */
  taskEnded(task: TaskCore): void {
    this.#entrance.active--;
    const scope = this.#scope;
    if (this.#options !== undefined) {
      const { signal } = this.#options;
      if (signal !== undefined) leaveSignal(signal, this);
    }
    if (task.mode === NEXT && scope === null) return this.resolve(task.value as T);
    const cancelled = isCancellation(task);
    // A coroutine that swallowed a cancel of ours and gave a value was cancelled all the same, as
    // in `failAfter`.
    const swallowed = task.mode === NEXT && scope !== null && scope.delivered;
    if (this.#cause !== null && (cancelled || swallowed)) {
      this.reject(this.#cause.reason, CANCELLED);
    } else if (scope !== null && scope.expired && (cancelled || swallowed)) {
      const message = `Task ${task.name} was not done within ${this.#options?.timeout} s`;
      this.reject(new TimeoutError(message), EXPIRED);
    } else if (task.mode === NEXT) this.resolve(task.value as T);
    else if (!cancelled) this.reject(task.value, FAILED);
    else if ((scope === null || !scope.cancelCalled) && task.nursery.scope.cancelCalled) {
      this.reject(task.nursery.scope.reason, CLOSED);
    } else this.reject(endError(task), FAILED);
  }
}
