/**
 * What is said of a loop from outside of it: its options, and the parts of it that portals,
 * explorations and doors use.
 *
 * Independent of: how a loop works. `loop.ts` hands these out.
 */
import type { Host } from "../host.ts";
import type { Loop } from "../loop.ts";
import type { Operation } from "./coroutine.ts";
import type { NurseryCore } from "./nursery.ts";
import type { ExecutionOrder } from "./ready_queue.ts";
import type { RingBuffer } from "./ring_buffer.ts";
import type { Settle } from "./run.ts";
import type { Instrument, LoopWarning } from "./instrument.ts";
import type { Scheduler } from "./scheduler.ts";
import type { TaskCore } from "./task.ts";

/**
 * Options of a {@linkcode Loop}.
 *
 * @example
 * ```ts
 * import { checkpoint, Loop, type LoopOptions } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * async function orderOf(options: LoopOptions): Promise<string> {
 *   let log = "";
 *   function* step(name: string) {
 *     yield* checkpoint();
 *     log += name;
 *   }
 *   const loop = new Loop(options);
 *   for (const name of "abcdefgh") loop.startSoon(step(name), { name });
 *   await loop.run();
 *   return log;
 * }
 * const options: LoopOptions = { executionOrder: "random", seed: 7 };
 * assertEquals(await orderOf(options), await orderOf(options)); // the seed decides
 * ```
 */
export interface LoopOptions {
  /**
   * In which order ready tasks run: "fifo" by default; the others are there to find hidden
   * assumptions in tests.
   */
  executionOrder?: ExecutionOrder;
  /**
   * What "random" draws from: a whole number. By default a new one each time; read it as
   * `loop.seed`.
   */
  seed?: number;
  /** Where time and wake-ups come from: by default the runtime; a `VirtualClock` in tests. */
  host?: Host;
  /** Watch the tasks of the loop. */
  instruments?: readonly Instrument[];
  /** Called with probable mistakes; by default they are printed. What it throws is printed too. */
  onWarning?: (warning: LoopWarning) => void;
  /**
   * Each task sees the `AsyncLocalStorage` store of the code that started it, instead of that of
   * the `run()` call.
   */
  asyncContext?: boolean;
  /**
   * Errors tell where their task was started, deadlock reports where each task waits. An operation
   * of this package that a task makes and never begins, as where a `yield*` was forgotten, is
   * warned of with its line when the engine collects it: at some time, or never. Costs a stack
   * trace for each operation and each wait.
   */
  debug?: boolean;
}

/** The names of {@linkcode LoopOptions}. */
export const LOOP_OPTIONS: readonly (keyof LoopOptions)[] = [
  "executionOrder",
  "seed",
  "host",
  "instruments",
  "onWarning",
  "asyncContext",
  "debug",
];

/** What an exploration puts in the place of the order of execution. */
export interface Ordering {
  readonly queue: RingBuffer<TaskCore>;
  /** What the loop draws from where it makes a fair choice. */
  readonly random: () => number;
}

/** A loop as an exploration drives it. */
export interface ExploredLoop {
  readonly scheduler: Scheduler;
  /** Begins a run that ends with a call instead of a promise. */
  begin(main: Operation<unknown>, settle: Settle): void;
  /** Ends the run where it stands. */
  crash(error: unknown): void;
}

/** What the doors of this package see of a loop, and users do not. */
export interface LoopInternals {
  readonly scheduler: Scheduler;
  /** The nursery of the tasks of this run, or of the next. */
  readonly root: NurseryCore;
  /** There was a run, and there is none now: a task that is started waits for the next, if any. */
  readonly isOver: boolean;
}

/** The half of a loop that its portal uses, see `interop/portal.ts`. */
export interface PortalLoop {
  readonly loop: Loop;
  /**
   * The nursery of the tasks. Begins the run where none is under way; it goes on, also without
   * tasks, until `close`.
   */
  enter(): NurseryCore;
  /**
   * Lets the run end when no task is left, cancels those left after `grace` seconds, and says when
   * all have ended. Rejects with a DeadlockError where tasks had to be dropped. Called once.
   */
  close(grace: number, reason: unknown): Promise<void>;
}
