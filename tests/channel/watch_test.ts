/** Watch: everybody sees the newest, slow readers miss what was between. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  ClosedResourceError,
  type Coroutine,
  type ExecutionOrder,
  Loop,
  mapConcurrent,
  moveOnAfter,
  select,
  settle,
  sleep,
  sleepForever,
  Watch,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import { inEveryOrder } from "../support/world.ts";

inEveryOrder(
  "changes begin with the next value, and a slow reader sees the newest",
  async ({ loop, log }) => {
    const watch = new Watch("a");
    watch.set("b");
    loop.startSoon(
      watch.changes().forEach((value) => void log.push(`quick ${value} at ${loop.now}`)),
    );
    loop.startSoon(
      watch.changes().forEach(function* (value): Coroutine {
        log.push(`slow ${value} at ${loop.now}`);
        yield* sleep(2.5);
      }),
    );
    await loop.run(function* (): Coroutine {
      assertEquals(watch.value, "b");
      for (const value of ["c", "d", "e", "f"]) {
        yield* sleep(1);
        watch.set(value);
      }
      yield* sleep(0.25);
      watch.close();
      assertEquals(watch.value, "f");
    }());
    assertEquals(log.filter((line) => line.startsWith("quick")), [
      "quick c at 1",
      "quick d at 2",
      "quick e at 3",
      "quick f at 4",
    ]);
    assertEquals(log.filter((line) => line.startsWith("slow")), [
      "slow c at 1",
      "slow e at 3.5",
      "slow f at 6",
    ]);
  },
);

inEveryOrder("an equal value is a change; two in one turn are one", async ({ loop }) => {
  const watch = new Watch(0, { name: "level" });
  await loop.run(function* (): Coroutine {
    const changes = watch.changes();
    watch.set(0);
    assertEquals(yield* changes.next(), { done: false, value: 0 });
    watch.set(1);
    assertEquals(watch.update((value) => value + 1), 2);
    assertEquals(yield* changes.next(), { done: false, value: 2 });
    assertEquals(yield* moveOnAfter(1, changes.next()), undefined);
    watch.close();
    watch.close();
    assertEquals(yield* changes.next(), { done: true, value: undefined });
    assertThrows(() => watch.set(3), ClosedResourceError, 'watch "level"');
  }());
  assertEquals(watch.statistics(), { version: 3, tasksWaiting: 0 });
});

inEveryOrder("changes are an arm of select, and a source of mapConcurrent", async ({ loop }) => {
  const watch = new Watch("a");
  await loop.run(function* (): Coroutine {
    const changes = watch.changes();
    assertEquals((yield* select({ change: changes.next(), late: sleep(1) })).arm, "late");
    assertEquals(watch.statistics().tasksWaiting, 0);
    watch.set("b");
    const chosen = yield* select({ change: changes.next(), never: sleepForever() });
    assertEquals(chosen, { arm: "change", value: { done: false, value: "b" } });
    watch.set("c");
    watch.close();
    const got = yield* mapConcurrent(changes, function* (value) {
      yield* sleep(1);
      return value;
    });
    assertEquals(got, ["c"]);
  }());
});

inEveryOrder("a reader that is closed ends alone, also while it waits", async ({ loop, log }) => {
  const watch = new Watch(1);
  const [one, two] = [watch.changes(), watch.changes()];
  for (const [name, reader] of Object.entries({ one, two, again: one })) {
    loop.startSoon(function* (): Coroutine {
      const result = yield* settle(reader.next());
      log.push(`${name} ${result.ok ? result.value.value : (result.error as Error).name}`);
    }());
  }
  await loop.run(function* (): Coroutine {
    yield* sleep(1);
    one.close();
    one.close();
    watch.set(2);
    yield* sleep(1);
    const late = yield* settle(one.next());
    assert(!late.ok && late.error instanceof ClosedResourceError);
  }());
  assertEquals(log.sort(), ["again ClosedResourceError", "one ClosedResourceError", "two 2"]);
});

Deno.test("R2, R40b: a watch refuses wrong arguments", () => {
  assertThrows(() => new Watch(1, { nam: "x" } as never), TypeError, 'known one is "name"');
  assertThrows(() => new Watch(1, { name: 5 } as never), TypeError, "got 5");
  const watch = new Watch(1);
  assertThrows(() => watch.update(5 as never), TypeError, "change of update()");
  assertThrows(() => watch.changes().forEach(5 as never), TypeError, "body of forEach()");
});

Deno.test("R30: a watch survives a cancel at every wait of a reader", async () => {
  const waits = await cancelAtEveryWait(() => {
    const watch = new Watch(0);
    const got: Record<string, number[]> = { victim: [], other: [] };
    const changes = watch.changes();
    const reader = (name: string) =>
      (name === "victim" ? changes : watch.changes()).forEach((value) =>
        void got[name].push(value)
      );
    return {
      victim: reader("victim"),
      others: [
        reader("other"),
        function* (): Coroutine {
          for (let i = 1; i <= 4; i++) {
            yield* sleep(1);
            watch.set(i);
          }
          yield* sleep(1);
          watch.close();
        }(),
      ],
      check({ completed }) {
        assertEquals(got.other, [1, 2, 3, 4]);
        assertEquals(got.victim, [1, 2, 3, 4].slice(0, got.victim.length));
        if (completed) assertEquals(got.victim.length, 4);
        assertEquals(watch.statistics().tasksWaiting, 0);
      },
    };
  });
  assertEquals(waits, 5);
});

Deno.test("random readers see rising versions, and the last one", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(0, 0, 1, 2), { minLength: 1, maxLength: 12 }),
      fc.array(
        fc.record({
          begins: fc.constantFrom(0, 1, 3),
          work: fc.constantFrom(0, 1, 3),
          patience: fc.constantFrom(1, 99),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      fc.constantFrom<ExecutionOrder>("fifo", "lifo", "random"),
      fc.nat(),
      async (pauses, readers, executionOrder, seed) => {
        const loop = new Loop({ host: new VirtualClock(), executionOrder, seed });
        const watch = new Watch(0);
        for (const { begins, work, patience } of readers) {
          loop.startSoon(function* (): Coroutine {
            yield* sleep(begins);
            let last = watch.value;
            const changes = watch.changes();
            for (;;) {
              const next = yield* moveOnAfter(patience, changes.next());
              if (next === undefined) continue; // it gave up once, and lost nothing by it
              if (next.done) break;
              assert(next.value > last, `${next.value} after ${last}`);
              assert(next.value <= watch.value); // it may have changed since the task was woken
              last = next.value;
              yield* sleep(work);
            }
            assertEquals(last, watch.value, "it saw the newest");
          }());
        }
        await loop.run(function* (): Coroutine {
          for (const [i, pause] of pauses.entries()) {
            yield* sleep(pause);
            watch.set(i + 1);
          }
          watch.close();
        }());
        assertEquals(watch.statistics(), { version: pauses.length, tasksWaiting: 0 });
      },
    ),
    { numRuns: 300 },
  );
});
