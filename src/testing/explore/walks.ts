/**
 * The simple strategies: first in, first out; a random walk; and a uniform random walk.
 */
import type { TaskCore } from "../../kernel/task.ts";
import { type Candidates, Drawing, type Strategy, TIME } from "./strategy.ts";

/** Whoever has been ready for longest, as an ordinary loop does. There is one such schedule. */
export class FirstInFirstOut implements Strategy {
  readonly name = "fifo";

  begin(run: number): boolean {
    return run === 0;
  }

  choose({ oldest }: Candidates): number {
    return oldest;
  }
}

/** At each choice every candidate with the same chance: not every schedule has. */
export class RandomWalk extends Drawing {
  readonly name = "random";

  choose(candidates: Candidates): number {
    return this.any(candidates);
  }
}

/**
 * Uniform random walk: a task with more steps ahead, as the runs before tell, is more likely to go
 * on, so that each interleaving has about the same chance. Where tasks are of unequal length, a
 * plain random walk all but never lets the long one run through before the short one.
 */
export class UniformWalk extends Drawing {
  readonly name = "urw";
  /** The most steps that a task, by its id, has taken in a run. */
  readonly #known: number[] = [];
  #taken: number[] = [];

  override begin(run: number, seed: number): boolean {
    if (run === 0) this.#known.length = 0;
    this.#taken = [];
    return super.begin(run, seed);
  }

  readied({ id }: TaskCore): void {
    this.#taken[id] = (this.#taken[id] ?? 0) + 1;
  }

  choose(candidates: Candidates): number {
    const { count, time } = candidates;
    let sum = time ? 1 : 0;
    for (let i = 0; i < count; i++) sum += this.#ahead(candidates.idOf(i));
    let drawn = this.below(sum);
    for (let i = 0; i < count; i++) {
      drawn -= this.#ahead(candidates.idOf(i));
      if (drawn < 0) return i;
    }
    return TIME;
  }

  end(): void {
    this.#taken.forEach((steps, id) => {
      if (steps > (this.#known[id] ?? 0)) this.#known[id] = steps;
    });
  }

  #ahead(id: number): number {
    return Math.max(1, (this.#known[id] ?? 1) - (this.#taken[id] ?? 0) + 1);
  }
}
