/**
 * How children begin other than at once: after a delay, or with a handshake that the caller waits
 * for.
 *
 * Invariant: a `start` that was cancelled ends after its child has, so that nothing of it goes on.
 * Independent of: nursery policies.
 */
import type { Operation } from "./coroutine.ts";
import { isCancellation, NEXT, THROW } from "./frame.ts";
import { endError, type TaskCore, type Watcher } from "./task.ts";
import type { NurseryCore, TaskOptions } from "./nursery.ts";
import type { Timed } from "./timers.ts";
import { DEFERRED, type Interruption, type Parking, Wait, WITHDRAWN } from "./wait.ts";

/** Keeps a child from starting before its time. */
export class Delay implements Parking, Timed {
  generation: number = 0;
  readonly #task: TaskCore;

  constructor(task: TaskCore, seconds: number) {
    this.#task = task;
    const { scheduler } = task;
    if (seconds !== Infinity) scheduler.addTimer(scheduler.host.now() + seconds, this);
  }

  expire(): void {
    this.#task.wait = null;
    this.#task.scheduler.ready(this.#task);
  }

  interrupt(): Interruption {
    this.#task.scheduler.timers.cancel(this);
    return WITHDRAWN;
  }

  describe(): string {
    return "waiting to be started";
  }
}

/** Waits until a child has called `started`. */
export class StartWait<V> extends Wait<V> {
  static {
    this.prototype.withdrawable = false; // the child has to end first
  }

  readonly #nursery: NurseryCore;
  readonly #body: (started: (value: V) => void) => Operation<unknown>;
  readonly #options: TaskOptions | undefined;
  #child: TaskCore | null = null;
  #calls = 0;
  #interrupted = false;

  constructor(
    nursery: NurseryCore,
    body: (started: (value: V) => void) => Operation<unknown>,
    options: TaskOptions | undefined,
  ) {
    super();
    this.#nursery = nursery;
    this.#body = body;
    this.#options = options;
  }

  protected arm(): void {
    const child = this.#nursery.startChild(
      () => this.#body((value) => this.#started(value)),
      this.#options,
    );
    this.#child = child;
    if (this.#calls === 0) child.onEnd(this.#childEnded);
  }

  protected disarm(): void {}

  #started(value: V): void {
    if (++this.#calls > 1) throw new Error("started() was called twice: a child has started once");
    if (this.#interrupted) return; // the child is being cancelled, and this waits for its end
    this.#child?.extras?.watchers?.delete(this.#childEnded);
    this.settle(value);
  }

  readonly #childEnded: Watcher = (child) => {
    if (child.mode === THROW && !isCancellation(child)) {
      this.failAs(child.value);
      return true;
    }
    const task = this.task;
    if (this.#interrupted && task !== null && task.scope.cause !== null) {
      this.meetCancel();
    } else if (child.mode === NEXT) {
      this.fail(new Error(`Task ${child.name} ended without calling started()`));
    } else {
      this.fail(endError(child));
    }
    return false;
  };

  override interrupt(): Interruption {
    this.#interrupted = true;
    const { source, origin, reason } = this.task!.scope.cause!;
    const child = this.#child;
    child?.nursery.scope.taskScope(child).cancelFrom(source, origin, reason);
    return DEFERRED;
  }

  describe(): string {
    return `waiting for task ${this.#child?.name} to start`;
  }

  awaited(): readonly TaskCore[] {
    return this.#child === null ? [] : [this.#child];
  }
}
