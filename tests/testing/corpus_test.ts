/** The corpus of known bugs: each is found, and its twin is not blamed. */
import { assert } from "@std/assert";
import { ExplorationError, explore } from "../../src/testing/mod.ts";
import { rejection } from "../support/world.ts";
import { type Bug, bugs } from "./corpus/mod.ts";

/** In which run a bug is found. */
async function runOf({ program, options }: Bug, seed: number): Promise<number> {
  const error = await rejection(explore(program(false), { schedules: 2000, seed, ...options }));
  assert(error instanceof ExplorationError, String(error));
  return error.run;
}

for (const bug of bugs) {
  Deno.test(`R54: mixed finds within 200 schedules: ${bug.name}`, async () => {
    const runs: number[] = [];
    for (let seed = 0; seed < 20; seed++) runs.push(await runOf(bug, seed));
    const median = runs.sort((a, b) => a - b)[10];
    assert(median <= 200, `found in runs ${runs}`);
  });

  Deno.test(`R54: 20,000 schedules find nothing in the correct twin of: ${bug.name}`, async () => {
    const { schedules, complete } = await explore(bug.program(true), {
      schedules: 20_000,
      seconds: Infinity,
      ...bug.options,
    });
    assert(complete || schedules === 20_000);
  });
}
