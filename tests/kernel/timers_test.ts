/** The deadline queue (R8) against a sorted list. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Timed, Timers } from "../../src/kernel/timers.ts";

class Item implements Timed {
  generation = 0;
  readonly #expired: (item: Item) => void;
  constructor(expired: (item: Item) => void) {
    this.#expired = expired;
  }
  expire(): void {
    this.#expired(this);
  }
}

Deno.test("R8: timers fire by deadline, and at the same instant in the order they were set; cancelled ones never", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("add" as const), at: fc.nat(20) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("cancel" as const), which: fc.nat(100) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("fire" as const), by: fc.nat(4) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
      const timers = new Timers();
      let model: { at: number; item: Item }[] = [];
      let now = 0;
      let fired: Item[] = [];
      for (const step of steps) {
        if (step.do === "add") {
          const item = new Item((item) => fired.push(item));
          timers.add(now + step.at, item);
          model.push({ at: now + step.at, item });
        } else if (step.do === "cancel") {
          const entry = model[step.which % (model.length || 1)];
          if (entry) {
            timers.cancel(entry.item);
            timers.cancel(entry.item);
            model = model.filter((each) => each !== entry);
          }
        } else {
          now += step.by;
          const due = model.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
          model = model.filter(({ at }) => at > now);
          fired = [];
          timers.fire(now);
          assert(fired.length === due.length && fired.every((item, i) => item === due[i].item));
        }
        assertEquals(timers.size, model.length);
        assertEquals(timers.next, Math.min(...model.map(({ at }) => at)));
        assert(model.every(({ item }) => item.generation !== 0));
      }
    }),
  );
});

Deno.test("a timer that is set while others fire waits for the next call, also where it is due; one that is cancelled then does not fire", () => {
  const timers = new Timers();
  const log: string[] = [];
  const late = new Item(() => log.push("late"));
  const doomed = new Item(() => log.push("doomed"));
  timers.add(
    1,
    new Item(() => {
      log.push("first");
      timers.add(0, late);
      timers.cancel(doomed);
    }),
  );
  timers.add(1, doomed);
  timers.fire(1);
  assertEquals(log, ["first"]);
  assertEquals(timers.next, 0);
  timers.fire(1);
  assertEquals(log, ["first", "late"]);
  assertEquals([timers.size, timers.next], [0, Infinity]);
});

Deno.test("an item can be set again from its own expiry, and moved by cancel and add", () => {
  const timers = new Timers();
  let count = 0;
  const item: Item = new Item(() => {
    if (++count < 3) timers.add(count + 1, item);
  });
  timers.add(1, item);
  for (let now = 1; now <= 5; now++) timers.fire(now);
  assertEquals(count, 3);
  timers.add(9, item);
  timers.cancel(item);
  timers.add(7, item);
  assertEquals(timers.next, 7);
  timers.fire(8);
  assertEquals(count, 4);
});

Deno.test("a million timers that are set and cancelled leave nothing, in linear time and memory", () => {
  const timers = new Timers();
  let expired = 0;
  const items = Array.from({ length: 1000 }, () => new Item(() => expired++));
  for (let round = 0; round < 1000; round++) {
    for (const [i, item] of items.entries()) {
      timers.cancel(item);
      timers.add(1e6 + ((i * 7919 + round) % 1000), item);
    }
  }
  assertEquals(timers.size, 1000);
  timers.fire(2e6);
  assertEquals(expired, 1000);
});
