/**
 * Recording: one schedule run again, with everything noted that a person needs to see what
 * happened.
 *
 * Independent of: how it is shown (`interleaving.ts`).
 */
import { placesOf } from "../../kernel/places.ts";
import type { TaskCore } from "../../kernel/task.ts";
import type { Instrument } from "../../kernel/instrument.ts";
import { describe } from "./failure.ts";
import { userPosition } from "./positions.ts";
import type { Program } from "./program.ts";
import { PASSED, Runner } from "./runner.ts";
import type { Schedule } from "./schedule.ts";
import type { Candidates, Strategy } from "./strategy.ts";

/** One step of a task. */
export interface Step {
  readonly task: number;
  readonly name: string;
  /** Where it stopped, as "file.ts:12". */
  readonly at: string;
  /** What it does there: "acquiring lock", "ready", or how it ended. */
  readonly doing: string;
  /** What happened just before: "1.5 s have passed", "main is cancelled". */
  readonly before: readonly string[];
  /** The task that could have gone on instead, where this was a preemption. */
  readonly preempted: string | null;
}

/** A run, as it was. */
export interface Recording {
  /** What went wrong, or `PASSED`. */
  readonly result: unknown;
  readonly hash: number;
  readonly steps: readonly Step[];
  /** The answers as they were in this run: without those that were not possible. */
  readonly choices: readonly number[];
  readonly preemptions: number;
  /** What of the schedule was not possible in this run; undefined where it fits. */
  readonly misfit: string | undefined;
}

/** Answers what a schedule says. */
export class Replaying implements Strategy {
  readonly name = "replay";
  choices: ArrayLike<number> = [];

  begin(): boolean {
    return true;
  }

  choose({ decisions }: Candidates): number {
    return decisions < this.choices.length ? this.choices[decisions] : 0;
  }
}

/** Runs a schedule and notes each step. */
export async function recordSchedule(
  program: Program,
  schedule: Schedule,
  maxSteps: number,
): Promise<Recording> {
  const strategy = new Replaying();
  strategy.choices = schedule.choices;
  const runner = new Runner(program, strategy);
  const { queue } = runner;
  const steps: Step[] = [];
  let before: string[] = [];
  let preempted: string | null = null;
  let preemptions = 0;
  queue.timeMayPass = schedule.time;
  queue.maxSteps = maxSteps;
  runner.host.jumps = schedule.jumps;
  const noteTime = (now: number) => before.push(`the time is ${Number(now.toFixed(6))} s`);
  runner.host.onJump = noteTime;
  queue.decisionLog = {
    preempted(task) {
      preempted = task.name;
      preemptions++;
    },
    timePassed(now) {
      noteTime(now);
      preemptions++;
    },
    cancelled(task) {
      before.push(`${task.name} is cancelled`);
    },
  };
  const instrument: Instrument = {
    afterStep(given) {
      const task = given as TaskCore;
      steps.push({
        task: task.id,
        name: task.name,
        ...(task.ended ? endOf(task) : {
          // A wait within an operation of ours, such as `lock.with`, stands where that was called.
          at: placesOf(task).map(userPosition).find((at) => at !== "") ?? "",
          doing: task.wait?.describe() ?? "ready",
        }),
        before,
        preempted,
      });
      before = [];
      preempted = null;
    },
  };
  runner.debug = runner.globals.stacks = true;
  runner.instruments = [instrument];
  let result: unknown;
  try {
    result = runner.run(schedule.seed, schedule.cancel);
  } finally {
    runner.globals.restore();
  }
  if (result instanceof Promise) result = await result;
  const choices = queue.choices.slice(0, queue.decisions);
  const misfit = misfitOf(schedule, choices, queue.victim !== null);
  return { result, hash: queue.hash, steps, choices, preemptions, misfit };
}

/** How a task has ended; of one that failed, with what, and where that was thrown. */
function endOf(task: TaskCore): Pick<Step, "at" | "doing"> {
  const { state, value } = task;
  if (state !== "failed") return { at: "", doing: state };
  const [what] = describe(value).split("\n", 1);
  let at = "";
  try {
    // Not where its task was started, which stands below.
    const [thrown] = value instanceof Error
      ? String(value.stack).split(/ was started:$/m, 1)
      : [""];
    at = userPosition(thrown);
  } catch {
    // an error that cannot be looked at
  }
  return { at, doing: `failed: ${what}` };
}

function misfitOf(
  { choices, cancel }: Schedule,
  made: readonly number[],
  cancelled: boolean,
): string | undefined {
  for (let i = 0; i < choices.length; i++) {
    if (choices[i] === 0 || choices[i] === made[i]) continue;
    return i < made.length
      ? `choice ${i} is not possible in it`
      : `it makes ${made.length} choices, and choice ${i} is named`;
  }
  if (cancel !== null && !cancelled) {
    return `before step ${cancel.step} it has no task ${cancel.task} to cancel`;
  }
}

/**
 * The first step at which two runs of one schedule differ, in words; undefined where they are the
 * same.
 */
export function firstDifference(a: Recording, b: Recording): string | undefined {
  const say = (step: Step | undefined) =>
    step === undefined
      ? "the run had ended"
      : `${step.name} ran and stopped${step.at && ` at ${step.at}`} (${step.doing})`;
  const length = Math.max(a.steps.length, b.steps.length);
  for (let i = 0; i < length; i++) {
    const [one, other] = [say(a.steps[i]), say(b.steps[i])];
    if (one !== other) return `at step ${i + 1} ${one} in one run, and ${other} in another`;
  }
  if ((a.result === PASSED) !== (b.result === PASSED)) {
    return "the steps were the same, and one run failed, and the other did not";
  }
}
