/**
 * Runs every example as a reader would, and compares its output with what its comment says.
 *
 * Invariant, when it passes: each TypeScript file under `examples/` opens with the command that
 * runs it (`// deno run --allow-net examples/name.ts`), imports the package as a user does, runs
 * with exactly the permissions of that command, ends by itself with exit code 0, and prints what
 * its closing comment says, where it has one:
 *
 *     /* Output:
 *     ready
 *     ...
 *     done
 *     *\/
 *
 * A line `...` there stands for any lines, or none.
 */

const TIMEOUT_MS = 60_000;

/** Whether the lines `actual` are what `expected` says, in which `...` stands for any lines. */
export function matchesOutput(actual: readonly string[], expected: readonly string[]): boolean {
  const [head, ...rest] = expected;
  if (head === undefined) return actual.length === 0;
  if (head !== "...") {
    return actual[0] === head && matchesOutput(actual.slice(1), rest);
  }
  return Array.from({ length: actual.length + 1 }, (_, skipped) => actual.slice(skipped))
    .some((tail) => matchesOutput(tail, rest));
}

/**
 * What an example says about itself: the arguments for Deno, and the lines it prints, if it tells.
 */
export function readExample(path: string, source: string): { args: string[]; output?: string[] } {
  const command = source.match(/^\/\/ deno run (.*)\n/)?.[1];
  const args = command?.split(" ") ?? [];
  if (args.at(-1) !== path) throw new Error(`the first line must be "// deno run [flags] ${path}"`);
  if (/ from "\.\.?\//.test(source)) {
    throw new Error('import from "jsr:@broomio/core", as users do');
  }
  const output = source.match(/\/\* Output:\n([^]*?)\*\/\s*$/)?.[1];
  return { args, output: output?.trimEnd().split("\n") };
}

/** Runs one example. Gives what went wrong, or undefined. */
async function run(path: string): Promise<string | undefined> {
  const { args, output } = readExample(path, await Deno.readTextFile(path));
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.kill("SIGKILL");
  }, TIMEOUT_MS);
  const result = await process.output();
  clearTimeout(timer);

  const stdout = new TextDecoder().decode(result.stdout);
  const printed = `${stdout}${new TextDecoder().decode(result.stderr)}`;
  if (late) return `still running after ${TIMEOUT_MS / 1000} s\n${printed}`;
  if (!result.success) return `exit code ${result.code}\n${printed}`;
  // Protocols end their lines with CRLF.
  if (output && !matchesOutput(stdout.trimEnd().split(/\r?\n/), output)) {
    return `printed\n${printed}\nbut says it prints\n${output.join("\n")}`;
  }
}

/** Runs the examples from a common stack, one at a time; gives how many failed. */
async function runAll(paths: string[]): Promise<number> {
  let failed = 0;
  for (let path = paths.shift(); path; path = paths.shift()) {
    const start = performance.now();
    const problem = await run(path).catch((error: Error) => error.message);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${path} ... ${problem ? "FAILED" : "ok"} (${seconds} s)`);
    if (!problem) continue;
    console.error(problem);
    failed++;
  }
  return failed;
}

/** Every example in a folder and in the folders in it. */
function listExamples(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory
      ? listExamples(`${folder}/${name}`)
      : name.endsWith(".ts")
      ? [`${folder}/${name}`]
      : []
  ).sort();
}

if (import.meta.main) {
  Deno.chdir(new URL("../", import.meta.url));
  const paths = listExamples("examples");
  const count = paths.length;
  const lanes = await Promise.all([runAll(paths), runAll(paths)]);
  const failed = lanes.reduce((sum, each) => sum + each);
  console.log(`examples: ${count - failed} ran, ${failed} failed`);
  if (failed > 0) Deno.exit(1);
}
