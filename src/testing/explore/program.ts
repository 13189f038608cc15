/**
 * What is explored: a program, and how a run of it ended.
 */
import type { Body, Coroutine, Operation } from "../../kernel/coroutine.ts";

/** How a run ended, as `check` is told. */
export interface ProgramEnd {
  /** The value of `main`; `undefined` where that was cancelled. */
  readonly value: unknown;
  /** `main`, or one of its tasks, was cancelled by the exploration (`cancel`). */
  readonly cancelled: boolean;
}

/** A program with what must hold once it has ended, in whichever way. */
export interface CheckedProgram {
  /** The main coroutine, or a function that makes it. */
  main: Body<unknown>;
  /** Throws where something is wrong. */
  check?(end: ProgramEnd): void;
}

/**
 * Makes a fresh program for each run: nothing of one run may be left for the next, so everything it
 * uses is made in here.
 *
 * @example
 * ```ts
 * import { checkpoint, type Coroutine, Lock, Nursery } from "jsr:@broomio/core";
 * import { explore, type Program } from "jsr:@broomio/core/testing";
 *
 * const program: Program = () => {
 *   const lock = new Lock();
 *   let seats = 1;
 *   let sold = 0;
 *   function* buy(): Coroutine {
 *     if (seats === 0) return;
 *     yield* checkpoint(); // asks the bank
 *     seats--;
 *     sold++;
 *   }
 *   return {
 *     main: Nursery.open(function* (nursery) {
 *       nursery.startSoon(lock.with(buy));
 *       nursery.startSoon(lock.with(buy));
 *     }),
 *     check() {
 *       if (sold !== 1) throw new Error(`${sold} of 1 seat sold`);
 *     },
 *   };
 * };
 * await explore(program, { schedules: 100 });
 * ```
 */
export type Program = () => Operation<unknown> | CheckedProgram;

/** Makes the program for one run. */
export function makeProgram(program: Program): CheckedProgram {
  const made = program();
  return "main" in made ? made : { main: made };
}

/** The main coroutine of a program. */
export function mainOf({ main }: CheckedProgram): Operation<unknown> | Coroutine<unknown> {
  return typeof main === "function" ? main() : main;
}
