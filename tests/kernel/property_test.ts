/**
 * Random programs under every order of execution (R4, R9, R11, R16 to R28): what must hold of all
 * of them.
 *
 * `BROOMIO_RUNS=100000 deno task test` tries that many programs instead of 700; fast-check prints
 * seed and path of a failure.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ExecutionOrder } from "../../mod.ts";
import { programs, runProgram } from "../support/programs.ts";

const numRuns = Number(Deno.env.get("BROOMIO_RUNS") ?? 700);

for (const order of ["fifo", "lifo", "random"] as ExecutionOrder[]) {
  Deno.test(`random programs under ${order}: no task, error, finally, timer or wait is lost, and the log can be had again`, async () => {
    await fc.assert(
      fc.asyncProperty(programs, fc.integer(), async (program, seed) => {
        const first = await runProgram(program, order, seed);
        assertEquals(first.problems, []);
        const second = await runProgram(program, order, seed);
        assertEquals(second.log, first.log);
      }),
      { numRuns, endOnFailure: false },
    );
  });
}
