/**
 * The waits of this folder: `ListWait` for all of them, `AcquireWait` for what can be acquired.
 *
 * Invariant: a wait is in `waiters` exactly while its task is parked there (R30); the list is in
 * order of arrival (R29). Independent of: what is acquired, and how many may have it at a time.
 */
import type { TaskCore } from "../kernel/task.ts";
import { ListedWait, type WaitList } from "../kernel/wait_list.ts";

/** A wait in a list of waiters. Whoever removes it from there settles it or fails it. */
export abstract class ListWait<T = void> extends ListedWait<T> {
  /** Where it waits. */
  protected abstract readonly waiters: WaitList<ListWait<T>>;

  protected disarm(): void {
    this.waiters.remove(this);
  }
}

/**
 * What a task can acquire, as the wait for it sees it: the inside of a lock, a semaphore, a
 * limiter.
 */
export interface Acquirable {
  /** What is acquired, for messages: `lock "accounts"`, `a token of a capacity limiter`. */
  readonly acquired: string;
  /** Who waits for it, first come first. */
  readonly waiters: WaitList<AcquireWait<Acquirable, unknown>>;
  /** Gives `task` one if one is free; false where the task has to wait. */
  tryAcquire(task: TaskCore): boolean;
  /** Who has one now, where that is known. */
  holders(): readonly TaskCore[];
}

/** Waits until the task has what it wants. Whoever hands it over calls `handedOver`. */
export class AcquireWait<A extends Acquirable = Acquirable, T = void> extends ListWait<T> {
  declare protected readonly core: A;

  constructor(core: A) {
    super();
    this.core = core;
  }

  protected get waiters(): WaitList<ListWait<T>> {
    return this.core.waiters as unknown as WaitList<ListWait<T>>;
  }

  protected arm(task: TaskCore): void {
    if (this.core.tryAcquire(task)) this.settle(this.granted());
    else this.waiters.push(this);
  }

  /** The task has it: the wait is in the list no more. */
  handedOver(): void {
    this.settle(this.granted());
  }

  /**
   * What `yield*` gives: nothing, unless the subclass says otherwise. Called when the task has it.
   */
  protected granted(): T {
    return undefined as T;
  }

  describe(): string {
    return `acquiring ${this.core.acquired}`;
  }

  holders(): readonly TaskCore[] {
    return this.core.holders();
  }
}

/**
 * Removes the first waiter, passing over tasks that their loop dropped while they waited in spite
 * of a cancel.
 */
export function nextWaiter<W extends ListWait>(waiters: WaitList<W>): W | null {
  let wait = waiters.shift();
  while (wait !== null && wait.waiter.ended) wait = waiters.shift();
  return wait;
}
