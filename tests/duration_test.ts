/** Durations and deadlines (R24). */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type Duration, toDeadline, toSeconds } from "../src/duration.ts";

Deno.test("a duration is seconds, or the sum of its units", () => {
  assertEquals(toSeconds(2.5), 2.5);
  assertEquals(toSeconds(0), 0);
  assertEquals(toSeconds(Infinity), Infinity);
  assertEquals(toSeconds({ milliseconds: 250 }), 0.25);
  assertEquals(toSeconds({ days: 1, hours: 1, minutes: 1, seconds: 1 }), 90061);
  assertAlmostEquals(toSeconds({ microseconds: 3, nanoseconds: 5 }), 3.005e-6, 1e-15);
  assertEquals(toSeconds({ minutes: 1, seconds: -30 }), 30); // as Temporal balances it
});

Deno.test("a Temporal.Duration without years, months and weeks is one, its units on the prototype", () => {
  class TemporalLike {
    get hours() {
      return 1;
    }
    get seconds() {
      return 30;
    }
    get years() {
      return 0;
    }
  }
  assertEquals(toSeconds(new TemporalLike()), 3630);
  const temporal =
    (globalThis as { Temporal?: { Duration: { from(text: string): Duration } } }).Temporal;
  if (temporal) assertEquals(toSeconds(temporal.Duration.from("PT1M30S")), 90);
});

Deno.test("R24: NaN and negative durations are RangeErrors, calendar units too", () => {
  for (const bad of [NaN, -1, -0.5, -Infinity, { seconds: -1 }, { seconds: NaN }]) {
    assertThrows(
      () => toSeconds(bad),
      RangeError,
      "Expected a duration of at least 0 seconds, got",
    );
  }
  assertThrows(
    () => toSeconds({ seconds: 1, months: 1 } as Duration),
    RangeError,
    "in months has no fixed length: count in days",
  );
});

Deno.test("what is no duration is a TypeError that shows one", () => {
  for (const bad of ["2", null, undefined, true, () => 1, 1n]) {
    assertThrows(
      () => toSeconds(bad as unknown as number),
      TypeError,
      "or an object such as { milliseconds: 250 }",
    );
  }
  assertThrows(() => toSeconds({}), TypeError, "Expected a unit, as in { milliseconds: 250 }, got");
  assertThrows(
    () => toSeconds({ millis: 250 } as Duration, "timeout"),
    TypeError,
    'Unknown unit "millis" of timeout: the nearest known one is "milliseconds"',
  );
  assertThrows(
    () => toSeconds({ seconds: "1" } as unknown as Duration, "timeout"),
    TypeError,
    'Expected a number, got "1" (seconds of timeout)',
  );
});

Deno.test("a deadline is any number but NaN", () => {
  for (const good of [0, -5, 1e9, Infinity, -Infinity]) assertEquals(toDeadline(good), good);
  assertThrows(() => toDeadline(NaN), RangeError, "Expected a number, got NaN (deadline");
  assertThrows(
    () => toDeadline({ seconds: 1 } as unknown as number),
    TypeError,
    "got an object (deadline",
  );
});
