/**
 * cancelAtEveryWait: repeats a scenario, cancelling one of its tasks at its 1st, 2nd, ... nth wait,
 * until it completes.
 *
 * Every wait is cancelled at both of the moments that differ: just after the task has parked
 * ("parked"), and just before it is resumed ("settled"), when what it waited for has been handed
 * over already and must be neither lost nor leaked (R18, R30). All of it under each order of
 * execution. A failure names order, seed, wait and moment.
 *
 * Invariant: each repetition has a world of its own: `scenario` is called anew for each.
 */
import { type ExecutionOrder, Loop, type Operation } from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";

/**
 * One world: the task that is cancelled, the tasks around it, and what must hold when all have
 * ended.
 */
export interface Scenario {
  /** Started first (the order of execution may well run it later). */
  victim: Operation<unknown>;
  /** Started after it. */
  others?: readonly Operation<unknown>[];
  /** Called when the loop has ended; throws where something was lost, duplicated or leaked. */
  check(outcome: Outcome): void | Promise<void>;
}

/** How one repetition went. */
export interface Outcome {
  /** Whether the victim ran to its end before its nth wait; else it was cancelled. */
  readonly completed: boolean;
  /** How the victim ended: "succeeded", "cancelled" or "failed". */
  readonly state: string;
  /** The wait at which it was cancelled, counted from 1. */
  readonly wait: number;
  readonly moment: "parked" | "settled";
}

/** Options of `cancelAtEveryWait`. */
export interface CancelOptions {
  /** How many seeds of "random" order; 5 by default. */
  seeds?: number;
}

/** A scenario that waits more often than this never completes, which is a mistake. */
const MAX_WAITS = 1_000;

/**
 * Runs the scenario cancelled at each of its waits. Gives the number of waits of the longest run: 0
 * means nothing was tried.
 */
export async function cancelAtEveryWait(
  scenario: () => Scenario,
  options: CancelOptions = {},
): Promise<number> {
  const seeds = Array.from({ length: options.seeds ?? 5 }, (_, i) => i + 1);
  const runs: [ExecutionOrder, number][] = [
    ["fifo", 0],
    ["lifo", 0],
    ...seeds.map((seed): [ExecutionOrder, number] => ["random", seed]),
  ];
  let longest = 0;
  for (const [executionOrder, seed] of runs) {
    for (const moment of ["parked", "settled"] as const) {
      for (let wait = 1, completed = false; !completed; wait++) {
        if (wait > MAX_WAITS) throw new Error(`The scenario waits more than ${MAX_WAITS} times`);
        try {
          completed = await runOnce(scenario(), executionOrder, seed, wait, moment);
        } catch (error) {
          throw new Error(
            `Cancelled at wait ${wait}, when ${moment}, in order ${executionOrder}, seed ${seed}: ${error}`,
            { cause: error },
          );
        }
        if (!completed) longest = Math.max(longest, wait);
      }
    }
  }
  return longest;
}

async function runOnce(
  scenario: Scenario,
  executionOrder: ExecutionOrder,
  seed: number,
  wait: number,
  moment: "parked" | "settled",
): Promise<boolean> {
  let waits = 0;
  let cancelled = false;
  const hit = () => {
    if (++waits !== wait) return;
    cancelled = true;
    victim.cancel(`wait ${wait}`);
  };
  let begun = false;
  const loop = new Loop({
    host: new VirtualClock(),
    executionOrder,
    seed,
    instruments: [{
      beforeStep(task) {
        if (task !== victim || moment !== "settled") return;
        if (begun) hit(); // the first step is the start, not the end of a wait
        begun = true;
      },
      afterStep(task) {
        if (task === victim && moment === "parked" && !ENDED.includes(task.state)) hit();
      },
    }],
  });
  const victim = loop.startSoon(scenario.victim, { name: "victim" });
  for (const [i, other] of (scenario.others ?? []).entries()) {
    loop.startSoon(other, { name: `other ${i + 1}` });
  }
  await loop.run();
  await scenario.check({ completed: !cancelled, state: victim.state, wait, moment });
  return !cancelled;
}

const ENDED = ["succeeded", "failed", "cancelled"];
