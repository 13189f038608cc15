/**
 * Durations: what users write, and the seconds the loop counts in.
 *
 * Invariant: `toSeconds` gives a number that is not NaN and not negative; Infinity means "never".
 */

/**
 * A length of time: seconds, or an object in the manner of `Temporal.Duration`. Not negative; `Infinity` is allowed.
 *
 * @example
 * ```ts
 * import { type Duration, Loop, sleep } from "jsr:@broomio/core";
 *
 * const short: Duration = { milliseconds: 20 };
 * await new Loop().run(sleep(short));
 * ```
 */
export type Duration = number | DurationLike;

/** The parts of a {@linkcode Duration} object; a `Temporal.Duration` without years, months and weeks is one. */
export interface DurationLike {
  /** Days of 24 hours. */
  readonly days?: number;
  /** Hours. */
  readonly hours?: number;
  /** Minutes. */
  readonly minutes?: number;
  /** Seconds. */
  readonly seconds?: number;
  /** Thousandths of a second. */
  readonly milliseconds?: number;
  /** Millionths of a second. */
  readonly microseconds?: number;
  /** Thousand-millionths of a second. */
  readonly nanoseconds?: number;
}

const UNITS = {
  days: 86400,
  hours: 3600,
  minutes: 60,
  seconds: 1,
  milliseconds: 1e-3,
  microseconds: 1e-6,
  nanoseconds: 1e-9,
};

/**
 * The seconds of a duration.
 *
 * @throws {TypeError} If it is neither a number nor an object with a unit.
 * @throws {RangeError} If it is NaN or negative, or counts in years, months or weeks.
 */
export function toSeconds(duration: Duration): number {
  const seconds = typeof duration === "number" ? duration : sum(duration);
  if (seconds >= 0) return seconds;
  throw new RangeError(`A duration is at least 0 seconds, not ${seconds}`);
}

/**
 * Checks a time on the loop's clock.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is NaN.
 */
export function toDeadline(deadline: number): number {
  if (typeof deadline !== "number") {
    throw new TypeError(
      `A deadline is a number of seconds on the loop's clock, not ${typeof deadline}`,
    );
  }
  if (Number.isNaN(deadline)) throw new RangeError("A deadline cannot be NaN");
  return deadline;
}

function sum(duration: DurationLike): number {
  if (typeof duration !== "object" || duration === null) {
    throw new TypeError(
      `A duration is a number of seconds or an object such as { milliseconds: 250 }, not ${typeof duration}`,
    );
  }
  let total = 0;
  let known = false;
  for (const [unit, size] of Object.entries(UNITS)) {
    const count = duration[unit as keyof DurationLike];
    if (count === undefined) continue;
    total += count * size;
    known = true;
  }
  if (!known) throw new TypeError("A duration object names a unit, as in { milliseconds: 250 }");
  for (const unit of ["years", "months", "weeks"]) {
    if ((duration as Record<string, unknown>)[unit]) {
      throw new RangeError(`A duration in ${unit} has no fixed length: count in days`);
    }
  }
  return total;
}
