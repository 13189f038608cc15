import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  all,
  type Arms,
  Broadcast,
  CancelScope,
  checkpoint,
  Condition,
  type Coroutine,
  DeadlockError,
  Event,
  type ExecutionOrder,
  Lock,
  Loop,
  moveOnAfter,
  Nursery,
  openChannel,
  type Operation,
  select,
  Semaphore,
  sleep,
  sleepForever,
  sleepUntil,
  suspend,
  until,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";

function runLoop(executionOrder: ExecutionOrder, ...coroutines: Operation<unknown>[]) {
  const loop = new Loop({ host: new VirtualClock(), executionOrder, seed: 1 });
  for (const coroutine of coroutines) loop.startSoon(coroutine);
  return loop.run();
}
const run = (...coroutines: Operation<unknown>[]) => runLoop("fifo", ...coroutines);

Deno.test("R18: select gives the arm that happened, its name and its value", async () => {
  const inbox = openChannel<string>(1);
  const full = openChannel<number>(1);
  full.sender.trySend(1);
  const stop = new Event();
  await run(Nursery.open(function* (nursery) {
    const task = nursery.startSoon(function* () {
      yield* sleep(5);
      return "joined";
    }());
    const arms = () => ({
      message: inbox.receiver.receive(),
      out: full.sender.send(2),
      stop: stop.wait(),
      done: task.join(),
      late: sleep(1),
    });
    const log: unknown[] = [];
    log.push(yield* select(arms()));
    inbox.sender.trySend("hello");
    const chosen = yield* select(arms());
    if (chosen.arm === "message") log.push(chosen.value.toUpperCase());
    full.receiver.tryReceive();
    log.push(yield* select(arms()));
    log.push(yield* select({ ...arms(), late: sleep(100) }));
    stop.set();
    log.push((yield* select({ stop: stop.wait(), late: sleepForever() })).arm);
    assertEquals(log, [
      { arm: "late", value: undefined },
      "HELLO",
      { arm: "out", value: undefined },
      { arm: "done", value: "joined" },
      "stop",
    ]);
    assertEquals(full.receiver.tryReceive(), 2);
    assertEquals(inbox.receiver.statistics().waitingReceivers, 0);
    assertEquals(full.sender.statistics().waitingSenders, 0);
  }));
});

Deno.test("R18: the arms that did not happen leave no trace", async () => {
  const a = openChannel<number>(0);
  const b = openChannel<number>(0);
  const lock = new Lock();
  const semaphore = new Semaphore(0);
  const event = new Event();
  await run(
    function* () {
      yield* lock.acquire();
      yield* sleep(2);
      lock.release();
    }(),
    function* () {
      yield* sleep(0.5);
      const chosen = yield* select({
        a: a.receiver.receive(),
        b: b.sender.send(5),
        lock: lock.acquire(),
        permit: semaphore.acquire(),
        event: event.wait(),
        late: sleep(1),
      });
      assertEquals(chosen.arm, "late");
      assertEquals(a.sender.trySend(1), false, "nobody receives any more");
      assertEquals(b.receiver.tryReceive(), undefined, "nobody sends any more");
      semaphore.release();
      assertEquals(semaphore.tryAcquire(), true, "the permit is free");
      yield* sleep(1);
      assertEquals(lock.tryAcquire(), true, "the lock is free");
      lock.release();
    }(),
  );
});

Deno.test("R18: two arms settled in one turn: the first happens, the second is not lost", async () => {
  const a = openChannel<number>(1);
  const b = openChannel<number>(1);
  const log: unknown[] = [];
  await run(
    function* () {
      log.push(yield* select({ a: a.receiver.receive(), b: b.receiver.receive() }));
      log.push(yield* select({ a: a.receiver.receive(), b: b.receiver.receive() }));
    }(),
    function* () {
      yield* sleep(1);
      b.sender.trySend(2);
      a.sender.trySend(1);
    }(),
  );
  assertEquals(log, [{ arm: "b", value: 2 }, { arm: "a", value: 1 }]);
});

Deno.test("R32: a task does not trade with itself in one select", async () => {
  const { sender, receiver } = openChannel<number>(0);
  const log: unknown[] = [];
  const both = function* (value: number): Coroutine {
    const chosen = yield* select({ in: receiver.receive(), out: sender.send(value) });
    log.push(chosen.arm === "in" ? `${value} got ${chosen.value}` : `${value} sent`);
  };
  await run(moveOnAfter(1, both(1)));
  assertEquals(log, []);
  await run(both(1), both(2));
  assertEquals(log.length, 2);
  assertEquals(log.filter((entry) => /1 got 2|2 sent/.test(`${entry}`)).length % 2, 0);
});

Deno.test("R32: a select on a broadcast and its own subscription loses nothing", async () => {
  const broadcast = new Broadcast<number>({ capacity: 1 });
  const one = broadcast.subscribe();
  const other = broadcast.subscribe();
  broadcast.trySend(1);
  await run(function* () {
    // Receiving makes room, and would let the very same select send.
    for (let i = 0; i < 40; i++) {
      other.tryReceive();
      const before = one.statistics().buffered;
      const chosen = yield* select({ in: one.receive(), out: broadcast.send(i) });
      const after = one.statistics().buffered;
      assertEquals(after - before, chosen.arm === "in" ? -1 : 1);
    }
  }());
});

Deno.test("of several arms that are ready each has the same chance, the same in every run", async () => {
  const counts: Record<string, number>[] = [];
  for (let round = 0; round < 2; round++) {
    const count: Record<string, number> = { a: 0, b: 0, c: 0 };
    const event = new Event();
    event.set();
    await run(function* () {
      for (let i = 0; i < 3000; i++) {
        const { arm } = yield* select({
          a: event.wait(),
          never: sleepForever(),
          b: sleepUntil(0),
          c: event.wait(),
        });
        count[arm]++;
      }
    }());
    for (const times of Object.values(count)) assertEquals(times > 850 && times < 1150, true);
    counts.push(count);
  }
  assertEquals(counts[0], counts[1]);
});

Deno.test("select throws what its arm throws, and the others did not happen", async () => {
  const { sender, receiver } = openChannel<number>(0);
  const other = openChannel<number>(0);
  let stack = "";
  await run(
    function* choosing() {
      try {
        yield* select({ in: receiver.receive(), out: other.sender.send(1) });
      } catch (error) {
        assertEquals((error as Error).name, "EndOfChannel");
        stack = (error as Error).stack!;
      }
      assertEquals(other.receiver.tryReceive(), undefined);
      const chosen = yield* select({ in: receiver.next(), late: sleepForever() });
      assertEquals(chosen, { arm: "in", value: { done: true, value: undefined } });
    }(),
    function* () {
      yield* sleep(1);
      sender.close();
    }(),
  );
  assertStringIncludes(stack, "choosing");
  await run(function* () {
    // Ready at once, with an error.
    let name = "";
    try {
      yield* select({ in: receiver.receive() });
    } catch (error) {
      ({ name } = error as Error);
    }
    assertEquals(name, "EndOfChannel");
  }());
});

Deno.test("R33: select waits for the outside, and gives an aborted signal to what was not chosen", async () => {
  let aborted = false;
  let undone = 0;
  const loop = new Loop();
  await loop.run(function* () {
    const chosen = yield* select({
      slow: until((signal) => {
        signal.onabort = () => aborted = true;
        return new Promise(() => {});
      }),
      suspended: suspend(() => () => void undone++),
      quick: until(Promise.resolve(7)),
    });
    assertEquals(chosen, { arm: "quick", value: 7 });
  }());
  assertEquals([aborted, undone], [true, 1]);
  // Nothing external is counted any more, so a deadlock is seen.
  await assertRejects(() => loop.run(sleepForever()), DeadlockError);
});

Deno.test("R32: code that runs where an arm is withdrawn may use the very same channel", async () => {
  const { sender, receiver } = openChannel<number>(1);
  const broadcast = new Broadcast<number>({ capacity: 1 });
  const subscription = broadcast.subscribe();
  sender.trySend(1);
  broadcast.trySend(1);
  const log: unknown[] = [];
  const onAbort = (run: () => void) =>
    until((signal) => {
      signal.onabort = run;
      return new Promise(() => {});
    });
  await new Loop().run(Nursery.open(function* (nursery) {
    nursery.startSoon(select({
      out: sender.send(2),
      never: onAbort(() => log.push(sender.trySend(3))),
    }));
    nursery.startSoon(select({
      out: broadcast.send(2),
      never: onAbort(() => log.push(broadcast.trySend(3))),
    }));
    yield* checkpoint();
    log.push(receiver.tryReceive(), receiver.statistics().buffered);
    log.push(subscription.tryReceive());
  }));
  assertEquals(log, [false, 1, 1, true, 1]);
  assertEquals([receiver.tryReceive(), receiver.tryReceive()], [2, undefined]);
  const rest = [subscription, subscription, subscription].map((each) => each.tryReceive());
  assertEquals(rest, [3, 2, undefined]);
  assertEquals(broadcast.trySend(4), true);
});

Deno.test("R18: a cancel that comes of trying the arms loses nothing", async () => {
  const { sender, receiver } = openChannel<number>(0);
  const log: unknown[] = [];
  await new Loop().run(Nursery.open(function* (nursery) {
    const chooser = (ready: boolean) =>
      CancelScope.open(function* (scope): Coroutine {
        nursery.startSoon(select({
          out: ready ? sender.send(1) : sleep(0.001),
          never: until((signal) => {
            signal.onabort = () => scope.cancel();
            return new Promise(() => {});
          }),
        }));
        yield* checkpoint();
        log.push(yield* select({ in: receiver.receive(), other: sleepForever() }));
        yield* checkpoint();
        log.push("not reached");
      });
    yield* chooser(true);
    log.push(receiver.statistics().waitingReceivers);
    yield* chooser(false);
    log.push(receiver.statistics().waitingReceivers);
  }));
  assertEquals(log, [{ arm: "in", value: 1 }, 0, 0]);
});

Deno.test("R7: a deadlock report names every arm, and who holds what", async () => {
  const lock = new Lock({ name: "door" });
  const error = await assertRejects(
    () =>
      run(Nursery.open(function* (nursery) {
        nursery.startSoon(
          function* () {
            yield* lock.acquire();
            yield* sleepForever();
          }(),
          { name: "holder" },
        );
        yield* sleep(1);
        yield* select({ got: lock.acquire(), never: sleepForever() });
      })),
    DeadlockError,
  );
  assertStringIncludes(error.message, "got (");
  assertStringIncludes(error.message, "never (sleeping forever)");
  assertStringIncludes(error.message, "held by holder");
});

Deno.test("R17: in a cancelled scope no arm happens", async () => {
  const { sender, receiver } = openChannel<number>(1);
  sender.trySend(1);
  await run(moveOnAfter(0, function* (scope) {
    scope.cancel();
    yield* select({ in: receiver.receive(), now: sleep(0) });
  }));
  assertEquals(receiver.tryReceive(), 1);
});

Deno.test("R2: an arm is a fresh operation that waits once", async () => {
  const { receiver } = openChannel<number>(1);
  function* coroutine() {
    yield* sleep(1);
  }
  for (
    const arm of [
      coroutine(),
      undefined,
      1,
      moveOnAfter(1, sleepForever()),
      select({ a: sleep(1) }),
    ]
  ) {
    assertThrows(
      () => select({ arm } as unknown as Arms),
      TypeError,
      'select() cannot take back its arm "arm"',
    );
  }
  assertThrows(() => select({}), RangeError, "select() of nothing would never end");
  assertThrows(() => select(null as unknown as Arms), TypeError, "Expected a record of operations");
  await run(function* () {
    const used = sleep(0);
    yield* used;
    const again = receiver.receive();
    for (const arms of [{ used }, { again, same: again }] as Arms[]) {
      let message = "";
      try {
        yield* select(arms);
        // deno-lint-ignore broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
      } catch (error) {
        ({ message } = error as Error);
      }
      assertStringIncludes(message, "was used already");
    }
    assertEquals(receiver.statistics().waitingReceivers, 0);
  }());
});

Deno.test("R30: cancelled at any of its waits, a chooser loses, doubles and leaks nothing", async () => {
  const waits = await cancelAtEveryWait(() => {
    const a = openChannel<number>(0);
    const b = openChannel<number>(2);
    const sent: number[] = [];
    const got: number[] = [];
    function* produce(channel: typeof a, first: number): Coroutine {
      using sender = channel.sender;
      for (let value = first; value < first + 4; value++) {
        const chosen = yield* select({ out: sender.send(value), late: sleep(3) });
        if (chosen.arm === "out") sent.push(value);
      }
    }
    function* consume(receivers: { a: typeof a.receiver; b: typeof b.receiver }): Coroutine {
      let open = 2;
      while (open > 0) {
        const chosen = yield* select({ a: receivers.a.next(), b: receivers.b.next() });
        if (!chosen.value.done) got.push(chosen.value.value);
        else {
          open--;
          yield* (chosen.arm === "a" ? receivers.b : receivers.a).forEach((v) => void got.push(v));
          return;
        }
      }
    }
    return {
      victim: consume({ a: a.receiver.clone(), b: b.receiver.clone() }),
      others: [
        produce(a, 10),
        produce(b, 20),
        consume({ a: a.receiver, b: b.receiver }),
      ],
      check() {
        assertEquals(got.toSorted((x, y) => x - y), sent.toSorted((x, y) => x - y));
        assertEquals(sent.length, 8);
        for (const { sender } of [a, b]) {
          const { waitingReceivers, waitingSenders, buffered } = sender.statistics();
          assertEquals([waitingReceivers, waitingSenders, buffered], [0, 0, 0]);
        }
      },
    };
  });
  assertEquals(waits > 3, true);
});

Deno.test("R18: an arm whose undo throws costs no value, and no arm stays behind; the loop warns", async () => {
  const { sender, receiver } = openChannel<number>(0);
  const warnings: string[] = [];
  const log: unknown[] = [];
  const loop = new Loop({
    host: new VirtualClock({ autojump: "always" }),
    onWarning: ({ message }) => warnings.push(message.split("\n")[0]),
  });
  const broken = () =>
    suspend(() => () => {
      throw new Error("broken undo");
    });
  const never = new Event();
  loop.startSoon(function* (): Coroutine {
    log.push(yield* select({ broken: broken(), value: receiver.receive(), never: never.wait() }));
    log.push(never.statistics().tasksWaiting);
  }());
  loop.startSoon(function* (): Coroutine {
    yield* sleep(1);
    yield* sender.send(5);
    log.push("sent");
  }());
  await loop.run();
  assertEquals(log, [{ arm: "value", value: 5 }, 0, "sent"]);
  assertEquals(warnings, ["The undo of a select's arm broken failed: Error: broken undo"]);
});

Deno.test("R30: a cancelled select whose undo throws leaves no arm behind, and that error replaces the cancel", async () => {
  const { sender, receiver } = openChannel<number>(0);
  const loop = new Loop({ host: new VirtualClock({ autojump: "always" }) });
  await loop.run(function* (): Coroutine {
    const broken = suspend(() => () => {
      throw new Error("broken undo");
    });
    try {
      yield* moveOnAfter(1, select({ broken, value: receiver.receive() }));
    } catch (error) {
      assertEquals((error as Error).message, "broken undo");
    }
    assertEquals(receiver.statistics().waitingReceivers, 0);
    assertEquals(sender.trySend(1), false);
  }());
});

Deno.test("R38: what cannot be an arm is refused by its type and by a message that says race", () => {
  function* work(): Coroutine {
    yield* sleep(1);
  }
  const condition = new Condition();
  const wrong: Record<string, Operation<unknown>> = {
    coroutine: work(),
    scope: moveOnAfter(1, work),
    condition: condition.wait(),
    all: all([work()]),
    promise: Promise.resolve() as unknown as Operation<unknown>,
  };
  for (const [name, operation] of Object.entries(wrong)) {
    assertThrows(
      // @ts-expect-error -- an Operation is not always Selectable
      () => select({ [name]: operation, late: sleep(1) }),
      TypeError,
      "for anything else there is race()",
    );
  }
  // @ts-expect-error -- a coroutine is none
  assertThrows(() => select({ coroutine: work() }), TypeError, 'its arm "coroutine"');
  for (const arms of [null, 5, undefined, "x"]) {
    assertThrows(() => select(arms as never), TypeError, "Expected a record of operations");
  }
});
