/**
 * Explores our own primitives with fresh seeds, for as long as it is told: `deno task explore [minutes] [--seed=N]`.
 *
 * The gate does the same with a fixed seed and a fixed number of schedules (`tests/testing/own_test.ts`). Each round
 * takes the next seed, and prints it, so that what is found can be had again.
 */
import { explore } from "../src/testing/mod.ts";
import { scenarios } from "../tests/testing/own/mod.ts";

const minutes = Number(Deno.args.find((arg) => !arg.startsWith("--")) ?? 1);
const given = Deno.args.find((arg) => arg.startsWith("--seed="))?.slice("--seed=".length);
if (!(minutes > 0)) throw new RangeError(`Expected minutes, got ${Deno.args}`);

const end = performance.now() + minutes * 60_000;
let seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
let schedules = 0;
for (let round = 1; performance.now() < end; round++, seed++) {
  for (const { name, program, slow = false, autojump } of scenarios) {
    for (const cancel of [false, "main", "tasks"] as const) {
      if (performance.now() >= end) break;
      const exploring = explore(program, {
        seed,
        cancel,
        autojump,
        schedules: slow ? 600 : 3000,
        seconds: 20,
      });
      const found = await exploring.catch((error) => {
        console.error(`found in: ${name} (cancel: ${cancel}, seed ${seed})`);
        throw error;
      });
      schedules += found.schedules;
    }
  }
  console.log(`round ${round}, seed ${seed}: ${schedules.toLocaleString("en")} schedules so far`);
}
console.log(`explored: ${schedules.toLocaleString("en")} schedules, nothing found`);
