/** The README check, and the counts that the gate reports. */
import { assertEquals } from "@std/assert";
import { findProblems } from "../../scripts/check_readme.ts";
import { countsOf } from "../../scripts/ok.ts";

const server = "// deno run examples/b.ts\nserve();\n";
const readme = "# Name\n\n```ts\nrun();\n```\n\n```ts\nserve();\n```\n\n```sh\nnpx tool ok\n```\n";
const example = "// deno run examples/a.ts\nrun();\n\n/* Output:\nran\n*/\n";

Deno.test("readme: the program and the command are those that are tested", () => {
  assertEquals(findProblems(readme, example, server, "exec npx tool ok </dev/null\n"), []);
  assertEquals(findProblems(readme, "stop();\n", "quit();\n", "npx tool no\n"), [
    "the first program of README.md is not the one in examples/three_sleepers.ts",
    "README.md does not show the program in examples/http_server.ts",
    "README.md does not say: npx tool no",
  ]);
});

Deno.test("ok: the counts of a test run are those of its last line", () => {
  assertEquals(
    countsOf("ok | 1 passed | 0 failed\n\nok | 7 passed (3 steps) | 0 failed (2s)\n"),
    "7 passed, 0 failed",
  );
  assertEquals(countsOf("FAILED | 5 passed | 2 failed (1 step) (9ms)"), "5 passed, 2 failed");
  assertEquals(countsOf("error: no tests"), undefined);
});
