/**
 * Runs the test suite from the sources on another version of Deno.
 *
 * Invariants: the sources are copied, with a configuration of their own, because older versions do
 * not understand all of ours; each test file runs by itself with a time limit, so that one that
 * hangs is named and hides no other; a test has failed where it failed twice, because some measure
 * time on a machine that may be busy.
 */
import config from "../../deno.json" with { type: "json" };
import { listFiles, run, top, tryRun, writeFile } from "../npm/files.ts";
import type { Result } from "../npm/check_suite.ts";

/** What is left out: it tests this repository, or it takes long and depends on no runtime. */
const LEFT_OUT = /^(lint|scripts|std)\/|^testing\/(corpus|own)_test/;

/** How long one test file may take, in seconds. */
const LIMIT = 180;

const ARGUMENTS = "test --no-lock --no-check --sanitize-ops --sanitize-resources -A".split(" ");

/** Installs Deno from npm into a folder; gives its program. */
async function install(version: string, folder: string): Promise<string> {
  writeFile(`${folder}/package.json`, '{ "private": true }\n');
  await run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", `deno@${version}`], {
    cwd: folder,
    timeout: 300,
  });
  return `${folder}/node_modules/.bin/deno`;
}

/** Copies the sources, the tests, and the programs that tests start. */
function copySources(folder: string): void {
  const files = ["src", "tests", "scripts/npm/programs"].flatMap((name) =>
    listFiles(top + name).map((path) => `${name}/${path}`)
  );
  for (const file of ["mod.ts", ...files]) {
    writeFile(`${folder}/${file}`, Deno.readTextFileSync(top + file));
  }
  const { name, version, exports, imports } = config;
  writeFile(
    `${folder}/deno.json`,
    JSON.stringify({ name, version, exports, imports, nodeModulesDir: "none" }),
  );
}

/** How many tests passed in what `deno test` printed, and which failed or never ended. */
export function readTestOutput(text: string): { passed: number; failures: string[] } {
  const passed = [...text.matchAll(/^(?:.* )?\.\.\. ok \(/gm)].length;
  const failed = [...text.matchAll(/^(.*) \.\.\. FAILED/gm)].map((match) => match[1]!);
  const hanging = [...text.matchAll(/(?:^|\.\.\.)'(.*)' has been running for over/gm)]
    .map((match) => match[1]!).filter((name) => !text.includes(`${name} ... ok (`));
  return { passed, failures: [...new Set([...failed, ...hanging])] };
}

/** Runs the suite on one version of Deno, in a folder that is empty. */
export async function runOnDeno(version: string, folder: string): Promise<Result> {
  const program = await install(version, `${folder}/deno`);
  copySources(`${folder}/sources`);
  let passed = 0;
  const failures: string[] = [];
  const files = listFiles(`${top}tests`)
    .filter((file) => /_test\.ts$/.test(file) && !LEFT_OUT.test(file));
  for (const file of files) {
    const attempt = async () => {
      const { success, text } = await tryRun(program, [...ARGUMENTS, `tests/${file}`], {
        cwd: `${folder}/sources`,
        timeout: LIMIT,
        env: { BROOMIO_RUNS: "200" },
      });
      const { passed, failures } = readTestOutput(text);
      // Where the process ended early, what it said last is all there is.
      return { passed, failures: success || failures.length > 0 ? failures : [lastLineOf(text)] };
    };
    let outcome = await attempt();
    if (outcome.failures.length > 0) {
      const first = outcome.failures;
      outcome = await attempt();
      outcome.failures = outcome.failures.filter((name) => first.includes(name));
    }
    passed += outcome.passed;
    failures.push(...outcome.failures.map((name) => `${file}: ${name}`));
  }
  return { name: `deno ${version}`, passed, failures };
}

const lastLineOf = (text: string) =>
  text.match(/^error: .*$/m)?.[0] ?? text.trimEnd().split("\n").at(-1)!;
