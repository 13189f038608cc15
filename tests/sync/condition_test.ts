/**
 * Condition: waiting under a lock, notifications that are not lost, and cancels that land with the
 * lock.
 */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  BrokenResourceError,
  CancelScope,
  Condition,
  type Coroutine,
  DeadlockError,
  Lock,
  moveOnAfter,
  Nursery,
  select,
  sleep,
  sleepForever,
  type Task,
  until,
} from "../../mod.ts";
import { coreOf } from "../../src/sync/lock.ts";
import { inEveryOrder, nameOf, rejection, World } from "../support/world.ts";

/** Waits once, from time `i / 100` on, and notes when it has the lock back. */
function* waiter({ loop, log }: World, condition: Condition, i: number): Coroutine {
  yield* sleep(i / 100);
  yield* condition.with(function* () {
    yield* condition.wait();
    log.push(`${i} at ${Math.floor(loop.now)}`);
    assertEquals(condition.lock.locked, true);
    yield* sleep(1);
  });
}

inEveryOrder(
  "R29: notify wakes who has waited longest, one after the other under the lock",
  async (world) => {
    const { loop, log } = world;
    const condition = new Condition();
    for (const i of [1, 2, 3, 4]) loop.startSoon(waiter(world, condition, i));
    await loop.run(function* () {
      yield* sleep(1);
      yield* condition.acquire();
      assertEquals(condition.statistics().tasksWaiting, 4);
      assertEquals(condition.notify(), 1);
      yield* sleep(1);
      assertEquals(log, []); // not before it is given the lock
      assertEquals([condition.notify(2), condition.notifyAll(), condition.notify()], [2, 1, 0]);
      condition.release();
    }());
    assertEquals(log, ["1 at 2", "2 at 3", "3 at 4", "4 at 5"]);
    assertEquals(condition.statistics(), {
      tasksWaiting: 0,
      lock: { locked: false, owner: null, tasksWaiting: 0 },
    });
  },
);

inEveryOrder(
  "R29: the notified queue behind those who wait for the lock already",
  async (world) => {
    const { loop, log } = world;
    const condition = new Condition();
    loop.startSoon(waiter(world, condition, 1));
    loop.startSoon(function* () {
      yield* sleep(1.5);
      yield* condition.with(function* () {
        log.push("first come");
      });
    }());
    await loop.run(function* () {
      yield* sleep(1);
      yield* condition.acquire();
      yield* sleep(1);
      condition.notify();
      condition.release();
      assertEquals(condition.tryAcquire(), false);
    }());
    assertEquals(log, ["first come", "1 at 2"]);
  },
);

inEveryOrder("a condition passes bread from bakers to eaters", async ({ loop }) => {
  const condition = new Condition();
  const basket: number[] = [];
  const eaten: number[] = [];
  for (let i = 0; i < 5; i++) {
    loop.startSoon(function* () {
      for (let round = 0; round < 4; round++) {
        yield* condition.with(function* () {
          while (basket.length === 0) yield* condition.wait();
          eaten.push(basket.shift()!);
        });
      }
    }());
    loop.startSoon(function* () {
      for (let round = 0; round < 4; round++) {
        yield* sleep(round);
        yield* condition.with(function* () {
          basket.push(i * 4 + round);
          condition.notify();
        });
      }
    }());
  }
  await loop.run();
  assertEquals(eaten.sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
});

// R30

inEveryOrder(
  "R30: a cancelled wait has the lock back when the cancel lands",
  async ({ loop, log }) => {
    for (const busy of [false, true]) {
      const condition = new Condition();
      const start = loop.now;
      await loop.run(Nursery.open(function* (nursery) {
        const task = nursery.startSoon(
          condition.with(function* (): Coroutine {
            try {
              yield* condition.wait();
            } catch (error) {
              log.push(`${nameOf(error)} at ${loop.now - start}`);
              assertEquals(condition.statistics().lock.owner?.name, "waiter");
              throw error;
            }
          }),
          { name: "waiter" },
        );
        yield* sleep(1);
        if (busy) yield* condition.acquire();
        task.cancel();
        assertEquals(condition.statistics().tasksWaiting, 0);
        if (!busy) return;
        assertEquals(condition.notify(), 0); // nobody waits
        yield* sleep(1);
        condition.release();
      }));
      assertEquals(condition.lock.locked, false);
    }
    assertEquals(log, ["Cancelled at 1", "Cancelled at 2"]);
  },
);

inEveryOrder(
  "R18: notified and then cancelled, it gets the notification; the cancel lands later",
  async (world) => {
    const { loop, log } = world;
    const condition = new Condition();
    await loop.run(Nursery.open(function* (nursery) {
      const task = nursery.startSoon(condition.with(function* (): Coroutine {
        yield* condition.wait();
        log.push("notified");
        yield* sleep(1);
        log.push("not reached");
      }));
      yield* sleep(1);
      yield* condition.acquire();
      condition.notify();
      task.cancel();
      yield* sleep(1);
      assertEquals(log, []);
      condition.release();
    }));
    assertEquals(log, ["notified"]);
    assertEquals(condition.lock.locked, false);
  },
);

inEveryOrder(
  "R30: cancelled before it was notified, the notification goes to another",
  async ({ loop, log }) => {
    const condition = new Condition();
    await loop.run(Nursery.open(function* (nursery) {
      const tasks: Task[] = [];
      for (const i of [1, 2]) {
        tasks.push(nursery.startSoon(condition.with(function* (): Coroutine {
          yield* condition.wait();
          log.push(`${i} notified`);
        })));
        yield* sleep(1);
      }
      yield* condition.acquire();
      tasks[0].cancel();
      assertEquals(condition.notify(), 1);
      condition.release();
    }));
    assertEquals(log, ["2 notified"]);
    assertEquals(condition.lock.locked, false);
  },
);

inEveryOrder(
  "R26: a cancel that is taken back while the lock is awaited ends the wait early, which loops forgive",
  async (world) => {
    const { loop, log } = world;
    const condition = new Condition();
    await loop.run(Nursery.open(function* (nursery) {
      let inner: CancelScope | undefined;
      nursery.startSoon(CancelScope.open(function* (scope) {
        inner = scope;
        yield* condition.with(function* () {
          yield* condition.wait();
          log.push(`awake at ${loop.now}`);
        });
      }));
      yield* sleep(1);
      yield* condition.acquire();
      nursery.cancel();
      inner!.shield = true;
      condition.release();
    }));
    assertEquals(log, ["awake at 1"]);
    assertEquals(condition.lock.locked, false);
  },
);

// R31

inEveryOrder("R31: waiting and notifying are for the owner of the lock", async ({ loop }) => {
  const condition = new Condition(new Lock({ name: "door" }), { name: "open" });
  assertThrows(() => condition.notify(), Error, "Code outside of any task cannot notify");
  await loop.run(function* unlocked(): Coroutine {
    assertThrows(
      () => condition.notifyAll(),
      Error,
      'Task main cannot notify condition "open" without lock "door": nobody owns it',
    );
    try {
      yield* condition.wait();
      throw new Error("not reached");
    } catch (error) {
      assert(error instanceof Error);
      assertMatch(error.message, /^Task main cannot wait on condition "open" without lock "door"/);
      assertMatch(error.stack!, /unlocked/);
    }
  }());
});

inEveryOrder(
  "R31: where the owner of the lock ends, those who wait to be notified are told",
  async ({ loop, log }) => {
    const lock = new Lock();
    const conditions = [new Condition(lock), new Condition(lock)];
    await loop.run(Nursery.open(function* (nursery) {
      for (const condition of conditions) {
        for (const _ of [1, 2]) {
          nursery.startSoon(function* (): Coroutine {
            yield* lock.acquire();
            try {
              yield* condition.wait();
            } catch (error) {
              assert(error instanceof BrokenResourceError);
              log.push("told");
            }
          }());
        }
      }
      yield* sleep(1);
      nursery.startSoon(function* (): Coroutine {
        yield* lock.acquire();
        conditions[0].notify();
      }());
    }));
    assertEquals(log, ["told", "told", "told", "told"]);
  },
);

Deno.test("R31: a waiter that its loop gave up is not made the owner of the lock", async () => {
  const [one, two] = [new World(), new World()];
  const condition = new Condition();
  const hold = one.loop.hold();
  const rejected = rejection(one.loop.run(condition.with(condition.wait())));
  await two.loop.run(function* () {
    yield* sleep(1);
    yield* condition.acquire();
    hold[Symbol.dispose](); // now the other loop finds a deadlock, and gives up
    const report = yield* until(rejected);
    assert(report instanceof DeadlockError);
    assertMatch(report.message, /Dropped, because cancelling did not reach them: main/);
    assertEquals(condition.statistics().lock.tasksWaiting, 1);
    condition.release();
    assertEquals(condition.lock.locked, false);
  }());
});

Deno.test("a lock forgets conditions in which nobody waits", async () => {
  const { loop } = new World();
  const lock = new Lock();
  await loop.run(lock.with(function* () {
    for (let i = 0; i < 3; i++) yield* moveOnAfter(1, new Condition(lock).wait());
  }));
  assertEquals(coreOf(lock).conditions?.size, 0);
});

Deno.test("a condition takes a lock", () => {
  assertThrows(
    () => new Condition({} as Lock),
    TypeError,
    "Expected an object of class Lock, got an object",
  );
});

Deno.test("a wait on a condition gives the lock away, so select cannot take it back", () => {
  const condition = new Condition();
  assertThrows(() => select({ wait: condition.wait() as never }), TypeError, "cannot take back");
});

// R7

Deno.test("R7: a deadlock report names the condition, and the lock that is wanted back", async () => {
  const { loop } = new World();
  const condition = new Condition(new Lock({ name: "door" }), { name: "open" });
  for (const name of ["one", "two"]) {
    loop.startSoon(condition.with(condition.wait()), { name });
  }
  loop.startSoon(
    condition.with(function* () {
      condition.notify();
      yield* sleepForever();
    }),
    { name: "owner" },
  );
  const error = await rejection(loop.run());
  assert(error instanceof DeadlockError);
  assertEquals(error.message.split("\n").slice(1), [
    '  one: getting lock "door" back after waiting on condition "open", held by owner, for 0 ms',
    '  two: waiting on condition "open", for 0 ms',
    "  owner: sleeping forever, for 0 ms",
    error.message.split("\n").at(-1), // what to do
  ]);
  assertEquals(condition.lock.locked, false);
});

inEveryOrder("R24: a wait can be given up after a while", async ({ loop }) => {
  const condition = new Condition();
  await loop.run(condition.with(function* () {
    assertEquals(yield* moveOnAfter(2, condition.wait()), undefined);
    assertEquals(loop.now, 2);
    assertEquals(condition.lock.locked, true);
    condition.notify();
  }));
});

inEveryOrder("waitFor waits until its predicate holds, and gives what that gave", async (world) => {
  const { loop, log } = world;
  const condition = new Condition();
  const basket: string[] = [];
  let asked = 0;
  loop.startSoon(condition.with(function* (): Coroutine {
    const bread = yield* condition.waitFor(() => {
      asked++;
      assertEquals(condition.lock.locked, true);
      return basket.pop();
    });
    log.push(`got ${bread} at ${loop.now}`);
    assertEquals(yield* condition.waitFor(() => 7), 7); // at once
    assertEquals(loop.now, 2);
  }));
  await loop.run(function* (): Coroutine {
    yield* sleep(1);
    yield* condition.with(function* () {
      condition.notify(); // for nothing
    });
    yield* sleep(1);
    yield* condition.with(function* () {
      basket.push("bread");
      condition.notify();
    });
  }());
  assertEquals([log, asked], [["got bread at 2"], 3]);
});

inEveryOrder("R30: a waitFor that is cancelled has the lock back first", async ({ loop, log }) => {
  const condition = new Condition();
  await loop.run(moveOnAfter(
    1,
    condition.with(function* (): Coroutine {
      try {
        yield* condition.waitFor(() => false);
      } finally {
        log.push(`locked ${condition.lock.locked} at ${loop.now}`);
      }
    }),
  ));
  assertEquals(log, ["locked true at 1"]);
  assertEquals(condition.statistics().tasksWaiting, 0);
});

Deno.test("waitFor refuses what is no predicate, a promise of one, and a lock that is not owned", async () => {
  const { loop } = new World();
  const condition = new Condition();
  for (const wrong of [undefined, 5, "x", {}]) {
    assertThrows(() => condition.waitFor(wrong as never), TypeError, "predicate of waitFor()");
  }
  await loop.run(function* (): Coroutine {
    for (const predicate of [() => true, () => false]) {
      try {
        yield* condition.waitFor(predicate);
        throw new Error("it waited without the lock");
      } catch (error) {
        assertMatch(String(error), /Task main cannot wait on a condition without a lock/);
      }
    }
    yield* condition.with(function* () {
      try {
        yield* condition.waitFor(() => Promise.resolve(false));
        throw new Error("a promise is truthy");
      } catch (error) {
        assertMatch(
          String(error),
          /TypeError: Expected a value that is true or false, got a promise/,
        );
      }
    });
  }());
});
