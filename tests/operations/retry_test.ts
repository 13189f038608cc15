/** retry: attempts, delays, and that it never takes a cancel for a failure. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  Cancelled,
  type Coroutine,
  failAfter,
  Loop,
  moveOnAfter,
  retry,
  RetryError,
  type RetryOptions,
  settle,
  sleep,
  sleepForever,
  TimeoutError,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import { inEveryOrder, nameOf, rejection, World } from "../support/world.ts";

/** Fails `failures` times, then succeeds. */
function flaky(world: World, failures: number) {
  return function* (attempt: number): Coroutine<string> {
    world.note(`attempt ${attempt}`);
    yield* sleep(0.5);
    if (attempt <= failures) throw new Error(`failure ${attempt}`);
    return "done";
  };
}

inEveryOrder("retry tries again after growing delays, and gives the value", async (world) => {
  const { loop, log } = world;
  const told: string[] = [];
  const value = await loop.run(retry(flaky(world, 4), {
    jitter: 0,
    maxTimeout: 5,
    multiplier: 3,
    onRetry: (error, { attempt, delay }) => told.push(`${nameOf(error)}, ${attempt}, ${delay} s`),
  }));
  assertEquals(value, "done");
  assertEquals(log, [
    "0 attempt 1",
    "1.5 attempt 2",
    "5 attempt 3",
    "10.5 attempt 4",
    "16 attempt 5",
  ]);
  assertEquals(told, [
    "Error: failure 1, 1, 1 s",
    "Error: failure 2, 2, 3 s",
    "Error: failure 3, 3, 5 s",
    "Error: failure 4, 4, 5 s",
  ]);
});

inEveryOrder("with the attempts used up it is a RetryError of every error", async (world) => {
  const { loop } = world;
  const result = await loop.run(settle(retry(flaky(world, 9), { maxAttempts: 3 })));
  const error = !result.ok && result.error;
  assert(error instanceof RetryError);
  assert(error instanceof AggregateError);
  assertEquals(error.errors.map(nameOf), [1, 2, 3].map((n) => `Error: failure ${n}`));
  assertEquals([error.attempts, error.cause], [3, error.errors[2]]);
  assertMatch(error.message, /^3 attempts failed; the last: Error: failure 3$/);
  const once = await loop.run(settle(retry(flaky(world, 9), { maxAttempts: 1 })));
  assertMatch(String(!once.ok && once.error), /^RetryError: 1 attempt failed; the last: Error/);
});

inEveryOrder("what is not retriable comes out as itself", async (world) => {
  const { loop, log } = world;
  const isRetriable = (error: unknown) => nameOf(error) !== "Error: failure 2";
  const result = await loop.run(settle(retry(flaky(world, 9), { isRetriable })));
  assertEquals(nameOf(!result.ok && result.error), "Error: failure 2");
  assertEquals(log.length, 2);
});

inEveryOrder(
  "R19: a cancel from outside is never tried again, at whatever moment",
  async (world) => {
    const { loop, log, warnings } = world;
    for (const seconds of [0.2, 0.7, 1.6]) { // in an attempt, in a delay, in another attempt
      log.length = 0;
      const begin = loop.now;
      const body = flaky(world, 99);
      assertEquals(await loop.run(moveOnAfter(seconds, retry(body, { jitter: 0 }))), undefined);
      assertEquals(loop.now - begin, seconds);
      assertEquals(log.length, seconds > 1.5 ? 2 : 1);
    }
    const error = await rejection(loop.run(failAfter(1, retry(() => sleepForever()))));
    assertMatch(String(error), /TimeoutError/);
    assertEquals(warnings, []);
  },
);

inEveryOrder(
  "an error of the cleanup under a cancel comes out, and is no reason to try again",
  async ({ loop }) => {
    let attempts = 0;
    const result = await loop.run(settle(moveOnAfter(
      1,
      retry(function* (): Coroutine {
        attempts++;
        try {
          yield* sleepForever();
        } catch {
          throw new Error("cleanup");
        }
      }),
    )));
    assertEquals([nameOf(!result.ok && result.error), attempts], ["Error: cleanup", 1]);
  },
);

inEveryOrder("a timeout of an attempt is a failure like any other", async ({ loop }) => {
  let attempts = 0;
  const result = await loop.run(settle(retry(function* (): Coroutine<string> {
    if (++attempts === 3) return "done";
    yield* sleep(60);
    return "late";
  }, { timeout: 1, minTimeout: 2, jitter: 0, multiplier: 1 })));
  assertEquals([result, loop.now], [{ ok: true, value: "done" }, 6]);
  const failed = await loop.run(settle(
    retry(() => sleepForever(), { timeout: 1, maxAttempts: 2, minTimeout: 0 }),
  ));
  const { errors } = (!failed.ok && failed.error) as RetryError;
  assertEquals(errors.map((each) => each instanceof TimeoutError), [true, true]);
});

Deno.test("the jitter follows from the seed of the loop, and is within its part of the delay", async () => {
  const delays = async (seed: number, jitter: number) => {
    const got: number[] = [];
    const loop = new Loop({ host: new VirtualClock(), seed });
    await loop.run(settle(retry(function* (): Coroutine {
      throw new Error("x");
    }, {
      jitter,
      maxAttempts: 8,
      multiplier: 1,
      minTimeout: 10,
      onRetry: (_, { delay }) => got.push(delay),
    })));
    return got;
  };
  const first = await delays(1, 0.5);
  assertEquals(first, await delays(1, 0.5));
  assert(first.join() !== (await delays(2, 0.5)).join());
  assert(first.every((delay) => delay >= 5 && delay <= 10), first.join());
  assert(new Set(first).size === first.length);
  assertEquals(await delays(1, 0), Array(7).fill(10));
});

inEveryOrder("R36: the stack of a RetryError shows the user's coroutine", async ({ loop }) => {
  let stack = "";
  await loop.run(function* asking(): Coroutine {
    try {
      yield* retry(() => {
        throw new Error("x");
      }, { maxAttempts: 1 });
    } catch (error) {
      stack = (error as Error).stack!;
    }
  }());
  assertMatch(stack, /^RetryError: 1 attempt failed.*\n.*asking/);
});

inEveryOrder(
  "a callback that fails, or gives what is neither true nor false, ends it",
  async ({ loop }) => {
    const body = () => {
      throw new Error("x");
    };
    const bad: [RetryOptions, RegExp][] = [
      [
        { isRetriable: () => Promise.resolve(false) as unknown as boolean },
        /isRetriable, got a promise/,
      ],
      [{
        isRetriable: () => {
          throw new Error("asked");
        },
      }, /Error: asked/],
      [{
        onRetry: () => {
          throw new Error("told");
        },
      }, /Error: told/],
    ];
    for (const [options, expected] of bad) {
      const result = await loop.run(settle(retry(body, options)));
      assertMatch(String(!result.ok && result.error), expected);
    }
  },
);

Deno.test("R2, R40b: retry refuses wrong arguments at the call", () => {
  const body = () => sleep(1);
  for (const wrong of [null, 5, sleep(1), {}]) {
    assertThrows(() => retry(wrong as never), TypeError, "makes a coroutine for each attempt, got");
  }
  const ranges: RetryOptions[] = [
    ...[{ maxAttempts: 0 }, { maxAttempts: 1.5 }, { multiplier: 0.5 }, { jitter: 2 }, {
      jitter: NaN,
    }],
    ...[{ minTimeout: -1 }, { maxTimeout: NaN }, { timeout: -1 }, { minTimeout: 5, maxTimeout: 1 }],
  ];
  for (const options of ranges) assertThrows(() => retry(body, options), RangeError);
  const kinds = [
    ...[{ maxAttempts: "3" }, { minTimeout: "1" }, { isRetriable: 5 }, { onRetry: {} }],
    ...[{ jitter: null }, null, 5, []],
  ];
  for (const options of kinds) assertThrows(() => retry(body, options as never), TypeError);
  assertThrows(
    () => retry(body, { retries: 3 } as never),
    TypeError,
    'Unknown option "retries" of retry(): the nearest known one is "',
  );
  // deno-lint-ignore broomio/no-floating-operation -- what it does, or refuses, without being yielded is tested here
  retry(body, { maxAttempts: Infinity, maxTimeout: Infinity });
});

Deno.test("R30: retry survives a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    let open = 0;
    let attempts = 0;
    return {
      victim: retry(function* (): Coroutine {
        attempts++;
        open++;
        try {
          yield* sleep(1);
          if (attempts < 4) throw new Error("x");
        } catch (error) {
          assert(error instanceof Cancelled || attempts < 4);
          throw error;
        } finally {
          open--;
        }
      }, { minTimeout: 1 }),
      check({ completed, state }) {
        assertEquals(open, 0);
        if (completed) assertEquals(attempts, 4);
        else assertEquals(state === "cancelled" || attempts === 4, true);
      },
    };
  });
  assert(waits >= 6, `only ${waits} waits`);
});
