/** The table of runtimes, and what is read from the output of another Deno's tests. */
import { assertEquals, assertThrows } from "@std/assert";
import { readTestOutput } from "../../scripts/compat/deno.ts";
import { mergeRows, rowOf } from "../../scripts/compat/table.ts";

Deno.test("compat: a row counts failures by their files", () => {
  const failures = ["net/tls_test.ts: TLS: a", "os/main_test.ts: c", "net/tls_test.ts: TLS: b"];
  assertEquals(rowOf({ name: "deno 2.8.3", passed: 7, failures }), {
    runtime: "deno 2.8.3",
    cells: ["7", "3", "net/tls (2), os/main"],
  });
});

Deno.test("compat: rows replace older ones and are sorted, the newest version first", () => {
  const page = "# A\n\n| r | p |\n| - | - |\n| deno 2.9.1 | 5 |\n| bun 1.4.5 | 4 |\n\nEnd.\n";
  const rows = [
    { runtime: "node 20.1.0", cells: ["3"] },
    { runtime: "deno 2.9.1", cells: ["6"] },
    { runtime: "deno 2.10.0", cells: ["7"] },
  ];
  assertEquals(
    mergeRows(page, rows),
    "# A\n\n| r | p |\n| - | - |\n| deno 2.10.0 | 7 |\n| deno 2.9.1 | 6 |\n| node 20.1.0 | 3 |\n" +
      "| bun 1.4.5 | 4 |\n\nEnd.\n",
  );
  assertThrows(() => mergeRows("no table\n", rows), Error, "Expected a table");
});

Deno.test("compat: tests that pass, fail and hang are told apart", () => {
  const text = `running 3 tests from ./tests/a_test.ts
one: it works ... ok (2ms)
two: it fails ... FAILED (5s)
three: it hangs ...'three: it hangs' has been running for over (1m0s)

 ERRORS

two: it fails => ./tests/a_test.ts:1:6
`;
  assertEquals(readTestOutput(text), {
    passed: 1,
    failures: ["two: it fails", "three: it hangs"],
  });
});
