/**
 * Mixed: the strategy for those who do not want to choose one.
 *
 * First in, first out, which is what happens outside of tests; then every schedule of no, of one
 * and of two preemptions, which finds most races, and finds them with little to look at; then, in
 * turn, uniform random walk, POS and PCT, which find what needs more. Where there are many
 * schedules of two preemptions, the others begin after the first hundred, and those come in turn
 * with them.
 */
import type { TaskCore } from "../../kernel/task.ts";
import { Exhaustive } from "./exhaustive.ts";
import { Pct, Pos } from "./priorities.ts";
import type { Candidates, Strategy } from "./strategy.ts";
import { FirstInFirstOut, UniformWalk } from "./walks.ts";

/** From this run on the strategies take turns. */
const TURNS_FROM = 100;

/** All of them, one after the other. */
export class Mixed implements Strategy {
  readonly #fifo = new FirstInFirstOut();
  /** One a bound, smaller ones first: so what is found first needs the fewest preemptions. */
  readonly #bounded = [0, 1, 2].map((bound) => new Exhaustive(bound));
  readonly #drawing: readonly Strategy[];
  readonly #pct: Pct;
  #current: Strategy = this.#fifo;
  /** How many runs each has had. */
  readonly #runs = new Map<Strategy, number>();

  constructor(depth: number) {
    this.#pct = new Pct(depth);
    this.#drawing = [new UniformWalk(), new Pos(), this.#pct];
  }

  get name(): string {
    return `mixed (${this.#current.name})`;
  }

  get bound(): string | undefined {
    return this.#pct.bound;
  }

  begin(run: number, seed: number): boolean {
    if (run === 0) this.#runs.clear();
    if (this.#bounded.some((each) => each.done && !each.isCut)) return false; // that was all there is
    this.#current = this.#next(run);
    const own = this.#runs.get(this.#current) ?? 0;
    this.#runs.set(this.#current, own + 1);
    return this.#current.begin(own, seed);
  }

  choose(candidates: Candidates): number {
    return this.#current.choose(candidates);
  }

  readied(task: TaskCore): void {
    this.#current.readied?.(task);
  }

  end(candidates: Candidates): void {
    this.#current.end?.(candidates);
  }

  #next(run: number): Strategy {
    if (run === 0) return this.#fifo;
    const bounded = this.#bounded.find((each) => !each.done || !this.#runs.has(each));
    if (bounded !== undefined && (run < TURNS_FROM || run % 4 === 0)) return bounded;
    const drawn = this.#drawing.reduce((sum, each) => sum + (this.#runs.get(each) ?? 0), 0);
    return this.#drawing[drawn % this.#drawing.length];
  }
}
