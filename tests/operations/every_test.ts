/** every: exact times, no drift, and what becomes of times that were missed. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Coroutine, every, moveOnAfter, settle, sleep } from "../../mod.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import { inEveryOrder, nameOf } from "../support/world.ts";

inEveryOrder(
  "every runs its body at exact times, and ends with false or a cancel",
  async (world) => {
    const { loop, log } = world;
    await loop.run(every(0.1, (n) => {
      log.push(`${n} at ${loop.now}`);
      if (n === 3) return false;
    }));
    assertEquals(log.splice(0), ["1 at 0.1", "2 at 0.2", "3 at 0.30000000000000004"]);
    const begin = loop.now;
    await loop.run(moveOnAfter(
      2.5,
      every({ seconds: 1 }, function* (n): Coroutine {
        log.push(`${n} at ${(loop.now - begin).toFixed(6)}`);
        yield* sleep(0.25);
      }, { immediate: true }),
    ));
    assertEquals(log, ["0 at 0.000000", "1 at 1.000000", "2 at 2.000000"]);
  },
);

inEveryOrder("every: no drift in a million periods", async ({ loop }) => {
  let last = 0;
  await loop.run(every(0.001, (n) => {
    last = loop.now;
    if (n === 10_000) return false;
  }));
  assertEquals(last, 10);
});

inEveryOrder(
  "every: a time that comes while the body runs is skipped, or made up for",
  async ({ loop }) => {
    for (
      const [overlap, expected] of [
        ["skip", ["1 at 1", "4 at 4", "5 at 5", "6 at 6"]],
        ["queue", ["1 at 1", "2 at 3.5", "3 at 3.5", "4 at 4", "5 at 5", "6 at 6"]],
      ] as const
    ) {
      const log: string[] = [];
      const begin = loop.now;
      await loop.run(every(1, function* (n): Coroutine<false | void> {
        log.push(`${n} at ${loop.now - begin}`);
        if (n === 1) yield* sleep(2.5);
        if (n === 6) return false;
      }, { overlap }));
      assertEquals(log, [...expected]);
    }
  },
);

inEveryOrder("every: an error of the body ends it", async (world) => {
  const result = await world.loop.run(settle(every(1, () => world.failing("boom", 1))));
  assertEquals(nameOf(!result.ok && result.error), "Error: boom");
  const promised = await world.loop.run(settle(every(1, (() => Promise.resolve()) as never)));
  assertEquals(nameOf(!promised.ok && promised.error).includes("not an async function"), true);
});

Deno.test("R2, R40b: every refuses wrong arguments at the call", () => {
  for (const period of [0, -1, NaN]) assertThrows(() => every(period, () => {}), RangeError);
  for (const period of ["1", null, {}]) {
    assertThrows(() => every(period as never, () => {}), TypeError, "period of every()");
  }
  for (const body of [null, 5, sleep(1)]) {
    assertThrows(() => every(1, body as never), TypeError, "body of every()");
  }
  assertThrows(
    () => every(1, () => {}, { overlap: "drop" } as never),
    RangeError,
    '"skip" or "queue"',
  );
  assertThrows(() => every(1, () => {}, { immediate: 1 } as never), TypeError, "a boolean, got 1");
  assertThrows(() => every(1, () => {}, { imediate: true } as never), TypeError, '"immediate"');
});

Deno.test("R30: every survives a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    let inside = 0;
    let runs = 0;
    return {
      victim: every(1, function* (n): Coroutine<false | void> {
        inside++;
        try {
          yield* sleep(0.5);
        } finally {
          inside--;
        }
        runs = n;
        if (n === 3) return false;
      }),
      check({ completed }) {
        assertEquals(inside, 0);
        if (completed) assertEquals(runs, 3);
      },
    };
  });
  assert(waits >= 6, `only ${waits} waits`);
});
