/**
 * Strategy: what decides, at each moment at which there is a choice, how a program goes on.
 *
 * Invariant: what a strategy answers depends only on its seed, on the runs before, and on what it
 * is asked; so the same run gives the same schedule. Independent of: how tasks are run, and how
 * choices are recorded.
 */
import type { TaskCore } from "../../kernel/task.ts";

/**
 * The answer "no task yet: time passes to the next deadline", instead of the number of a candidate.
 */
export const TIME = -1;

/** What a strategy sees of a run. */
export interface Candidates {
  /** How many tasks can go on. */
  readonly count: number;
  /** Whether time may pass instead. */
  readonly time: boolean;
  /**
   * Whether the task that ran last could go on. Then it is candidate 0, unless it has run very
   * often in a row, and any other answer is a preemption. Where it is false, candidate 0 is the
   * task that has been ready for longest.
   */
  readonly preempts: boolean;
  /**
   * The candidate that has been ready for longest: 0, or 1 where candidate 0 is another that ran
   * last.
   */
  readonly oldest: number;
  /** How many steps have been taken in this run. */
  readonly steps: number;
  /** How many decisions have been made in this run. */
  readonly decisions: number;
  /** The most steps that a run may take. */
  readonly maxSteps: number;
  /** The id of a candidate's task. */
  idOf(candidate: number): number;
}

/** Decides which task goes on. */
export interface Strategy {
  readonly name: string;
  /** Prepares for the run of this number; false where every schedule has been tried. */
  begin(run: number, seed: number): boolean;
  /** The number of a candidate, or `TIME` where that may pass. */
  choose(candidates: Candidates): number;
  /** A task has become ready. */
  readied?(task: TaskCore): void;
  /** The run is over. */
  end?(candidates: Candidates): void;
}

/**
 * The base of strategies that draw by lot: a generator of numbers that begins anew with each run.
 */
export abstract class Drawing implements Strategy {
  abstract readonly name: string;
  #state = 0;

  begin(run: number, seed: number): boolean {
    this.#state = Math.imul(seed ^ Math.imul(run + 1, 0x85ebca6b), 0x9e3779b1) | 0;
    this.bits();
    return true;
  }

  abstract choose(candidates: Candidates): number;

  /** A number of 32 bits, as mulberry32 makes them. */
  protected bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  protected below(limit: number): number {
    return Math.floor(this.bits() * limit / 4294967296);
  }

  /** Any candidate, or the passing of time, each with the same chance. */
  protected any({ count, time }: Candidates): number {
    const drawn = this.below(time ? count + 1 : count);
    return drawn === count ? TIME : drawn;
  }
}
