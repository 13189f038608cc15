/**
 * Taking the samples: interleaved rounds in rotated order, so that a noisy second hits every side alike; before
 * each sample a collection, so that nobody pays for another's garbage, and a stretch that does not count, so that
 * everybody is compiled and has a heap of its own; and medians.
 */

import { bytesInUse, collect, cpuClock, wallClock } from "./runtime.ts";
import type { Load, Watch, Work } from "./row.ts";

/** How samples are taken. */
export interface Taking {
  readonly clock: "wall" | "cpu";
  /** A sample is the median of as many runs as fit into this many seconds, at least one. */
  readonly seconds: number;
}

/** One sample, in nanoseconds per operation. */
export async function sample(work: Work, { clock, seconds }: Taking): Promise<number> {
  collect();
  await new Promise((resolve) => setTimeout(resolve, 0));
  // The collection threw compiled code away together with the last objects it was compiled for.
  await medianRun(work, clock, seconds);
  return await medianRun(work, clock, seconds) * 1e9 / work.ops;
}

/** Runs for at least `seconds`, at least once; gives the seconds of the median run. */
async function medianRun(work: Work, clock: "wall" | "cpu", seconds: number): Promise<number> {
  const runs: number[] = [];
  const started = wallClock();
  do runs.push(await timeRun(work, clock)); while (wallClock() - started < seconds);
  return median(runs);
}

/** Seconds of one run, or of the part of it that it points out. */
async function timeRun(work: Work, clock: "wall" | "cpu"): Promise<number> {
  const read = clock === "wall" ? wallClock : cpuClock;
  let started = read();
  let stopped: number | undefined;
  const watch: Watch = {
    start: () => void (started = read()),
    stop: () => void (stopped = read()),
  };
  const done = await work.run(watch);
  stopped ??= read();
  if (done !== work.ops) throw new Error(`Did ${done} operations instead of ${work.ops}`);
  return stopped - started;
}

/** Samples by side: `samples[side][round]`. A side that throws is out, with its message. */
export interface Samples<Name extends string> {
  readonly samples: Partial<Record<Name, number[]>>;
  readonly errors: Partial<Record<Name, string>>;
}

/** Warms up every side, then measures `rounds` rounds. */
export async function timeRounds<Name extends string>(
  sides: ReadonlyMap<Name, Work>,
  options: Taking & { rounds: number; warmUps: number },
): Promise<Samples<Name>> {
  const samples: Partial<Record<Name, number[]>> = {};
  const errors: Partial<Record<Name, string>> = {};
  const names = [...sides.keys()];
  for (let round = -options.warmUps; round < options.rounds; round++) {
    for (let place = 0; place < names.length; place++) {
      const name = names[(place + round + options.warmUps) % names.length];
      if (errors[name] !== undefined) continue;
      try {
        const cost = await sample(sides.get(name)!, options);
        if (round >= 0) (samples[name] ??= []).push(cost);
      } catch (error) {
        errors[name] = String(error);
        delete samples[name];
      }
    }
  }
  return { samples, errors };
}

/** Heap bytes per item that `load` keeps. A small load first: code, feedback and first buffers are not the items'. */
export async function weigh(load: Load): Promise<number> {
  const kept: unknown[] = [await load.hold(1_000)];
  await settle();
  const before = bytesInUse();
  kept.push(await load.hold(load.items));
  await settle();
  const after = bytesInUse();
  if (kept.length !== 2) throw new Error("unreachable: keeps the load alive");
  return (after - before) / load.items;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    collect();
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median over rounds of ours by theirs, each quotient taken within one round. */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  const rounds = Math.min(ours.length, theirs.length);
  return median(Array.from({ length: rounds }, (_, round) => ours[round] / theirs[round]));
}
