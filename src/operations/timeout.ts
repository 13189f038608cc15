/**
 * Bodies with a time limit, in seconds on the loop's clock.
 */
import { checkBody } from "../check.ts";
import { ScopeCommand } from "../kernel/cancel_scope.ts";
import type { CancelScope } from "../kernel/cancel_scope.ts";
import type { Body, Operation } from "../kernel/coroutine.ts";
import { type Duration, toDeadline, toSeconds } from "../duration.ts";

/**
 * Runs `body` for at most a length of time. Gives its value, or `undefined` if the time ran out:
 * then it was cancelled, which is no error. A body that swallows the cancel and returns a value
 * gives that value. A checkpoint only where the body is one.
 *
 * @param duration Seconds, or an object such as `{ milliseconds: 250 }`.
 * @throws {TypeError} If the duration or the body is of the wrong kind.
 * @throws {RangeError} If the duration is NaN or negative.
 * @example
 * ```ts
 * import { Loop, moveOnAfter, sleep } from "jsr:@broomio/core";
 *
 * function* slow() {
 *   yield* sleep(60);
 *   return "done";
 * }
 * console.log(await new Loop().run(moveOnAfter(0.01, slow()))); // undefined
 * ```
 */
export function moveOnAfter<T>(
  duration: Duration,
  body: Body<T, [scope: CancelScope]>,
): Operation<T | undefined> {
  return new ScopeCommand(checkBody(body, "moveOnAfter"), "move", {
    timeout: toSeconds(duration),
    name: "moveOnAfter",
  });
}

/**
 * {@linkcode moveOnAfter} with a time on the loop's clock instead of a duration. A checkpoint only
 * where the body is one.
 *
 * @param deadline Seconds, as `loop.now` counts them.
 * @throws {TypeError} If the deadline or the body is of the wrong kind.
 * @throws {RangeError} If the deadline is NaN.
 * @example
 * ```ts
 * import { Loop, moveOnAt, sleepForever } from "jsr:@broomio/core";
 *
 * const loop = new Loop();
 * await loop.run(moveOnAt(loop.now + 0.01, sleepForever()));
 * ```
 */
export function moveOnAt<T>(
  deadline: number,
  body: Body<T, [scope: CancelScope]>,
): Operation<T | undefined> {
  return new ScopeCommand(checkBody(body, "moveOnAt"), "move", {
    deadline: toDeadline(deadline),
    name: "moveOnAt",
  });
}

/**
 * Runs `body` for at most a length of time, and throws if the time ran out. Gives the body's value.
 * A body that ends without waiting again after the deadline has simply succeeded. A checkpoint only
 * where the body is one.
 *
 * @param duration Seconds, or an object such as `{ milliseconds: 250 }`.
 * @throws {TimeoutError} If the time ran out and that was delivered to the body.
 * @throws {TypeError} If the duration or the body is of the wrong kind.
 * @throws {RangeError} If the duration is NaN or negative.
 * @example
 * ```ts
 * import { failAfter, Loop, sleep, TimeoutError } from "jsr:@broomio/core";
 *
 * function* main() {
 *   try {
 *     yield* failAfter(0.01, sleep(60));
 *   } catch (error) {
 *     if (error instanceof TimeoutError) console.log("too slow");
 *     else throw error;
 *   }
 * }
 * await new Loop().run(main());
 * ```
 */
export function failAfter<T>(duration: Duration, body: Body<T>): Operation<T> {
  return new ScopeCommand(checkBody(body, "failAfter") as Body<T, [CancelScope]>, "fail", {
    timeout: toSeconds(duration),
    name: "failAfter",
  }) as Operation<T>;
}

/**
 * {@linkcode failAfter} with a time on the loop's clock instead of a duration. A checkpoint only
 * where the body is one.
 *
 * @param deadline Seconds, as `loop.now` counts them.
 * @throws {TimeoutError} If the time ran out and that was delivered to the body.
 * @throws {TypeError} If the deadline or the body is of the wrong kind.
 * @throws {RangeError} If the deadline is NaN.
 * @example
 * ```ts
 * import { failAt, Loop, sleep } from "jsr:@broomio/core";
 *
 * const loop = new Loop();
 * await loop.run(failAt(loop.now + 10, sleep(0.01)));
 * ```
 */
export function failAt<T>(deadline: number, body: Body<T>): Operation<T> {
  return new ScopeCommand(checkBody(body, "failAt") as Body<T, [CancelScope]>, "fail", {
    deadline: toDeadline(deadline),
    name: "failAt",
  }) as Operation<T>;
}
