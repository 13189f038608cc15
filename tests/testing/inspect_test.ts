/** inspect: what a loop and its tasks have, at any moment. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  CancelScope,
  CapacityLimiter,
  checkpoint,
  type Coroutine,
  Event,
  Lock,
  Loop,
  moveOnAfter,
  Nursery,
  shield,
  sleep,
  sleepForever,
  type Task,
  until,
} from "../../mod.ts";
import { inspect } from "../../src/testing/mod.ts";
import { inEveryOrder, leftovers, NOTHING_LEFT } from "../support/world.ts";

/** The counts of a loop. */
function counts(loop: Loop) {
  const { tasks, ready, waiters, timers, externalWaits, heldLocks } = inspect(loop);
  return [tasks.length, ready, waiters, timers, externalWaits, heldLocks.length];
}

inEveryOrder("a loop that has not begun has its tasks, ready", async ({ loop }) => {
  assertEquals(leftovers(loop), NOTHING_LEFT);
  loop.startSoon(sleep(1), { name: "a" });
  loop.startSoon(sleep(1), { name: "b" });
  assertEquals(counts(loop), [2, 2, 0, 0, 0, 0]);
  assertEquals(inspect(loop).tasks.map(({ task }) => task.name), ["a", "b"]);
  await loop.run();
  assertEquals(counts(loop), [0, 0, 0, 0, 0, 0]);
});

inEveryOrder("tasks, waiters, timers and external waits are counted", async ({ loop }) => {
  await loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(sleep(9));
    nursery.startSoon(sleepForever());
    nursery.startSoon(until(new Promise<void>(() => {})));
    const hold = loop.hold();
    yield* CancelScope.open(function* () {
      // Time does not move while something outside is awaited.
      for (let i = 0; i < 5; i++) yield* checkpoint();
      // This task runs, so it is none of those that wait. The deadline of the scope is a timer.
      assertEquals(counts(loop), [4, 0, 3, 2, 2, 0]);
    }, { timeout: 5 });
    hold[Symbol.dispose]();
    assertEquals(counts(loop), [4, 0, 3, 1, 1, 0]);
    nursery.cancel();
    assertEquals(counts(loop), [4, 3, 0, 0, 0, 0]);
  }));
});

inEveryOrder("what a task waits for, and whether it is cancelled, is told", async ({ loop }) => {
  const event = new Event({ name: "go" });
  await loop.run(Nursery.open(function* (nursery) {
    const waits = nursery.startSoon(event.wait());
    const shielded = nursery.startSoon(shield(sleep(2)));
    yield* sleep(1);
    assertEquals(inspect(waits).waitsFor, 'waiting for event "go"');
    assertEquals(inspect(waits).cancelled, false);
    nursery.cancel();
    assertEquals([inspect(waits).waitsFor, inspect(waits).cancelled], [undefined, true]);
    assertEquals([inspect(shielded).waitsFor, inspect(shielded).cancelled], [
      "sleeping for 2 s",
      false,
    ]);
  }));
});

inEveryOrder("locks and tokens are listed with their owners", async ({ loop }) => {
  const lock = new Lock({ name: "db" });
  const limiter = new CapacityLimiter(2, { name: "slots" });
  let owner: Task | undefined;
  await loop.run(Nursery.open(function* (nursery) {
    owner = nursery.startSoon(function* (): Coroutine {
      yield* lock.with(limiter.with(sleep(2)));
    }());
    yield* sleep(1);
    const expected = [
      { lock: 'a token of capacity limiter "slots"', owner },
      { lock: 'lock "db"', owner },
    ];
    assertEquals(inspect(loop).heldLocks, expected);
    assertEquals(inspect(owner).heldLocks, expected);
  }));
  assertEquals(inspect(owner!).heldLocks, []);
});

inEveryOrder("joins and promises watch a task until it ends", async ({ loop }) => {
  await loop.run(Nursery.open(function* (nursery) {
    const task = nursery.startSoon(sleep(2));
    assertEquals(inspect(task).watchers, 0);
    task.promise();
    nursery.startSoon(task.join());
    yield* moveOnAfter(1, task.join());
    assertEquals(inspect(task).watchers, 2);
    yield* task.join();
    assertEquals(inspect(task).watchers, 0);
  }));
});

Deno.test("what is neither a loop nor a task is refused", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const trap = new Proxy({}, {
    getPrototypeOf() {
      throw new Error("trap");
    },
  });
  for (const wrong of [undefined, null, 5, {}, "loop", Loop, proxy, trap]) {
    assertThrows(() => inspect(wrong as Loop), TypeError, "Expected a loop or a task, got ");
  }
});
