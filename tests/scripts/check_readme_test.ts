/** The README check, and the counts that the gate reports. */
import { assertEquals } from "@std/assert";
import { findProblems, linksOf } from "../../scripts/check_readme.ts";
import { programsOf } from "../../scripts/readme_programs.ts";
import { countsOf } from "../../scripts/ok.ts";

const readme = `# Name

\`\`\`ts
run();
\`\`\`

\`\`\`sh
npx tool ok
\`\`\`

\`\`\`ts
// deno run --allow-net --allow-run two.ts
console.log(f(1)); // one
  console.log("x");
console.log(2) // two
\`\`\`

\`\`\`ts
// deno run three.ts
three();
\`\`\`

It prints [a table](docs/table.md#top), as [others](https://example.com/) do:

\`\`\`text
a  b
  c
\`\`\`

\`\`\`ts
serve({ port: 8080 });
\`\`\`

\`curl http://127.0.0.1:8080/\` answers \`hello\`.
`;
const example = "// deno run examples/a.ts\nrun();\n\n/* Output:\nran\n*/\n";

Deno.test("readme: the program and the command are those that are tested", () => {
  assertEquals(findProblems(readme, example, "exec npx tool ok </dev/null\n"), []);
  assertEquals(findProblems(readme, "stop();\n", "npx tool no\n"), [
    "the first program of README.md is not the one in examples/three_sleepers.ts",
    "README.md does not say: npx tool no",
  ]);
});

Deno.test("readme: a program has flags, and output in comments or in the block below it", () => {
  const programs = programsOf(readme);
  assertEquals(programs.map(({ file, flags, output }) => ({ file, flags, output })), [
    { file: "program_1.ts", flags: [], output: undefined },
    { file: "two.ts", flags: ["--allow-net", "--allow-run"], output: ["one", "two"] },
    { file: "three.ts", flags: [], output: ["a  b", "  c"] },
    { file: "program_4.ts", flags: [], output: undefined },
  ]);
  assertEquals(programs[2]!.outputBlock, "a  b\n  c\n");
  assertEquals(programs.map((each) => each.request), [
    undefined,
    undefined,
    undefined,
    { url: "http://127.0.0.1:8080/", answer: "hello" },
  ]);
});

Deno.test("readme: links to files are found, addresses are not", () => {
  assertEquals(linksOf(`${readme} [x](a/b.ts)`), ["docs/table.md", "a/b.ts"]);
});

Deno.test("ok: the counts of a test run are those of its last line", () => {
  assertEquals(
    countsOf("ok | 1 passed | 0 failed\n\nok | 7 passed (3 steps) | 0 failed (2s)\n"),
    { passed: 7, failed: 0 },
  );
  assertEquals(countsOf("FAILED | 5 passed | 2 failed (1 step) (9ms)"), { passed: 5, failed: 2 });
  assertEquals(countsOf("error: no tests"), undefined);
});
