/**
 * Exhaustive: every schedule with at most so many preemptions, depth first.
 *
 * The baseline is "whoever ran last goes on". A preemption is a switch away from a task that could
 * have gone on; which task follows one that waits or has ended is no preemption, and every answer
 * to that is tried. Most races need one preemption or two (Musuvathi and Qadeer, 2007), and there
 * are few such schedules. Invariant: the path up to the last decision of the run before has been
 * tried; all that is left lies behind it.
 */
import { type Candidates, type Strategy, TIME } from "./strategy.ts";

/** One decision on the path. */
interface Fork {
  choice: number;
  count: number;
  time: boolean;
  preempts: boolean;
}

/** Tries all of them, one after the other. */
export class Exhaustive implements Strategy {
  readonly name = "exhaustive";
  readonly #bound: number;
  readonly #path: Fork[] = [];
  #length = 0;
  #done = false;
  #isCut = false;

  constructor(preemptions: number) {
    this.#bound = preemptions;
  }

  /** Every schedule within the bound has been tried. */
  get done(): boolean {
    return this.#done;
  }

  /** There are schedules with more preemptions than the bound. */
  get isCut(): boolean {
    return this.#isCut;
  }

  begin(run: number): boolean {
    if (run === 0) {
      this.#isCut = false;
      this.#length = 0;
      this.#done = false;
    }
    return !this.#done;
  }

  choose({ count, time, preempts, decisions }: Candidates): number {
    if (decisions < this.#length) return this.#path[decisions].choice;
    // Fork records are reused: a short run would else spend a good part of its time on making them.
    const fork = this.#path[decisions] ??= { choice: 0, count, time, preempts };
    fork.choice = 0;
    fork.count = count;
    fork.time = time;
    fork.preempts = preempts;
    this.#length = decisions + 1;
    return 0;
  }

  /** Goes back to the last decision for which there is another answer within the bound. */
  end({ decisions }: Candidates): void {
    const path = this.#path;
    let length = Math.min(this.#length, decisions);
    let spent = 0;
    for (let i = 0; i < length; i++) spent += costOf(path[i]);
    while (length > 0) {
      const fork = path[length - 1];
      spent -= costOf(fork);
      if (advance(fork)) {
        if (spent + costOf(fork) <= this.#bound) {
          this.#length = length;
          return;
        }
        this.#isCut = true;
      }
      length--;
    }
    this.#done = true;
  }
}

/** 1 where the choice is a preemption, or lets time pass while a task could go on; else 0. */
function costOf({ choice, preempts }: Fork): number {
  return choice === TIME || (preempts && choice !== 0) ? 1 : 0;
}

/**
 * Takes the next choice: 1, 2, ... and the passing of time as the last. False where there is none.
 */
function advance(fork: Fork): boolean {
  if (fork.choice === TIME) return false;
  if (++fork.choice < fork.count) return true;
  fork.choice = TIME;
  return fork.time;
}
