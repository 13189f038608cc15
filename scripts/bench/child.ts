/**
 * One row in one process, so that no row lives with another's type feedback or garbage. Started by `main.ts` with one
 * argument, a `Job` in JSON; prints one line, a `Report` in JSON.
 */

import { allRows } from "./rows/mod.ts";
import { loadLib } from "./lib.ts";
import { loadEffect, loadEffection } from "./peers.ts";
import { sample, timeRounds, weigh } from "./measure.ts";
import { commandLine, exit, print, runtimeName } from "./runtime.ts";
import type { Broomio } from "./lib.ts";
import type { GrowthRow, Load, MemoryRow, SideName, TimeRow, Work } from "./row.ts";

export interface Job {
  readonly row: string;
  /** Where our library is; absent when there is none yet. */
  readonly lib?: string;
  /** Where an older version of it is, for the rows that compare the two. */
  readonly old?: string;
  /** The sides wanted. */
  readonly sides: readonly SideName[];
  readonly rounds: number;
  readonly warmUps: number;
  /** Length of a sample. */
  readonly seconds: number;
  /** Processor time whatever the row says. */
  readonly cpu: boolean;
  /** Measure the plain side also before the library is loaded? */
  readonly alone: boolean;
  /** The largest size of a growth row. */
  readonly limit: number;
}

export interface Report {
  readonly id: string;
  readonly runtime: string;
  /** Nanoseconds per operation or bytes per item, by side and round. */
  readonly samples: Partial<Record<SideName, number[]>>;
  readonly errors: Partial<Record<SideName, string>>;
  /** Growth rows: the same by side and size. */
  readonly sizes?: Partial<Record<SideName, Record<number, number[]>>>;
  /** The plain side at its best before any library was loaded: a library that slows the engine shows here. */
  readonly alone?: number;
  /** Exports that ours would need and the library does not have. */
  readonly missing?: readonly string[];
}

type Answer = Omit<Report, "id" | "runtime">;

async function timeReport(row: TimeRow, job: Job): Promise<Answer> {
  const { sides } = row;
  const { rounds, warmUps, seconds } = job;
  const clock = job.cpu ? "cpu" : row.clock;
  const works = new Map<SideName, Work>();
  let alone: number | undefined;
  if (sides.async && job.sides.includes("async")) {
    const work = sides.async();
    works.set("async", work);
    if (job.alone) {
      const { samples } = await timeRounds(works, { rounds: 3, warmUps: 0, clock, seconds });
      alone = Math.min(...samples.async!);
    }
  }
  if (sides.broomio && job.sides.includes("broomio")) {
    const lib = await loadOurs(row, job);
    if (Array.isArray(lib)) return { samples: {}, errors: {}, missing: lib };
    if (lib !== undefined) {
      works.set("broomio", sides.broomio(lib));
      if (sides.base && job.sides.includes("base")) {
        const base = sides.base(lib, job.old === undefined ? undefined : await loadLib(job.old));
        if (base !== undefined) works.set("base", base);
      }
    }
  }
  if (sides.effect && job.sides.includes("effect")) {
    works.set("effect", sides.effect(await loadEffect()));
  }
  if (sides.effection && job.sides.includes("effection")) {
    works.set("effection", sides.effection(await loadEffection()));
  }
  return { ...await timeRounds(works, { rounds, warmUps, clock, seconds }), alone };
}

/** One side only: the others would be on the heap too. */
async function memoryReport(row: MemoryRow, job: Job): Promise<Answer> {
  const [side] = job.sides;
  const load = await memoryLoad(row, job, side);
  if (Array.isArray(load)) return { samples: {}, errors: {}, missing: load };
  if (load === undefined) return { samples: {}, errors: {} };
  return { samples: { [side]: [await weigh(load)] }, errors: {} };
}

async function memoryLoad(
  { sides, ...row }: MemoryRow,
  job: Job,
  side: SideName,
): Promise<Load | string[] | undefined> {
  if (side === "async") return sides.async?.();
  if (side === "effect") return sides.effect?.(await loadEffect());
  if (side === "effection") return sides.effection?.(await loadEffection());
  const lib = await loadOurs(row, job);
  return lib === undefined || Array.isArray(lib) ? lib : sides.broomio?.(lib);
}

async function growthReport(row: GrowthRow, job: Job): Promise<Answer> {
  const sizes: Partial<Record<SideName, Record<number, number[]>>> = {};
  const errors: Partial<Record<SideName, string>> = {};
  const taking = { clock: job.cpu ? "cpu" : row.clock, seconds: 0 } as const;
  for (const side of job.sides) {
    const lib = side === "broomio" ? await loadOurs(row, job) : undefined;
    if (Array.isArray(lib)) return { samples: {}, errors: {}, missing: lib };
    const make = side === "async"
      ? row.sides.async
      : lib && ((size: number) => row.sides.broomio!(lib, size));
    if (make === undefined) continue;
    const bySize: Record<number, number[]> = sizes[side] = {};
    try {
      for (const size of row.sizes) {
        if (size > job.limit) continue;
        const work = make(size);
        if (size === row.sizes[0]) {
          for (let warmUp = 0; warmUp < job.warmUps; warmUp++) await sample(work, taking);
        }
        bySize[size] = [];
        for (let round = 0; round < job.rounds; round++) {
          bySize[size].push(await sample(work, taking));
        }
      }
    } catch (error) {
      errors[side] = String(error);
    }
  }
  return { samples: {}, errors, sizes };
}

/** The library, or what it lacks for this row, or undefined where no library is given. */
async function loadOurs(
  row: { needs: readonly string[] },
  job: Job,
): Promise<Broomio | string[] | undefined> {
  if (job.lib === undefined) return undefined;
  const lib = await loadLib(job.lib);
  const missing = row.needs.filter((name) => !(name in lib));
  return missing.length > 0 ? missing : lib;
}

const job: Job = JSON.parse(commandLine[0]);
const row = allRows.find(({ id }) => id === job.row);
if (row === undefined) throw new Error(`No row named ${job.row}`);
const answer = row.kind === "time"
  ? await timeReport(row, job)
  : row.kind === "memory"
  ? await memoryReport(row, job)
  : await growthReport(row, job);
print(JSON.stringify({ id: row.id, runtime: runtimeName, ...answer } satisfies Report));
exit(0);
