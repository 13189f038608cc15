/**
 * CallWait: a coroutine that waits for a call, first for a worker to take it and then for the
 * answer.
 *
 * Invariant: it is in the pool's waiting list, or in flight in one worker, exactly while its task
 * is parked. One exception: of a call that was cancelled in flight, the worker keeps the id until
 * it answers. Independent of: how a worker is chosen.
 */
import type { TaskCore } from "../kernel/task.ts";
import { ListedWait } from "../kernel/wait_list.ts";
import type { PoolWorker } from "./pool_worker.ts";

/** What a call needs of its pool. */
export interface CallOwner {
  /** Gives the call to a worker, or puts it in the waiting list. */
  submit(call: CallWait<unknown>): void;
  /** The caller was cancelled. */
  cancel(call: CallWait<unknown>, reason: unknown): void;
}

/** The operation behind `execute`. */
export class CallWait<T> extends ListedWait<T> {
  static {
    this.prototype.external = true;
  }

  /** The worker it was sent to; null while it waits for one. */
  worker: PoolWorker | null = null;
  id: number = 0;
  /** The export it calls. */
  readonly name: string;
  readonly args: readonly unknown[];
  readonly #pool: CallOwner;

  constructor(pool: CallOwner, name: string, args: readonly unknown[]) {
    super();
    this.#pool = pool;
    this.name = name;
    this.args = args;
  }

  protected arm(): void {
    this.#pool.submit(this as CallWait<unknown>);
  }

  protected disarm(task: TaskCore): void {
    this.#pool.cancel(this as CallWait<unknown>, task.scope.cause?.reason);
  }

  describe(): string {
    return this.worker === null
      ? `waiting for a worker to call ${this.name}()`
      : `waiting for worker ${this.worker.id} to answer ${this.name}()`;
  }
}
