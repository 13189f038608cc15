/**
 * Schedule: the decisions of one run, and the short text for them that `replay` takes.
 *
 * The text names only what departs from "whoever ran last goes on, else who has been ready for
 * longest": `4:1` (decision 4 goes to candidate 1), `9:t` (at decision 9 time passes), `c7.3`
 * (before step 7 task 3 is cancelled), `s42` (what the program draws by lot begins with the seed
 * 42), `!t` (time passes only where no task can go on), `!j` (it jumps also while something outside
 * is awaited). Invariant:
 * `parseSchedule(formatSchedule(s))` is `s`, without the zeros at the end of its choices.
 */
import { TIME } from "./strategy.ts";

/**
 * A cancel that is part of a schedule: of the task with this id, before this step (counted from 1).
 */
export interface PlannedCancel {
  readonly step: number;
  readonly task: number;
}

/** What decides how a run goes. */
export interface Schedule {
  /**
   * The answers, where there was a choice: the number of a candidate, or `TIME`. Behind the end: 0.
   */
  readonly choices: ArrayLike<number>;
  /** The task to cancel, or null. */
  readonly cancel: PlannedCancel | null;
  /** What `Math.random` and the loop's own lots begin with. */
  readonly seed: number;
  /** Whether time may pass while tasks are ready. */
  readonly time: boolean;
  /** Whether time jumps to the next deadline also while something outside is awaited. */
  readonly jumps: boolean;
}

/** The schedule as a text. */
export function formatSchedule({ choices, cancel, seed, time, jumps }: Schedule): string {
  const parts: string[] = [];
  for (let i = 0; i < choices.length; i++) {
    if (choices[i] !== 0) parts.push(`${i}:${choices[i] === TIME ? "t" : choices[i]}`);
  }
  if (cancel !== null) parts.push(`c${cancel.step}.${cancel.task}`);
  if (seed !== 0) parts.push(`s${seed}`);
  if (!time) parts.push("!t");
  if (jumps) parts.push("!j");
  return parts.join(" ");
}

/**
 * The schedule of a text.
 *
 * @throws {TypeError} If the text is no schedule; the message names the part.
 */
export function parseSchedule(text: string): Schedule {
  const choices: number[] = [];
  let cancel: PlannedCancel | null = null;
  let seed = 0;
  let time = true;
  let jumps = false;
  for (const part of text.split(" ").filter((each) => each !== "")) {
    const [, at, choice, step, task, given] =
      part.match(/^(?:(\d+):(t|\d+)|c(\d+)\.(\d+)|s(\d+)|![tj])$/) ?? [];
    if (part === "!t") time = false;
    else if (part === "!j") jumps = true;
    else if (at !== undefined && Number(at) >= choices.length && Number(at) < MAX_DECISIONS) {
      while (choices.length < Number(at)) choices.push(0);
      choices.push(choice === "t" ? TIME : Number(choice));
    } else if (step !== undefined) cancel = { step: Number(step), task: Number(task) };
    else if (given !== undefined) seed = Number(given);
    else {
      throw new TypeError(
        `Expected a schedule as explore() prints it, such as "4:1 9:t", got ${
          JSON.stringify(part)
        } in it`,
      );
    }
  }
  return { choices, cancel, seed, time, jumps };
}

/**
 * Longer than any run: a larger number in a schedule is a slip, not a wish for that much memory.
 */
const MAX_DECISIONS = 10_000_000;
