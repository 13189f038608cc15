/**
 * shield: a body that cancels from outside do not reach.
 */
import { shielded } from "../kernel/cancel_scope.ts";
import type { Body, Operation } from "../kernel/coroutine.ts";
import type { Duration } from "../duration.ts";

/** Options of {@linkcode shield}. */
export interface ShieldOptions {
  /** Cancels the body after this long all the same. */
  timeout?: Duration;
}

/**
 * Runs `body` so that cancels from outside do not reach it: for cleanup that must wait. Gives the body's value, or
 * `undefined` where `timeout` cut it short. The cancel lands at the next wait after it.
 *
 * @throws {RangeError} If the timeout is NaN or negative.
 * @example
 * ```ts
 * import { Loop, moveOnAfter, shield, sleep, sleepForever } from "jsr:@broomio/core";
 *
 * function* worker() {
 *   try {
 *     yield* sleepForever();
 *   } finally {
 *     yield* shield(sleep(0.01), { timeout: 1 }); // says goodbye
 *   }
 * }
 * await new Loop().run(moveOnAfter(0.01, worker()));
 * ```
 */
export function shield<T>(body: Body<T>): Operation<T>;
/** Runs `body` shielded, for at most `options.timeout`; gives `undefined` where that cut it short. */
export function shield<T>(body: Body<T>, options: ShieldOptions): Operation<T | undefined>;
export function shield<T>(body: Body<T>, options: ShieldOptions = {}): Operation<T | undefined> {
  return shielded(body, options.timeout, "shield");
}
