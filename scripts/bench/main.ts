/**
 * The benchmark: ours against plain async functions, Effect 4 and Effection 4, as ratios against the bars of the design.
 *
 *     deno task bench [filter] [--rounds N] [--quick] [--json] [--check] [--lib PATH] [--old PATH] [--node [PROGRAM]] [--only SIDES]
 *
 * filter        rows whose id contains it, e.g. `switch`; several: `switch,call`
 * --rounds N    measured rounds of each timed row, 5 if not given; half of them against the other libraries
 * --processes N fresh processes for ours and plain functions, 3 if not given: one process alone gave a channel row anything
 *               from 0.6 to 1.9, by where its objects lay and what was compiled when
 * --quick       3 rounds, one process, rows with a bar only, growth up to 100,000: under a minute
 * --json        one JSON object instead of the table, every sample in it
 * --check       exit code 1 if a bar is missed
 * --lib PATH    the library under test, `mod.ts` of this repository if not given
--old PATH    an older version of it (its `mod.ts`), for the rows that compare with one; without it they have no ratio
 * --node [PATH] the rows run in Node: this benchmark and a TypeScript library are bundled for it first
 * --cpu         processor time in every row, for a machine busy with other things
 * --only SIDES  e.g. `broomio,async`
 *
 * Node 22 runs it directly as well, with --lib and a built package: `node scripts/bench/main.ts --lib ...`; the other
 * libraries must be installed then, or left out with `--only broomio,async`.
 *
 * Figures of one run compare with each other, not with those of another run or machine.
 */

import { allRows } from "./rows/mod.ts";
import { sideNames } from "./row.ts";
import {
  growthBar,
  growthHeading,
  growthLines,
  judge,
  judgeGrowth,
  mergeReports,
  timeHeading,
  timeLine,
  times,
} from "./table.ts";
import {
  bundleForNode,
  busyness,
  commandLine,
  exists,
  nodeRuntime,
  note,
  print,
  runChild,
  sameRuntime,
  setExitCode,
} from "./runtime.ts";
import { type Options, readOptions } from "./options.ts";
import type { Job, Report } from "./child.ts";
import type { Launcher } from "./runtime.ts";
import type { Row, SideName } from "./row.ts";

interface Bench {
  readonly launcher: Launcher;
  readonly lib: string | undefined;
  readonly old: string | undefined;
  readonly remove: () => void;
}

/** Where the children run and what they import. */
async function prepare(options: Options): Promise<Bench> {
  const child = new URL("./child.ts", import.meta.url);
  let lib: string | undefined = options.lib;
  if (lib.startsWith("file:") && !exists(new URL(lib))) {
    note(`No library at ${lib}: measuring the others only\n`);
    lib = undefined;
  }
  const { old } = options;
  if (options.node === undefined) {
    return { launcher: sameRuntime(child), lib, old, remove: () => {} };
  }
  const sources = [lib, old].filter((each) => each?.startsWith("file:") && each.endsWith(".ts"));
  const { files: [script, ...bundles], remove } = await bundleForNode([
    child,
    ...sources.map((each) => new URL(each!)),
  ]);
  const built = (each: string | undefined) => bundles[sources.indexOf(each)]?.href ?? each;
  return {
    launcher: nodeRuntime(options.node, script),
    lib: built(lib),
    old: built(old),
    remove,
  };
}

/**
 * Measures one row, in several processes: ours with plain functions first, in as many fresh ones as the
 * options say, then ours with the other libraries, which would make both dearer (Effect and Effection
 * slow plain promises by what they leave on the heap). Where even ours would weigh on the other side,
 * each has its own.
 */
async function measureRow(row: Row, bench: Bench, options: Options): Promise<Report[]> {
  const companies: readonly (readonly SideName[])[] = row.kind === "time"
    ? [["broomio", "async", "base"], ["broomio", "effect", "effection"]]
    : sideNames.map((side) => [side]);
  const reports: Report[] = [];
  for (const company of companies) {
    const sides = company.filter((side) =>
      options.sides.includes(side) && row.sides[side as keyof typeof row.sides]
    );
    if (sides.length === 0 || (reports.length > 0 && sides.join() === "broomio")) continue;
    const job = plan(row, bench, sides, options);
    const processes = row.kind === "time" && isPlain(sides) ? options.processes : 1;
    const repeated: Report[] = [];
    while (repeated.length < processes) repeated.push(await runRow(job, bench.launcher));
    const report = mergeReports(repeated);
    reports.push(report);
    if (report.missing !== undefined) break;
  }
  return reports;
}

/** Whether none of the other libraries is among them. */
function isPlain(sides: readonly SideName[]): boolean {
  return !sides.includes("effect") && !sides.includes("effection");
}

function plan(row: Row, bench: Bench, sides: readonly SideName[], options: Options): Job {
  const { quick, rounds, cpu } = options;
  const head = {
    row: row.id,
    lib: bench.lib,
    old: bench.old,
    sides,
    cpu,
    alone: !quick,
    limit: quick ? 100_000 : 1_000_000,
  };
  if (row.kind === "growth") {
    return { ...head, rounds: quick ? 1 : 3, warmUps: quick ? 1 : 3, seconds: 0 };
  }
  // The other libraries are slow and far from their bars: few rounds place them well enough.
  if (isPlain(sides)) return { ...head, rounds, warmUps: 1, seconds: quick ? 0.04 : 0.12 };
  return { ...head, rounds: Math.ceil(rounds / 2), warmUps: quick ? 0 : 1, seconds: 0.04 };
}

/** A child that crashes or hangs is an error of its row, not the end of the benchmark. */
async function runRow(job: Job, launcher: Launcher): Promise<Report> {
  try {
    return JSON.parse(await runChild(launcher, [JSON.stringify(job)]));
  } catch (error) {
    const errors = Object.fromEntries(job.sides.map((side) => [side, String(error)]));
    return { id: job.row, runtime: "", samples: {}, errors };
  }
}

function header(reports: readonly Report[], { rounds, processes, cpu }: Options): string {
  const { load, cores } = busyness();
  const busy = load > cores && !cpu
    ? `\nbusy: a load of ${load.toFixed(1)} on ${cores} cores; try --cpu`
    : "";
  const clock = cpu ? "processor time" : "elapsed time unless marked cpu";
  return `${
    reports[0]?.runtime
  }, ${rounds} rounds in each of ${processes} processes, medians, ${clock}${busy}`;
}

/** Prints the table while the rows come in, or all of it as JSON at the end. */
async function main(): Promise<void> {
  const options = readOptions(commandLine);
  const { filter, quick } = options;
  const wanted = (row: Row) => !quick || row.kind === "growth" || Object.keys(row.bars).length > 0;
  const rows = allRows.filter((row) =>
    filter.length > 0 ? filter.some((part) => row.id.includes(part)) : wanted(row)
  );
  if (rows.length === 0) {
    throw new TypeError(`No such row. There are: ${allRows.map(({ id }) => id).join(", ")}`);
  }
  const bench = await prepare(options);
  const say = (text: string) => options.json || print(text);
  const results: unknown[] = [];
  const hidden: string[] = [];
  let measured = 0;
  const missed: string[] = [];
  const judged = (
    id: string,
    side: SideName,
    ratio: number | undefined,
    bar: number,
    ok: boolean,
  ) => {
    measured++;
    if (!ok) missed.push(`${id} against ${side}: ${times(ratio!)} (${bar})`);
  };
  let section: Row["kind"] | undefined;
  try {
    for (const row of rows) {
      const reports = await measureRow(row, bench, options);
      const missing = reports.flatMap((report) => report.missing ?? []);
      if (missing.length > 0) {
        hidden.push(`${row.id} (no ${missing.join(", ")})`);
        continue;
      }
      if (section === undefined) say(header(reports, options));
      const { id, title, per, kind } = row;
      if (kind === "growth") {
        if (section !== "growth") say(`\n${growthHeading(row.sizes)}`);
        const growths = judgeGrowth(row, reports);
        for (const { side, factor, ok } of growths) {
          if (ok !== undefined) judged(id, side, factor, growthBar, ok);
        }
        if (growths.length > 0) say(growthLines(row, growths));
        results.push({ id, title, per, kind, growths, reports });
      } else {
        if (section === undefined) {
          say(
            `ratio = ours / theirs, at most the bar; [the same of the best rounds]; async: or what the title names\n\n${timeHeading()}`,
          );
        }
        const cells = judge(row, reports);
        for (const { side, ratio, bar, ok } of cells) {
          if (ok !== undefined) judged(id, side, ratio, bar!, ok);
        }
        say(timeLine(row, cells, reports));
        results.push({ id, title, per, kind, cells, reports });
      }
      section = kind;
    }
  } finally {
    bench.remove();
  }
  if (hidden.length > 0) say(`\nNot there yet: ${hidden.join("; ")}`);
  say(`\n${measured} bars measured, ${missed.length} missed.`);
  for (const line of missed) say(`  ${line}`);
  if (options.json) {
    print(JSON.stringify({ rounds: options.rounds, missed: missed.length, hidden, rows: results }));
  }
  if (options.check && missed.length > 0) setExitCode(1);
}

await main();
