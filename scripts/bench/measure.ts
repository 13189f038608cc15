/**
 * Taking the samples: interleaved rounds in rotated order, so that a noisy second hits every side alike, a collection
 * before each so that nobody pays for another's garbage, and medians.
 */

import { bytesInUse, collect, cpuClock, wallClock } from "./runtime.ts";
import type { Load, Watch, Work } from "./row.ts";

/** Cost per operation of one run, in nanoseconds. */
export async function timeOnce(work: Work, clock: "wall" | "cpu"): Promise<number> {
  const read = clock === "wall" ? wallClock : cpuClock;
  collect();
  await new Promise((resolve) => setTimeout(resolve, 0));
  let started = read();
  let stopped: number | undefined;
  const watch: Watch = {
    start: () => void (started = read()),
    stop: () => void (stopped = read()),
  };
  const done = await work.run(watch);
  stopped ??= read();
  if (done !== work.ops) throw new Error(`Did ${done} operations instead of ${work.ops}`);
  return (stopped - started) * 1e9 / work.ops;
}

/** Samples by side: `samples[side][round]`. A side that throws is out, with its message. */
export interface Samples<Name extends string> {
  readonly samples: Partial<Record<Name, number[]>>;
  readonly errors: Partial<Record<Name, string>>;
}

/** Warms up every side, then measures `rounds` rounds. */
export async function timeRounds<Name extends string>(
  sides: ReadonlyMap<Name, Work>,
  options: { rounds: number; warmUps: number; clock: "wall" | "cpu" },
): Promise<Samples<Name>> {
  const samples: Partial<Record<Name, number[]>> = {};
  const errors: Partial<Record<Name, string>> = {};
  const names = [...sides.keys()];
  for (let round = -options.warmUps; round < options.rounds; round++) {
    for (let place = 0; place < names.length; place++) {
      const name = names[(place + round + options.warmUps) % names.length];
      if (errors[name] !== undefined) continue;
      try {
        const sample = await timeOnce(sides.get(name)!, options.clock);
        if (round >= 0) (samples[name] ??= []).push(sample);
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
