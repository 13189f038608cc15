/** Rules R8, R24 and R25: sleeping, and bodies with a time limit. */
// deno-lint-ignore-file broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Cancelled,
  CancelScope,
  type Coroutine,
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  Nursery,
  type Operation,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  TimeoutError,
} from "../../mod.ts";
import { inEveryOrder, leavesOf, nameOf, rejection, World } from "../support/world.ts";

inEveryOrder("R8: sleepers wake in the order of their times", async (world) => {
  const { loop, log } = world;
  for (const seconds of [3, 1, 2, 0.5]) loop.startSoon(world.sleeper(`${seconds}`, seconds));
  await loop.run();
  assertEquals(log, ["0.5 0.5 slept", "1 1 slept", "2 2 slept", "3 3 slept"]);
});

Deno.test("R8: timers due at the same instant fire in the order they were set", async () => {
  const { loop, log } = new World();
  for (const name of "abcdefghij") {
    loop.startSoon(function* (): Coroutine {
      yield* sleepUntil(5);
      log.push(name);
    }());
  }
  await loop.run();
  assertEquals(log.join(""), "abcdefghij");
});

inEveryOrder(
  "sleep takes seconds or units; sleepUntil a time, which may have passed; both are checkpoints",
  async (world) => {
    const { loop, log } = world;
    await loop.run(function* (): Coroutine {
      yield* sleep({ minutes: 1, milliseconds: 500 });
      world.note("sleep");
      yield* sleepUntil(70);
      world.note("sleepUntil");
      let others = 0;
      for (const wait of [() => sleep(0), () => sleepUntil(3), () => sleepUntil(-Infinity)]) {
        loop.startSoon(function* (): Coroutine {
          others++;
        }());
        yield* wait();
        yield* wait(); // in any order, the other has run by now
      }
      assertEquals(others, 3);
      world.note("checkpoints");
    }());
    assertEquals(log, ["60.5 sleep", "70 sleepUntil", "70 checkpoints"]);
  },
);

inEveryOrder(
  "sleepForever ends only by a cancel; sleep(Infinity) and sleepUntil(Infinity) are the same",
  async (world) => {
    for (const wait of [() => sleepForever(), () => sleep(Infinity), () => sleepUntil(Infinity)]) {
      const start = world.loop.now;
      await world.loop.run(moveOnAfter(1000, wait() as Operation<unknown> as Coroutine));
      assertEquals(world.loop.now - start, 1000);
    }
  },
);

Deno.test("R24: NaN and negative durations are RangeErrors, what is no duration a TypeError, where they are written", () => {
  for (const bad of [NaN, -1, -0.001, { seconds: -1 }]) {
    assertThrows(() => sleep(bad), RangeError, "Expected a duration of at least 0 seconds, got");
    assertThrows(() => moveOnAfter(bad, sleep(1)), RangeError);
    assertThrows(() => failAfter(bad, sleep(1)), RangeError);
    assertThrows(() => Nursery.open(sleep(1), { timeout: bad }), RangeError);
  }
  for (
    const use of [
      sleepUntil,
      (t: number) => moveOnAt(t, sleep(1)),
      (t: number) => failAt(t, sleep(1)),
    ]
  ) {
    assertThrows(() => use(NaN), RangeError, "Expected a number, got NaN (deadline");
    assertThrows(() => use("1" as unknown as number), TypeError);
  }
  for (const bad of ["1", null, undefined, {}, { weeks: 1 }]) {
    assertThrows(() => sleep(bad as unknown as number), TypeError);
  }
});

// moveOnAfter

inEveryOrder(
  "R25: moveOnAfter gives the value, or undefined where the time ran out",
  async (world) => {
    const { loop } = world;
    assertEquals(await loop.run(moveOnAfter(2, world.sleeper("quick", 1))), "quick");
    assertEquals(await loop.run(moveOnAfter(2, world.sleeper("slow", 9))), undefined);
    assertEquals(await loop.run(moveOnAt(5, world.sleeper("until 5", 9))), undefined);
    assertEquals(world.log, ["1 quick slept", "3 slow Cancelled", "5 until 5 Cancelled"]);
  },
);

inEveryOrder(
  "R25: moveOnAfter gives the value of a body that swallowed its cancellation",
  async ({ loop }) => {
    const value = await loop.run(moveOnAfter(1, function* () {
      try {
        yield* sleepForever();
      } catch {
        return "fallback";
      }
    }));
    assertEquals(value, "fallback");
  },
);

inEveryOrder("R25: moveOnAfter lets errors pass", async (world) => {
  const error = await rejection(world.loop.run(moveOnAfter(2, world.failing("boom", 1))));
  assertEquals(leavesOf(error).map(nameOf), ["Error: boom"]);
});

inEveryOrder("R25: moveOnAfter's scope can be moved from inside", async (world) => {
  const { loop } = world;
  const value = await loop.run(moveOnAfter(2, function* (scope) {
    yield* sleep(1);
    scope.deadline += 5;
    return yield* world.sleeper("extended", 4);
  }));
  assertEquals(value, "extended");
});

// failAfter

inEveryOrder(
  "R25: failAfter gives the value, or throws TimeoutError where the time ran out",
  async (world) => {
    const { loop } = world;
    assertEquals(await loop.run(failAfter(2, world.sleeper("quick", 1))), "quick");
    await loop.run(function* waiter(): Coroutine {
      for (
        const [limited, message] of [
          [() => failAfter({ milliseconds: 2000 }, sleepForever()), "Not done within 2 s"],
          [() => failAt(loop.now + 2, sleepForever()), "Not done at 5 s"],
        ] as const
      ) {
        try {
          yield* limited() as Coroutine;
          world.note("not here");
        } catch (error) {
          assert(error instanceof TimeoutError);
          assertEquals(error.message, `${message}\n  main: sleeping forever, for 2.0 s`);
          assertMatch(error.stack!, /^TimeoutError: Not done .*\n.*\n +at .*sleep_test/);
        }
      }
    }());
    assertEquals(loop.now, 5);
  },
);

inEveryOrder(
  "R25: failAfter throws also where the body swallowed the expiry and returned a value",
  async ({ loop }) => {
    const error = await rejection(loop.run(failAfter(1, function* () {
      try {
        yield* sleepForever();
      } catch {
        return "fallback";
      }
    })));
    assert(error instanceof TimeoutError);
  },
);

inEveryOrder(
  "R25: a body that ends without waiting again after the deadline has simply succeeded",
  async ({ loop }) => {
    for (const limit of [failAfter, moveOnAfter]) {
      const value = await loop.run(limit(1, function* () {
        yield* shield(sleep(5)); // past the deadline, and not cancelled
        return "late but done";
      }));
      assertEquals(value, "late but done");
    }
  },
);

inEveryOrder("R25: an outer scope's expiry is not reported as failAfter's own", async (world) => {
  const { loop, log } = world;
  await loop.run(function* (): Coroutine {
    yield* moveOnAfter(1, function* () {
      try {
        yield* failAfter(5, sleepForever());
      } catch (error) {
        world.note(`inner sees ${nameOf(error)}`);
        throw error;
      }
    });
    world.note("moved on");
    try {
      yield* failAfter(1, function* () {
        yield* failAfter(5, sleepForever());
      });
    } catch (error) {
      world.note(nameOf(error));
    }
  }());
  assertEquals(log, [
    "1 inner sees Cancelled",
    "1 moved on",
    "2 TimeoutError: Not done within 1 s\n  main: sleeping forever, for 1.0 s",
  ]);
});

inEveryOrder(
  "R25: where both expire at one instant, the outer is what is reported",
  async (world) => {
    const { loop, log } = world;
    await loop.run(function* (): Coroutine {
      const value = yield* moveOnAfter(1, function* () {
        try {
          yield* failAfter(1, sleepForever());
        } catch (error) {
          world.note(nameOf(error));
          throw error;
        }
        return "value";
      });
      world.note(`${value}`);
    }());
    assertEquals(log, ["1 Cancelled", "1 undefined"]);
  },
);

inEveryOrder(
  "R25: an error that the body throws itself passes unchanged, also after the expiry",
  async ({ loop }) => {
    const boom = new RangeError("boom");
    for (const late of [false, true]) {
      const error = await rejection(loop.run(failAfter(1, function* () {
        try {
          if (late) yield* sleepForever();
        } finally {
          // deno-lint-ignore no-unsafe-finally -- what is tried here
          throw boom;
        }
      })));
      assertStrictEquals(error, boom);
    }
  },
);

inEveryOrder("R25: failAfter with 0 fails at the first wait, and not before", async ({ loop }) => {
  assertEquals(
    await loop.run(failAfter(0, function* () {
      return "no wait";
    })),
    "no wait",
  );
  const error = await rejection(loop.run(failAfter(0, sleep(0))));
  assert(error instanceof TimeoutError);
});

inEveryOrder(
  "R25: a nursery in failAfter: its children are cancelled, and the TimeoutError comes out plain",
  async (world) => {
    const { loop, log } = world;
    await loop.run(function* (): Coroutine {
      try {
        yield* failAfter(
          1,
          Nursery.open(function* (nursery) {
            nursery.startSoon(world.sleeper("child", 9));
          }),
        );
      } catch (error) {
        world.note(nameOf(error));
      }
    }());
    assertEquals(log, [
      "1 child Cancelled",
      "1 TimeoutError: Not done within 1 s\n" +
      "  main: waiting for 1 child, for 1.0 s\n" +
      "    #2: sleeping for 9 s, for 1.0 s",
    ]);
  },
);

inEveryOrder(
  "R24: inside a cancel, the reason tells a deadline from a call",
  async ({ loop, log }) => {
    for (const scope of [moveOnAfter(1, probe), CancelScope.open(probe, { timeout: 9 })]) {
      await loop.run(function* (): Coroutine {
        yield* scope;
      }());
    }
    assertEquals(log, ["TimeoutError", "TimeoutError"]);
    function* probe(): Coroutine {
      try {
        yield* sleepForever();
      } catch (error) {
        assert(error instanceof Cancelled);
        log.push((error.reason as Error).name);
        throw error;
      }
    }
  },
);

Deno.test("R8: time is monotonic and comes from the host", async () => {
  const { loop, clock } = new World();
  assertEquals(loop.now, 0);
  await loop.run(sleep(3600));
  assertEquals(loop.now, 3600);
  clock.advance(5);
  assertEquals(loop.now, 3605);
});
