/**
 * The gate: every check that a change must pass, as one command, `deno task ok`.
 *
 * Invariant: stages run in order and the first that fails ends the run with exit code 1; the last
 * line of a run that reached the tests is "N passed, N failed", which CI reads. What a step does
 * stands in the tasks of `deno.json`, so that each can be run alone.
 */

/**
 * The steps of a stage run at the same time: they are short, or often idle. Their outputs are kept
 * apart.
 */
const STAGES: readonly (readonly string[])[] = [
  ["lock"],
  ["fmt", "lint", "lint:table", "layers", "readme", "pains"],
  ["check", "doc"],
  ["dry"],
  ["test"], // alone, because it measures time
  ["test:doc"],
  ["examples"],
];

interface Outcome {
  readonly success: boolean;
  readonly text: string;
}

/**
 * Runs a task of `deno.json`; shows its output as it comes where `live`, otherwise only keeps it.
 */
async function runTask(name: string, live: boolean): Promise<Outcome> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", name],
    cwd: new URL("../", import.meta.url),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (live) Deno.stdout.writeSync(new TextEncoder().encode(part));
    }
  };
  await Promise.all([collect(process.stdout), collect(process.stderr)]);
  return { success: (await process.status).success, text };
}

/** How many tests there were. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** The counts in the closing line of `deno test`. */
export function countsOf(testOutput: string): Counts | undefined {
  const line = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/gm;
  const counts = [...testOutput.matchAll(line)].at(-1); // a test may print such a line too
  return counts && { passed: Number(counts[1]), failed: Number(counts[2]) };
}

function sumOf(a: Counts | undefined, b: Counts | undefined): Counts | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { passed: a.passed + b.passed, failed: a.failed + b.failed };
}

/**
 * Runs the stages; gives the names of the tasks that failed, and the counts of the tests if they
 * ran.
 */
async function runStages(): Promise<{ failed: string[]; counts?: Counts }> {
  let counts: Counts | undefined;
  for (const stage of STAGES) {
    const live = stage.length === 1;
    if (live) console.log(`== ${stage[0]}`);
    const start = performance.now();
    const outcomes = await Promise.all(
      stage.map(async (name) => {
        const outcome = await runTask(name, live);
        return { name, ...outcome };
      }),
    );
    for (const { name, text } of outcomes) {
      if (!live) console.log(`== ${name}\n${text.trimEnd()}`);
      if (name.startsWith("test")) counts = sumOf(counts, countsOf(text));
    }
    console.log(`   (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    const failed = outcomes.filter((each) => !each.success).map((each) => each.name);
    if (failed.length > 0) return { failed, counts };
  }
  return { failed: [], counts };
}

if (import.meta.main) {
  const { failed, counts } = await runStages();
  console.log(failed.length > 0 ? `\nNot ok: ${failed.join(", ")}` : "\nok");
  if (counts) console.log(`${counts.passed} passed, ${counts.failed} failed`);
  if (failed.length > 0) Deno.exit(1);
}
