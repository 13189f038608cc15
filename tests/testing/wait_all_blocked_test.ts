/** waitAllBlocked: when everybody has come to rest. */
import { assertEquals } from "@std/assert";
import { checkpoint, Event, moveOnAfter, Nursery, sleep } from "../../mod.ts";
import { waitAllBlocked } from "../../src/testing/mod.ts";
import { inEveryOrder } from "../support/world.ts";

inEveryOrder(
  "R55: waitAllBlocked comes back when the others wait, and before time passes",
  async (world) => {
    const { loop } = world;
    await loop.run(Nursery.open(function* (nursery) {
      const event = new Event();
      nursery.startSoon(function* () {
        for (let i = 0; i < 5; i++) yield* checkpoint();
        world.note("waits");
        yield* event.wait();
        world.note("woken");
        yield* sleep(1);
        world.note("slept");
      }());
      yield* waitAllBlocked();
      world.note("blocked");
      event.set();
      yield* waitAllBlocked();
      world.note("blocked again");
    }));
    assertEquals(world.log, ["0 waits", "0 blocked", "0 woken", "0 blocked again", "1 slept"]);
  },
);

inEveryOrder(
  "R55: several may wait so at once, and one that is cancelled is gone",
  async (world) => {
    const { loop } = world;
    await loop.run(Nursery.open(function* (nursery) {
      for (const name of ["a", "b"]) {
        nursery.startSoon(function* () {
          yield* waitAllBlocked();
          world.note(name);
        }());
      }
      const late = yield* moveOnAfter(0, waitAllBlocked());
      world.note(`cancelled: ${late === undefined}`);
    }));
    assertEquals(world.log.sort(), ["0 a", "0 b", "0 cancelled: true"]);
  },
);

inEveryOrder("R30: a cancelled waitAllBlocked leaves nothing behind", async ({ loop }) => {
  await loop.run(Nursery.open(function* (nursery) {
    const task = nursery.startSoon(waitAllBlocked());
    yield* checkpoint();
    task.cancel();
    yield* sleep(1);
  }));
});
