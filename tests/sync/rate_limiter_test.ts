/** RateLimiter: so many in a period, in order, and nothing used up by who was cancelled. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Coroutine,
  type ExecutionOrder,
  Loop,
  moveOnAfter,
  RateLimiter,
  select,
  sleep,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import { inEveryOrder, World } from "../support/world.ts";

/** When each of `count` acquires that are asked for at once, one after the other, succeeds. */
function* times(loop: Loop, limiter: RateLimiter, count: number): Coroutine<number[]> {
  const got: number[] = [];
  for (let i = 0; i < count; i++) {
    yield* limiter.acquire();
    got.push(loop.now);
  }
  return got;
}

inEveryOrder("a burst at first, then evenly, so many a period, without drift", async ({ loop }) => {
  const limiter = new RateLimiter({ limit: 4, period: 2, burst: 3 });
  assertEquals(await loop.run(times(loop, limiter, 7)), [0, 0, 0, 0.5, 1, 1.5, 2]);
  const thirds = new RateLimiter({ limit: 3, burst: 1 });
  const begin = loop.now;
  const got = await loop.run(times(loop, thirds, 3001));
  assertEquals(got.at(-1), begin + 1000);
});

inEveryOrder("after a pause the bucket is full again, and no fuller", async ({ loop }) => {
  const limiter = new RateLimiter({ limit: 2, period: 1 });
  await loop.run(function* (): Coroutine {
    yield* times(loop, limiter, 2);
    assertEquals(limiter.statistics(), { available: 0, tasksWaiting: 0 });
    yield* sleep(0.5);
    assertEquals(limiter.statistics().available, 1);
    yield* sleep(100);
    assertEquals(limiter.statistics().available, 2);
    const begin = loop.now;
    assertEquals(yield* times(loop, limiter, 3), [begin, begin, begin + 0.5]);
  }());
});

inEveryOrder(
  "R29: who waits is served first, in order; tryAcquire does not overtake",
  async ({ loop, log }) => {
    const limiter = new RateLimiter({ limit: 1, period: 1 });
    await loop.run(function* (): Coroutine {
      assertEquals(limiter.tryAcquire(), true);
      assertEquals(limiter.tryAcquire(), false);
      for (const i of [1, 2, 3]) {
        loop.startSoon(function* (): Coroutine {
          yield* sleep(i / 100);
          yield* limiter.acquire();
          log.push(`${i} at ${loop.now}`);
        }());
      }
      yield* sleep(0.5);
      assertEquals(limiter.statistics(), { available: 0, tasksWaiting: 3 });
      for (let i = 0; i < 3; i++) {
        yield* sleep(1);
        assertEquals(limiter.tryAcquire(), false);
      }
    }());
    assertEquals(log, ["1 at 1", "2 at 2", "3 at 3"]);
  },
);

inEveryOrder(
  "R30: one cancelled while it waits uses nothing up, and the next moves on",
  async ({ loop, log }) => {
    const limiter = new RateLimiter({ limit: 1, period: 1 });
    const user = function* (name: string, wait: number, patience: number): Coroutine {
      yield* sleep(wait);
      const got = yield* moveOnAfter(patience, function* () {
        yield* limiter.acquire();
        return true;
      });
      log.push(`${name} ${got ? "got it" : "gave up"} at ${loop.now}`);
    };
    loop.startSoon(user("a", 0, 9));
    loop.startSoon(user("b", 0.1, 0.5)); // it was first in line
    loop.startSoon(user("c", 0.2, 9));
    loop.startSoon(user("d", 0.3, 0.9));
    await loop.run();
    assertEquals(log, ["a got it at 0", "b gave up at 0.6", "c got it at 1", "d gave up at 1.2"]);
    assertEquals(limiter.statistics().tasksWaiting, 0);
  },
);

inEveryOrder("with runs its body at the rate; select takes acquire as an arm", async ({ loop }) => {
  const limiter = new RateLimiter({ limit: 1, period: 1 });
  await loop.run(function* (): Coroutine {
    yield* limiter.with(sleep(5));
    assertEquals(
      yield* limiter.with(function* () {
        return loop.now;
      }),
      5,
    );
    const chosen = yield* select({ slot: limiter.acquire(), late: sleep(0.5) });
    assertEquals(chosen.arm, "late");
    assertEquals((yield* select({ slot: limiter.acquire(), late: sleep(9) })).arm, "slot");
    assertEquals(loop.now, 6);
  }());
});

inEveryOrder("R7: waiting for a rate is no deadlock", async ({ loop }) => {
  const limiter = new RateLimiter({ limit: 1, period: { minutes: 1 } });
  await loop.run(times(loop, limiter, 2));
  assertEquals(loop.now, 60);
});

Deno.test("two loops with different clocks cannot share a limiter while it is in use", async () => {
  const limiter = new RateLimiter({ limit: 1, name: "api" });
  await new World().loop.run(limiter.acquire());
  let message = "";
  await new World().loop.run(function* (): Coroutine {
    try {
      yield* limiter.acquire();
    } catch (error) {
      message = (error as Error).message;
    }
  }());
  assertEquals(message, 'rate limiter "api" is in use in a loop with another clock');
});

Deno.test("R2, R40b: a rate limiter refuses wrong options and use outside of tasks", () => {
  type Options = ConstructorParameters<typeof RateLimiter>[0];
  const ranges: Options[] = [
    ...[{ limit: 0 }, { limit: 1.5 }, { limit: Infinity }, { limit: 1, burst: 0 }],
    ...[{ limit: 1, period: 0 }, { limit: 1, period: -1 }, { limit: 1, period: Infinity }],
  ];
  for (const options of ranges) assertThrows(() => new RateLimiter(options), RangeError);
  for (const options of [undefined, null, 5, { limit: "1" }, { limit: 1, name: 5 }]) {
    assertThrows(() => new RateLimiter(options as never), TypeError);
  }
  assertThrows(
    () => new RateLimiter({ limit: 1, interval: 1 } as never),
    TypeError,
    'Unknown option "interval" of RateLimiter()',
  );
  const limiter = new RateLimiter({ limit: 1 });
  assertThrows(() => limiter.tryAcquire(), Error, "outside of any task");
  assertThrows(() => limiter.with(5 as never), TypeError, "Expected a coroutine");
  assertEquals(limiter.statistics(), { available: 1, tasksWaiting: 0 });
});

Deno.test("R30: a rate limiter survives a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const limiter = new RateLimiter({ limit: 1, period: 1 });
    const got: number[] = [];
    function* user(): Coroutine {
      for (let i = 0; i < 3; i++) {
        yield* limiter.acquire();
        got.push(i);
      }
    }
    return {
      victim: user(),
      others: [user(), user()],
      check({ completed }) {
        assert(got.length >= 6, "the others were held up");
        if (completed) assertEquals(got.length, 9);
        assertEquals(limiter.statistics().tasksWaiting, 0);
      },
    };
  });
  assertEquals(waits, 3);
});

Deno.test("random users of a rate limiter agree with a plain model of the bucket", async () => {
  const act = fc.record({
    wait: fc.constantFrom(0, 0, 1, 2, 7),
    patience: fc.constantFrom(0.5, 1.5, 3.5, 99),
    tries: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(act, { maxLength: 6 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom<ExecutionOrder>("fifo", "lifo", "random"),
      fc.nat(),
      async (users, limit, burst, executionOrder, seed) => {
        const loop = new Loop({ host: new VirtualClock(), executionOrder, seed });
        const limiter = new RateLimiter({ limit, period: 6, burst });
        const granted: number[] = [];
        const cancelled: unknown[] = [];
        for (const acts of users) {
          loop.startSoon(function* (): Coroutine {
            for (const { wait, patience, tries } of acts) {
              yield* sleep(wait);
              if (tries) {
                if (limiter.tryAcquire()) granted.push(loop.now);
                continue;
              }
              const got = yield* moveOnAfter(patience, function* () {
                yield* limiter.acquire();
                granted.push(loop.now);
                return true;
              });
              if (!got) cancelled.push(got);
            }
          }());
        }
        await loop.run();
        // In no window of time more than the burst and what was refilled.
        for (let i = 0; i < granted.length; i++) {
          for (let j = i; j < granted.length; j++) {
            const most = burst + (limit * (granted[j] - granted[i])) / 6 + 1e-9;
            assert(j - i + 1 <= most, `${j - i + 1} in ${granted[j] - granted[i]} s: ${granted}`);
          }
        }
        assertEquals(granted, [...granted].sort((a, b) => a - b));
        assertEquals(limiter.statistics().tasksWaiting, 0);
        const asked = users.flat().filter((each) => !each.tries).length;
        assert(granted.length + cancelled.length >= asked);
        if (asked > 0) assert(granted.length > 0, "nobody got anything");
      },
    ),
    { numRuns: 300 },
  );
});
