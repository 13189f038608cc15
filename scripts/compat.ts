/**
 * On which runtimes does the package work? `deno task compat`, after `deno task npm`.
 *
 *     deno task compat [--deno=2.9.1,2.8.3] [--npm=node20,node26,bun1.2] [--browsers] [--write]
 *
 * Deno runs the test suite from the sources; Node and Bun run it against the installed package, and
 * so do programs; browsers run the README's first program. Every runtime comes from npm, browsers
 * from the system. It prints a row of the table for each, and names the tests that failed; `--write`
 * puts the rows into `scripts/compat/README.md`. Without arguments: the rows that stand there.
 *
 * Takes two to five minutes for each runtime.
 */
import { checkBrowser } from "./npm/check_browser.ts";
import { checkPrograms } from "./npm/check_programs.ts";
import { checkSuite, type Result, results } from "./npm/check_suite.ts";
import { removeFolder } from "./npm/files.ts";
import { makeSandbox } from "./npm/sandbox.ts";
import { runOnDeno } from "./compat/deno.ts";
import { mergeRows, type Row, rowOf } from "./compat/table.ts";

const page = new URL("./compat/README.md", import.meta.url);

/** The value of `--name=value`, as a list. */
const list = (name: string) =>
  Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3).split(",");

/** Shows what was found, and keeps it where asked. */
function report(rows: readonly Row[], failures: readonly string[] = []): void {
  for (const { runtime, cells } of rows) console.log(`| ${[runtime, ...cells].join(" | ")} |`);
  for (const failure of failures) console.log(`    ${failure}`);
  if (!Deno.args.includes("--write")) return;
  Deno.writeTextFileSync(page, mergeRows(Deno.readTextFileSync(page), rows));
  new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", page.pathname] }).outputSync();
}

async function tryDeno(version: string): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "broomio-compat-" });
  try {
    const result = await runOnDeno(version, folder);
    report([rowOf(result)], result.failures);
  } finally {
    removeFolder(folder);
  }
}

/** One runtime from npm: the suite, which tells more than its error, and the programs. */
async function tryNpm(name: string): Promise<void> {
  const sandbox = await makeSandbox([name]);
  try {
    const before = results.length;
    await checkSuite(sandbox, { commonJs: false, isLong: true }).catch(() => {});
    const own: Result[] = results.slice(before).filter((each) => each.name.endsWith(" esm"));
    const problem = await checkPrograms(sandbox).then(() => [], (error) => [String(error.message)]);
    for (const result of own) {
      const failures = [...result.failures, ...problem.map((text) => text.split("\n")[0]!)];
      report([rowOf({ ...result, name: result.name.replace(/ esm$/, ""), failures })], failures);
    }
  } finally {
    removeFolder(sandbox.folder);
  }
}

async function tryBrowsers(): Promise<void> {
  const sandbox = await makeSandbox([]);
  try {
    for (const line of await checkBrowser(sandbox)) {
      const version = line.match(/^(\S+ [\d.]+) runs/)?.[1];
      if (version === undefined) console.log(line);
      else report([{ runtime: version, cells: ["the first program", "0", ""] }]);
    }
  } finally {
    removeFolder(sandbox.folder);
  }
}

if (import.meta.main) {
  const all = Deno.args.every((arg) => arg === "--write");
  for (const version of list("deno") ?? (all ? ["2.9.6", "2.9.1"] : [])) await tryDeno(version);
  const npm = ["node20", "node22", "node24", "node26", "bun"];
  for (const name of list("npm") ?? (all ? npm : [])) await tryNpm(name);
  if (all || Deno.args.includes("--browsers")) await tryBrowsers();
  Deno.exit(); // esbuild's process would keep this one alive
}
