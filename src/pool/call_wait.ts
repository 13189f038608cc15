/**
 * CallWait: a coroutine that waits for a call, first for a worker to take it and then for the answer.
 *
 * Invariant: it is in the pool's waiting list, or held by a worker, exactly while its task is parked; the one exception is a call that was
 * cancelled while a worker held it, of which the worker keeps the id (see `Grace`).
 * Must never know: how a worker is chosen.
 */
import type { TaskCore } from "../kernel/task.ts";
import { ExternalWait } from "../kernel/wait.ts";
import type { Entry } from "../kernel/wait_list.ts";
import type { PoolWorker } from "./pool_worker.ts";

/** What a call needs of its pool. */
export interface CallTaker {
  /** Gives the call to a worker, or puts it in the waiting list. */
  take(call: CallWait<unknown>): void;
  /** The caller is gone. */
  abandon(call: CallWait<unknown>, reason: unknown): void;
}

/** The operation behind `execute`. */
export class CallWait<T> extends ExternalWait<T> implements Entry {
  ahead: Entry | null = null;
  behind: Entry | null = null;
  /** The worker that holds it. */
  worker: PoolWorker | null = null;
  id: number = 0;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly #pool: CallTaker;

  constructor(pool: CallTaker, name: string, args: readonly unknown[]) {
    super();
    this.#pool = pool;
    this.name = name;
    this.args = args;
  }

  protected arm(): void {
    this.#pool.take(this as CallWait<unknown>);
  }

  protected disarm(task: TaskCore): void {
    this.#pool.abandon(this as CallWait<unknown>, task.scope.cause?.reason);
  }

  describe(): string {
    return this.worker === null
      ? `waiting for a worker to call ${this.name}()`
      : `waiting for worker ${this.worker.id} to answer ${this.name}()`;
  }
}
