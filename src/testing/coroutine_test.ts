/**
 * coroutineTest: a coroutine as a test function, for any test runner.
 *
 * Invariant: it imports no runner. What it gives is a function that returns a promise, and ignores
 * what the runner passes to it.
 */
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkObject,
  checkOneOf,
  checkOptions,
  checkString,
} from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import type { ExecutionOrder } from "../kernel/ready_queue.ts";
import { checkInstruments, type Instrument } from "../kernel/instrument.ts";
import { internalsOf, Loop } from "../loop.ts";
import { currentLoop, currentTask } from "../operations/current.ts";
import { webHost } from "../runtime/web_host.ts";
import type { ExploredHost } from "./explore/explored_host.ts";
import { runSchedule, runSearch } from "./explore/explore.ts";
import { LeakError } from "./explore/failure.ts";
import { type ExploreOptions, MAX_STEPS, settingsOf } from "./explore/options.ts";
import type { Program } from "./explore/program.ts";
import { parseSchedule } from "./explore/schedule.ts";
import { Leaks, tasksBeside } from "./leaks.ts";
import { VirtualClock } from "./virtual_clock.ts";

/**
 * The clock of a test.
 *
 * @example
 * ```ts
 * import { sleep } from "jsr:@broomio/core";
 * import { coroutineTest, type TestClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function timer(clock: TestClock): () => number {
 *   const start = clock.now();
 *   return () => clock.now() - start; // seconds
 * }
 * const test = coroutineTest(function* ({ clock }) {
 *   const elapsed = timer(clock);
 *   yield* sleep({ hours: 1 }); // at once
 *   assertEquals(elapsed(), 3600);
 * });
 * await test(); // Deno.test("an hour passes", test)
 * ```
 */
export interface TestClock {
  /** The time: seconds, from 0. */
  now(): number;
  /**
   * Moves time on by so many seconds. Returns at once: what is due runs when the caller waits.
   *
   * @throws {TypeError} If it is not a number.
   * @throws {RangeError} If it is negative, or not finite.
   */
  advance(seconds: number): void;
}

/**
 * What the body of a test is given.
 *
 * @example
 * ```ts
 * import { sleep } from "jsr:@broomio/core";
 * import { coroutineTest, type TestContext } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* body({ loop, clock }: TestContext) {
 *   loop.startSoon(sleep(1), { name: "helper" });
 *   yield* sleep(5);
 *   assertEquals(clock.now(), 5); // seconds
 * }
 * await coroutineTest(body)(); // Deno.test("five seconds pass", coroutineTest(body))
 * ```
 */
export interface TestContext {
  /** The loop that runs it. */
  readonly loop: Loop;
  /** Its clock. Time jumps to the next deadline when every task waits. */
  readonly clock: TestClock;
}

/**
 * Options of {@linkcode coroutineTest}.
 *
 * @example
 * ```ts
 * import { checkpoint, Lock, Nursery } from "jsr:@broomio/core";
 * import { coroutineTest, type CoroutineTestOptions } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: CoroutineTestOptions = { explore: { schedules: 50 } }; // under 50 schedules
 * const test = coroutineTest(function* () {
 *   const lock = new Lock();
 *   let seats = 1;
 *   function* buy() {
 *     if (seats === 0) return;
 *     yield* checkpoint(); // asks the bank
 *     seats--;
 *   }
 *   yield* Nursery.open(function* (nursery) {
 *     nursery.startSoon(lock.with(buy));
 *     nursery.startSoon(lock.with(buy));
 *   });
 *   assertEquals(seats, 0);
 * }, options);
 * await test(); // Deno.test("a seat is sold once", test)
 * ```
 */
export interface CoroutineTestOptions {
  /**
   * In which order ready tasks run: "fifo" by default. "random" draws a new seed each time, and
   * prints it where the test fails.
   */
  executionOrder?: ExecutionOrder;
  /** The seed of "random" order: what a failure has printed. */
  seed?: number;
  /** Errors tell where their tasks were started; by default they do. */
  debug?: boolean;
  /** Watch the tasks of the loop. */
  instruments?: Instrument[];
  /**
   * Runs the body under many schedules, with these options of {@linkcode explore}. It makes
   * everything anew each time.
   */
  explore?: ExploreOptions;
  /** Runs the body under this schedule alone: what a failure with `explore` has printed. */
  replay?: string;
}

const OPTIONS = ["executionOrder", "seed", "debug", "instruments", "explore", "replay"] as const;

/**
 * Makes a test function of a coroutine: with a loop and a virtual clock of its own, for
 * `Deno.test`, `node:test`, vitest and others alike. The test fails where the body throws, where
 * tasks deadlock, and where something is left behind: tasks that still run when the body has ended,
 * timers, holds of the loop, locks that a task owned when it ended, and streams in memory that are
 * open; each is named.
 *
 * @returns A function that runs the test once; the promise rejects where it fails, with what the
 * body threw, a {@linkcode LeakError}, or, with `explore`, an {@linkcode ExplorationError}.
 * @throws {TypeError | RangeError} If the body is no function, or an option is not valid.
 *
 * @example
 * ```ts
 * import { openChannel, sleep } from "jsr:@broomio/core";
 * import { coroutineTest } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const test = coroutineTest(function* ({ clock }) {
 *   const { sender, receiver } = openChannel<string>(1);
 *   yield* sleep(60); // takes no time
 *   yield* sender.send("hello");
 *   assertEquals(yield* receiver.receive(), "hello");
 *   assertEquals(clock.now(), 60); // seconds
 * });
 * await test(); // Deno.test("a message takes its time", test), or test() of any other runner
 * ```
 */
export function coroutineTest(
  body: (context: TestContext) => Operation<unknown>,
  options: CoroutineTestOptions = {},
): (t?: unknown) => Promise<void> {
  checkFunction(body, "body");
  checkOptions(options, "coroutineTest", OPTIONS);
  if (options.executionOrder !== undefined) {
    checkOneOf(options.executionOrder, "executionOrder", ["fifo", "lifo", "random"]);
  }
  if (options.seed !== undefined) checkInteger(options.seed, "seed");
  if (options.debug !== undefined) checkBoolean(options.debug, "debug");
  if (options.instruments !== undefined) checkInstruments(options.instruments);
  if (options.replay !== undefined) {
    const schedule = checkString(options.replay, "replay");
    parseSchedule(schedule);
    const { maxSteps = MAX_STEPS } = options.explore ?? {};
    return () => runSchedule(programOf(body), schedule, maxSteps, CALL);
  }
  if (options.explore !== undefined) {
    const settings = settingsOf(checkObject(options.explore, "explore"));
    return () => runSearch(programOf(body), settings, CALL).then(() => {});
  }
  return () => runBody(body, options);
}

async function runBody(
  body: (context: TestContext) => Operation<unknown>,
  options: CoroutineTestOptions,
): Promise<void> {
  const { executionOrder = "fifo", seed, debug = true, instruments = [] } = options;
  const clock = new VirtualClock();
  const loop = new Loop({ host: clock, executionOrder, seed, debug, instruments });
  const leaks = new Leaks();
  leaks.watch(internalsOf(loop).scheduler);
  try {
    const left = await loop.run(runToEnd(body, { loop, clock }));
    throwLeaks([...left, ...leaks.rest()]);
  } catch (error) {
    if (executionOrder === "random") {
      webHost.warn(`broomio: the test failed with executionOrder "random", seed ${loop.seed}`);
    }
    throw error;
  } finally {
    leaks.end();
  }
}

/** What a failure says to paste. */
const CALL = (schedule: string) => `coroutineTest(body, { replay: ${schedule} })`;

function programOf(body: (context: TestContext) => Operation<unknown>): Program {
  return () => {
    let left: string[] = [];
    return {
      main: function* (): Coroutine {
        const loop = yield* currentLoop();
        const clock = internalsOf(loop).scheduler.host as ExploredHost;
        left = yield* runToEnd(body, { loop, clock });
      },
      check: () => throwLeaks(left), // what else is left, the exploration finds itself
    };
  };
}

/** Runs the body; gives the tasks that it leaves behind, which are cancelled then. */
function* runToEnd(
  body: (context: TestContext) => Operation<unknown>,
  context: TestContext,
): Coroutine<string[]> {
  const main = yield* currentTask();
  let left: string[] = [];
  try {
    yield* body(context);
  } finally {
    left = tasksBeside(main, context.loop);
    if (left.length > 0) context.loop.cancel("the test has ended");
  }
  return left;
}

function throwLeaks(left: readonly string[]): void {
  if (left.length > 0) throw new LeakError(left);
}
