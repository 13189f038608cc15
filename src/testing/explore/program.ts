/**
 * What is explored: a program, and how a run of it ended.
 */
import { show } from "../../check.ts";
import type { Body, Coroutine, Operation } from "../../kernel/coroutine.ts";

/**
 * How a run ended, as `check` is told.
 *
 * @example
 * ```ts
 * import { ensure, sleep } from "jsr:@broomio/core";
 * import { explore, type ProgramEnd } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await explore(() => {
 *   let open = 0;
 *   return {
 *     *main() {
 *       open++;
 *       yield* ensure(() => void open--);
 *       yield* sleep(1);
 *       return "done";
 *     },
 *     check({ value, cancelled }: ProgramEnd) {
 *       assertEquals(open, 0); // however it ended
 *       if (!cancelled) assertEquals(value, "done");
 *     },
 *   };
 * }, { cancel: "main", schedules: 20 });
 * ```
 */
export interface ProgramEnd {
  /** The value of `main`; `undefined` where that was cancelled. */
  readonly value: unknown;
  /** `main`, or one of its tasks, was cancelled by the exploration (`cancel`). */
  readonly cancelled: boolean;
}

/**
 * A program with what must hold once it has ended, in whichever way.
 *
 * @example
 * ```ts
 * import { checkpoint, Semaphore } from "jsr:@broomio/core";
 * import { all } from "jsr:@broomio/core";
 * import { type CheckedProgram, explore } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function twoVisitors(): CheckedProgram { // makes everything anew
 *   const seats = new Semaphore(1);
 *   const visit = () => seats.with(() => checkpoint());
 *   return {
 *     main: all([visit(), visit()]),
 *     check: () => assertEquals(seats.statistics().value, 1),
 *   };
 * }
 * await explore(twoVisitors, { schedules: 50 });
 * ```
 */
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

/** The program is not of the form that it must have: `explore` and `replay` throw this as it is. */
export class WrongProgramError extends TypeError {
  static {
    this.prototype.name = "TypeError";
  }
}

const WANTED = "a program that gives a coroutine, or { main, check? }";

/** Makes the program for one run. */
export function makeProgram(program: Program): CheckedProgram {
  const made: unknown = program();
  if (typeof made === "function") return { main: made as CheckedProgram["main"] };
  if (typeof made !== "object" || made === null) throw wrongProgram(made);
  if (isThenable(made)) {
    throw new WrongProgramError(
      `Expected ${WANTED}, got one that gives a promise: make it a plain function, and let main wait`,
    );
  }
  if (Symbol.iterator in made) return { main: made as CheckedProgram["main"] };
  if (!("main" in made)) throw wrongProgram(made);
  const { check } = made as CheckedProgram;
  if (check !== undefined && typeof check !== "function") {
    throw new WrongProgramError(`Expected check to be a function, got ${show(check)}`);
  }
  return made as CheckedProgram;
}

function wrongProgram(made: unknown): WrongProgramError {
  return new WrongProgramError(`Expected ${WANTED}, got one that gives ${show(made)}`);
}

/** Calls the `check` of a program, which must not be async: nobody waits for it. */
export function checkProgram(program: CheckedProgram, end: ProgramEnd): void {
  const given: unknown = program.check?.(end);
  if (typeof given !== "object" || given === null || !isThenable(given)) return;
  given.then(() => {}, () => {}); // what it is rejected with is not told in vain a second time
  throw new WrongProgramError(
    "Expected a check that is not async: a schedule is over when check() has returned, and nobody " +
      "would see what it throws later",
  );
}

function isThenable(value: object): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>>).then === "function";
}

/** The main coroutine of a program. */
export function mainOf({ main }: CheckedProgram): Operation<unknown> | Coroutine<unknown> {
  return typeof main === "function" ? main() : main;
}
