/**
 * What a row of the benchmark is: one piece of work, written once per side (ours, plain async functions, Effect,
 * Effection), and the bar that ours has to reach against each of the others.
 *
 * A side says how many operations one run of it makes, and every run returns how many it really made: a side that does
 * less than it claims is an error, not a fast side. Slow sides claim fewer operations; all figures are per operation.
 * Rows know no runtime: no `Deno`, no `process`; what they need of it comes in as arguments.
 */

import type { Broomio } from "./lib.ts";
import type { EffectDoor, EffectionDoor } from "./peers.ts";

/** The sides of a comparison, in the order of the columns. */
export const sideNames = ["broomio", "async", "base", "effect", "effection"] as const;
export type SideName = (typeof sideNames)[number];
/** The sides whose work is of a size of its own. */
export type SizedSide = Exclude<SideName, "base">;

/** A run may narrow what is timed to a part of itself: `start` forgets what came before, `stop` what comes after. */
export interface Watch {
  start(): void;
  stop(): void;
}

/** One side of a row, made once per process and run many times. */
export interface Work {
  /** Operations that one run makes. */
  readonly ops: number;
  /** Does them, and gives how many it did. */
  run(watch: Watch): Promise<number>;
}

/**
 * Makes the sides of a row. A side that does not exist (yet) is left out. A row has either `async` or `base`: the same
 * written in another way, or done by an older version of the library, as its title says. `old` is that version where one
 * was given.
 */
export interface Sides {
  broomio?(lib: Broomio): Work;
  async?(): Work;
  base?(lib: Broomio, old: Broomio | undefined): Work | undefined;
  effect?(fx: EffectDoor): Work;
  effection?(fx: EffectionDoor): Work;
}

/** The highest allowed quotient of ours by theirs. None: the row informs only. */
export type Bars = Partial<Record<Exclude<SideName, "broomio">, number>>;

interface RowHead {
  /** Short and unique: what the filter of the command line matches, and the key in the JSON. */
  readonly id: string;
  readonly title: string;
  /** What one operation is. */
  readonly per: string;
  readonly bars: Bars;
  /** The bars on Node, where they are others. */
  readonly nodeBars?: Bars;
  /** Exports of the library without which our side cannot be written; the row is hidden until they exist. */
  readonly needs: readonly string[];
}

/** A row measured in nanoseconds per operation, all sides interleaved in one process. */
export interface TimeRow extends RowHead {
  readonly kind: "time";
  /** "wall" is elapsed time; "cpu" is for work whose elapsed time is mostly idle waiting, the same on every side. */
  readonly clock: "wall" | "cpu";
  readonly sides: Sides;
}

/** What a memory row keeps alive while it is weighed. */
export interface Load {
  readonly items: number;
  /** Brings `count` items into their resting state and leaves them there, referenced as a program would. */
  hold(count: number): Promise<unknown>;
}

/** A row measured in heap bytes per item, every side in a process of its own. */
export interface MemoryRow extends RowHead {
  readonly kind: "memory";
  readonly sides: {
    broomio?(lib: Broomio): Load;
    async?(): Load;
    effect?(fx: EffectDoor): Load;
    effection?(fx: EffectionDoor): Load;
  };
}

/** A row measured at growing sizes: the cost per item must not grow with their number. */
export interface GrowthRow extends RowHead {
  readonly kind: "growth";
  readonly clock: "wall" | "cpu";
  readonly sizes: readonly number[];
  readonly sides: {
    broomio?(lib: Broomio, size: number): Work;
    async?(size: number): Work;
  };
}

export type Row = TimeRow | MemoryRow | GrowthRow;

/** The bars of DESIGN section 6 that hold for every row: 5x faster than Effect, 50x faster than Effection. */
export const peerBars = { effect: 1 / 5, effection: 1 / 50 } as const;
