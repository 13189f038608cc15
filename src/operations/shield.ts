/**
 * shield: a body that cancels from outside do not reach.
 */
import { checkBody, checkOptions } from "../check.ts";
import { shielded } from "../kernel/cancel_scope.ts";
import type { Body, Operation } from "../kernel/coroutine.ts";
import type { Duration } from "../duration.ts";

/**
 * Options of {@linkcode shield}.
 *
 * @example
 * ```ts
 * import { Loop, shield, type ShieldOptions, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const briefly: ShieldOptions = { timeout: { seconds: 2 } };
 * const loop = new Loop({ host: new VirtualClock() });
 * await loop.run(shield(sleep(60), briefly));
 * assertEquals(loop.now, 2);
 * ```
 */
export interface ShieldOptions {
  /** Cancels the body after this long all the same. */
  timeout?: Duration;
}

const KNOWN = ["timeout"] as const;

/**
 * Runs `body` so that cancels from outside do not reach it: for cleanup that must wait. Gives the
 * body's value, or `undefined` if `timeout` ended it early. The cancel lands at the next wait after
 * it. A checkpoint only where the body is one.
 *
 * @throws {TypeError} If the body is of the wrong kind, or an option unknown.
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
/**
 * Runs `body` shielded, for at most `options.timeout`; gives `undefined` if that ended it early. A
 * checkpoint only where the body is one.
 */
export function shield<T>(body: Body<T>, options: ShieldOptions): Operation<T | undefined>;
export function shield<T>(body: Body<T>, options?: ShieldOptions): Operation<T | undefined> {
  const { timeout } = checkOptions(options, "shield", KNOWN);
  return shielded(checkBody(body, "shield"), timeout, "shield");
}
