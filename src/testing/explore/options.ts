/**
 * The options of an exploration, checked where they are given, and the strategies that they name.
 */
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkNumber,
  checkOneOf,
  checkOptions,
} from "../../check.ts";
import type { CancelMode } from "./cancel_sweep.ts";
import { Exhaustive } from "./exhaustive.ts";
import { Mixed } from "./mixed.ts";
import { Pct, Pos } from "./priorities.ts";
import type { Strategy } from "./strategy.ts";
import { FirstInFirstOut, RandomWalk, UniformWalk } from "./walks.ts";

/**
 * Names of the strategies; see {@linkcode ExploreOptions.strategy}.
 *
 * @example
 * ```ts
 * import { checkpoint, Nursery } from "jsr:@broomio/core";
 * import { explore, type StrategyName } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const program = () =>
 *   Nursery.open(function* (nursery) {
 *     for (let i = 0; i < 3; i++) nursery.startSoon(checkpoint());
 *   });
 * const strategies: StrategyName[] = ["fifo", "pct", "exhaustive"];
 * for (const strategy of strategies) {
 *   assertEquals((await explore(program, { strategy, schedules: 5 })).strategy, strategy);
 * }
 * ```
 */
export type StrategyName = "mixed" | "fifo" | "random" | "urw" | "pos" | "pct" | "exhaustive";

/**
 * Options of {@linkcode explore}.
 *
 * @example
 * ```ts
 * import { all, checkpoint } from "jsr:@broomio/core";
 * import { explore, type ExploreOptions } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: ExploreOptions = { schedules: 100, seconds: 5, seed: 7, cancel: "tasks" };
 * const { schedules } = await explore(() => all([checkpoint(), checkpoint()]), options);
 * assertEquals(schedules <= 100, true);
 * ```
 */
export interface ExploreOptions {
  /**
   * How schedules are chosen; by default `"mixed"`: first in, first out, then all of at most two
   * preemptions, then `"urw"`, `"pos"` and `"pct"` in turn. `"urw"` is uniform random walk, `"pos"`
   * partial order sampling, `"pct"` probabilistic concurrency testing, `"exhaustive"` every
   * schedule of at most so many `preemptions`.
   */
  strategy?: StrategyName;
  /** How many schedules are run at most; by default 1,000. */
  schedules?: number;
  /** How many seconds it may take, of real time; by default 10. */
  seconds?: number;
  /**
   * What everything that is drawn by lot begins with; by default 0, so that a test does the same
   * each time.
   */
  seed?: number;
  /**
   * For `"exhaustive"`: how many preemptions a schedule has at most; by default 2, and `Infinity`
   * tries all there are.
   */
  preemptions?: number;
  /** For `"pct"` and `"mixed"`: how many orderings a bug may need; by default 3. */
  depth?: number;
  /**
   * Whether a deadline may pass while tasks are ready, as on a machine that is slow just then; by
   * default it may.
   */
  time?: boolean;
  /**
   * With "always" time jumps to the next deadline, where no task is ready, also while something
   * outside is awaited (a promise, a callback): as with a {@linkcode VirtualClock}. For fakes that
   * answer at once, or by timers of the loop. By default what is outside is waited for.
   */
  autojump?: true | "always";
  /**
   * Cancels the main task (`"main"`), or each task (`"tasks"`), at each wait in turn, in every
   * second schedule.
   */
  cancel?: CancelMode | false;
  /** How many steps a schedule may take; more is a failure. By default 100,000. */
  maxSteps?: number;
  /** Called now and then, with what has been run so far. */
  onProgress?: (progress: { readonly schedules: number; readonly seconds: number }) => void;
  /**
   * Whether an exploration that takes longer than a second says on the terminal, in one line, how
   * far it is. By default it does, where errors go to a terminal, and not in CI or a test runner.
   */
  progress?: boolean;
}

const OPTIONS: readonly (keyof ExploreOptions)[] = [
  ...["strategy", "schedules", "seconds", "seed", "preemptions", "depth", "time"] as const,
  ...["cancel", "maxSteps", "autojump", "onProgress", "progress"] as const,
];

/** How many steps a schedule may take where nothing else is said. */
export const MAX_STEPS = 100_000;

/** How each strategy is made. */
export const STRATEGIES: Readonly<Record<StrategyName, (options: Settings) => Strategy>> = {
  mixed: ({ depth }) => new Mixed(depth),
  fifo: () => new FirstInFirstOut(),
  random: () => new RandomWalk(),
  urw: () => new UniformWalk(),
  pos: () => new Pos(),
  pct: ({ depth }) => new Pct(depth),
  exhaustive: ({ preemptions }) => new Exhaustive(preemptions),
};

const NAMES = Object.keys(STRATEGIES) as StrategyName[];

/** The options, complete. */
export type Settings =
  & Required<Omit<ExploreOptions, "onProgress">>
  & Pick<ExploreOptions, "onProgress">;

/**
 * Checks the options and adds what they leave out.
 *
 * @throws {TypeError | RangeError} If one is not valid.
 */
export function settingsOf(options: ExploreOptions): Settings {
  checkOptions(options, "explore", OPTIONS);
  const { strategy = "mixed", schedules = 1000, seconds = 10, seed = 0, preemptions = 2 } = options;
  const { depth = 3, time = true, cancel = false, maxSteps = MAX_STEPS, onProgress } = options;
  const { autojump = true, progress = true } = options;
  const settings: Settings = {
    strategy: checkOneOf(strategy, "strategy", NAMES),
    schedules: checkInteger(schedules, "schedules", 1, Infinity, true),
    seconds: checkNumber(seconds, "seconds", 0),
    seed: checkInteger(seed, "seed", 0, 2 ** 32 - 1),
    preemptions: checkInteger(preemptions, "preemptions", 0, Infinity, true),
    depth: checkInteger(depth, "depth", 1, 20),
    time: checkBoolean(time, "time"),
    autojump: autojump === true || autojump === "always"
      ? autojump
      : checkOneOf(autojump, "autojump", ["always"]),
    cancel: cancel === false ? cancel : checkOneOf(cancel, "cancel", ["main", "tasks"]),
    maxSteps: checkInteger(maxSteps, "maxSteps", 1),
    progress: checkBoolean(progress, "progress"),
  };
  if (onProgress !== undefined) settings.onProgress = checkFunction(onProgress, "onProgress");
  return settings;
}
