/**
 * Semaphore: a number of permits, which belong to nobody.
 *
 * Invariant: while tasks are in line, `value` is 0: a released permit goes to the first in line at once (R29), and belongs to it whether it
 * is cancelled before its turn or not (R18, R30).
 */
import type { Body, Operation } from "../kernel/coroutine.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { WithCommand } from "./guard.ts";
import { LineWait } from "./parking_lot.ts";
import { type SyncOptions, titleOf } from "./title.ts";

/** Options of a {@linkcode Semaphore}. */
export interface SemaphoreOptions extends SyncOptions {
  /** Releasing beyond this many permits is an error; Infinity by default. */
  max?: number;
}

/** What a semaphore is doing, as in Trio. */
export interface SemaphoreStatistics {
  /** The number of permits that are free. */
  readonly value: number;
  /** The number of tasks that wait for one. */
  readonly tasksWaiting: number;
}

/** The permits and who waits for them. */
class Permits {
  readonly title: string;
  readonly max: number;
  readonly line: WaitList<PermitWait> = new WaitList();
  value: number;

  constructor(title: string, value: number, max: number) {
    this.title = title;
    this.value = value;
    this.max = max;
  }

  admit(): boolean {
    if (this.value === 0) return false;
    this.value--;
    return true;
  }

  release(): void {
    const wait = this.line.shift();
    if (wait !== null) return wait.settle();
    if (this.value === this.max) {
      throw new Error(`Cannot release ${this.title}: all ${this.max} permits are free`);
    }
    this.value++;
  }
}

class PermitWait extends LineWait {
  declare private readonly permits: Permits;

  constructor(permits: Permits) {
    super();
    this.permits = permits;
  }

  protected get line(): WaitList<PermitWait> {
    return this.permits.line;
  }

  protected arm(): void {
    if (this.permits.admit()) this.settle();
    else this.permits.line.push(this);
  }

  describe(): string {
    return `acquiring ${this.permits.title}`;
  }
}

/**
 * A number of permits. It has no owner: what one task acquired another may release, also code outside of any task.
 *
 * @example
 * ```ts
 * import { Loop, Semaphore, sleep } from "jsr:@broomio/core";
 *
 * const semaphore = new Semaphore(2);
 * function* job(id: number) {
 *   yield* semaphore.with(sleep(0.01)); // two at a time
 *   console.log(`job ${id} done`);
 * }
 * const loop = new Loop();
 * for (const id of [1, 2, 3, 4]) loop.startSoon(job(id));
 * await loop.run();
 * ```
 */
export class Semaphore {
  readonly #permits: Permits;

  /**
   * Makes a semaphore.
   *
   * @param permits How many permits are free at first.
   * @throws {RangeError} If `permits` is not a whole number of at least 0, or `max` not one of at least `permits`.
   */
  constructor(permits: number, options: SemaphoreOptions = {}) {
    const { max = Infinity } = options;
    if (!Number.isSafeInteger(permits) || permits < 0) {
      throw new RangeError(`permits is a whole number of at least 0, not ${permits}`);
    }
    if (max !== Infinity && !(Number.isSafeInteger(max) && max >= permits)) {
      throw new RangeError(`max is a whole number of at least ${permits}, or Infinity, not ${max}`);
    }
    this.#permits = new Permits(titleOf("semaphore", options), permits, max);
  }

  /** How many permits are free. */
  get value(): number {
    return this.#permits.value;
  }

  /** Waits for a permit. A checkpoint, also where one is free. */
  acquire(): Operation<void> {
    return new PermitWait(this.#permits);
  }

  /** Takes a permit where one is free; false where none is. Never waits; may be called from anywhere. */
  tryAcquire(): boolean {
    return this.#permits.admit();
  }

  /**
   * Gives a permit back, or a new one: it goes to the first in line. Never waits; may be called from anywhere.
   *
   * @throws {Error} If `max` permits are free already.
   */
  release(): void {
    this.#permits.release();
  }

  /** Runs `body` with a permit, and releases that however the body ends. Gives the body's value. A checkpoint. */
  with<T>(body: Body<T>): Operation<T> {
    return new WithCommand(this, body);
  }

  /** How many permits are free, and how many tasks wait. */
  statistics(): SemaphoreStatistics {
    return { value: this.#permits.value, tasksWaiting: this.#permits.line.size };
  }
}
