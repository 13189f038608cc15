/** settle, any and allSettled: how several ended, and that none of them swallows a cancel (R19, R20). */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  allSettled,
  any,
  type Coroutine,
  currentTask,
  moveOnAfter,
  type Operation,
  settle,
  shield,
  sleep,
  type Task,
} from "../../mod.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import { inEveryOrder, nameOf } from "../support/world.ts";

inEveryOrder("settle gives the value or the error, whatever is thrown", async (world) => {
  await world.loop.run(function* (): Coroutine {
    assertEquals(yield* settle(world.sleeper("a", 1)), { ok: true, value: "a" });
    for (const thrown of [new Error("x"), null, undefined, Object.create(null), 5n]) {
      const result = yield* settle(function* (): Coroutine {
        yield* sleep(1);
        throw thrown;
      });
      assertEquals(Object.is(!result.ok && result.error, thrown), true);
    }
    const early = yield* settle(() => {
      throw new Error("before it began");
    });
    assertEquals(nameOf(!early.ok && early.error), "Error: before it began");
  }());
});

inEveryOrder(
  "R19: a cancel from outside passes through settle, any and allSettled",
  async (world) => {
    const { loop, log } = world;
    await loop.run(function* (): Coroutine {
      const operations: Operation<unknown>[] = [
        settle(world.sleeper("settle", 9)),
        any([world.sleeper("any", 9), world.failing("x", 0.5)]),
        allSettled([world.sleeper("allSettled", 9), world.failing("y", 0.5)]),
      ];
      for (const operation of operations) {
        assertEquals(yield* moveOnAfter(1, operation), undefined);
      }
    }());
    assertEquals(log.filter((line) => line.includes("Cancelled")), [
      "1 settle Cancelled",
      "2 any Cancelled",
      "3 allSettled Cancelled",
    ]);
  },
);

inEveryOrder("any gives the first success; errors before it do not count", async (world) => {
  const { loop, log } = world;
  const winner = await loop.run(any([
    world.failing("boom", 1),
    world.sleeper("slow", 9),
    () => world.sleeper("quick", 2),
    () => {
      throw new Error("before it began");
    },
  ]));
  assertEquals(winner, "quick");
  assertEquals(log, ["1 boom fails", "2 quick slept", "2 slow Cancelled"]);
});

inEveryOrder("any: when all fail, the errors come in the order of the bodies", async (world) => {
  let quitter: Task | undefined;
  const result = await world.loop.run(settle(any([
    world.failing("late", 3),
    function* (): Coroutine {
      quitter = yield* currentTask();
      quitter.cancel();
      yield* sleep(1);
    },
    world.failing("early", 1),
  ])));
  const error = (!result.ok && result.error) as AggregateError;
  assertEquals(error.constructor, AggregateError);
  assertEquals(error.errors.map((each) => nameOf(each).slice(0, 18)), [
    "Error: late",
    "TaskCancelledError",
    "Error: early",
  ]);
  assertEquals(error.message, "None succeeded (3 errors)");
});

inEveryOrder("any of nothing fails at once", async ({ loop }) => {
  const result = await loop.run(settle(any([])));
  const error = (!result.ok && result.error) as AggregateError;
  assertEquals(error.message, "any() of nothing cannot succeed (0 errors)");
  assertEquals([error.errors, loop.now], [[], 0]);
});

inEveryOrder("allSettled waits for all, and keeps the form it was given", async (world) => {
  const { loop } = world;
  const error = new Error("boom");
  function* failing(): Coroutine<number> {
    yield* sleep(1);
    throw error;
  }
  await loop.run(function* (): Coroutine {
    const [a, b] = yield* allSettled([world.sleeper("a", 3), failing]);
    assertEquals(a, { ok: true, value: "a" });
    assertEquals(b, { ok: false, error });
    assertEquals(loop.now, 3);
    const record = yield* allSettled({ b: failing(), a: world.sleeper("a", 1) });
    assertEquals(Object.keys(record), ["b", "a"]);
    assertEquals(record.a, { ok: true, value: "a" });
    const map = yield* allSettled(new Map([["x", failing()]]));
    assertEquals(map.get("x"), { ok: false, error });
    assertEquals(yield* allSettled([]), []);
  }());
});

Deno.test("R2: settle refuses what is no body", () => {
  for (const wrong of [null, 5, "x", Promise.resolve(), []]) {
    assertThrows(() => settle(wrong as never), TypeError, "Expected a coroutine or a function*");
  }
});

Deno.test("R30: settle, any and allSettled survive a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    let open = 0;
    function* working(seconds: number, error?: Error): Coroutine<number> {
      open++;
      try {
        yield* sleep(seconds);
        if (error) throw error;
        return seconds;
      } finally {
        yield* shield(sleep(1));
        open--;
      }
    }
    const boom = new Error("boom");
    const log: unknown[] = [];
    return {
      victim: function* (): Coroutine {
        log.push(yield* settle(working(1)));
        log.push(yield* settle(working(1, boom)));
        log.push(yield* any([working(1, boom), working(2), working(9)]));
        log.push(yield* allSettled([working(1, boom), working(2)]));
        log.push((yield* settle(any([working(1, boom)]))).ok);
      }(),
      others: [sleep(20)],
      check({ completed, state }) {
        assertEquals(open, 0);
        assert(completed ? state === "succeeded" : state !== "failed", state);
        const all = [
          { ok: true, value: 1 },
          { ok: false, error: boom },
          2,
          [{ ok: false, error: boom }, { ok: true, value: 2 }],
          false,
        ];
        assertEquals(log, all.slice(0, log.length));
        if (completed) assertEquals(log.length, all.length);
      },
    };
  });
  assert(waits >= 7, `only ${waits} waits`);
});
