/**
 * Checks the npm package as its users have it: `deno task npm:check`, after `deno task npm`.
 *
 * Installs the tarball into an empty folder, and there: publint and attw, TypeScript consumers,
 * bundles for a browser, programs and the whole test suite on every runtime. All run, also
 * after a failure; what is left out is listed with its reason.
 *
 * `--runtimes=node,node24` takes these alone (unless told: node, which is the machine's, node22,
 * node24, bun; any version that npm has can be asked for, as node20.9.0 or bun1.2);
 * `--checks=types,suite` runs these alone; `--no-chromium` leaves the browsers out; `--keep` keeps
 * the folder, to look at.
 */
import { removeFolder } from "./npm/files.ts";
import { checkBrowser, checkBundles } from "./npm/check_browser.ts";
import { checkLint } from "./npm/check_lint.ts";
import { checkPrograms } from "./npm/check_programs.ts";
import { checkSuite, counts } from "./npm/check_suite.ts";
import { checkTypeTime } from "./npm/check_type_time.ts";
import { checkManifest, checkTypes } from "./npm/check_types.ts";
import { makeSandbox, runtimeNames, type Sandbox } from "./npm/sandbox.ts";

type Check = (sandbox: Sandbox) => Promise<string[]>;

const CHECKS: Record<string, Check> = {
  manifest: checkManifest,
  types: checkTypes,
  typeTime: checkTypeTime,
  bundles: checkBundles,
  browser: checkBrowser,
  programs: checkPrograms,
  lint: checkLint,
  suite: (sandbox) => checkSuite(sandbox),
};

/**
 * Runs the checks one after the other, as they share two cores; gives the names of those that
 * failed.
 */
async function checkAll(sandbox: Sandbox, names: readonly string[]): Promise<string[]> {
  const failed: string[] = [];
  for (const name of names) {
    const start = performance.now();
    let lines: string[];
    let result = "ok";
    try {
      lines = await CHECKS[name]!(sandbox);
    } catch (error) {
      failed.push(name);
      result = "FAILED";
      lines = (error as Error).message.split("\n");
    }
    console.log(`${name} ... ${result} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    for (const line of lines) console.log(`  ${line}`);
  }
  return failed;
}

/** The value of `--name=value`. */
const option = (name: string) =>
  Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);

if (import.meta.main) {
  const runtimes = option("runtimes")?.split(",") ?? runtimeNames;
  const names = option("checks")?.split(",") ?? Object.keys(CHECKS);
  const sandbox = await makeSandbox(runtimes);
  const failed = await checkAll(
    sandbox,
    names.filter((name) => name !== "browser" || !Deno.args.includes("--no-chromium")),
  );
  if (Deno.args.includes("--keep")) console.log(`kept: ${sandbox.folder}`);
  else removeFolder(sandbox.folder);
  console.log(failed.length > 0 ? `\nNot ok: ${failed.join(", ")}` : "\nok");
  const tests = counts();
  if (tests.passed > 0) console.log(`npm: ${tests.passed} passed, ${tests.failed} failed`);
  Deno.exit(failed.length > 0 ? 1 : 0); // esbuild's process would keep this one alive
}
