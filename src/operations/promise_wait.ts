/**
 * PromiseWait: waits for a promise, and says what becomes of a result that comes after a cancel.
 *
 * Invariants
 * - A result goes to the task or, after a cancel, to `late`: to one of them, once.
 * - Both reactions stay on the promise for good: a rejection after a cancel counts as handled.
 *
 * Independent of: who made the promise.
 */
import type { Trap } from "../kernel/coroutine.ts";
import { runningTask } from "../kernel/scheduler.ts";
import type { TaskCore } from "../kernel/task.ts";
import { Wait } from "../kernel/wait.ts";

/** Waits for a promise. */
export class PromiseWait<T> extends Wait<T> {
  static {
    this.prototype.external = true;
  }

  readonly #promise: PromiseLike<T> | null;
  readonly #doing: string;
  #begun = false;
  #cancelledTask: TaskCore | null = null;

  /**
   * `doing` is what the task does here, for deadlock reports; without a promise, `arm` is
   * overridden.
   */
  constructor(promise: PromiseLike<T> | null, doing: string) {
    super();
    this.#promise = promise;
    this.#doing = doing;
  }

  protected arm(_task: TaskCore): void {
    this.attach(this.#promise!);
  }

  /** Waits for this promise. */
  protected attach(promise: PromiseLike<T>): void {
    this.#begun = true;
    promise.then(
      (value) => {
        if (this.#cancelledTask === null) this.settle(value);
        else this.late(value, this.#cancelledTask);
      },
      (error) => this.fail(error),
    );
  }

  protected disarm(task: TaskCore): void {
    this.#cancelledTask = task;
  }

  /** Whether `late` does anything. */
  protected get wantsLate(): boolean {
    return false;
  }

  /** A result that came too late for the task; nothing is done with it here. */
  protected late(_value: T, _task: TaskCore | null): void {}

  protected override refuse(task: TaskCore): false {
    this.skip(task);
    return super.refuse(task);
  }

  override throw(error: unknown): IteratorResult<Trap, T> {
    this.skip(runningTask()); // of a task that was cancelled before it ran; else it does nothing
    return super.throw(error);
  }

  /** It will never begin, but the promise was made all the same: nobody else looks at it. */
  skip(task: TaskCore | null): void {
    const promise = this.#promise;
    if (this.#begun || promise === null) return;
    this.#begun = true;
    // Another thenable may begin its work only when `then` is called.
    if (!this.wantsLate && !(promise instanceof Promise)) return;
    promise.then((value) => this.late(value, task), () => {});
  }

  describe(): string {
    return this.#doing;
  }
}
