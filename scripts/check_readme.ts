/**
 * Checks that the README shows what is tested.
 *
 * Invariant, when it passes: the first program of the README is `examples/three_sleepers.ts`, the
 * server is `examples/http_server.ts`, and the command with which CI runs the tests stands in the
 * README word for word. `deno check --doc` type-checks
 * every program in the README; `run_examples.ts` compares what the example prints.
 */

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));

/** The program in an example file: without the command above it and the output below it. */
export function programOf(example: string): string {
  return example.replace(/^\/\/ deno run .*\n/, "").replace(/\/\* Output:\n[^]*$/, "").trim();
}

/** The code of the first block of the given language in a Markdown text. */
export function firstBlock(markdown: string, language: string): string | undefined {
  return markdown.match(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "m"))?.[1]?.trim();
}

/** What is wrong with the README. */
export function findProblems(
  readme: string,
  example: string,
  server: string,
  ci: string,
): string[] {
  const problems: string[] = [];
  if (firstBlock(readme, "ts") !== programOf(example)) {
    problems.push("the first program of README.md is not the one in examples/three_sleepers.ts");
  }
  if (!readme.includes(`\`\`\`ts\n${programOf(server)}\n\`\`\``)) {
    problems.push("README.md does not show the program in examples/http_server.ts");
  }
  const command = ci.match(/^(?:exec )?(npx .*?)(?: <.*)?$/m)?.[1];
  if (command === undefined) problems.push(".ci/run has no line that starts with npx");
  else if (!readme.includes(`\n${command}\n`)) problems.push(`README.md does not say: ${command}`);
  return problems;
}

if (import.meta.main) {
  const problems = findProblems(
    read("README.md"),
    read("examples/three_sleepers.ts"),
    read("examples/http_server.ts"),
    read(".ci/run"),
  );
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exit(1);
  console.log("readme: the program and the command are the tested ones");
}
