/** How the benchmark makes one verdict of several processes. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { judge, mergeReports } from "../../scripts/bench/table.ts";
import type { Report } from "../../scripts/bench/child.ts";
import type { TimeRow } from "../../scripts/bench/row.ts";

const row: TimeRow = {
  kind: "time",
  id: "row",
  title: "A row",
  per: "operation",
  clock: "wall",
  bars: { async: 1 },
  needs: [],
  sides: {},
};
const report = (broomio: number[], async: number[], rest: Partial<Report> = {}): Report => ({
  id: "row",
  runtime: "test",
  samples: { broomio, async },
  errors: {},
  ...rest,
});

Deno.test("bench: a ratio is the median over the rounds of all processes; one odd process does not decide", () => {
  const merged = mergeReports([
    report([8, 8], [10, 10]),
    report([19, 19], [10, 10]), // as one process alone may give
    report([8, 9], [10, 10]),
  ]);
  const [, plain] = judge(row, [merged]);
  assertAlmostEquals(plain.ratio!, 0.85);
  assertAlmostEquals(plain.best!, 0.8);
  assertEquals(plain.ok, true);
});

Deno.test("bench: an error in one process is told, and its side is out", () => {
  const merged = mergeReports([
    report([8], [10], { alone: 9 }),
    report([8], [], { samples: { broomio: [8] }, errors: { async: "boom" }, alone: 7 }),
  ]);
  assertEquals(merged.samples, { broomio: [8, 8] });
  assertEquals(merged.errors, { async: "boom" });
  assertEquals(merged.alone, 7);
});
