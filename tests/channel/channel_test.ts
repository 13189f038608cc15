import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type Channel,
  checkpoint,
  ClosedResourceError,
  type Coroutine,
  DeadlockError,
  EndOfChannel,
  Loop,
  moveOnAfter,
  Nursery,
  openChannel,
  type Receiver,
  type Sender,
  sleep,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";

function run(...coroutines: Coroutine<unknown>[]): Promise<void> {
  const loop = new Loop({ host: new VirtualClock() });
  for (const coroutine of coroutines) loop.startSoon(coroutine);
  return loop.run();
}

function* sendAll<T>(sender: Sender<T>, values: T[], log: unknown[] = []): Coroutine {
  using _ = sender;
  for (const value of values) {
    yield* sender.send(value);
    log.push(`sent ${value}`);
  }
}

function* drain<T>(receiver: Receiver<T>, log: unknown[]): Coroutine {
  yield* receiver.forEach((value) => void log.push(value));
}

/** How an operation or call ends. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as Error).name;
  }
}

function* caught(operation: Iterable<unknown>): Coroutine<unknown> {
  try {
    return yield* operation as Coroutine<unknown>;
  } catch (error) {
    return (error as Error).name;
  }
}

Deno.test("R32: values come out in the order in which they went in, through any capacity", async () => {
  for (const capacity of [0, 1, 2, 64, Infinity]) {
    const { sender, receiver } = openChannel<number>(capacity);
    const values = Array.from({ length: 200 }, (_, i) => i);
    const log: unknown[] = [];
    await run(sendAll(sender, values), drain(receiver, log));
    assertEquals(log, values);
  }
});

Deno.test("R32: with capacity 0 a send ends when its value was taken, not before", async () => {
  const { sender, receiver } = openChannel<string>(0);
  const log: unknown[] = [];
  await run(
    sendAll(sender, ["a", "b"], log),
    function* () {
      yield* sleep(1);
      log.push(`received ${yield* receiver.receive()}`);
      yield* sleep(1);
      log.push("second");
      log.push(`received ${yield* receiver.receive()}`);
    }(),
  );
  // A rendezvous lets both go on; which of them goes first is not promised.
  assertEquals(log.slice(0, 2).toSorted(), ["received a", "sent a"]);
  assertEquals(log[2], "second");
  assertEquals(log.slice(3).toSorted(), ["received b", "sent b"]);
});

Deno.test("R32: a sender waits exactly while the buffer is full", async () => {
  const { sender, receiver } = openChannel<number>(2);
  const log: unknown[] = [];
  await run(
    sendAll(sender, [1, 2, 3], log),
    function* () {
      yield* sleep(1);
      assertEquals(log, ["sent 1", "sent 2"]);
      assertEquals(sender.statistics(), {
        buffered: 2,
        capacity: 2,
        openSenders: 1,
        openReceivers: 1,
        waitingSenders: 1,
        waitingReceivers: 0,
      });
      assertEquals(receiver.tryReceive(), 1);
      assertEquals(receiver.statistics().buffered, 2);
      assertEquals(receiver.statistics().waitingSenders, 0);
    }(),
  );
  assertEquals(log, ["sent 1", "sent 2", "sent 3"]);
});

Deno.test("R29: senders and receivers are served first come, first served, and nobody barges in", async () => {
  const { sender, receiver } = openChannel<number>(0);
  const log: unknown[] = [];
  const receivers = [1, 2, 3].map(function* (id): Coroutine {
    log.push(`${id} got ${yield* receiver.receive()}`);
  });
  await run(
    ...receivers,
    function* () {
      yield* sleep(1);
      for (const value of [10, 20, 30]) assertEquals(sender.trySend(value), true);
      assertEquals(sender.trySend(40), false);
      assertEquals(receiver.tryReceive(), undefined, "what was handed over is not there any more");
    }(),
  );
  assertEquals(log, ["1 got 10", "2 got 20", "3 got 30"]);

  const senders = [1, 2, 3].map((value) => sendAll(sender.clone(), [value], log));
  log.length = 0;
  await run(
    ...senders,
    function* () {
      yield* sleep(1);
      for (const value of [1, 2, 3]) assertEquals(yield* receiver.receive(), value);
    }(),
  );
});

Deno.test("R32: after the last sender has closed, receivers drain the buffer and then find the end", async () => {
  const { sender, receiver } = openChannel<number>(3);
  const second = sender.clone();
  sender.trySend(1);
  sender.close();
  second.trySend(2);
  await run(function* () {
    assertEquals(yield* receiver.receive(), 1);
    second.close();
    assertEquals(yield* receiver.next(), { done: false, value: 2 });
    assertEquals(yield* receiver.next(), { done: true, value: undefined });
    assertEquals(yield* caught(receiver.receive()), "EndOfChannel");
    assertEquals(receiver.tryNext(), { done: true, value: undefined });
    assertThrows(() => receiver.tryReceive(), EndOfChannel, "every sender of a channel is closed");
    yield* receiver.forEach(() => {
      throw new Error("there is nothing");
    });
  }());
});

Deno.test("R32: the last sender's close wakes receivers that wait, with the end", async () => {
  const { sender, receiver } = openChannel<number>(0);
  const log: unknown[] = [];
  await run(
    function* () {
      log.push(yield* caught(receiver.receive()));
    }(),
    function* () {
      log.push(yield* receiver.next());
    }(),
    drain(receiver, log),
    function* () {
      yield* sleep(1);
      sender.close();
      sender.close();
      log.push("closed");
    }(),
  );
  assertEquals(log, ["closed", "EndOfChannel", { done: true, value: undefined }]);
});

Deno.test("R32: after the last receiver has closed, senders get BrokenResourceError, waiting or not", async () => {
  const { sender, receiver } = openChannel<number>(1);
  const second = receiver.clone();
  const log: unknown[] = [];
  await run(
    function* () {
      yield* sender.send(1);
      log.push(yield* caught(sender.send(2)));
      log.push(yield* caught(sender.send(3)));
      log.push(outcome(() => sender.trySend(4)));
    }(),
    function* () {
      yield* sleep(1);
      receiver.close();
      yield* sleep(1);
      log.push("still open");
      second.close();
    }(),
  );
  assertEquals(log, [
    "still open",
    "BrokenResourceError",
    "BrokenResourceError",
    "BrokenResourceError",
  ]);
  assertEquals(sender.statistics().buffered, 0);
});

Deno.test("R32: using a closed end is a ClosedResourceError that says what remains", async () => {
  const { sender, receiver } = openChannel<number>(5, { name: "jobs" });
  for (const value of [1, 2, 3]) sender.trySend(value);
  sender.close();
  assertThrows(
    () => sender.trySend(4),
    ClosedResourceError,
    'Cannot send on a closed end of channel "jobs": 3 values remain in it',
  );
  assertThrows(() => sender.clone(), ClosedResourceError);
  const other = receiver.clone();
  receiver.close();
  assertThrows(() => receiver.tryReceive(), ClosedResourceError);
  assertThrows(() => receiver.tryNext(), ClosedResourceError);
  assertThrows(() => receiver.clone(), ClosedResourceError);
  await run(function* () {
    assertEquals(yield* caught(sender.send(1)), "ClosedResourceError");
    assertEquals(yield* caught(receiver.receive()), "ClosedResourceError");
    assertEquals(yield* caught(receiver.next()), "ClosedResourceError");
    assertEquals(yield* other.receive(), 1);
  }());
});

Deno.test("R32: closing an end wakes those who wait on that very end, and nobody else", async () => {
  const { sender, receiver } = openChannel<number>(0);
  const other = receiver.clone();
  const log: unknown[] = [];
  await run(
    function* () {
      log.push(yield* caught(receiver.receive()));
    }(),
    function* () {
      log.push(yield* caught(other.receive()));
    }(),
    function* () {
      yield* sleep(1);
      receiver.close();
      yield* sleep(1);
      yield* sender.send(7);
    }(),
  );
  assertEquals(log, ["ClosedResourceError", 7]);

  const back = openChannel<number>(0);
  const clone = back.sender.clone();
  log.length = 0;
  await run(
    function* () {
      log.push(yield* caught(back.sender.send(1)));
    }(),
    function* () {
      log.push(yield* caught(clone.send(2)));
    }(),
    function* () {
      yield* sleep(1);
      back.sender.close();
      log.push(`received ${yield* back.receiver.receive()}`);
    }(),
  );
  assertEquals(log.filter((entry) => entry !== undefined), ["ClosedResourceError", "received 2"]);
});

Deno.test("R32: undefined is a value like any other", async () => {
  const { sender, receiver } = openChannel<undefined>(2);
  assertEquals(receiver.tryNext(), undefined);
  sender.trySend(undefined);
  sender.trySend(undefined);
  assertEquals(receiver.tryNext(), { done: false, value: undefined });
  assertEquals(receiver.statistics().buffered, 1);
  await run(function* () {
    assertEquals(yield* receiver.next(), { done: false, value: undefined });
    assertEquals(receiver.tryNext(), undefined);
  }());
});

Deno.test("R32: trySend and tryReceive meet waiting tasks of a rendezvous", async () => {
  const { sender, receiver } = openChannel<number>(0);
  assertEquals(sender.trySend(1), false);
  assertEquals(receiver.tryReceive(), undefined);
  const log: unknown[] = [];
  await run(
    sendAll(sender, [5], log),
    function* () {
      yield* sleep(1);
      log.push(receiver.tryReceive());
    }(),
  );
  assertEquals(log, [5, "sent 5"]);
});

Deno.test("R6: trySend may be called from a callback outside any task", async () => {
  const loop = new Loop();
  const { sender, receiver } = openChannel<number>(Infinity);
  const held = loop.hold();
  const timer = setTimeout(() => {
    sender.trySend(1);
    sender.trySend(2);
    sender.close();
    held[Symbol.dispose]();
  }, 2);
  const log: unknown[] = [];
  await loop.run(drain(receiver, log));
  clearTimeout(timer);
  assertEquals(log, [1, 2]);
});

Deno.test("R7: a deadlock report names the channel and what the task does on it", async () => {
  const { sender, receiver } = openChannel<number>(1, { name: "jobs" });
  const error = await assertRejects(
    () => run(drain(receiver, [])),
    DeadlockError,
  );
  assertStringIncludes(
    error.message,
    'receiving from channel "jobs" (capacity 1, 1 open senders, 1 open receivers)',
  );
  sender.trySend(1);
  const second = await assertRejects(
    () =>
      run(function* () {
        yield* sender.send(2);
      }()),
    DeadlockError,
  );
  assertStringIncludes(second.message, 'sending on channel "jobs"');
});

Deno.test("R17: in a cancelled scope nothing is sent or received, also where it could be at once", async () => {
  const { sender, receiver } = openChannel<number>(4);
  sender.trySend(1);
  await run(function* () {
    yield* moveOnAfter(0, function* (scope) {
      scope.cancel();
      yield* receiver.receive();
    });
    yield* moveOnAfter(0, function* (scope) {
      scope.cancel();
      yield* sender.send(2);
    });
  }());
  assertEquals(receiver.tryReceive(), 1);
  assertEquals(receiver.tryReceive(), undefined);
});

Deno.test("R18: a value that was handed over is delivered, although a cancel came before the task ran", async () => {
  const { sender, receiver } = openChannel<number>(0);
  const log: unknown[] = [];
  await run(Nursery.open(function* (nursery) {
    const task = nursery.startSoon(function* () {
      log.push(yield* receiver.receive());
      yield* sleep(1);
      log.push("not reached");
    }());
    yield* sleep(1);
    sender.trySend(42);
    task.cancel();
  }) as Coroutine<unknown>);
  assertEquals(log, [42]);
});

Deno.test("every wait on a channel is a checkpoint", async () => {
  const { sender, receiver } = openChannel<number>(Infinity);
  const log: string[] = [];
  await run(
    function* () {
      for (let i = 0; i < 2; i++) {
        yield* sender.send(i);
        log.push("sent");
      }
      for (let i = 0; i < 2; i++) {
        yield* receiver.receive();
        log.push("received");
      }
    }(),
    function* () {
      for (let i = 0; i < 4; i++) {
        yield* checkpoint();
        log.push("other");
      }
    }(),
  );
  assertEquals(log, ["sent", "other", "sent", "other", "received", "other", "received", "other"]);
});

Deno.test("forEach ends early where the body returns false, and leaves the receiver open", async () => {
  const { sender, receiver } = openChannel<number>(5);
  for (const value of [1, 2, 3, 4]) sender.trySend(value);
  const log: unknown[] = [];
  await run(function* () {
    yield* receiver.forEach(function* (value) {
      yield* sleep(1);
      log.push(value);
      if (value === 2) return false;
    });
    yield* receiver.forEach((value) => {
      log.push(`rest ${value}`);
      return value === 4 ? false : undefined;
    });
  }());
  assertEquals(log, [1, 2, "rest 3", "rest 4"]);
});

Deno.test("an end can be declared with using", () => {
  const { sender, receiver } = openChannel<number>(0);
  {
    using own = sender.clone();
    assertEquals(own.statistics().openSenders, 2);
    using other = receiver.clone();
    assertEquals(other.statistics().openReceivers, 2);
  }
  assertEquals(sender.statistics().openSenders, 1);
  assertEquals(sender.statistics().openReceivers, 1);
});

Deno.test("a capacity is an integer of at least 0, or Infinity", () => {
  for (const capacity of [-1, 1.5, NaN, -Infinity]) {
    assertThrows(() => openChannel(capacity), RangeError, "Expected an integer of at least 0, or");
  }
  assertThrows(() => openChannel("1" as unknown as number), TypeError, 'got "1"');
  assertThrows(() => (openChannel as () => Channel<number>)(), TypeError, "got undefined");
});

Deno.test("R2: an operation on a channel is used once", async () => {
  const { sender, receiver } = openChannel<number>(9);
  for (let i = 0; i < 3; i++) sender.trySend(i);
  await run(function* () {
    const used = receiver.receive();
    yield* used;
    assertEquals(yield* caught(used), "TypeError");
    const [first, second] = [receiver.receive(), receiver.receive()];
    assertEquals(first !== second, true);
    assertEquals([yield* second, yield* first], [1, 2]);
    const [one, two] = [sender.send(1), sender.send(2)];
    yield* two;
    yield* one;
    assertEquals(yield* caught(one), "TypeError");
    assertEquals([receiver.tryReceive(), receiver.tryReceive()], [2, 1]);
  }());
});

Deno.test("R36: an error from the other end has the stack of the coroutine that waited", async () => {
  const { sender, receiver } = openChannel<number>(0);
  let stack = "";
  await run(
    function* waitsForNothing() {
      try {
        yield* receiver.receive();
      } catch (error) {
        stack = (error as Error).stack!;
      }
    }(),
    function* () {
      yield* sleep(1);
      sender.close();
    }(),
  );
  assertStringIncludes(stack, "waitsForNothing");
});

Deno.test("R30: whatever the wait at which a sender or a receiver is cancelled, nothing is lost or doubled", async () => {
  for (const capacity of [0, 1, 3]) {
    for (const victim of ["sender", "receiver"] as const) {
      const waits = await cancelAtEveryWait(() => {
        const channel = openChannel<number>(capacity);
        const sent: number[] = [];
        const received: number[] = [];
        function* produce(): Coroutine {
          using sender = channel.sender;
          for (let i = 0; i < 6; i++) {
            yield* sender.send(i);
            sent.push(i);
          }
        }
        function* consume(receiver: Receiver<number>): Coroutine {
          for (;;) {
            const next = yield* receiver.next();
            if (next.done) return;
            received.push(next.value);
            if (next.value % 2 === 0) yield* sleep(1);
          }
        }
        const consumers = [channel.receiver.clone(), channel.receiver.clone()].map(consume);
        channel.receiver.close();
        return {
          victim: victim === "sender" ? produce() : consumers[0],
          others: victim === "sender" ? consumers : [consumers[1], produce()],
          check() {
            assertEquals(received.toSorted((a, b) => a - b), sent);
          },
        };
      });
      assertEquals(waits > 3, true);
    }
  }
});
