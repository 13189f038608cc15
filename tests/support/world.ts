/**
 * A separate world for each test: a loop on a virtual clock, a log with times, the warnings.
 *
 * Invariant: a test made with `inEveryOrder` runs under each order of execution, and passes only if
 * the loop is left with nothing registered: no task, no timer in force, no external wait, nothing
 * ready.
 */
import { assertEquals } from "@std/assert";
import {
  type Coroutine,
  type ExecutionOrder,
  Loop,
  type LoopOptions,
  type LoopWarning,
  NurseryError,
  sleep,
} from "../../mod.ts";
import { inspect, VirtualClock } from "../../src/testing/mod.ts";

/** What a test works with. */
export class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly loop: Loop;
  readonly log: string[] = [];
  readonly warnings: LoopWarning[] = [];

  constructor(options: LoopOptions = {}) {
    this.loop = new Loop({
      host: this.clock,
      onWarning: (warning) => this.warnings.push(warning),
      ...options,
    });
  }

  /** Writes to the log, with the time in seconds. */
  note(text: string): void {
    this.log.push(`${this.loop.now} ${text}`);
  }

  /** Sleeps, and notes whether it slept to the end. */
  *sleeper(name: string, seconds: number): Coroutine<string> {
    try {
      yield* sleep(seconds);
    } catch (error) {
      this.note(`${name} ${nameOf(error)}`);
      throw error;
    }
    this.note(`${name} slept`);
    return name;
  }

  /** Sleeps, then throws an error of that message. */
  *failing(message: string, seconds = 0): Coroutine<never> {
    yield* sleep(seconds);
    this.note(`${message} fails`);
    throw new Error(message);
  }
}

/** "Cancelled", "Error: message". */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "Cancelled" ? error.name : `${error.name}: ${error.message}`;
}

/** The errors inside an error of a nursery; of any other error, that error. */
export function leavesOf(error: unknown): unknown[] {
  if (error instanceof NurseryError) return error.flatten();
  return error instanceof AggregateError ? error.errors.flatMap(leavesOf) : [error];
}

/** What a loop that is at rest still has: nothing, or there is a leak. */
export function leftovers(loop: Loop): Record<string, number> {
  const { tasks, ready, waiters, timers, externalWaits, heldLocks } = inspect(loop);
  return {
    tasks: tasks.length,
    waiters,
    timers,
    externals: externalWaits,
    ready,
    heldLocks: heldLocks.length,
  };
}

/** What `leftovers` should give. */
export const NOTHING_LEFT = {
  tasks: 0,
  waiters: 0,
  timers: 0,
  externals: 0,
  ready: 0,
  heldLocks: 0,
};

const ORDERS: [ExecutionOrder, number][] = [
  ["fifo", 0],
  ["lifo", 0],
  ["random", 1],
  ["random", 2],
  ["random", 3],
];

/** Registers a test that runs once for each order of execution, each time in a new world. */
export function inEveryOrder(
  name: string,
  body: (world: World) => Promise<unknown>,
  options: LoopOptions = {},
): void {
  Deno.test(name, async () => {
    for (const [executionOrder, seed] of ORDERS) {
      const world = new World({ executionOrder, seed, ...options });
      try {
        await body(world);
        assertEquals(leftovers(world.loop), NOTHING_LEFT);
      } catch (error) {
        throw new Error(
          `In order ${executionOrder}, seed ${seed}: ${
            error instanceof Error ? error.message : error
          }`,
          { cause: error },
        );
      }
    }
  });
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`Expected a rejection, not the value ${value}`);
}
