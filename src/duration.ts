/**
 * Durations: what users write, and the seconds the loop counts in.
 *
 * Invariant: `toSeconds` gives a number that is not NaN and not negative; Infinity means "never".
 * Independent of: clocks.
 */
import { checkNumber, unknownName, wrongKind, wrongValue } from "./check.ts";

/**
 * A length of time: seconds, or an object in the manner of `Temporal.Duration`. Not negative;
 * `Infinity` is allowed.
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

/**
 * The parts of a {@linkcode Duration} object; a `Temporal.Duration` without years, months and weeks
 * is one.
 *
 * @example
 * ```ts
 * import { type DurationLike, Loop, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const lunch: DurationLike = { hours: 1, minutes: 30 }; // or a Temporal.Duration
 * const loop = new Loop({ host: new VirtualClock() });
 * await loop.run(sleep(lunch));
 * assertEquals(loop.now, 5400);
 * ```
 */
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

const UNIT_NAMES = Object.keys(UNITS) as (keyof typeof UNITS)[];

/** Units without a fixed length. A `Temporal.Duration` has them too; they must be 0. */
const VARIABLE_UNITS = ["years", "months", "weeks"];

/**
 * The seconds of a duration.
 *
 * @param name What has this length, for messages: "timeout".
 * @throws {TypeError} If it is neither a number nor an object with a unit.
 * @throws {RangeError} If it is NaN or negative, or counts in years, months or weeks.
 */
export function toSeconds(duration: Duration, name: string = "duration"): number {
  const seconds = typeof duration === "number" ? duration : sum(duration, name);
  if (seconds >= 0) return seconds;
  throw wrongValue("a duration of at least 0 seconds", seconds, name);
}

/**
 * Checks a time on the loop's clock.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is NaN.
 */
export function toDeadline(deadline: number): number {
  if (typeof deadline === "number" && !Number.isNaN(deadline)) return deadline;
  return checkNumber(deadline, "deadline: seconds on the loop's clock");
}

function sum(duration: DurationLike, name: string): number {
  if (typeof duration !== "object" || duration === null) {
    throw wrongKind(
      "a number of seconds or an object such as { milliseconds: 250 }",
      duration,
      name,
    );
  }
  let total = 0;
  let known = false;
  for (const unit of UNIT_NAMES) {
    const count = duration[unit];
    if (count === undefined) continue;
    if (typeof count !== "number") throw wrongKind("a number", count, `${unit} of ${name}`);
    total += count * UNITS[unit];
    known = true;
  }
  for (const unit of Object.keys(duration)) {
    if (!(UNIT_NAMES as string[]).includes(unit) && !VARIABLE_UNITS.includes(unit)) {
      throw unknownName("unit", unit, name, UNIT_NAMES);
    }
  }
  if (!known) {
    throw wrongKind("a unit, as in { milliseconds: 250 }", duration, name);
  }
  for (const unit of VARIABLE_UNITS) {
    if ((duration as Record<string, unknown>)[unit]) {
      throw new RangeError(`A duration in ${unit} has no fixed length: count in days (${name})`);
    }
  }
  return total;
}
