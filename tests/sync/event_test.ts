/** Event: it happens once, and wakes all. */
import { assertEquals, assertRejects } from "@std/assert";
import { DeadlockError, Event, Loop, moveOnAfter, Nursery, sleep } from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { inEveryOrder, World } from "../support/world.ts";

inEveryOrder("R29: an event wakes all who wait, once", async ({ loop, log }) => {
  const event = new Event();
  for (const i of [1, 2, 3]) {
    loop.startSoon(function* () {
      yield* event.wait();
      log.push(`${i} at ${loop.now}`);
    }());
  }
  await loop.run(function* () {
    yield* sleep(1);
    assertEquals([event.isSet, event.statistics()], [false, { tasksWaiting: 3 }]);
    event.set();
    assertEquals([event.isSet, event.statistics()], [true, { tasksWaiting: 0 }]);
    event.set(); // once more is no error
  }());
  assertEquals(log.sort(), ["1 at 1", "2 at 1", "3 at 1"]);
});

Deno.test("R29: an event wakes in order of arrival", async () => {
  const { loop, log } = new World();
  const event = new Event();
  for (const i of [3, 1, 2]) {
    loop.startSoon(function* () {
      yield* sleep(i);
      yield* event.wait();
      log.push(`${i}`);
    }());
  }
  await loop.run(function* () {
    yield* sleep(5);
    event.set();
  }());
  assertEquals(log, ["1", "2", "3"]);
});

inEveryOrder(
  "R17: waiting for an event that has happened is a checkpoint all the same",
  async (world) => {
    const { loop, log } = world;
    const event = new Event();
    event.set();
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(function* () {
        log.push("the other");
      }());
      for (const _ of [1, 2, 3]) yield* event.wait();
      log.push("after three waits");
    }));
    assertEquals(log, ["the other", "after three waits"]);
  },
);

inEveryOrder("R30: a cancelled wait for an event leaves no trace", async ({ loop }) => {
  const event = new Event();
  await loop.run(function* () {
    yield* moveOnAfter(1, event.wait());
    assertEquals(event.statistics().tasksWaiting, 0);
    event.set();
  }());
});

Deno.test("R6: an event may be set from outside, and hold() tells the loop so", async () => {
  const loop = new Loop({ host: new VirtualClock() });
  const event = new Event();
  const hold = loop.hold();
  const run = loop.run(event.wait());
  await new Promise((resolve) => setTimeout(resolve, 5));
  event.set();
  hold[Symbol.dispose]();
  await run;
});

Deno.test("R7: a deadlock report names the event", async () => {
  const { loop } = new World();
  const event = new Event({ name: "ready" });
  await assertRejects(
    () => loop.run(event.wait()),
    DeadlockError,
    'main: waiting for event "ready"',
  );
  await assertRejects(() => loop.run(new Event().wait()), DeadlockError, "waiting for an event");
});
