/**
 * CancelSweep: at which step which task is cancelled, in one run after the other.
 *
 * Each wait of the program in turn first, in the order of an ordinary loop; when all have been
 * tried, any of them, in an order that is drawn. Independent of: how runs are made.
 */
import type { PlannedCancel } from "./schedule.ts";
import { type Candidates, Drawing } from "./strategy.ts";

/**
 * Whom an exploration cancels: the main task, or each task.
 *
 * @example
 * ```ts
 * import { checkpoint, Lock } from "jsr:@broomio/core";
 * import { type CancelMode, explore } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const cancel: CancelMode = "tasks"; // each task, at each of its waits
 * await explore(() => {
 *   const lock = new Lock();
 *   return {
 *     main: () => lock.with(() => checkpoint()),
 *     check: () => assertEquals(lock.locked, false), // given back, whatever happened
 *   };
 * }, { cancel, schedules: 20 });
 * ```
 */
export type CancelMode = "main" | "tasks";

/** Plans the cancels of an exploration. */
export class CancelSweep extends Drawing {
  readonly name = "cancel";
  readonly #mode: CancelMode;
  #steps = 1;
  #tasks = 1;
  #next = 0;

  constructor(mode: CancelMode, seed: number) {
    super();
    this.#mode = mode;
    this.begin(0, seed);
  }

  /** Every wait, in the longest run so far, has been the moment of a cancel. */
  get done(): boolean {
    return this.#next >= this.#count;
  }

  /** Takes in how long a run was, and how many tasks it made. */
  learn(steps: number, tasks: number): void {
    if (steps > this.#steps) this.#steps = steps;
    if (this.#mode === "tasks" && tasks > this.#tasks) this.#tasks = tasks;
  }

  /** The next cancel. */
  next(): PlannedCancel {
    const at = this.done ? this.below(this.#count) : this.#next++;
    return { step: at % this.#steps + 1, task: Math.floor(at / this.#steps) + 1 };
  }

  /** For the runs with a cancel once the sweep is done: any candidate. */
  choose(candidates: Candidates): number {
    return this.any(candidates);
  }

  get #count(): number {
    return this.#steps * this.#tasks;
  }
}
