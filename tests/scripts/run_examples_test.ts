/** What an example may say about itself, and how its output is compared. */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { matchesOutput, readExample } from "../../scripts/run_examples.ts";

Deno.test("examples: the first line says how it is run, the last comment what it prints", () => {
  const source = "// deno run --allow-net examples/a.ts\nhello();\n\n/* Output:\none\n...\n*/\n";
  assertEquals(readExample("examples/a.ts", source), {
    args: ["--allow-net", "examples/a.ts"],
    output: ["one", "..."],
  });
  assertEquals(readExample("examples/a.ts", "// deno run examples/a.ts\n").output, undefined);
});

Deno.test("examples: a missing or a wrong first line is an error, as is an import by path", () => {
  for (const source of ["", "// deno run examples/b.ts\n", "hello();\n"]) {
    assertThrows(() => readExample("examples/a.ts", source), Error, "the first line must be");
  }
  const byPath = '// deno run examples/a.ts\nimport { Loop } from "../mod.ts";\n';
  assertThrows(() => readExample("examples/a.ts", byPath), Error, "jsr:@broomio/core");
});

Deno.test("examples: output matches line by line, and ... stands for any lines", () => {
  assert(matchesOutput(["a", "b"], ["a", "b"]));
  assert(matchesOutput(["a", "b"], ["a", "...", "b"]));
  assert(matchesOutput(["a", "x", "y", "b"], ["...", "y", "..."]));
  assertFalse(matchesOutput(["a", "b", "c"], ["a", "b"]));
  assertFalse(matchesOutput(["a"], ["a", "b"]));
  assertFalse(matchesOutput(["a", "c"], ["...", "b"]));
});
