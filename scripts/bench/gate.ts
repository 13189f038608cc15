/**
 * Narrows what is timed to the stretch in which the tasks run: from the moment the first begins to the moment the last
 * has done its part. Making and joining them have rows of their own, and would drown everything else where they are dear
 * (Effection: 70 us a task). Never less than the work: some schedulers finish one task before they begin the next.
 */

import type { Watch } from "./row.ts";

export class Gate {
  readonly #watch: Watch;
  #begun = false;
  #toEnd: number;

  constructor(watch: Watch, tasks: number) {
    this.#watch = watch;
    this.#toEnd = tasks;
  }

  /** Each task calls it first. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#watch.start();
  }

  /** Each task calls it last. */
  end(): void {
    if (--this.#toEnd === 0) this.#watch.stop();
  }
}
