/**
 * Shrinking: looks for a schedule with fewer preemptions that fails in the same way.
 *
 * First all schedules of no, of one and of two preemptions: what fails there is as short as can be.
 * Only then what was found is taken apart, in halves, quarters, and so on (delta debugging); alone
 * that sticks where two preemptions must go together.
 */
import { Exhaustive } from "./exhaustive.ts";
import { failureKey } from "./failure.ts";
import type { Program } from "./program.ts";
import { Replaying } from "./recording.ts";
import { PASSED, Runner } from "./runner.ts";
import type { PlannedCancel, Schedule } from "./schedule.ts";
import { realSeconds } from "./schedule_globals.ts";
import type { Strategy } from "./strategy.ts";

/** Seconds, and runs, that shrinking may take; half of both for each of its parts. */
const MAX_SECONDS = 3;
const MAX_RUNS = 40_000;

/** A schedule that fails as `schedule` does, with as few departures as were found. */
export async function shrinkSchedule(
  program: Program,
  schedule: Schedule,
  error: unknown,
  maxSteps: number,
): Promise<Schedule> {
  const search = new Search(program, failureKey(error), schedule, maxSteps);
  for (const cancel of schedule.cancel === null ? [null] : [null, schedule.cancel]) {
    const found = await search.fewPreemptions(cancel);
    if (found !== undefined) return found;
  }
  return await search.fewerDepartures();
}

class Search {
  readonly #key: string;
  readonly #runner: Runner;
  readonly #replaying = new Replaying();
  readonly #began = realSeconds();
  #best: Schedule;
  #runs = 0;

  constructor(program: Program, key: string, schedule: Schedule, maxSteps: number) {
    this.#key = key;
    this.#best = schedule;
    this.#runner = new Runner(program, this.#replaying);
    this.#runner.queue.maxSteps = maxSteps;
    this.#runner.queue.timeMayPass = schedule.time;
    this.#runner.host.jumps = schedule.jumps;
  }

  /** The first schedule of at most two preemptions that fails in the same way. */
  async fewPreemptions(cancel: PlannedCancel | null): Promise<Schedule | undefined> {
    for (const bound of [0, 1, 2]) {
      const strategy = new Exhaustive(bound);
      for (let run = 0; strategy.begin(run) && this.#hasTime(0.5); run++) {
        let failed = this.#fails(strategy, cancel);
        if (typeof failed !== "boolean") failed = await failed;
        const { queue, globals } = this.#runner;
        if (failed) {
          globals.restore(); // before anybody waits for this
          const { choices, decisions } = queue;
          return { ...this.#best, choices: choices.slice(0, decisions), cancel };
        }
        strategy.end(queue);
      }
    }
    this.#runner.globals.restore();
  }

  /** Replaces parts of the choices by the default, for as long as it still fails. */
  async fewerDepartures(): Promise<Schedule> {
    for (let progress = true; progress && this.#hasTime(1);) {
      progress = false;
      for (let size = this.#best.choices.length; size >= 1; size >>= 1) {
        for (let at = 0; at < this.#best.choices.length && this.#hasTime(1); at += size) {
          const choices = Array.from(this.#best.choices);
          if (choices.slice(at, at + size).every((choice) => choice === 0)) continue;
          choices.fill(0, at, at + size);
          let improves = this.#improves(choices);
          if (typeof improves !== "boolean") improves = await improves;
          if (improves) progress = true;
        }
      }
    }
    this.#runner.globals.restore();
    return this.#best;
  }

  #improves(choices: number[]): boolean | Promise<boolean> {
    this.#replaying.choices = choices;
    const failed = this.#fails(this.#replaying, this.#best.cancel);
    return typeof failed === "boolean"
      ? this.#keepBetter(failed)
      : failed.then((late) => this.#keepBetter(late));
  }

  /** Keeps the last run where it failed in the same way with fewer departures. */
  #keepBetter(failed: boolean): boolean {
    if (!failed) return false;
    const { queue } = this.#runner;
    const made = queue.choices.slice(0, queue.decisions);
    if (departures(made) >= departures(this.#best.choices)) return false;
    this.#best = { ...this.#best, choices: made };
    return true;
  }

  /** A promise only where something outside is awaited, and then with the real globals in place. */
  #fails(strategy: Strategy, cancel: PlannedCancel | null): boolean | Promise<boolean> {
    this.#runs++;
    this.#runner.queue.strategy = strategy;
    const result = this.#runner.run(this.#best.seed, cancel);
    return result instanceof Promise
      ? result.then((late) => this.#isSame(late))
      : this.#isSame(result);
  }

  #isSame(result: unknown): boolean {
    return result !== PASSED && failureKey(result) === this.#key;
  }

  #hasTime(share: number): boolean {
    return this.#runs < MAX_RUNS * share && realSeconds() - this.#began < MAX_SECONDS * share;
  }
}

/** How often a schedule departs from the default. */
export function departures(choices: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < choices.length; i++) if (choices[i] !== 0) count++;
  return count;
}
