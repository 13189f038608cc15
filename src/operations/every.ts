/**
 * every: runs a body at regular times.
 *
 * Invariant: the nth time is begin + n * period, computed and not added up, so nothing drifts.
 */
import { checkBoolean, checkFunction, checkOneOf, checkOptions, wrongValue } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import type { TaskCore } from "../kernel/task.ts";
import { Call } from "./call.ts";
import { currentTask } from "./current.ts";
import { runVisitor, type Visitor } from "./for_each.ts";
import { sleepUntil } from "./sleep.ts";

/**
 * Options of {@linkcode every}.
 *
 * @example
 * ```ts
 * import { every, type EveryOptions, Loop } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: EveryOptions = { immediate: true, overlap: "queue" };
 * const loop = new Loop({ host: new VirtualClock() });
 * const times: number[] = [];
 * await loop.run(every({ minutes: 1 }, () => {
 *   times.push(loop.now);
 *   if (times.length === 3) return false;
 * }, options));
 * assertEquals(times, [0, 60, 120]); // seconds
 * ```
 */
export interface EveryOptions {
  /**
   * What becomes of times that come while the body still runs: "skip" leaves them out, "queue"
   * makes up for them one after the other. The body never runs twice at once. By default "skip".
   */
  overlap?: "skip" | "queue";
  /** Whether the first time is now, and not only after one period. By default false. */
  immediate?: boolean;
}

const KNOWN = ["overlap", "immediate"] as const;

function* ticks(
  period: number,
  body: Visitor<number>,
  overlap: "skip" | "queue",
  immediate: boolean,
): Coroutine {
  const { host } = ((yield* currentTask()) as TaskCore).scheduler;
  const begin = host.now();
  for (let tick = immediate ? 0 : 1;; tick++) {
    if (overlap === "skip") {
      const passed = Math.ceil((host.now() - begin) / period);
      if (passed > tick) tick = passed;
    }
    yield* sleepUntil(begin + tick * period); // also a checkpoint where that time has passed
    if (!(yield* runVisitor(body, tick))) return;
  }
}

/**
 * Runs `body` every `period`, without drift: after one period, two, and so on from now. It ends
 * when it is cancelled, or the body gives `false`. A checkpoint.
 *
 * @param period Seconds, or an object such as `{ milliseconds: 250 }`; more than 0.
 * @param body Called with the number of the time: 1 after one period, 0 at once with `immediate`.
 * @throws {TypeError} If an argument is of the wrong kind, or an option unknown.
 * @throws {RangeError} If the period is not more than 0, or `overlap` something else.
 *
 * @example
 * ```ts
 * import { every, Loop } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const loop = new Loop({ host: new VirtualClock() });
 * const times: number[] = [];
 * await loop.run(every({ minutes: 1 }, (n) => {
 *   times.push(loop.now); // seconds
 *   if (n === 3) return false; // that was enough
 * }));
 * assertEquals(times, [60, 120, 180]);
 * ```
 */
export function every(
  period: Duration,
  body: Visitor<number>,
  options?: EveryOptions,
): Operation<void> {
  const seconds = toSeconds(period, "period of every()");
  if (seconds === 0) throw wrongValue("a period of more than 0 seconds", 0, "every()");
  checkFunction(body, "body of every()");
  const { overlap = "skip", immediate = false } = checkOptions(options, "every", KNOWN);
  checkOneOf(overlap, "overlap of every()", ["skip", "queue"]);
  checkBoolean(immediate, "immediate of every()");
  return new Call(() => ticks(seconds, body, overlap, immediate), "every");
}
