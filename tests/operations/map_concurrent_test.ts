/** mapConcurrent, asCompleted, and forEach with concurrency. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  all,
  asCompleted,
  CapacityLimiter,
  checkpoint,
  type Coroutine,
  currentTask,
  type ExecutionOrder,
  Loop,
  mapConcurrent,
  moveOnAfter,
  Nursery,
  NurseryError,
  openChannel,
  type Operation,
  RateLimiter,
  Semaphore,
  settle,
  sleep,
  TaskCancelledError,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import { inEveryOrder, nameOf, rejection } from "../support/world.ts";

/** An iterator that says what is done with it. */
class Numbers implements IterableIterator<number> {
  pulled = 0;
  returned = 0;
  readonly #count: number;
  readonly #throwAt: number;

  constructor(count: number, throwAt = Infinity) {
    this.#count = count;
    this.#throwAt = throwAt;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<number, undefined> {
    if (this.pulled === this.#count) return { done: true, value: undefined };
    if (++this.pulled === this.#throwAt) throw new Error("input failed");
    return { done: false, value: this.pulled };
  }

  return(): IteratorResult<number, undefined> {
    this.returned++;
    return { done: true, value: undefined };
  }
}

/** The same as an async iterator. */
function asAsync(numbers: Numbers): AsyncIterable<number> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise((resolve) => resolve(numbers.next())),
      return: () => Promise.resolve(numbers.return()),
    }),
  };
}

inEveryOrder("results come in the order of the items, so many mapped at a time", async (world) => {
  const { loop } = world;
  for (const [limit, end] of [[1, 15], [2, 9], [5, 5], [Infinity, 5]]) {
    let active = 0;
    let most = 0;
    const begin = loop.now;
    const results = await loop.run(mapConcurrent([5, 1, 4, 2, 3], function* (n, index) {
      most = Math.max(most, ++active);
      yield* sleep(n);
      active--;
      return `${index}: ${n}`;
    }, { concurrency: limit }));
    assertEquals(results, ["0: 5", "1: 1", "2: 4", "3: 2", "4: 3"]);
    assertEquals(most, Math.min(limit, 5));
    if (limit !== 2) assertEquals(loop.now - begin, end);
  }
});

inEveryOrder("an item is pulled only when a slot is free for it", async ({ loop }) => {
  const numbers = new Numbers(10);
  const pulledAt: number[] = [];
  await loop.run(mapConcurrent(numbers, function* (n) {
    pulledAt.push(loop.now);
    assert(numbers.pulled <= 2 + Math.floor(loop.now) * 2, `${numbers.pulled} at ${loop.now}`);
    yield* sleep(1);
    return n;
  }, { concurrency: 2 }));
  assertEquals(pulledAt, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  assertEquals([numbers.pulled, numbers.returned], [10, 0]);
});

for (const order of ["fifo", "lifo", "random"] as const) {
  Deno.test(`as many tasks as slots do the work where the items are at hand (${order})`, async () => {
    for (const limit of [1, 2, 8]) {
      let started = 0;
      const loop = new Loop({
        host: new VirtualClock(),
        executionOrder: order,
        instruments: [{ taskStarted: () => void started++ }],
      });
      await loop.run(mapConcurrent(new Numbers(100), function* (n) {
        if (n % 3 > 0) yield* checkpoint();
        if (n % 5 === 0) yield* sleep(n % 7);
      }, { concurrency: limit }));
      assertEquals(started, 1 + limit); // and main
    }
  });
}

inEveryOrder(
  "after a failure nothing is pulled, the others are cancelled, the input is closed",
  async (world) => {
    const { loop, log } = world;
    for (const numbers of [new Numbers(100), new Numbers(100)]) {
      const items = numbers.returned === 0 && log.length === 0 ? numbers : asAsync(numbers);
      log.length = 0;
      const begin = loop.now;
      const result = await loop.run(settle(mapConcurrent(items, function* (n) {
        if (n === 3) return yield* world.failing("boom", 1);
        return yield* world.sleeper(`${n}`, 9);
      }, { concurrency: 3 })));
      assertEquals(nameOf(!result.ok && result.error), "Error: boom");
      assertEquals(loop.now - begin, 1);
      assertEquals(log.filter((line) => line.includes("Cancelled")).length, 2);
      assertEquals([numbers.pulled, numbers.returned], [3, 1]);
    }
  },
);

inEveryOrder(
  "R3: several failures come out as one NurseryError, one as itself",
  async ({ loop }) => {
    const result = await loop.run(settle(mapConcurrent([1, 2, 3], function* (n): Coroutine {
      try {
        yield* sleep(n === 1 ? 1 : 9);
      } finally {
        // deno-lint-ignore no-unsafe-finally
        throw new Error(`${n}`);
      }
    })));
    const error = !result.ok && result.error;
    assert(error instanceof NurseryError);
    assertEquals(error.flatten().map(nameOf).sort(), ["Error: 1", "Error: 2", "Error: 3"]);
  },
);

inEveryOrder("an input that throws ends it, and is not closed again", async ({ loop, log }) => {
  for (const wrap of [(n: Numbers) => n, asAsync]) {
    const numbers = new Numbers(10, 3);
    const result = await loop.run(settle(mapConcurrent(wrap(numbers), function* (n) {
      try {
        yield* sleep(9);
      } finally {
        log.push(`${n} ended`);
      }
    }, { concurrency: 5 })));
    assertEquals(nameOf(!result.ok && result.error), "Error: input failed");
    assertEquals([numbers.pulled, numbers.returned], [3, 0]);
    assertEquals(log.splice(0).sort(), ["1 ended", "2 ended"]);
  }
});

inEveryOrder(
  "cancelled, it closes its input; so does a receiver that it did not read to the end",
  async ({ loop }) => {
    const numbers = new Numbers(10);
    await loop.run(moveOnAfter(1.5, mapConcurrent(numbers, () => sleep(1), { concurrency: 1 })));
    assertEquals([numbers.pulled, numbers.returned], [2, 1]);
    const { sender, receiver } = openChannel<number>(10);
    for (let i = 0; i < 5; i++) sender.trySend(i);
    await loop.run(moveOnAfter(1.5, mapConcurrent(receiver, () => sleep(1), { concurrency: 1 })));
    assertEquals(sender.statistics().openReceivers, 0);
    const ended = openChannel<number>(10);
    for (let i = 0; i < 5; i++) ended.sender.trySend(i);
    ended.sender.close();
    const results = await loop.run(mapConcurrent(ended.receiver, function* (n) {
      yield* sleep(1);
      return n;
    }, { concurrency: 2 }));
    assertEquals(results, [0, 1, 2, 3, 4]);
    assertEquals(ended.receiver.statistics().openReceivers, 1);
  },
);

inEveryOrder(
  "a limiter is acquired and released by the task that does the item",
  async ({ loop }) => {
    const limiter = new CapacityLimiter(2);
    let active = 0;
    const work = function* (n: number): Coroutine<number> {
      assert(++active <= 2);
      assert(limiter.borrowed <= 2);
      yield* sleep(1);
      active--;
      return n;
    };
    await loop.run(Nursery.open(function* (nursery) { // shared by two
      for (let i = 0; i < 2; i++) {
        nursery.startSoon(mapConcurrent([1, 2, 3], work, { concurrency: limiter }));
      }
    }));
    assertEquals([loop.now, limiter.borrowed, limiter.statistics().tasksWaiting], [3, 0, 0]);
    const semaphore = new Semaphore(1);
    await loop.run(mapConcurrent([1, 2], work, { concurrency: semaphore }));
    assertEquals(semaphore.statistics(), { value: 1, tasksWaiting: 0 });
  },
);

inEveryOrder("a rate limiter as concurrency starts so many a second", async ({ loop }) => {
  const starts: number[] = [];
  const concurrency = new RateLimiter({ limit: 2, period: 1, burst: 1 });
  await loop.run(mapConcurrent([1, 2, 3, 4], function* () {
    starts.push(loop.now);
    yield* sleep(5);
  }, { concurrency }));
  assertEquals(starts, [0, 0.5, 1, 1.5]);
});

inEveryOrder(
  "R5: mappers that never wait over an input without an end are cut by a deadline",
  async () => {
    const loop = new Loop(); // real time
    const numbers = new Numbers(Infinity);
    for (const concurrency of [1, 4]) {
      await loop.run(moveOnAfter(0.02, mapConcurrent(numbers, function* () {}, { concurrency })));
    }
    assertEquals(numbers.returned, 2);
  },
);

inEveryOrder("R33: results that nobody gets are disposed", async (world) => {
  let closed = 0;
  await world.loop.run(settle(mapConcurrent([1, 2, 3], function* (n) {
    if (n === 3) yield* world.failing("boom", 2);
    yield* sleep(1);
    return { [Symbol.dispose]: () => void closed++ };
  })));
  assertEquals(closed, 2);
});

inEveryOrder(
  "asCompleted gives each result as soon as it is ready, with its index",
  async (world) => {
    const { loop, log } = world;
    const results = asCompleted([3, 1, 2], function* (n) {
      yield* sleep(n);
      return n;
    });
    await loop.run(results.forEach((n, index) => void log.push(`${n} (${index}) at ${loop.now}`)));
    assertEquals(log, ["1 (1) at 1", "2 (2) at 2", "3 (0) at 3"]);
  },
);

inEveryOrder("asCompleted: a slow body slows the mappers down", async ({ loop }) => {
  const numbers = new Numbers(10);
  const results = asCompleted(numbers, function* (n) {
    yield* checkpoint();
    return n;
  }, { concurrency: 2 });
  const got: number[] = [];
  await loop.run(results.forEach(function* (n): Coroutine {
    got.push(n);
    yield* sleep(1);
    assert(numbers.pulled <= got.length + 3, `${numbers.pulled} pulled, ${got.length} taken`);
  }));
  assertEquals(got.sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assertEquals(loop.now, 10);
});

inEveryOrder(
  "asCompleted ends with false, an error of its body, or a cancel, and cleans up",
  async (world) => {
    const { loop } = world;
    for (const how of ["false", "error", "cancel"]) {
      const numbers = new Numbers(100);
      let closed = 0;
      let opened = 0;
      const results = asCompleted(numbers, function* (n) {
        yield* sleep(n % 2);
        opened++;
        return { n, [Symbol.dispose]: () => void closed++ };
      }, { concurrency: 3 });
      let taken = 0;
      const outcome = await loop.run(
        settle(moveOnAfter(
          2.5,
          results.forEach(function* (result): Coroutine<false | void> {
            taken++;
            if (result.n < 5) return;
            if (how === "false") return false;
            if (how === "error") throw new Error("enough");
            yield* sleep(9);
          }),
        )),
      );
      if (how === "error") assertEquals(nameOf(!outcome.ok && outcome.error), "Error: enough");
      else assertEquals(outcome.ok, true);
      assertEquals(numbers.returned, 1);
      assertEquals(opened - taken, closed, "what was not taken was disposed");
    }
  },
);

inEveryOrder(
  "forEach of a receiver runs so many bodies at a time, and leaves it open",
  async ({ loop }) => {
    const { sender, receiver } = openChannel<number>(10);
    for (let i = 0; i < 6; i++) sender.trySend(i);
    sender.close();
    let active = 0;
    let most = 0;
    const got: number[] = [];
    await loop.run(receiver.forEach(function* (n): Coroutine {
      most = Math.max(most, ++active);
      yield* sleep(1);
      got.push(n);
      active--;
    }, { concurrency: 3 }));
    assertEquals([most, loop.now, got.length], [3, 2, 6]);
    assertEquals(receiver.statistics().openReceivers, 1);
  },
);

inEveryOrder(
  "R18: a forEach that is ended by false receives no more, and finishes what it has",
  async ({ loop }) => {
    const { sender, receiver } = openChannel<number>(10);
    for (let i = 0; i < 3; i++) sender.trySend(i);
    const finished: number[] = [];
    await loop.run(receiver.forEach(function* (n): Coroutine<false | void> {
      yield* sleep(n + 1);
      finished.push(n);
      if (n === 1) return false;
    }, { concurrency: 5 })); // one more waits for a value, which never comes
    assertEquals(finished, [0, 1, 2]);
    sender.trySend(7);
    assertEquals(receiver.tryReceive(), 7, "nothing was taken and lost");
  },
);

Deno.test("R2, R40b: wrong arguments are refused at the call", () => {
  const { receiver } = openChannel<number>(1);
  function* work(): Coroutine {}
  for (const items of [null, 5, "text", {}, () => {}, Promise.resolve([])]) {
    for (const map of [mapConcurrent, asCompleted]) {
      assertThrows(
        () => map(items as never, work),
        TypeError,
        "Expected an iterable, an async iterable or a receiver, got",
      );
    }
  }
  for (const mapper of [null, {}, "x", work()]) {
    assertThrows(() => mapConcurrent([1], mapper as never), TypeError, "mapper of mapConcurrent()");
    assertThrows(() => asCompleted([1], mapper as never), TypeError, "mapper of asCompleted()");
    assertThrows(() => asCompleted([1], work).forEach(mapper as never), TypeError, "forEach()");
  }
  for (const concurrency of [0, -1, 1.5, NaN]) {
    assertThrows(() => mapConcurrent([1], work, { concurrency }), RangeError, "concurrency of");
    assertThrows(() => receiver.forEach(work, { concurrency }), RangeError, "concurrency of");
  }
  for (const concurrency of ["2", null, {}, { acquire() {} }]) {
    const options = { concurrency } as never;
    assertThrows(
      () => mapConcurrent([1], work, options),
      TypeError,
      "with acquire() and release()",
    );
  }
  const unknown = { limit: 3 } as never;
  assertThrows(() => mapConcurrent([1], work, unknown), TypeError, 'Unknown option "limit"');
  assertThrows(() => receiver.forEach(work, unknown), TypeError, 'known one is "concurrency"');
});

inEveryOrder("a mapper that is an async function is an error that says so", async ({ loop }) => {
  const result = await loop.run(settle(
    mapConcurrent([1], (() => Promise.resolve(1)) as never),
  ));
  assertEquals(
    nameOf(!result.ok && result.error),
    "TypeError: Expected a coroutine from the mapper: make it a function*, got a promise (mapConcurrent())",
  );
});

Deno.test("R30: mapConcurrent, asCompleted and forEach survive a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const inputs = [new Numbers(4), new Numbers(4)];
    const { sender, receiver } = openChannel<number>(1);
    const limiter = new CapacityLimiter(2);
    let active = 0;
    const received: number[] = [];
    function* work(n: number): Coroutine<number> {
      assert(++active <= 2, "too many");
      try {
        yield* sleep(n);
      } finally {
        active--;
      }
      return n;
    }
    return {
      victim: function* (): Coroutine {
        yield* mapConcurrent(inputs[0], work, { concurrency: limiter });
        yield* asCompleted(inputs[1], work, { concurrency: 2 }).forEach(() => sleep(1));
        yield* receiver.forEach(function* (n): Coroutine {
          received.push(n);
          yield* sleep(1);
        }, { concurrency: 2 });
      }(),
      others: [function* (): Coroutine {
        for (let i = 0; i < 3; i++) {
          if ((yield* moveOnAfter(30, sender.send(i))) === undefined) continue;
        }
        sender.close();
      }()],
      check({ completed }) {
        assertEquals(active, 0);
        assertEquals(limiter.statistics().tasksWaiting + limiter.borrowed, 0);
        for (const input of inputs) {
          assert(input.returned === (input.pulled > 0 && input.pulled < 4 ? 1 : input.returned));
          assert(input.returned <= 1);
        }
        assertEquals(receiver.statistics().waitingReceivers, 0);
        if (completed) assertEquals(received, [0, 1, 2]);
      },
    };
  });
  assert(waits >= 3, `only ${waits} waits`);
});

Deno.test("random maps agree with a plain model: results, order of the beginnings, slots", async () => {
  const item = fc.record({ seconds: fc.constantFrom(0, 0, 1, 2, 3), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ seconds: fc.constantFrom(0, 1, 2, 3), pull: fc.constantFrom(0, 0, 1) })),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom<ExecutionOrder>("fifo", "lifo", "random"),
      fc.nat(),
      fc.option(item),
      fc.boolean(),
      async (items, limit, executionOrder, seed, failure, isShared) => {
        const all = failure?.fails ? [...items, { seconds: -1, pull: 0 }] : items;
        const loop = new Loop({ host: new VirtualClock(), executionOrder, seed });
        const begun: number[] = [];
        let active = 0;
        const limiter = new CapacityLimiter(limit);
        const receiver = { // a receiver by hand: each value takes its time to come
          count: 0,
          closed: 0,
          *next(): Coroutine<IteratorResult<number, undefined>> {
            yield* sleep(all[receiver.count]?.pull ?? 0);
            if (receiver.count === all.length) return { done: true, value: undefined };
            return { done: false, value: receiver.count++ };
          },
          close() {
            receiver.closed++;
          },
        };
        const result = await loop.run(
          settle(mapConcurrent(receiver, function* (index): Coroutine<number> {
            begun.push(index);
            assert(++active <= limit, "too many at a time");
            try {
              const { seconds } = all[index];
              if (seconds < 0) throw new Error("boom");
              yield* sleep(seconds);
              return index * 10;
            } finally {
              active--;
            }
          }, { concurrency: isShared ? limiter : limit })),
        );
        assertEquals(limiter.statistics().borrowed, 0);
        assertEquals(begun, [...begun.keys()], "items begin in order, each once");
        assertEquals(active, 0);
        assertEquals(result.ok, all === items);
        if (result.ok) assertEquals(result.value, items.map((_, index) => index * 10));
        assertEquals(receiver.closed, result.ok ? 0 : 1);
        if (result.ok) assertEquals(loop.now, expectedEnd(items, limit));
      },
    ),
    { numRuns: 200 },
  );
});

/** When a map over items ends: the next item is pulled, by one at a time, once a slot is free. */
function expectedEnd(items: { seconds: number; pull: number }[], limit: number): number {
  const slots = Array<number>(limit).fill(0);
  let pulledAt = 0;
  for (const { seconds, pull } of items) {
    slots.sort((a, b) => a - b);
    pulledAt = Math.max(pulledAt, slots[0]) + pull;
    slots[0] = pulledAt + seconds;
  }
  return Math.max(pulledAt, ...slots);
}

Deno.test("R33: a body that cancels its own task ends the whole with an error, not with less", async () => {
  function* selfish(n: number): Coroutine<number> {
    if (n === 2) (yield* currentTask()).cancel("tired");
    yield* checkpoint();
    return n;
  }
  const { sender, receiver } = openChannel<number>(3);
  for (const value of [1, 2, 3]) sender.trySend(value);
  sender.close();
  const got: number[] = [];
  const each = receiver.forEach(function* (value) {
    got.push(yield* selfish(value));
  }, { concurrency: 2 });
  const completed = asCompleted([1, 2, 3], selfish).forEach((value) => void got.push(value));
  for (const operation of [mapConcurrent([1, 2, 3], selfish), completed, each]) {
    const error = await rejection(new Loop().run(operation as Operation<unknown>));
    assert(error instanceof TaskCancelledError, String(error));
    assertEquals(error.reason, "tired");
  }
  assertEquals(got, [1, 1], "what came before");
});

Deno.test("random maps that share a limiter never hold more of it together, and give all of it back", async () => {
  const map = fc.record({
    items: fc.array(fc.constantFrom(0, 1, 1, 2, -1), { maxLength: 6 }), // seconds; -1 fails
    patience: fc.constantFrom(1, 2, 3, 100, 100),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(map, { minLength: 2, maxLength: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom<ExecutionOrder>("fifo", "lifo", "random"),
      fc.nat(),
      async (maps, limit, executionOrder, seed) => {
        const loop = new Loop({ host: new VirtualClock(), executionOrder, seed });
        const limiter = new CapacityLimiter(limit);
        let active = 0;
        await loop.run(all(maps.map(function* ({ items, patience }): Coroutine {
          const result = yield* settle(moveOnAfter(
            patience,
            mapConcurrent(items, function* (seconds, index): Coroutine<number> {
              assert(++active <= limit, "more than the limiter has");
              try {
                if (seconds < 0) throw new Error("boom");
                yield* sleep(seconds);
                return index;
              } finally {
                active--;
              }
            }, { concurrency: limiter }),
          ));
          if (items.includes(-1)) assert(!result.ok || result.value === undefined);
          else assert(result.ok);
          if (result.ok && result.value) assertEquals(result.value, [...items.keys()]);
        })));
        assertEquals(active, 0);
        const { borrowed, tasksWaiting } = limiter.statistics();
        assertEquals([borrowed, tasksWaiting], [0, 0]);
      },
    ),
    { numRuns: 200 },
  );
});
