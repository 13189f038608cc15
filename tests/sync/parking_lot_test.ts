/** ParkingLot: the list of waiters under every primitive. */
import { assertEquals, assertThrows } from "@std/assert";
import { type Coroutine, moveOnAfter, Nursery, ParkingLot, sleep } from "../../mod.ts";
import { inEveryOrder, World } from "../support/world.ts";

/** Starts `count` tasks that park one second after the other, and note when they are awake. */
function startParked({ loop, log }: World, lot: ParkingLot, count: number): void {
  for (let i = 1; i <= count; i++) {
    loop.startSoon(function* () {
      yield* sleep(i);
      yield* lot.park();
      log.push(`${i} at ${loop.now}`);
    }());
  }
}

inEveryOrder("R29: unpark wakes who has waited longest, and says how many", async (world) => {
  const { loop, log } = world;
  const lot = new ParkingLot();
  startParked(world, lot, 5);
  const woken: number[] = [];
  await loop.run(function* () {
    yield* sleep(10);
    woken.push(lot.unpark());
    yield* sleep(1);
    woken.push(lot.unpark(2));
    yield* sleep(1);
    woken.push(lot.unpark(0), lot.unpark(7));
    assertEquals(lot.statistics(), { tasksWaiting: 0 });
    woken.push(lot.unparkAll());
  }());
  assertEquals(woken, [1, 2, 0, 2, 0]);
  assertEquals(log[0], "1 at 10");
  assertEquals(log.slice(1, 3).sort(), ["2 at 11", "3 at 11"]);
  assertEquals(log.slice(3).sort(), ["4 at 12", "5 at 12"]);
});

inEveryOrder("R29: a lot remembers no unpark that came too early", async ({ loop }) => {
  const lot = new ParkingLot();
  await loop.run(function* () {
    assertEquals(lot.unpark(), 0);
    assertEquals(yield* moveOnAfter(1, lot.park()), undefined);
    assertEquals(loop.now, 1);
  }());
});

inEveryOrder(
  "R30: a task cancelled in the lot is removed, wherever it stood",
  async (world) => {
    const { loop, log } = world;
    for (const gone of [1, 2, 3]) {
      const lot = new ParkingLot();
      const start = loop.now;
      await loop.run(Nursery.open(function* (nursery): Coroutine {
        const tasks = [1, 2, 3].map((i) =>
          nursery.startSoon(function* () {
            yield* sleep(i);
            yield* lot.park();
            log.push(`${i}`);
          }())
        );
        yield* sleep(4);
        tasks[gone - 1].cancel();
        assertEquals(lot.statistics().tasksWaiting, 2);
        for (const _ of [1, 2]) {
          assertEquals(lot.unpark(), 1);
          yield* sleep(1);
        }
        assertEquals(lot.unpark(), 0);
      }));
      assertEquals(log.splice(0), ["1", "2", "3"].filter((each) => each !== `${gone}`));
      assertEquals(loop.now, start + 6);
    }
  },
);

inEveryOrder("R18: woken and cancelled before its turn, it is awake", async ({ loop, log }) => {
  const lot = new ParkingLot();
  await loop.run(Nursery.open(function* (nursery) {
    const task = nursery.startSoon(function* () {
      yield* lot.park();
      log.push("awake");
      yield* sleep(1);
      log.push("not reached");
    }());
    yield* sleep(1);
    lot.unpark();
    task.cancel();
  }));
  assertEquals(log, ["awake"]);
});

inEveryOrder("R28: cancelling 100,000 parked tasks is not quadratic", async ({ loop }) => {
  const lot = new ParkingLot();
  const start = performance.now();
  await loop.run(moveOnAfter(
    1,
    Nursery.open(function* (nursery) {
      for (let i = 0; i < 100_000; i++) nursery.startSoon(lot.park());
    }),
  ));
  assertEquals(lot.statistics().tasksWaiting, 0);
  // A search for each would take minutes.
  if (performance.now() - start > 20_000) throw new Error("quadratic");
});

Deno.test("unpark takes an integer of at least 0", () => {
  const lot = new ParkingLot();
  for (const count of [-1, 1.5, NaN, Infinity]) {
    assertThrows(() => lot.unpark(count), RangeError, `an integer of at least 0, got ${count}`);
  }
  assertThrows(() => lot.unpark("1" as unknown as number), TypeError, "count of unpark()");
});

Deno.test("R2: a name is a string", () => {
  assertThrows(
    () => new ParkingLot({ name: 1 as unknown as string }),
    TypeError,
    "Expected a string, got 1 (name)",
  );
});

inEveryOrder("R2: an operation of a primitive is used once", async ({ loop }) => {
  const lot = new ParkingLot({ name: "garage" });
  await loop.run(function* () {
    const park = lot.park();
    yield* moveOnAfter(0, park);
    assertThrows(
      () => park[Symbol.iterator](),
      TypeError,
      '(parked in parking lot "garage") was used already',
    );
  }());
});
