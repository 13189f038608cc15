/**
 * The benchmark of pools: ours against piscina and workerpool on Node, and against bare `postMessage` on Node and Deno.
 *
 *     deno task bench:pool [--rounds N] [--json] [--check]
 *
 * --rounds N    measured rounds, 60 if not given; the order of the sides turns from round to round
 * --json        every sample
 * --check       exit code 1 if a bar is missed
 *
 * The peers and esbuild come from npm, into a folder for the time being. Rounds are short and many, and what counts is the lower
 * quartile of each side: a call wakes another thread twice, so whatever else the machine does adds to it, and never takes away.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { nodeRuntime, print, readRounds, runChild, sameRuntime, setExitCode } from "../runtime.ts";
import type { PoolReport } from "./child.ts";

const PACKAGES = ["piscina@5.3.2", "workerpool@10.0.3", "esbuild@0.28.2"];
const here = (name: string) => new URL(name, import.meta.url);

/** Time of ours by theirs, at most. Throughput of at least 1.0x is a time of at most 1.0x. */
const bars: Record<string, Record<string, number>> = {
  latency: { bare: 1.1 },
  throughput: { piscina: 1, workerpool: 1 },
};

/** What a child of the benchmark says. */
async function measure(
  launch: ReturnType<typeof sameRuntime>,
  args: string[],
): Promise<PoolReport> {
  return JSON.parse(await runChild(launch, args));
}

/** Runs the Node part in a folder with the bundles and the peers. */
async function measureNode(rounds: number): Promise<PoolReport> {
  const folder = mkdtempSync(join(tmpdir(), "broomio-bench-pool-"));
  try {
    writeFileSync(join(folder, "package.json"), `{ "type": "module", "private": true }\n`);
    const npm = ["install", "--silent", "--no-audit", "--no-fund", "--prefix", folder];
    await runChild({ program: "npm", leading: npm }, PACKAGES);
    // Flat, so that the workers' script lies beside the chunk that the pool is in, where the pool looks for it.
    await runChild(
      {
        program: join(folder, "node_modules", ".bin", "esbuild"),
        leading: [
          ...["--bundle", "--splitting", "--format=esm", "--platform=node", "--target=node20"],
          ...["--log-level=error", `--outdir=${folder}`, "--entry-names=[name]"],
        ],
      },
      [
        ...["child.ts", "handlers.ts", "bare_worker.ts", "workerpool_worker.ts"],
        "../../../src/pool/worker_thread.ts",
      ].map((name) => fileURLToPath(here(name))),
    );
    const script = pathToFileURL(join(folder, "child.js"));
    return await measure(nodeRuntime("node", script), [String(rounds), "peers"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lowerQuartile(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[samples.length >> 2];
}

/** Prints what was found; gives the bars that were missed. */
function show({ runtime, ...report }: PoolReport): string[] {
  const missed: string[] = [];
  print(runtime);
  for (const what of ["latency", "throughput"] as const) {
    const { ours } = report[what];
    for (const [name, samples] of Object.entries(report[what])) {
      const time = `${lowerQuartile(samples).toFixed(1)} us a call`;
      if (name === "ours") {
        print(`  ${what.padEnd(11)} ${name.padEnd(11)} ${time}`);
        continue;
      }
      const ratio = lowerQuartile(ours) / lowerQuartile(samples);
      const bar = bars[what][name];
      const ok = bar === undefined || ratio <= bar;
      if (!ok) missed.push(`${runtime}: ${what} ${ratio.toFixed(2)}x ${name}, bar ${bar}x`);
      const verdict = bar === undefined ? "" : `  bar ${bar}x ${ok ? "ok" : "MISSED"}`;
      print(
        `  ${what.padEnd(11)} ${name.padEnd(11)} ${time}, ours takes ${
          ratio.toFixed(2)
        }x${verdict}`,
      );
    }
  }
  return missed;
}

const { rounds, json, check } = readRounds("pool", 60);
const reports = [
  await measureNode(rounds),
  await measure(sameRuntime(here("child.ts")), [String(rounds), "alone"]),
];
if (json) print(JSON.stringify(reports));
else {
  const missed = reports.flatMap(show);
  for (const each of missed) print(`missed: ${each}`);
  if (check && missed.length > 0) setExitCode(1);
}
