/**
 * explore and replay: a program under many schedules, and under one.
 *
 * Invariant: all that is drawn by lot follows from the seed; so the same call finds the same
 * failure.
 */
import { checkFunction, checkInteger, checkOptions, checkString } from "../../check.ts";
import { webHost } from "../../runtime/web_host.ts";
import type { Exploration } from "./exploration.ts";
import { type ExploreOptions, MAX_STEPS, type Settings, settingsOf } from "./options.ts";
import type { Program } from "./program.ts";
import { recordSchedule } from "./recording.ts";
import { explain, REPLAY, type ReplayCall } from "./report.ts";
import { checkOutside, PASSED } from "./runner.ts";
import { parseSchedule } from "./schedule.ts";
import { Search } from "./search.ts";

/**
 * Runs a program under many schedules, in virtual time, and rejects at the first that fails. A
 * program fails where `main` throws, where `check` throws, where tasks deadlock, where something is
 * left behind, and where a schedule takes too many steps. What it found is shrunk to few
 * preemptions; the message shows who ran when and where each task stopped, and a call of `replay`
 * to paste.
 *
 * While the program awaits nothing from outside, schedules run one after the other in a plain loop,
 * 100,000 and more a second where they are short; `Math.random`, `Date` and `performance.now`
 * follow the seed and the clock of the schedule meanwhile.
 *
 * @throws {ExplorationError} If the program fails in a schedule.
 * @throws {NondeterminismError} If the program does not do the same where the choices are the same.
 * @throws {NeverReachedError} If a state of `sometimes` was reached in no schedule.
 * @throws {TypeError | RangeError} If an option is not valid.
 * @example
 * ```ts
 * import { checkpoint, Nursery } from "jsr:@broomio/core";
 * import { ExplorationError, explore } from "jsr:@broomio/core/testing";
 *
 * try {
 *   await explore(() => {
 *     let balance = 0;
 *     function* deposit(amount: number) {
 *       const before = balance;
 *       yield* checkpoint();
 *       balance = before + amount; // what was deposited meanwhile is lost
 *     }
 *     return {
 *       main: Nursery.open(function* (nursery) {
 *         nursery.startSoon(deposit(1));
 *         nursery.startSoon(deposit(2));
 *       }),
 *       check() {
 *         if (balance !== 3) throw new Error(`the balance is ${balance}`);
 *       },
 *     };
 *   });
 * } catch (error) {
 *   if (error instanceof ExplorationError) console.log(error.message);
 * }
 * ```
 */
export async function explore(
  program: Program,
  options: ExploreOptions = {},
): Promise<Exploration> {
  checkOutside("explore");
  checkFunction(program, "program");
  return await runSearch(program, settingsOf(options), REPLAY);
}

/** Explores; `call` is what a failure says to paste. */
export async function runSearch(
  program: Program,
  settings: Settings,
  call: ReplayCall,
): Promise<Exploration> {
  const search = new Search(program, settings, call);
  try {
    return await search.run();
  } finally {
    search.close();
  }
}

/**
 * Runs a program under one schedule, as the message of an {@linkcode ExplorationError} gives it: to
 * look at it with a debugger, or to keep it as a test. Rejects as `explore` did, where the program
 * still fails. A schedule that does not fit the program any more, because that has changed, is
 * warned of.
 *
 * @param schedule Such as `"4:1 9:t"`.
 * @throws {ExplorationError} If the program fails.
 * @throws {TypeError} If the text is no schedule.
 * @example
 * ```ts
 * import { checkpoint } from "jsr:@broomio/core";
 * import { replay } from "jsr:@broomio/core/testing";
 *
 * await replay(() => checkpoint(), ""); // as explore() has printed it
 * ```
 */
export async function replay(
  program: Program,
  schedule: string,
  options: Pick<ExploreOptions, "maxSteps"> = {},
): Promise<void> {
  checkOutside("replay");
  checkFunction(program, "program");
  const { maxSteps = MAX_STEPS } = checkOptions(options, "replay", ["maxSteps"]);
  checkInteger(maxSteps, "maxSteps", 1);
  await runSchedule(program, checkString(schedule, "schedule"), maxSteps, REPLAY);
}

/** Runs one schedule; `call` is what a failure says to paste. */
export async function runSchedule(
  program: Program,
  schedule: string,
  maxSteps: number,
  call: ReplayCall,
): Promise<void> {
  const parsed = parseSchedule(schedule);
  const recording = await recordSchedule(program, parsed, maxSteps);
  const { result, choices, misfit } = recording;
  const warning = misfit && `The schedule does not fit the program: ${misfit}. It was found for ` +
      `another one, or the program has changed since`;
  if (result !== PASSED) {
    const found = warning ? `${warning}. What it does now fails` : "The schedule fails";
    throw explain(recording, { ...parsed, choices }, 1, found, call);
  }
  if (warning) webHost.warn(`broomio: ${warning}; explore() it anew`);
}
