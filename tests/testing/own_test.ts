/**
 * Our own primitives, operations and stream halves, explored with cancels. `deno task explore` does the same with fresh
 * seeds, for as long as it is told.
 */
import { explore } from "../../src/testing/mod.ts";
import { scenarios } from "./own/mod.ts";

for (const { name, program, slow = false, autojump } of scenarios) {
  for (const cancel of [false, "main", "tasks"] as const) {
    const told = cancel === false
      ? ""
      : cancel === "main"
      ? ", cancelled"
      : ", with tasks cancelled";
    Deno.test(`explored${told}: ${name}`, async () => {
      await explore(program, { schedules: slow ? 300 : 1500, seconds: Infinity, cancel, autojump });
    });
  }
}
