/**
 * The strategies that give priorities and let the highest run: PCT and POS.
 *
 * Both would let a task that polls, once it has the highest priority, keep the others from running
 * for ever. So a run that takes much longer than others have taken goes on as a random walk.
 */
import type { TaskCore } from "../../kernel/task.ts";
import { type Candidates, Drawing, TIME } from "./strategy.ts";

/**
 * The candidate with the highest priority, or `TIME` where that of the passing of time is higher
 * still.
 */
function highest(
  candidates: Candidates,
  priorityOf: (id: number) => number,
  timePriority: number,
): number {
  const { count, time } = candidates;
  let best = time ? TIME : 0;
  let most = time ? timePriority : -1;
  for (let i = 0; i < count; i++) {
    const priority = priorityOf(candidates.idOf(i));
    if (priority > most) {
      most = priority;
      best = i;
    }
  }
  return best;
}

/** A run of fewer steps is never too long. */
const SHORT_RUN = 200;
/** So many times as long as the shortest run so far is too long. */
const TOO_LONG = 8;

abstract class Prioritizing extends Drawing {
  /** The steps of the shortest run so far; 0 before the first, which is taken for a short one. */
  #shortest = 0;

  choose(candidates: Candidates): number {
    const { steps, maxSteps } = candidates;
    const limit = Math.min(Math.max(SHORT_RUN, TOO_LONG * this.#shortest), maxSteps >> 1);
    return steps > limit ? this.any(candidates) : this.prefer(candidates);
  }

  /** The candidate with the highest priority. */
  protected abstract prefer(candidates: Candidates): number;

  end({ steps }: Candidates): void {
    if (steps < this.#shortest || this.#shortest === 0) this.#shortest = steps;
  }
}

/**
 * Probabilistic concurrency testing (Burckhardt and others, 2010): each task has a random priority,
 * and at `depth - 1` random steps whoever would run falls below all others. A bug that needs
 * `depth` orderings is found by a run with a chance of at least 1 / (n * k ** (depth - 1)), where n
 * is the number of tasks and k that of steps.
 */
export class Pct extends Prioritizing {
  readonly name: string = "pct";
  readonly #depth: number;
  /** What the runs so far have shown of the program. */
  #longest = 8;
  #mostTasks = 0;
  readonly #drops: number[] = [];
  /** By task id. Not on the task itself: that would change its shape. */
  readonly #priorities: number[] = [];
  #dropped = 0;
  #timePriority = 0;

  constructor(depth: number) {
    super();
    this.#depth = depth;
  }

  /** The n, k and bound of the class comment, for the report. */
  get bound(): string | undefined {
    if (this.#mostTasks === 0) return undefined; // it has not run
    const n = this.#mostTasks;
    const k = this.#longest;
    const one = n * k ** (this.#depth - 1);
    return `pct: n = ${n} tasks, k = ${k} steps, depth ${this.#depth}: a run finds such a bug ` +
      `with a chance of at least 1 in ${one.toLocaleString("en")}`;
  }

  override begin(run: number, seed: number): boolean {
    super.begin(run, seed);
    this.#drops.length = this.#priorities.length = this.#dropped = 0;
    for (let i = 1; i < this.#depth; i++) this.#drops.push(this.below(this.#longest) + 1);
    this.#drops.sort((a, b) => a - b);
    this.#timePriority = this.#draw();
    return true;
  }

  protected prefer(candidates: Candidates): number {
    let best = this.#best(candidates);
    while (this.#dropped < this.#drops.length && candidates.steps >= this.#drops[this.#dropped]) {
      const low = this.#depth - this.#dropped++; // below every drawn one, and the later the lower
      if (best === TIME) this.#timePriority = low;
      else this.#priorities[candidates.idOf(best)] = low;
      best = this.#best(candidates);
    }
    if (best === TIME) this.#timePriority = this.#draw(); // else it would be always first, or always last
    return best;
  }

  override end(candidates: Candidates): void {
    super.end(candidates);
    this.#longest = Math.max(this.#longest, candidates.steps);
    this.#mostTasks = Math.max(this.#mostTasks, 1, this.#priorities.filter(() => true).length);
  }

  readonly #priorityOf = (id: number): number => this.#priorities[id] ??= this.#draw();

  #best(candidates: Candidates): number {
    return highest(candidates, this.#priorityOf, this.#timePriority);
  }

  #draw(): number {
    return this.bits() + 1024;
  }
}

/**
 * Partial order sampling (Yuan and others, 2018), in its plain form: each step gets a random
 * priority when it becomes ready.
 */
export class Pos extends Prioritizing {
  readonly name = "pos";
  readonly #priorities: number[] = [];
  #timePriority = 0;

  override begin(run: number, seed: number): boolean {
    super.begin(run, seed);
    this.#priorities.length = 0;
    this.#timePriority = this.bits();
    return true;
  }

  readied({ id }: TaskCore): void {
    this.#priorities[id] = this.bits();
  }

  protected prefer(candidates: Candidates): number {
    const best = highest(candidates, this.#priorityOf, this.#timePriority);
    if (best === TIME) this.#timePriority = this.bits();
    return best;
  }

  readonly #priorityOf = (id: number): number => this.#priorities[id];
}
