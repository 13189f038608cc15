import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  Broadcast,
  ClosedResourceError,
  type Coroutine,
  DeadlockError,
  type ExecutionOrder,
  Loop,
  moveOnAfter,
  type Operation,
  sleep,
  type SlowPolicy,
  type Subscription,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";

function run(...coroutines: Operation<unknown>[]): Promise<void> {
  const loop = new Loop({ host: new VirtualClock() });
  for (const coroutine of coroutines) loop.startSoon(coroutine);
  return loop.run();
}

function* drain<T>(subscription: Subscription<T>, log: T[], pause = 0): Coroutine {
  yield* subscription.forEach(function* (value) {
    log.push(value);
    if (pause > 0) yield* sleep(pause);
  });
}

Deno.test("every subscriber sees every value, in the same order, whoever sends", async () => {
  const broadcast = new Broadcast<number>({ capacity: 2 });
  const logs: number[][] = [[], [], []];
  const readers = logs.map((log, i) => drain(broadcast.subscribe(), log, i));
  let senders = 2;
  function* send(from: number): Coroutine {
    for (let i = from; i < from + 5; i++) yield* broadcast.send(i);
    if (--senders === 0) broadcast.close();
  }
  await run(...readers, send(0), send(100));
  assertEquals(logs[0].toSorted((a, b) => a - b), [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]);
  assertEquals(logs[1], logs[0]);
  assertEquals(logs[2], logs[0]);
});

Deno.test("a subscriber sees what is sent after it subscribed, and without any a value is gone", async () => {
  const broadcast = new Broadcast<number>();
  assertEquals(broadcast.trySend(1), true);
  const first = broadcast.subscribe();
  await run(broadcast.send(2));
  const second = broadcast.subscribe();
  broadcast.trySend(3);
  assertEquals([first.tryReceive(), first.tryReceive(), first.tryReceive()], [2, 3, undefined]);
  assertEquals([second.tryReceive(), second.tryReceive()], [3, undefined]);
});

Deno.test("under wait, a send waits for the slowest, and no subscriber sees the value before", async () => {
  const broadcast = new Broadcast<number>({ capacity: 1, slow: "wait" });
  const [quick, slow] = [broadcast.subscribe(), broadcast.subscribe()];
  const log: unknown[] = [];
  await run(
    function* () {
      yield* broadcast.send(1);
      assertEquals(broadcast.trySend(2), false);
      yield* broadcast.send(2);
      log.push("sent 2");
    }(),
    function* () {
      yield* sleep(1);
      assertEquals(quick.tryReceive(), 1);
      assertEquals(quick.tryReceive(), undefined);
      assertEquals(broadcast.statistics(), {
        subscribers: 2,
        buffered: 1,
        capacity: 1,
        waitingSenders: 1,
      });
      yield* sleep(1);
      assertEquals(log, []);
      assertEquals(slow.tryReceive(), 1);
      assertEquals([quick.tryReceive(), slow.tryReceive()], [2, 2]);
      yield* sleep(1);
      assertEquals(log, ["sent 2"]);
    }(),
  );
});

Deno.test("under wait, a slow subscriber that closes lets senders go on", async () => {
  const broadcast = new Broadcast<number>({ capacity: 1 });
  const slow = broadcast.subscribe();
  const clone = slow.clone();
  const log: unknown[] = [];
  await run(
    function* () {
      for (let i = 0; i < 3; i++) yield* broadcast.send(i);
      log.push("sent");
    }(),
    function* () {
      yield* sleep(1);
      slow.close();
      yield* sleep(1);
      log.push("still waiting: a clone is open");
      clone.close();
    }(),
  );
  assertEquals(log, ["still waiting: a clone is open", "sent"]);
  assertEquals(broadcast.statistics().subscribers, 0);
});

Deno.test("under dropOldest and dropNewest nobody waits, and a subscriber knows what it lost", async () => {
  for (const slow of ["dropOldest", "dropNewest"] as SlowPolicy[]) {
    const broadcast = new Broadcast<number>({ capacity: 2, slow });
    const [lazy, eager] = [broadcast.subscribe(), broadcast.subscribe()];
    const seen: number[] = [];
    await run(function* () {
      for (let i = 1; i <= 4; i++) {
        yield* broadcast.send(i);
        seen.push(eager.tryReceive()!);
      }
      broadcast.close();
      const rest: number[] = [];
      yield* drain(lazy, rest);
      assertEquals(rest, slow === "dropOldest" ? [3, 4] : [1, 2]);
    }());
    assertEquals(seen, [1, 2, 3, 4]);
    assertEquals([lazy.dropped, eager.dropped], [2, 0]);
  }
});

Deno.test("R32: a closed broadcast lets subscribers drain, and refuses the rest", async () => {
  const broadcast = new Broadcast<number>({ capacity: 1, name: "news" });
  const subscription = broadcast.subscribe();
  const waiting = broadcast.subscribe();
  broadcast.trySend(1);
  waiting.tryReceive();
  const log: unknown[] = [];
  await run(
    function* () {
      try {
        yield* broadcast.send(2);
      } catch (error) {
        log.push((error as Error).message);
      }
    }(),
    function* () {
      log.push(yield* waiting.next());
    }(),
    function* () {
      yield* sleep(1);
      broadcast.close();
      broadcast.close();
    }(),
  );
  assertEquals(log, [
    'Cannot send on broadcast "news": it was closed',
    { done: true, value: undefined },
  ]);
  assertEquals(subscription.tryNext(), { done: false, value: 1 });
  assertEquals(subscription.tryNext(), { done: true, value: undefined });
  assertThrows(() => broadcast.trySend(3), ClosedResourceError);
  assertThrows(() => broadcast.subscribe(), ClosedResourceError);
});

Deno.test("clones of a subscription share its values", async () => {
  using broadcast = new Broadcast<number>();
  const subscription = broadcast.subscribe();
  const clone = subscription.clone();
  broadcast.trySend(1);
  broadcast.trySend(2);
  assertEquals([subscription.tryReceive(), clone.tryReceive()], [1, 2]);
  assertEquals(broadcast.statistics().subscribers, 1);
  await run();
});

Deno.test("R7: a deadlock report says how many subscribers hold a broadcast up", async () => {
  const broadcast = new Broadcast<number>({ capacity: 1 });
  broadcast.subscribe();
  broadcast.subscribe().close();
  broadcast.trySend(1);
  let message = "";
  await run(broadcast.send(2)).catch((error) => {
    if (error instanceof DeadlockError) ({ message } = error);
  });
  assertStringIncludes(message, "sending on a broadcast, where 1 of 1 subscribers have no room");
});

Deno.test("options of a broadcast are checked", () => {
  assertThrows(() => new Broadcast({ capacity: 0 }), RangeError, "at least 1");
  assertThrows(() => new Broadcast({ slow: "never" as SlowPolicy }), RangeError, '"dropOldest"');
});

Deno.test("R30: whatever the wait at which a sender or a subscriber is cancelled, all see the same", async () => {
  for (const victim of [0, 1]) {
    const waits = await cancelAtEveryWait(() => {
      const broadcast = new Broadcast<number>({ capacity: 1 });
      const logs: number[][] = [[], [], []];
      const sent: number[] = [];
      function* send(): Coroutine {
        try {
          for (let i = 0; i < 4; i++) {
            yield* broadcast.send(i);
            sent.push(i);
          }
        } finally {
          broadcast.close();
        }
      }
      const readers = logs.map((log) => {
        const subscription = broadcast.subscribe();
        return (function* () {
          using _ = subscription;
          yield* drain(subscription, log, 1);
        })();
      });
      const [first, second, third] = readers;
      return {
        victim: victim === 0 ? send() : first,
        others: victim === 0 ? readers : [send(), second, third],
        check() {
          for (const log of victim === 0 ? logs : logs.slice(1)) assertEquals(log, sent);
          assertEquals(logs[0], sent.slice(0, logs[0].length));
        },
      };
    });
    assertEquals(waits > 3, true);
  }
});

/** A random program: who sends, reads, subscribes, unsubscribes and is cancelled, and when. */
const actor = fc.record({
  kind: fc.constantFrom("send", "read", "read", "impatient"),
  start: fc.integer({ min: 0, max: 3 }),
  count: fc.integer({ min: 1, max: 5 }),
  pause: fc.integer({ min: 0, max: 2 }),
});

for (const executionOrder of ["fifo", "lifo", "random"] as ExecutionOrder[]) {
  Deno.test(`R30: in random programs each subscriber sees a stretch of one common history, in order ${executionOrder}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(actor, { minLength: 2, maxLength: 8 }),
        fc.nat(),
        async (capacity, actors, seed) => {
          const loop = new Loop({ host: new VirtualClock(), executionOrder, seed });
          const broadcast = new Broadcast<number>({ capacity });
          const witness = broadcast.subscribe();
          const history: number[] = [];
          const seen: number[][] = [];
          const sent: number[] = [];
          let next = 0;
          let running = actors.length;
          function* play({ kind, start, count, pause }: (typeof actors)[number]): Coroutine {
            yield* sleep(start);
            if (kind === "read") {
              using subscription = broadcast.subscribe();
              const log: number[] = [];
              seen.push(log);
              for (let i = 0; i < count; i++) {
                yield* moveOnAfter(2, function* () {
                  log.push(yield* subscription.receive());
                });
                yield* sleep(pause);
              }
            } else {
              for (let i = 0; i < count; i++) {
                const value = next++;
                yield* moveOnAfter(kind === "send" ? Infinity : 0.5, function* () {
                  yield* broadcast.send(value);
                  sent.push(value);
                });
                yield* sleep(pause);
              }
            }
            if (--running === 0) broadcast.close();
          }
          for (const each of actors) loop.startSoon(play(each));
          loop.startSoon(drain(witness, history, 1));
          await loop.run();
          assertEquals(history.toSorted((a, b) => a - b), sent.toSorted((a, b) => a - b));
          for (const log of seen) {
            const from = history.indexOf(log[0]);
            assertEquals(log, log.length === 0 ? [] : history.slice(from, from + log.length));
          }
          assertEquals(broadcast.statistics(), {
            subscribers: 1,
            buffered: 0,
            capacity,
            waitingSenders: 0,
          });
        },
      ),
      { numRuns: 200 },
    );
  });
}
