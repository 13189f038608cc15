/** CapacityLimiter: tokens that know who has them, and a total that changes. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  CapacityLimiter,
  type Coroutine,
  currentTask,
  DeadlockError,
  moveOnAfter,
  Nursery,
  sleep,
  sleepForever,
  type Task,
} from "../../mod.ts";
import { inspect } from "../../src/testing/mod.ts";
import { inEveryOrder, World } from "../support/world.ts";

/** Starts tasks that arrive one after the other and keep a token for a second each. */
function startJobs({ loop, log }: World, limiter: CapacityLimiter, count: number): void {
  for (let i = 1; i <= count; i++) {
    loop.startSoon(function* () {
      yield* sleep(i / 1000);
      yield* limiter.with(function* () {
        log.push(`${i} at ${Math.floor(loop.now)}`);
        yield* sleep(1);
      });
    }());
  }
}

inEveryOrder("R29: tokens go to those that wait, in order", async (world) => {
  const limiter = new CapacityLimiter(2);
  startJobs(world, limiter, 5);
  await world.loop.run();
  assertEquals(world.log, ["1 at 0", "2 at 0", "3 at 1", "4 at 1", "5 at 2"]);
  assertEquals(limiter.statistics(), { total: 2, borrowed: 0, borrowers: [], tasksWaiting: 0 });
});

inEveryOrder(
  "R29: no barging: a token that came back is not free while somebody waits",
  async ({ loop }) => {
    const limiter = new CapacityLimiter(1);
    const waiter = loop.startSoon(function* () {
      yield* sleep(1);
      yield* limiter.with(sleep(1));
    }());
    await loop.run(function* () {
      assertEquals(limiter.tryAcquire(), true);
      yield* sleep(2);
      limiter.release();
      assertEquals([limiter.available, limiter.tryAcquire()], [0, false]);
      assertEquals(limiter.statistics().borrowers, [waiter]);
      yield* sleep(2);
      assertEquals([limiter.available, limiter.borrowed], [1, 0]);
    }());
  },
);

inEveryOrder("a total that grows serves those that wait at once", async (world) => {
  const { loop, log } = world;
  const limiter = new CapacityLimiter(0);
  startJobs(world, limiter, 5);
  await loop.run(function* () {
    yield* sleep(2);
    assertEquals(limiter.statistics().tasksWaiting, 5);
    limiter.total = 2;
    assertEquals(limiter.statistics().tasksWaiting, 3);
    yield* sleep(0.5);
    limiter.total = 4;
    yield* sleep(3);
    limiter.total = Infinity;
    assertEquals(limiter.available, Infinity);
  }());
  assertEquals(log.sort(), ["1 at 2", "2 at 2", "3 at 2", "4 at 2", "5 at 3"]);
});

inEveryOrder("a total that shrinks takes from nobody, and is kept from then on", async (world) => {
  const { loop, log } = world;
  const limiter = new CapacityLimiter(3);
  startJobs(world, limiter, 6);
  await loop.run(function* () {
    yield* sleep(0.5);
    limiter.total = 1;
    assertEquals([limiter.borrowed, limiter.available], [3, 0]);
  }());
  assertEquals(log, ["1 at 0", "2 at 0", "3 at 0", "4 at 1", "5 at 2", "6 at 3"]);
  assertEquals(limiter.available, 1);
});

inEveryOrder("R30: one cancelled while it waits leaves no trace", async (world) => {
  const { loop, log } = world;
  const limiter = new CapacityLimiter(1);
  await loop.run(limiter.with(function* () {
    loop.startSoon(function* () {
      assertEquals(yield* moveOnAfter(1, limiter.acquire()), undefined);
      assertEquals(limiter.statistics().tasksWaiting, 0);
      assertThrows(() => limiter.release(), Error, "it has none");
      yield* sleep(2);
      yield* limiter.acquire(); // as if it had never waited
      log.push("served");
      limiter.release();
    }());
    yield* sleep(2);
  }));
  assertEquals(log, ["served"]);
});

inEveryOrder(
  "R18: cancelled after it was given a token, it has the token",
  async ({ loop, log }) => {
    const limiter = new CapacityLimiter(0);
    await loop.run(Nursery.open(function* (nursery) {
      const task = nursery.startSoon(limiter.with(function* () {
        log.push("in");
        yield* sleep(1);
        log.push("not reached");
      }));
      yield* sleep(1);
      limiter.total = 1;
      task.cancel();
      assertEquals(limiter.available, 0);
    }));
    assertEquals([log, limiter.available], [["in"], 1]);
  },
);

inEveryOrder(
  "R31: only a borrower gives back, once, and has one token at most",
  async ({ loop }) => {
    const limiter = new CapacityLimiter(5, { name: "pool" });
    await loop.run(function* () {
      assertThrows(
        () => limiter.release(),
        Error,
        'Task main cannot release a token of capacity limiter "pool": it has none',
      );
      yield* limiter.acquire();
      assertThrows(
        () => limiter.tryAcquire(),
        Error,
        'Task main has a token of capacity limiter "pool" already',
      );
      try {
        yield* limiter.acquire();
        throw new Error("not reached");
      } catch (error) {
        assertMatch((error as Error).message, /^Task main has a token/);
      }
      loop.startSoon(function* () {
        assertThrows(() => limiter.release(), Error, "it has none");
      }());
      yield* sleep(1);
      limiter.release();
      assertThrows(() => limiter.release(), Error, "it has none");
    }());
    assertThrows(
      () => limiter.release(),
      Error,
      'release() of capacity limiter "pool" outside of any task',
    );
    assertThrows(() => limiter.tryAcquire(), Error, "use tryAcquireOnBehalfOf()");
  },
);

for (const end of ["return", "throw", "cancel"]) {
  inEveryOrder(`R31: a token goes back where its task ends by ${end}`, async ({ loop, log }) => {
    const limiter = new CapacityLimiter(1);
    await loop.run(Nursery.open(function* (nursery) {
      const careless = nursery.startSoon(function* (): Coroutine {
        yield* limiter.acquire();
        yield* sleep(1);
        if (end === "throw") throw new Error("oops");
        if (end === "cancel") yield* sleepForever();
      }());
      yield* sleep(0.5);
      nursery.startSoon(limiter.with(function* () {
        log.push("served");
      }));
      yield* sleep(1);
      careless.cancel();
    }, { exceptionPolicy: "ignore" }));
    assertEquals(log, ["served"]);
    assertEquals(limiter.available, 1);
  });
}

inEveryOrder(
  "R31: on behalf of something else, a token outlives the task",
  async ({ loop, log }) => {
    const limiter = new CapacityLimiter(1);
    const [one, two] = [{ id: 1 }, { id: 2 }];
    await loop.run(function* () {
      yield* loop.startSoon(limiter.acquireOnBehalfOf(one)).join();
      assertEquals(limiter.statistics().borrowers, [one]);
      assertThrows(() => limiter.tryAcquireOnBehalfOf(one), Error, "The borrower has a token");
      assertEquals(limiter.tryAcquireOnBehalfOf(two), false);
      loop.startSoon(function* () {
        yield* limiter.acquireOnBehalfOf(two);
        log.push("two");
      }());
      yield* sleep(1);
      assertThrows(
        () => limiter.tryAcquireOnBehalfOf(two),
        Error,
        "The borrower waits for a token",
      );
      assertThrows(() => limiter.releaseOnBehalfOf(two), Error, "it has none");
      limiter.releaseOnBehalfOf(one);
      yield* sleep(1);
    }());
    assertEquals(log, ["two"]);
    limiter.releaseOnBehalfOf(two); // also from outside
    assertEquals(limiter.tryAcquireOnBehalfOf(one), true);
    for (const borrower of [null, undefined, 1, "one"]) {
      assertThrows(
        () => limiter.tryAcquireOnBehalfOf(borrower as unknown as object),
        TypeError,
        "Expected an object that stands for",
      );
    }
  },
);

inEveryOrder("R31: a task keeps no trace of tokens that it gave back", async ({ loop }) => {
  const limiters = [1, 2, 3].map((total) => new CapacityLimiter(total));
  const task = await loop.run(function* (): Coroutine<Task> {
    for (const limiter of limiters) yield* limiter.acquire();
    for (const limiter of limiters) limiter.release();
    return yield* currentTask();
  }());
  assertEquals(inspect(task).heldLocks, []);
});

Deno.test("a total is an integer of at least 0, or Infinity", () => {
  const limiter = new CapacityLimiter(1);
  for (const total of [-1, 0.5, NaN]) {
    const message = `Expected an integer of at least 0, or Infinity, got ${total} (total of`;
    assertThrows(() => new CapacityLimiter(total), RangeError, message);
    assertThrows(() => limiter.total = total, RangeError, message);
  }
  assertThrows(() => limiter.total = "1" as unknown as number, TypeError, 'got "1"');
  assertEquals(limiter.total, 1);
});

Deno.test("R7: a deadlock report names the limiter and the tasks that have its tokens", async () => {
  const { loop } = new World();
  const limiter = new CapacityLimiter(2, { name: "pool" });
  for (const name of ["one", "two", "three"]) {
    loop.startSoon(limiter.with(sleepForever()), { name });
  }
  const report = 'three: acquiring a token of capacity limiter "pool", held by one, two, for 0 ms';
  await assertRejects(() => loop.run(), DeadlockError, report);
  assert(limiter.available === 2);
  limiter.total = 5;
  for (let i = 1; i <= 6; i++) loop.startSoon(limiter.with(sleepForever()), { name: `${i}` });
  await assertRejects(() => loop.run(), DeadlockError, "held by 1, 2, 3 and 2 more, for");
});
