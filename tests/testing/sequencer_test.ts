/** Sequencer: one order for the steps of several tasks. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BrokenResourceError, checkpoint, Nursery, sleep } from "../../mod.ts";
import { Sequencer } from "../../src/testing/mod.ts";
import { inEveryOrder, rejection } from "../support/world.ts";

inEveryOrder(
  "R55: steps run in the order of their positions, whoever comes first",
  async (world) => {
    const sequencer = new Sequencer();
    await world.loop.run(Nursery.open(function* (nursery) {
      for (const positions of [[1, 4], [3, 5], [0, 2]]) {
        nursery.startSoon(function* () {
          for (const position of positions) {
            const value = yield* sequencer.step(position, function* () {
              world.note(`${position} begins`);
              yield* checkpoint();
              world.note(`${position} ends`);
              return position;
            });
            assertEquals(value, position);
          }
        }());
      }
    }));
    const order = [0, 1, 2, 3, 4, 5].flatMap((i) => [`0 ${i} begins`, `0 ${i} ends`]);
    assertEquals(world.log, order);
  },
);

inEveryOrder(
  "R55: where a step fails or is cancelled, those behind it are told",
  async ({ loop }) => {
    for (const how of ["fail", "cancel"]) {
      const sequencer = new Sequencer();
      const told: unknown[] = [];
      const run = loop.run(Nursery.open(function* (nursery) {
        const first = nursery.startSoon(sequencer.step(0, function* () {
          yield* sleep(1);
          throw new Error("first");
        }));
        nursery.startSoon(function* () {
          try {
            yield* sequencer.step(1);
          } catch (error) {
            told.push(error);
          }
        }());
        yield* sleep(0.5);
        if (how === "cancel") first.cancel();
      }, { exceptionPolicy: "accumulate" }));
      if (how === "fail") await rejection(run);
      else await run;
      assert(told[0] instanceof BrokenResourceError, String(told[0]));
    }
  },
);

Deno.test("R55: a position is a whole number, and is used once", () => {
  const sequencer = new Sequencer();
  // deno-lint-ignore broomio/no-floating-operation -- what it does, or refuses, without being yielded is tested here
  sequencer.step(0);
  assertThrows(() => sequencer.step(0), RangeError, "used twice");
  assertThrows(() => sequencer.step(-1), RangeError, "position");
  assertThrows(() => sequencer.step("1" as unknown as number), TypeError, "position");
  assertThrows(() => sequencer.step(2, 5 as never), TypeError);
});
