/**
 * Narrows what is timed to the stretch in which all tasks run: from the moment the last has begun to the moment the last
 * has done its part. Starting and joining have rows of their own, and would drown everything else where they are dear
 * (Effection: 70 us a task).
 */

import type { Watch } from "./row.ts";

export class Gate {
  readonly #watch: Watch;
  #toBegin: number;
  #toEnd: number;

  constructor(watch: Watch, tasks: number) {
    this.#watch = watch;
    this.#toBegin = tasks;
    this.#toEnd = tasks;
  }

  /** Each task calls it first. */
  begin(): void {
    if (--this.#toBegin === 0) this.#watch.start();
  }

  /** Each task calls it last. */
  end(): void {
    if (--this.#toEnd === 0) this.#watch.stop();
  }
}
