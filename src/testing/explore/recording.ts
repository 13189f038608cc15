/**
 * Recording: one schedule run again, with everything noted that a person needs to see what
 * happened.
 *
 * Independent of: how it is shown (`interleaving.ts`).
 */
import type { TaskCore } from "../../kernel/task.ts";
import type { Instrument } from "../../kernel/scheduler.ts";
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
        at: task.ended ? "" : userPosition(task.extras?.position ?? ""),
        doing: task.ended ? task.state : task.wait?.describe() ?? "ready",
        before,
        preempted,
      });
      before = [];
      preempted = null;
    },
  };
  runner.debug = true;
  runner.instruments = [instrument];
  const result = await runner.run(schedule.seed, schedule.cancel);
  runner.globals.restore();
  const choices = queue.choices.slice(0, queue.decisions);
  return { result, hash: queue.hash, steps, choices, preemptions };
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
