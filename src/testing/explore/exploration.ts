/**
 * What comes of an exploration: its figures, or the error it fails with.
 */

/**
 * The figures of an exploration that found nothing wrong.
 *
 * @example
 * ```ts
 * import { all, checkpoint } from "jsr:@broomio/core";
 * import { type Exploration, explore } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const show = ({ schedules, complete }: Exploration) =>
 *   `${schedules} schedules${complete ? ", all there are" : ""}`;
 *
 * const program = () => all([checkpoint(), checkpoint()]);
 * const result = await explore(program, { strategy: "exhaustive", preemptions: 1 });
 * assertEquals(show(result).endsWith("all there are"), true);
 * ```
 */
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
 *
 * @example
 * ```ts
 * import { checkpoint, Nursery } from "jsr:@broomio/core";
 * import { ExplorationError, explore } from "jsr:@broomio/core/testing";
 * import { assertEquals, assertRejects } from "jsr:@std/assert";
 *
 * const program = () => {
 *   let count = 0;
 *   function* increase() {
 *     const before = count;
 *     yield* checkpoint();
 *     count = before + 1; // what others did meanwhile is lost
 *   }
 *   const main = Nursery.open(function* (nursery) {
 *     nursery.startSoon(increase());
 *     nursery.startSoon(increase());
 *   });
 *   return { main, check: () => assertEquals(count, 2) };
 * };
 * const error = await assertRejects(() => explore(program), ExplorationError);
 * console.log(error.table); // who ran when
 * console.log(error.schedule); // for replay(program, schedule)
 * ```
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
 *
 * @example
 * ```ts
 * import { checkpoint } from "jsr:@broomio/core";
 * import { explore, NondeterminismError } from "jsr:@broomio/core/testing";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * let runs = 0; // kept from run to run: it belongs into the function
 * const program = function* () {
 *   runs++;
 *   for (let i = 0; i < runs; i++) yield* checkpoint();
 *   if (runs === 3) throw new Error("now and then");
 * };
 * await assertRejects(() => explore(program, { schedules: 10 }), NondeterminismError);
 * ```
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

/**
 * A state that the program says to be reachable (`sometimes`) was reached in no schedule.
 *
 * @example
 * ```ts
 * import { checkpoint } from "jsr:@broomio/core";
 * import { explore, NeverReachedError, sometimes } from "jsr:@broomio/core/testing";
 * import { assertEquals, assertRejects } from "jsr:@std/assert";
 *
 * const program = function* () {
 *   let retries = 0;
 *   yield* checkpoint();
 *   sometimes(retries > 0, "a request is tried again");
 * };
 * const error = await assertRejects(() => explore(program, { schedules: 10 }), NeverReachedError);
 * assertEquals(error.names, ["a request is tried again"]); // the test does not test that
 * ```
 */
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
