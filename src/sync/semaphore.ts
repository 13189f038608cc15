/**
 * Semaphore: a number of permits, which belong to nobody.
 *
 * Invariant: while tasks wait, `value` is 0: a released permit goes to the first waiter at once
 * (R29), and belongs to it whether it is cancelled before its turn or not (R18, R30).
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkBody, checkInteger, checkOptions } from "../check.ts";
import type { Body, Operation } from "../kernel/coroutine.ts";
import { titleOf } from "../kernel/title.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { WithCommand } from "../operations/guard.ts";
import { type Acquirable, AcquireWait } from "./acquire_wait.ts";
import type { SyncOptions } from "./sync_options.ts";

/**
 * Options of a {@linkcode Semaphore}.
 *
 * @example
 * ```ts
 * import { Semaphore, type SemaphoreOptions } from "jsr:@broomio/core";
 * import { assertThrows } from "jsr:@std/assert";
 *
 * const options: SemaphoreOptions = { max: 2, name: "lanes" };
 * const lanes = new Semaphore(2, options);
 * assertThrows(() => lanes.release(), Error, "lanes"); // one more than there are
 * ```
 */
export interface SemaphoreOptions extends SyncOptions {
  /** Releasing beyond this many permits is an error; Infinity by default. */
  max?: number;
}

const KNOWN = ["max", "name"] as const;

/**
 * What a semaphore is doing, as in Trio.
 *
 * @example
 * ```ts
 * import { Semaphore, type SemaphoreStatistics } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const lanes = new Semaphore(2);
 * lanes.tryAcquire();
 * const { value, tasksWaiting }: SemaphoreStatistics = lanes.statistics();
 * assertEquals([value, tasksWaiting], [1, 0]);
 * ```
 */
export interface SemaphoreStatistics {
  /** The number of permits that are free. */
  readonly value: number;
  /** The number of tasks that wait for one. */
  readonly tasksWaiting: number;
}

/** The permits and who waits for them. */
class Permits implements Acquirable {
  readonly acquired: string;
  readonly max: number;
  readonly waiters: WaitList<AcquireWait> = new WaitList();
  value: number;

  constructor(title: string, value: number, max: number) {
    this.acquired = title;
    this.value = value;
    this.max = max;
  }

  tryAcquire(): boolean {
    if (this.value === 0) return false;
    this.value--;
    return true;
  }

  release(): void {
    const wait = this.waiters.shift();
    if (wait !== null) return wait.handedOver();
    if (this.value === this.max) {
      throw new Error(`Cannot release ${this.acquired}: all ${this.max} permits are free`);
    }
    this.value++;
  }

  /** Permits belong to nobody. */
  holders(): readonly [] {
    return [];
  }
}

/**
 * A number of permits. It has no owner: what one task acquired another may release, also code
 * outside of any task.
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
   * @throws {TypeError} If an argument is of the wrong kind, or an option unknown.
   * @throws {RangeError} If `permits` is not an integer of at least 0, or `max` not one of at least
   * `permits`.
   */
  constructor(permits: number, options?: SemaphoreOptions) {
    const { max = Infinity, name } = checkOptions(options, "Semaphore", KNOWN);
    checkInteger(permits, "permits of Semaphore");
    checkInteger(max, "max of Semaphore", permits, Infinity, true);
    this.#permits = new Permits(titleOf("semaphore", name), permits, max);
  }

  /** How many permits are free. */
  get value(): number {
    return this.#permits.value;
  }

  /** Waits for a permit. A checkpoint, also where one is free. */
  acquire(): Selectable<void> {
    return new AcquireWait(this.#permits);
  }

  /**
   * Takes a permit where one is free; false where none is. Never waits; may be called from
   * anywhere.
   */
  tryAcquire(): boolean {
    return this.#permits.tryAcquire();
  }

  /**
   * Gives a permit back, or a new one: it goes to the first waiter. Never waits; may be called from
   * anywhere.
   *
   * @throws {Error} If `max` permits are free already.
   */
  release(): void {
    this.#permits.release();
  }

  /**
   * Runs `body` with a permit, and releases that however the body ends. Gives the body's value. A
   * checkpoint.
   *
   * @throws {TypeError} If the body is no coroutine, no operation and no function.
   */
  with<T>(body: Body<T>): Operation<T> {
    return new WithCommand(this, checkBody(body, "with"));
  }

  /** How many permits are free, and how many tasks wait. */
  statistics(): SemaphoreStatistics {
    return { value: this.#permits.value, tasksWaiting: this.#permits.waiters.size };
  }
}
