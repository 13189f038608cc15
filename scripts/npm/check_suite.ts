/**
 * Runs the whole test suite against the installed package: as ES modules on every runtime, as
 * CommonJS on the machine's Node.
 *
 * Invariant: what is left out has a reason in `skips.ts`, which is printed; an entry there that
 * leaves nothing out fails the check.
 */
import { build } from "esbuild";
import { listFiles, top, tryRun } from "./files.ts";
import type { Summary } from "./runner.ts";
import type { Runtime, Sandbox } from "./sandbox.ts";
import { SKIPS } from "./skips.ts";
import { convertTests, type Format } from "./tests.ts";

/** One run of the whole suite. */
interface Round {
  readonly runtime: Runtime;
  readonly format: "esm" | "cjs";
  readonly files: readonly string[];
}

/** How the suite went on one runtime. */
export interface Result {
  /** "node 20.20.2 esm" */
  readonly name: string;
  readonly passed: number;
  /** The tests that failed; where the runtime itself ended early, the last that ran. */
  readonly failures: readonly string[];
}

/** How the suite went so far, in order. */
export const results: Result[] = [];

/** How many tests passed and failed so far, each counted once for each runtime and format. */
export const counts = (): { passed: number; failed: number } => ({
  passed: results.reduce((sum, each) => sum + each.passed, 0),
  failed: results.reduce((sum, each) => sum + each.failures.length, 0),
});

/** Runs it; gives what was run and what was not. `isLong`: each runtime may take half an hour. */
export async function checkSuite(
  sandbox: Sandbox,
  { commonJs = true, isLong = false }: { commonJs?: boolean; isLong?: boolean } = {},
): Promise<string[]> {
  const { folder, installed, runtimes } = sandbox;
  const runner = `${folder}/runner.mjs`;
  await build({
    entryPoints: [`${top}scripts/npm/runner.ts`],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: runner,
    logLevel: "warning",
  });
  const convert = (name: string, ...more: [Format, string?]) =>
    convertTests(`${folder}/suite-${name}`, installed, ...more);
  const rounds: Round[] = commonJs
    ? [{ runtime: runtimes[0]!, format: "cjs", files: await convert("cjs", "script") }]
    : [];
  const forNode = await convert("esm", "esm");
  const forBun = await convert("bun", "esm", ".ts");
  for (const runtime of runtimes) {
    const files = runtime.name.startsWith("bun") ? forBun : forNode;
    rounds.push({ runtime, format: "esm", files });
  }
  const lines: string[] = [];
  const used = new Set(usedOnFiles());
  const failures: string[] = [];
  for (const { runtime, format, files } of rounds) {
    const name = `${runtime.name} ${format}`;
    const args = [...runtime.flags, runner, name, ...files];
    const start = performance.now();
    const { success, text } = await tryRun(runtime.program, args, {
      cwd: folder,
      timeout: isLong ? 1800 : 400,
      env: { BROOMIO_RUNS: "200" },
    });
    const summary = summaryOf(text);
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    if (!success || !summary) failures.push(`${name}:\n${failuresIn(text)}`);
    results.push({
      name,
      passed: summary?.passed ?? 0,
      failures: summary?.failures ?? [text.match(/^The runtime ended in (.*)$/m)?.[1] ?? "all"],
    });
    if (!summary) continue;
    const skipped = Object.entries(summary.skipped);
    for (const [index] of skipped) used.add(Number(index));
    lines.push(`${name}: ${summary.passed} tests pass, ${summary.failed} fail (${seconds} s)`);
    for (const [index, count] of skipped) {
      lines.push(`   ${count} left out: ${SKIPS[Number(index)]!.reason}`);
    }
    if (success) {
      for (const test of summary.retried) lines.push(`   passed at the second try: ${test}`);
    }
    for (const [what, count] of Object.entries(summary.needing)) {
      lines.push(`   ${count} left out: they use Deno.${what}`);
    }
    for (const test of summary.ignored) lines.push(`   not meant for here: ${test}`);
  }
  for (const [index, { files, tests, runtime, reason }] of SKIPS.entries()) {
    if (!tests && !runtime) lines.push(`everywhere, files ${files} are left out: ${reason}`);
    const asked = rounds.some((round) =>
      runtime?.test(`${round.runtime.name} ${round.format}`) ?? true
    );
    if (asked && !used.has(index)) failures.push(`skips.ts leaves out nothing with: ${reason}`);
  }
  if (failures.length > 0) throw new Error([...lines, ...failures].join("\n"));
  return lines;
}

/** The entries of `SKIPS` that leave out whole files which are there. */
function usedOnFiles(): number[] {
  const files = listFiles(`${top}tests`);
  return [...SKIPS.entries()]
    .filter(([, { tests, files: pattern }]) => !tests && files.some((file) => pattern.test(file)))
    .map(([index]) => index);
}

function summaryOf(text: string): Summary | undefined {
  const line = text.split("\n").findLast((line) => line.startsWith('{"passed":'));
  return line === undefined ? undefined : JSON.parse(line);
}

/** The failed tests, and what of their errors fits in a report. */
function failuresIn(text: string): string {
  const parts = text.split(/^(?=FAILED |The runtime ended|Unhandled)/m).slice(1);
  const from = parts.length > 0 ? parts : [text.slice(-3_000)];
  return from.map((part) => part.split("\n").slice(0, 25).join("\n")).join("\n");
}
