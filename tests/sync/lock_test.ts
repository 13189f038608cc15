/** Lock: hand-over, ownership, breaking, `with`, and what a deadlock report says. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  BrokenResourceError,
  checkpoint,
  type Coroutine,
  DeadlockError,
  ensure,
  Event,
  Lock,
  Loop,
  moveOnAfter,
  Nursery,
  select,
  sleep,
  sleepForever,
  type Task,
} from "../../mod.ts";
import { inspect } from "../../src/testing/mod.ts";
import { inEveryOrder, nameOf, rejection, World } from "../support/world.ts";

// R29

inEveryOrder("R29: a lock is handed on in order of arrival", async ({ loop, log }) => {
  const lock = new Lock();
  for (let i = 1; i <= 4; i++) {
    loop.startSoon(function* () {
      yield* sleep(i / 100);
      yield* lock.acquire();
      log.push(`${i} in`);
      yield* sleep(1);
      log.push(`${i} out`);
      lock.release();
    }());
  }
  await loop.run();
  assertEquals(log, [1, 2, 3, 4].flatMap((i) => [`${i} in`, `${i} out`]));
  assertEquals(lock.statistics(), { locked: false, owner: null, tasksWaiting: 0 });
});

inEveryOrder(
  "R29: no barging: released while somebody waits, a lock is not free",
  async (world) => {
    const { loop, log } = world;
    const lock = new Lock();
    const waiter = loop.startSoon(function* () {
      yield* sleep(1);
      yield* lock.acquire();
      log.push("served");
      lock.release();
    }());
    await loop.run(function* () {
      assertEquals(lock.tryAcquire(), true);
      yield* sleep(2);
      assertEquals(lock.statistics().tasksWaiting, 1);
      lock.release();
      assertEquals(lock.statistics(), { locked: true, owner: waiter, tasksWaiting: 0 });
      assertEquals(lock.tryAcquire(), false);
    }());
    assertEquals(log, ["served"]);
    assertEquals(lock.locked, false);
  },
);

inEveryOrder("R17: acquiring a free lock is a checkpoint", async ({ loop, log }) => {
  const lock = new Lock();
  await loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(function* () {
      log.push("the other");
    }());
    for (const _ of [1, 2]) {
      yield* lock.acquire();
      lock.release();
    }
    log.push("done");
    nursery.cancel();
    yield* lock.acquire();
    log.push("not reached");
  }));
  assertEquals(log, ["the other", "done"]);
  assertEquals(lock.locked, false);
});

// R30

inEveryOrder("R30: one cancelled while it waits leaves no trace", async ({ loop, log }) => {
  const lock = new Lock();
  await loop.run(Nursery.open(function* (nursery) {
    yield* lock.acquire();
    const tasks: Task[] = [];
    for (const i of [1, 2, 3]) {
      tasks.push(nursery.startSoon(lock.with(function* () {
        log.push(`${i}`);
        yield* sleep(1);
      })));
      yield* sleep(1);
    }
    tasks[1].cancel();
    assertEquals(lock.statistics().tasksWaiting, 2);
    lock.release();
  }));
  assertEquals(log, ["1", "3"]);
  assertEquals(lock.locked, false);
});

inEveryOrder(
  "R18: handed the lock and cancelled before its turn, it owns the lock; the cancel lands at its next wait",
  async ({ loop, log }) => {
    const lock = new Lock();
    await loop.run(Nursery.open(function* (nursery) {
      yield* lock.acquire();
      const task = nursery.startSoon(
        function* (): Coroutine {
          yield* lock.acquire();
          try {
            log.push(`owner: ${lock.statistics().owner?.name}`);
            yield* sleep(1);
          } catch (error) {
            log.push(nameOf(error));
            throw error;
          } finally {
            lock.release();
          }
        }(),
        { name: "waiter" },
      );
      yield* sleep(1);
      lock.release();
      task.cancel();
      assertEquals(lock.tryAcquire(), false);
      yield* lock.acquire();
      log.push("handed on");
      lock.release();
    }));
    assertEquals(log, ["owner: waiter", "Cancelled", "handed on"]);
  },
);

inEveryOrder("R30: a lock acquired with a timeout is owned or it is not", async ({ loop }) => {
  const lock = new Lock();
  loop.startSoon(lock.with(sleep(5)));
  await loop.run(function* () {
    yield* sleep(0.1);
    yield* moveOnAfter(1, lock.acquire());
    assertThrows(() => lock.release(), Error, "owns it");
    yield* moveOnAfter(10, lock.acquire());
    assertEquals(loop.now, 5);
    lock.release();
  }());
});

// R31

inEveryOrder("R31: only its owner releases a lock", async ({ loop }) => {
  const lock = new Lock({ name: "door" });
  assertThrows(
    () => lock.release(),
    Error,
    'Code outside of any task cannot release lock "door": nobody owns it',
  );
  loop.startSoon(lock.with(sleep(2)), { name: "owner" });
  loop.startSoon(
    function* () {
      yield* sleep(1);
      assertThrows(
        () => lock.release(),
        Error,
        'Task thief cannot release lock "door": task owner owns it',
      );
      yield* sleep(2);
      assertThrows(
        () => lock.release(),
        Error,
        'Task thief cannot release lock "door": nobody owns it',
      );
    }(),
    { name: "thief" },
  );
  await loop.run();
  assertEquals(lock.locked, false);
});

inEveryOrder("R31: code outside of any task cannot own a lock", async ({ loop }) => {
  const lock = new Lock({ name: "door" });
  assertThrows(() => lock.tryAcquire(), Error, 'tryAcquire() of lock "door" outside of any task');
  await loop.run(lock.with(function* () {
    yield* checkpoint();
    queueMicrotask(() => assertThrows(() => lock.release(), Error, "Code outside of any task"));
    yield* sleep(1);
  }));
});

inEveryOrder("R31: acquiring what one owns already is an error, not a hang", async ({ loop }) => {
  const lock = new Lock({ name: "door" });
  await loop.run(lock.with(function* selfish(): Coroutine {
    try {
      yield* lock.acquire();
    } catch (error) {
      assert(error instanceof Error);
      assertEquals(
        error.message,
        'Task main owns lock "door" already: waiting for it would never end',
      );
      assertMatch(error.stack!, /selfish/);
    }
    assertThrows(() => lock.tryAcquire(), Error, "Task main owns");
  }));
  assertEquals(lock.locked, false);
});

for (const end of ["return", "throw", "cancel"]) {
  inEveryOrder(`R31: a task that ends by ${end} while it owns a lock breaks it`, async (world) => {
    const { loop, log } = world;
    const lock = new Lock({ name: "door" });
    const message =
      'Cannot acquire lock "door": it is broken, as task careless ended while it owned it';
    await loop.run(Nursery.open(function* (nursery) {
      const careless = nursery.startSoon(
        function* (): Coroutine {
          yield* lock.acquire();
          yield* sleep(2);
          if (end === "throw") throw new Error("oops");
          if (end === "cancel") yield* sleepForever();
        }(),
        { name: "careless" },
      );
      yield* sleep(1);
      for (const i of [1, 2]) {
        nursery.startSoon(function* waiting(): Coroutine {
          try {
            yield* lock.acquire();
          } catch (error) {
            assert(error instanceof BrokenResourceError);
            assertEquals(error.message, message);
            assertMatch(error.stack!, /^BrokenResourceError: Cannot.*\n.*waiting/);
            log.push(`${i} at ${loop.now}`);
          }
        }());
      }
      yield* sleep(1.5);
      careless.cancel();
      yield* sleep(1);
      assertEquals(log.length, 2);
      assertEquals(lock.statistics(), { locked: false, owner: null, tasksWaiting: 0 });
      assertThrows(() => lock.tryAcquire(), BrokenResourceError, message);
      assertThrows(() => lock.release(), Error, "it is broken, as task careless ended");
      try {
        yield* lock.with(sleep(1));
      } catch (error) {
        assert(error instanceof BrokenResourceError);
        log.push("later");
      }
    }, { exceptionPolicy: "ignore" }));
    const time = end === "cancel" ? 2.5 : 2;
    assertEquals(log.sort(), [`1 at ${time}`, `2 at ${time}`, "later"]);
  });
}

inEveryOrder(
  "R31: a task that owns several locks breaks each; what it gave back it does not",
  async ({ loop }) => {
    const locks = [1, 2, 3, 4].map((i) => new Lock({ name: `${i}` }));
    await loop.run(function* () {
      const task = loop.startSoon(function* () {
        for (const lock of locks) yield* lock.acquire();
        locks[2].release();
        locks[0].release();
        locks[3].release();
        yield* locks[0].acquire();
      }());
      yield* task.join();
      const broken = locks.filter((lock) => {
        try {
          if (lock.tryAcquire()) lock.release();
          return false;
        } catch (error) {
          assert(error instanceof BrokenResourceError);
          return true;
        }
      });
      assertEquals(broken, [locks[0], locks[1]]);
    }());
  },
);

inEveryOrder("R31: cleanup registered with ensure releases in time", async ({ loop }) => {
  const lock = new Lock();
  await loop.run(function* () {
    const task = loop.startSoon(function* () {
      yield* lock.acquire();
      yield* ensure(() => lock.release());
    }());
    yield* task.join();
    yield* lock.acquire();
    lock.release();
  }());
});

Deno.test("R31: a task keeps no trace of locks that it gave back", async () => {
  const { loop } = new World();
  const locks = [new Lock(), new Lock(), new Lock()];
  const task = loop.startSoon(function* () {
    for (let round = 0; round < 6; round++) {
      for (const lock of locks) yield* lock.acquire();
      for (let i = 0; i < 3; i++) locks[(i + round) % 3].release();
    }
  }());
  await loop.run();
  assertEquals(inspect(task).heldLocks, []);
});

// with

inEveryOrder("with releases however the body ends, and gives its value", async ({ loop, log }) => {
  const lock = new Lock();
  await loop.run(function* () {
    assertEquals(
      yield* lock.with(function* () {
        yield* sleep(1);
        assertEquals(lock.locked, true);
        return "value";
      }),
      "value",
    );
    assertEquals(lock.locked, false);
    try {
      yield* lock.with(function* (): Coroutine {
        yield* checkpoint();
        throw new Error("oops");
      });
    } catch (error) {
      log.push(nameOf(error));
    }
    assertEquals(lock.locked, false);
    try {
      yield* lock.with(() => {
        throw new Error("at once");
      });
    } catch (error) {
      log.push(nameOf(error));
    }
    assertEquals(lock.locked, false);
    yield* moveOnAfter(1, lock.with(sleepForever()));
    assertEquals(lock.locked, false);
    try {
      yield* lock.with(undefined as unknown as Coroutine);
    } catch (error) {
      log.push((error as Error).name);
    }
    assertEquals(lock.locked, false);
  }());
  assertEquals(log, ["Error: oops", "Error: at once", "TypeError"]);
});

inEveryOrder(
  "R20: with releases also where a body that swallows its cancels is unwound",
  async (world) => {
    const { loop, warnings } = world;
    const lock = new Lock();
    await loop.run(moveOnAfter(
      1,
      lock.with(function* (): Coroutine {
        while (true) {
          try {
            yield* sleepForever();
            // deno-lint-ignore broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
          } catch {
            // swallowed
          }
        }
      }),
    ));
    assertEquals(lock.locked, false);
    assertEquals(warnings.length, 1);
  },
);

inEveryOrder(
  "with says where a body has released by itself, and loses no error for it",
  async (world) => {
    const { loop } = world;
    const lock = new Lock({ name: "door" });
    await loop.run(function* () {
      for (const failing of [false, true]) {
        let caught: unknown;
        try {
          yield* lock.with(function* (): Coroutine {
            lock.release();
            if (failing) throw new RangeError("oops");
          });
          // deno-lint-ignore broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
        } catch (error) {
          caught = error;
        }
        assert(caught instanceof Error);
        assertMatch(caught.message, /Task main cannot release lock "door": nobody owns it/);
        if (failing) assertMatch(caught.message, /RangeError: oops/);
      }
    }());
  },
);

inEveryOrder("R36: the refusal of a with tells where the with stands", async ({ loop }) => {
  const lock = new Lock();
  await loop.run(lock.with(function* nested(): Coroutine {
    try {
      yield* lock.with(sleep(1));
    } catch (error) {
      assertMatch((error as Error).stack!, /nested/);
      return;
    }
    throw new Error("not reached");
  }));
});

inEveryOrder(
  "R18: a lock that select chose is owned, one that it did not is not",
  async ({ loop, log }) => {
    const [one, two] = [new Lock(), new Lock()];
    loop.startSoon(one.with(sleep(2)));
    loop.startSoon(two.with(sleep(1)));
    loop.startSoon(function* () {
      yield* sleep(0.5);
      const { arm } = yield* select({
        one: one.acquire(),
        again: one.acquire(),
        two: two.acquire(),
      });
      log.push(`${arm} at ${loop.now}`);
      assertEquals([one, two].map((lock) => lock.statistics().tasksWaiting), [0, 0]);
      two.release();
    }());
    await loop.run();
    assertEquals(log, ["two at 1"]);
    assertEquals([one.locked, two.locked], [false, false]);
  },
);

// Loops

Deno.test("a lock is handed from one loop to another", async () => {
  const [one, two] = [new Loop(), new Loop()];
  using _one = one.hold();
  using _two = two.hold();
  const lock = new Lock();
  const log: string[] = [];
  function* player(name: string): Coroutine {
    for (let i = 0; i < 3; i++) {
      yield* lock.acquire();
      log.push(name);
      yield* checkpoint();
      lock.release();
    }
  }
  await Promise.all([one.run(player("one")), two.run(player("two"))]);
  assertEquals(log.toSorted(), ["one", "one", "one", "two", "two", "two"]);
  assertEquals(lock.locked, false);
});

// R7

Deno.test("R7: a cycle of two locks is shown as one", async () => {
  const { loop } = new World();
  const [left, right] = [new Lock({ name: "left" }), new Lock({ name: "right" })];
  function* philosopher(first: Lock, second: Lock): Coroutine {
    yield* first.with(function* () {
      yield* sleep(1);
      yield* second.with(sleep(1));
    });
  }
  loop.startSoon(philosopher(left, right), { name: "Plato" });
  loop.startSoon(philosopher(right, left), { name: "Kant" });
  const error = await rejection(loop.run());
  assert(error instanceof DeadlockError);
  assertEquals(error.message.split("\n"), [
    "Deadlock: 2 tasks are left, and nothing can wake them",
    '  Plato: acquiring lock "right", held by Kant, for 0 ms',
    '  Kant: acquiring lock "left", held by Plato, for 0 ms',
    "  A cycle: Plato waits for Kant waits for Plato",
  ]);
  assertEquals([left.locked, right.locked], [false, false]);
});

Deno.test("R7: a task that waits for children that wait for its lock is a cycle too", async () => {
  const { loop } = new World();
  const lock = new Lock({ name: "door" });
  const main = lock.with(Nursery.open(function* (nursery) {
    for (let i = 1; i <= 5; i++) nursery.startSoon(lock.acquire(), { name: `child ${i}` });
  }));
  const error = await rejection(loop.run(main));
  assert(error instanceof DeadlockError);
  assertEquals(error.message.split("\n"), [
    "Deadlock: 6 tasks are left, and nothing can wake them",
    "  main: waiting for 5 children, for 0 ms",
    ...[1, 2, 3, 4, 5].map((i) => `    child ${i}: acquiring lock "door", held by main, for 0 ms`),
    "  A cycle: main waits for child 1 waits for main",
    "  A cycle: main waits for child 2 waits for main",
    "  A cycle: main waits for child 3 waits for main",
    "  ... and 2 more",
  ]);
});

Deno.test("R7: who waits for a cycle is not in it, and several cycles are told apart", async () => {
  const { loop } = new World();
  const locks = Object.fromEntries("abcde".split("").map((name) => [name, new Lock({ name })]));
  function* taker(first: string, second: string): Coroutine {
    yield* locks[first].acquire();
    yield* sleep(1);
    yield* locks[second].acquire();
  }
  for (const pair of ["ca", "ab", "ba", "de", "ed"]) {
    loop.startSoon(taker(pair[0], pair[1]), { name: pair });
  }
  const error = await rejection(loop.run());
  assert(error instanceof DeadlockError);
  assertEquals(error.message.split("\n").filter((line) => line.includes("cycle")), [
    "  A cycle: ab waits for ba waits for ab",
    "  A cycle: de waits for ed waits for de",
  ]);
});

Deno.test("R7: a lock that its owner sleeps on is reported with the owner", async () => {
  const { loop } = new World();
  const lock = new Lock();
  loop.startSoon(lock.with(new Event({ name: "never" }).wait()), { name: "owner" });
  loop.startSoon(lock.acquire(), { name: "waiter" });
  await assertRejects(
    () => loop.run(),
    DeadlockError,
    'owner: waiting for event "never", for 0 ms\n  waiter: acquiring a lock, held by owner, for 0 ms',
  );
});

inEveryOrder("R23: a lock cancelled in a loop's end leaves it usable", async ({ loop, log }) => {
  const lock = new Lock();
  loop.startSoon(lock.with(sleepForever()));
  loop.startSoon(lock.with(sleepForever()));
  loop.startSoon(function* () {
    yield* sleep(1);
    loop.cancel();
  }());
  await loop.run();
  await loop.run(lock.with(function* () {
    log.push("again");
  }));
  assertEquals(log, ["again"]);
});
