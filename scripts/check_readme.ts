/**
 * Checks that the README shows what is tested: `deno task readme`.
 *
 * Invariant, when it passes: the first program of the README is `examples/three_sleepers.ts`; the
 * command with which CI runs the tests stands in the README word for word; every program runs and
 * prints what the README says; every file that it links to is there. `deno check --doc`
 * type-checks the programs.
 *
 * `--write` puts what programs print into the blocks of text below them.
 */
import { matchesOutput } from "./run_examples.ts";
import { programsOf, type ReadmeProgram, runProgram } from "./readme_programs.ts";

const top = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, top));

/** The program in an example file: without the command above it and the output below it. */
export function programOf(example: string): string {
  return example.replace(/^\/\/ deno run .*\n/, "").replace(/\/\* Output:\n[^]*$/, "").trim();
}

/** The files that a Markdown text links to. */
export function linksOf(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!)
    .filter((link) => !/^\w+:/.test(link));
}

/** What is wrong with the text of the README. */
export function findProblems(readme: string, example: string, ci: string): string[] {
  const problems: string[] = [];
  if (programsOf(readme)[0]?.text !== programOf(example)) {
    problems.push("the first program of README.md is not the one in examples/three_sleepers.ts");
  }
  const command = ci.match(/^(?:exec )?(npx .*?)(?: <.*)?$/m)?.[1];
  if (command === undefined) problems.push(".ci/run has no line that starts with npx");
  else if (!readme.includes(`\n${command}\n`)) problems.push(`README.md does not say: ${command}`);
  return problems;
}

/** Runs a program; gives what is wrong with it, and what it printed. */
async function tryProgram(program: ReadmeProgram): Promise<{ problem?: string; lines: string[] }> {
  try {
    const lines = await runProgram(program);
    const expected = program.request ? [program.request.answer] : program.output;
    if (!expected || matchesOutput(lines, expected)) return { lines };
    const said = expected.join("\n");
    return { lines, problem: `${program.file} gave\n${lines.join("\n")}\nREADME.md says\n${said}` };
  } catch (error) {
    return { lines: [], problem: `${program.file}: ${(error as Error).message}` };
  }
}

if (import.meta.main) {
  let readme = read("README.md");
  const problems = findProblems(readme, read("examples/three_sleepers.ts"), read(".ci/run"));
  for (const link of linksOf(readme)) {
    const there = await Deno.stat(new URL(link, top)).then(() => true, () => false);
    if (!there) problems.push(`README.md links to ${link}, which is not there`);
  }
  const programs = programsOf(readme);
  // The first is an example, and `run_examples.ts` runs those.
  for (const program of programs.slice(1)) {
    const { problem, lines } = await tryProgram(program);
    if (!problem) continue;
    if (Deno.args.includes("--write") && program.outputBlock !== undefined && lines.length > 0) {
      readme = readme.replace(program.outputBlock, () => `${lines.join("\n")}\n`);
      Deno.writeTextFileSync(new URL("README.md", top), readme);
    } else problems.push(problem);
  }
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exit(1);
  console.log(`readme: ${programs.length} programs and the command are the tested ones`);
}
