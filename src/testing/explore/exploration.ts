/**
 * What comes of an exploration: its figures, or the error it fails with.
 */

/** The figures of an exploration that found nothing wrong. */
export interface Exploration {
  /** The strategy, as it was asked for. */
  readonly strategy: string;
  /** What everything that is drawn by lot began with. */
  readonly seed: number;
  /** How many schedules were run. */
  readonly schedules: number;
  /** How many steps they took in all. */
  readonly steps: number;
  /** How many steps the longest of them took. */
  readonly longest: number;
  /** Every schedule there is (within `preemptions`) has been run. */
  readonly complete: boolean;
  /** How long it took, in seconds. */
  readonly seconds: number;
  /** For PCT: the number of tasks and steps, and what they promise. */
  readonly bound: string | undefined;
}

/**
 * A schedule was found in which the program fails. The message has all that is needed: the error,
 * what ran when, and the call of `replay` that runs this schedule again. `cause` is the program's
 * own error.
 */
export class ExplorationError extends Error {
  /** For `replay(program, schedule)`. */
  readonly schedule: string;
  /** Which run found it, counted from 1. */
  readonly run: number;
  /**
   * How many preemptions the schedule has; letting time pass while a task is ready counts as one.
   */
  readonly preemptions: number;
  /** The interleaving, as in the message. */
  readonly table: string;

  /** Made by `explore` and `replay`. */
  constructor(
    message: string,
    found: { schedule: string; run: number; preemptions: number; table: string; cause: unknown },
  ) {
    super(message, { cause: found.cause });
    this.schedule = found.schedule;
    this.run = found.run;
    this.preemptions = found.preemptions;
    this.table = found.table;
    for (const name of ["schedule", "run", "preemptions", "table"]) {
      Object.defineProperty(this, name, { enumerable: false }); // the message has them
    }
  }
  static {
    this.prototype.name = "ExplorationError";
  }
}

/**
 * The same choices gave another run: the program depends on something that is not part of the
 * schedule.
 */
export class NondeterminismError extends Error {
  /** Made by `explore` and `replay`. */
  constructor(where: string, outside: boolean, options: ErrorOptions) {
    super(
      `The program is not deterministic: with the same choices, ${where}. ` +
        (outside
          ? "It awaits something outside (until, I/O, a timer of the runtime), and when that comes is no " +
            "part of the schedule: put a fake in its place, a coroutine that waits with sleep()."
          : "Math.random, Date and performance.now are part of the schedule; look for state that is " +
            "kept from run to run, for values that come from outside (until, I/O), and for other clocks."),
      options.cause === undefined ? undefined : options,
    );
  }
  static {
    this.prototype.name = "NondeterminismError";
  }
}

/** A state that the program says to be reachable (`sometimes`) was reached in no schedule. */
export class NeverReachedError extends Error {
  /** What was never true. */
  readonly names: readonly string[];

  /** Made by `explore`. */
  constructor(names: readonly string[], schedules: number) {
    super(`In none of ${schedules} schedules was it true that ${names.join("; nor that ")}`);
    this.names = names;
  }
  static {
    this.prototype.name = "NeverReachedError";
  }
}
