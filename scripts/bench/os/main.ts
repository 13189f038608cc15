/**
 * The benchmark of processes: ours against the bare API of the runtime, on Deno and Node, both sides in one
 * run.
 *
 *     deno task bench:os [--rounds N] [--json] [--check]
 *
 * --rounds N    measured rounds, 9 if not given; the order of the sides turns from round to round
 * --json        every sample
 * --check       exit code 1 if a bar is missed
 *
 * A round is 50 starts of `true` by each side, one after the other, and 1 GiB through `cat`. What counts is
 * the median. Both sides give the process a group of its own: in Deno that costs 2 ms, and on Linux a
 * session of its own is scheduled apart from ours, which on a busy machine is slower. Without a group, both
 * sides again, it is called "plain" here.
 */
import {
  bundleForNode,
  nodeRuntime,
  print,
  readRounds,
  runChild,
  sameRuntime,
  setExitCode,
} from "../runtime.ts";
import type { OsReport } from "./child.ts";

/** The time of a start by that of theirs, at most; the throughput by that of theirs, at least. */
const START_BAR = 1.1;
const PIPE_BAR = 0.95;

const script = new URL("./child.ts", import.meta.url);

function median(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[samples.length >> 1];
}

/** Prints what was found; gives the bars that were missed. */
function show({ runtime, start, plain, pipe }: OsReport): string[] {
  const rows = [
    { what: "start", unit: "ms", samples: start, isOk: (ratio: number) => ratio <= START_BAR },
    { what: "plain", unit: "ms", samples: plain, isOk: (ratio: number) => ratio <= START_BAR },
    { what: "pipe", unit: "MB/s", samples: pipe, isOk: (ratio: number) => ratio >= PIPE_BAR },
  ];
  print(runtime);
  return rows.flatMap(({ what, unit, samples, isOk }) => {
    const [ours, theirs] = [median(samples.ours), median(samples.bare)];
    const ratio = ours / theirs;
    const verdict = `${ratio.toFixed(3)}x  ${isOk(ratio) ? "ok" : "MISSED"}`;
    const digits = unit === "ms" ? 3 : 0;
    print(
      `  ${what.padEnd(6)} ours ${ours.toFixed(digits)} ${unit}, bare ${
        theirs.toFixed(digits)
      } ${unit}: ${verdict}`,
    );
    return isOk(ratio) ? [] : [`${runtime}: ${what} ${verdict}`];
  });
}

const { rounds, json, check } = readRounds("os", 9);
const bundle = await bundleForNode([script]);
try {
  const reports: OsReport[] = [];
  for (const launcher of [sameRuntime(script), nodeRuntime("node", bundle.files[0])]) {
    reports.push(JSON.parse(await runChild(launcher, [String(rounds)])));
  }
  if (json) print(JSON.stringify(reports));
  const missed = reports.flatMap(show);
  if (check && missed.length > 0) setExitCode(1);
} finally {
  bundle.remove();
}
