/** The text of a schedule. */
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatSchedule, parseSchedule } from "../../src/testing/explore/schedule.ts";
import { TIME } from "../../src/testing/explore/strategy.ts";

Deno.test("R53: a schedule goes into its text and comes back", () => {
  const schedule = fc.record({
    choices: fc.array(fc.oneof(fc.nat(20), fc.constant(TIME), fc.constant(0)), { maxLength: 60 }),
    cancel: fc.option(fc.record({ step: fc.nat(1000), task: fc.nat(1000) }), { nil: null }),
    seed: fc.nat(),
    time: fc.boolean(),
    jumps: fc.boolean(),
  });
  fc.assert(fc.property(schedule, (given) => {
    const choices = [...given.choices];
    while (choices.at(-1) === 0) choices.pop(); // behind the end all are 0
    assertEquals(parseSchedule(formatSchedule(given)), { ...given, choices });
  }));
});

Deno.test("R53: only what departs from the default is in the text", () => {
  const schedule = {
    choices: [0, 0, 2, 0, TIME, 0],
    cancel: null,
    seed: 0,
    time: true,
    jumps: false,
  };
  assertEquals(formatSchedule(schedule), "2:2 4:t");
  assertEquals(formatSchedule({ ...schedule, choices: [] }), "");
});

Deno.test("R53: what is no schedule is refused, with the part that is wrong", () => {
  for (const text of ["4", "4:", ":1", "4:1 3:1", "c4", "x", "99999999999:1"]) {
    assertThrows(() => parseSchedule(text), TypeError, "Expected a schedule");
  }
});
