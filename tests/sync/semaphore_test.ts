/** Semaphore: permits that belong to nobody. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeadlockError, moveOnAfter, Nursery, Semaphore, sleep } from "../../mod.ts";
import { inEveryOrder, World } from "../support/world.ts";

inEveryOrder("R29: permits go to those that wait, in order", async ({ loop, log }) => {
  const semaphore = new Semaphore(2);
  for (let i = 1; i <= 6; i++) {
    loop.startSoon(function* () {
      yield* sleep(i / 100);
      yield* semaphore.acquire();
      log.push(`${i} at ${Math.floor(loop.now)}`);
      yield* sleep(1);
      semaphore.release();
    }());
  }
  await loop.run();
  assertEquals(log, ["1 at 0", "2 at 0", "3 at 1", "4 at 1", "5 at 2", "6 at 2"]);
  assertEquals(semaphore.statistics(), { value: 2, tasksWaiting: 0 });
});

inEveryOrder(
  "R29: no barging: a released permit is not free while somebody waits",
  async (world) => {
    const { loop, log } = world;
    const semaphore = new Semaphore(1);
    loop.startSoon(function* () {
      yield* sleep(1);
      yield* semaphore.acquire();
      log.push("served");
    }());
    await loop.run(function* () {
      assertEquals(semaphore.tryAcquire(), true);
      assertEquals(semaphore.tryAcquire(), false);
      yield* sleep(2);
      semaphore.release();
      assertEquals(semaphore.value, 0);
      assertEquals(semaphore.tryAcquire(), false);
      assertEquals(log, []);
    }());
    assertEquals(log, ["served"]);
  },
);

inEveryOrder("R30: one cancelled while it waits leaves no trace", async ({ loop, log }) => {
  const semaphore = new Semaphore(0);
  loop.startSoon(function* () {
    yield* sleep(0.5);
    yield* semaphore.acquire();
    log.push("second");
  }());
  await loop.run(function* () {
    assertEquals(yield* moveOnAfter(1, semaphore.acquire()), undefined);
    assertEquals(semaphore.statistics(), { value: 0, tasksWaiting: 1 });
    semaphore.release();
    yield* sleep(1);
    assertEquals(semaphore.statistics(), { value: 0, tasksWaiting: 0 });
  }());
  assertEquals(log, ["second"]);
});

inEveryOrder("R18: cancelled after it was given a permit, it has the permit", async (world) => {
  const { loop, log } = world;
  const semaphore = new Semaphore(0);
  await loop.run(Nursery.open(function* (nursery) {
    const task = nursery.startSoon(semaphore.with(function* () {
      log.push("in");
      yield* sleep(1);
      log.push("not reached");
    }));
    yield* sleep(1);
    semaphore.release();
    task.cancel();
    assertEquals(semaphore.value, 0);
  }));
  assertEquals(log, ["in"]);
  assertEquals(semaphore.value, 1);
});

Deno.test("R31: a semaphore has no owner: anybody releases, up to max", () => {
  const semaphore = new Semaphore(1, { max: 2, name: "pool" });
  semaphore.release();
  assertEquals(semaphore.value, 2);
  assertThrows(
    () => semaphore.release(),
    Error,
    'Cannot release semaphore "pool": all 2 permits are free',
  );
  assertEquals(semaphore.value, 2);
});

Deno.test("a semaphore wants an integer of permits, and a max of at least that", () => {
  for (const permits of [-1, 0.5, NaN, Infinity]) {
    assertThrows(() => new Semaphore(permits), RangeError, "an integer of at least 0, got");
  }
  for (const max of [0, 1.5, NaN]) {
    assertThrows(
      () => new Semaphore(1, { max }),
      RangeError,
      "Expected an integer of at least 1, or Infinity, got",
    );
  }
});

Deno.test("R7: a deadlock report names the semaphore", async () => {
  const { loop } = new World();
  await assertRejects(
    () => loop.run(new Semaphore(0, { name: "pool" }).acquire()),
    DeadlockError,
    'main: acquiring semaphore "pool"',
  );
});
