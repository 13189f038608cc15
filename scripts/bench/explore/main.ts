/**
 * Exploring: schedules and steps a second, against fast-check's scheduler in the same run; and which strategy finds
 * which bug of the corpus in how many schedules.
 *
 *     deno task bench:explore [--quick]
 *
 * Both sides are warm: each has run for a second before anything counts, and rounds take turns. What is
 * compared are medians.
 */
import fc from "fast-check";
import { bugs } from "../../../tests/testing/corpus/mod.ts";
import {
  ExplorationError,
  explore,
  type ExploreOptions,
  type Program,
  type StrategyName,
} from "../../../src/testing/mod.ts";
import { median } from "../measure.ts";
import { lockers, promiseWalkers, senders, walkers } from "./programs.ts";

const quick = Deno.args.includes("--quick");
const ROUNDS = quick ? 3 : 7;
/** Seconds that a round takes on each side. */
const ROUND = quick ? 0.3 : 1;

/** Schedules and steps a second of ours. */
async function ours(program: Program, options: ExploreOptions = {}) {
  const found = await explore(program, {
    ...{ strategy: "random", schedules: Infinity, seconds: ROUND, maxSteps: 1_000_000 },
    ...options,
  });
  return { schedules: found.schedules / found.seconds, steps: found.steps / found.seconds };
}

/** Schedules a second of fast-check's scheduler, given the orders by which it draws. */
async function theirs(tasks: number, steps: number, wait: "waitIdle" | "waitAll") {
  const began = performance.now();
  let schedules = 0;
  let seconds = 0;
  for (; seconds < ROUND; seconds = (performance.now() - began) / 1000) {
    const [scheduler] = fc.sample(fc.scheduler(), { numRuns: 1, seed: schedules });
    await promiseWalkers(scheduler, tasks, steps, wait);
    schedules++;
  }
  return { schedules: schedules / seconds, steps: schedules * tasks * steps / seconds };
}

interface Rate {
  schedules: number;
  steps: number;
}

async function compare(
  title: string,
  key: keyof Rate,
  bar: number | null,
  mine: () => Promise<Rate>,
  other: () => Promise<Rate>,
): Promise<void> {
  const rates: [number[], number[]] = [[], []];
  for (let round = -1; round < ROUNDS; round++) {
    const pair = [(await mine())[key], (await other())[key]];
    if (round >= 0) rates.forEach((list, side) => list.push(pair[side]));
  }
  const [a, b] = rates.map(median);
  const ratio = median(rates[0].map((rate, i) => rate / rates[1][i]));
  const verdict = bar === null ? "" : ratio >= bar ? `(${bar}) ok` : `(${bar}) UNDER`;
  console.log(
    `${title.padEnd(46)} ${count(a)} | fast-check ${count(b)}  ${ratio.toFixed(1)}x ${verdict}`,
  );
}

const count = (rate: number) => `${Math.round(rate).toLocaleString("en").padStart(10)} a second`;

async function alone(title: string, key: keyof Rate, program: Program): Promise<void> {
  const rates: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const rate = (await ours(program))[key];
    if (round >= 0) rates.push(rate);
  }
  console.log(`${title.padEnd(46)} ${count(median(rates))}`);
}

// The bars hold against `waitIdle`; the deprecated `waitAll` is shown beside it.
for (const wait of ["waitIdle", "waitAll"] as const) {
  const bars = wait === "waitIdle" ? [5, 20] as const : [null, null] as const;
  await compare(
    ...[`schedules, 2 tasks of 5 steps; ${wait}`, "schedules", bars[0]] as const,
    () => ours(walkers(2, 5)),
    () => theirs(2, 5, wait),
  );
  await compare(
    ...[`steps, 5 tasks of 2,000; ${wait}`, "steps", bars[1]] as const,
    () => ours(walkers(5, 2000)),
    () => theirs(5, 2000, wait),
  );
}
await alone("schedules, 3 tasks of 10 steps with a lock", "schedules", lockers(3, 10));
await alone("schedules, 3 tasks of 10 with a channel", "schedules", senders(3, 10));

const times: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const { complete, seconds } = await explore(walkers(2, 10), {
    ...{ strategy: "exhaustive", preemptions: 3, schedules: Infinity },
  });
  if (!complete) throw new Error("not complete");
  times.push(seconds);
}
const took = median(times);
console.log(
  `all of 2 tasks of 10 steps, at most 3 preemptions: ${took.toFixed(3)} s (0.1) ${
    took <= 0.1 ? "ok" : "OVER"
  }`,
);

/** In which run a strategy finds a bug; the median of some seeds, or "-" where most do not find it. */
async function runs(bug: typeof bugs[number], strategy: StrategyName): Promise<string> {
  const found: number[] = [];
  const seeds = strategy === "fifo" || strategy === "exhaustive" ? 1 : quick ? 3 : 20;
  for (let seed = 0; seed < seeds; seed++) {
    try {
      await explore(bug.program(false), { strategy, schedules: 5000, seed, ...bug.options });
      found.push(Infinity);
    } catch (error) {
      if (!(error instanceof ExplorationError)) throw error;
      found.push(error.run);
    }
  }
  const middle = found.sort((a, b) => a - b)[found.length >> 1];
  return middle === Infinity ? "-" : String(middle);
}

const strategies: StrategyName[] = ["mixed", "fifo", "exhaustive", "random", "urw", "pos", "pct"];
console.log(
  `\n${"in which schedule each bug is found".padEnd(46)} ${
    strategies.map((name) => name.padStart(10)).join(" ")
  }`,
);
for (const bug of bugs) {
  const cells: string[] = [];
  for (const strategy of strategies) cells.push(await runs(bug, strategy));
  console.log(`${bug.name.padEnd(46)} ${cells.map((cell) => cell.padStart(10)).join(" ")}`);
}
