import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BrokenResourceError,
  checkpoint,
  type Coroutine,
  DeadlockError,
  Loop,
  openChannel,
  type Sender,
  sleep,
  toAsyncIterable,
  toReadableStream,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";

function* produce(sender: Sender<number>, log: string[] = [], count = 3): Coroutine {
  using _ = sender;
  try {
    for (let i = 1; i <= count; i++) {
      yield* sender.send(i);
      log.push(`sent ${i}`);
    }
  } catch (error) {
    log.push((error as Error).name);
  }
}

const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

Deno.test("toAsyncIterable gives every value to for await, also to a slow one", async () => {
  for (const capacity of [0, 1, Infinity]) {
    const loop = new Loop();
    const { sender, receiver } = openChannel<number>(capacity);
    const done = loop.run(produce(sender));
    const values: number[] = [];
    for await (const value of toAsyncIterable(receiver, loop)) {
      await pause(2); // the sender waits meanwhile, and that is no deadlock
      values.push(value);
    }
    assertEquals(values, [1, 2, 3]);
    await done;
  }
});

Deno.test("leaving for await early closes the receiver", async () => {
  const loop = new Loop();
  const { sender, receiver } = openChannel<number>(0);
  const log: string[] = [];
  const done = loop.run(produce(sender, log));
  for await (const value of toAsyncIterable(receiver, loop)) {
    log.push(`got ${value}`);
    break;
  }
  await done;
  assertEquals(log, ["sent 1", "got 1", "BrokenResourceError"]);
});

Deno.test("return() during a pull ends both", async () => {
  const loop = new Loop();
  const { sender, receiver } = openChannel<number>(0);
  const iterator = toAsyncIterable(receiver, loop);
  const done = loop.run(function* () {
    yield* sleep(0.01);
    assertEquals(sender.statistics().openReceivers, 0);
  }());
  const pull = iterator.next();
  await pause(2);
  assertEquals(await iterator.return(), { done: true, value: undefined });
  assertEquals(await pull, { done: true, value: undefined });
  assertEquals(await iterator.next(), { done: true, value: undefined });
  await done;
});

Deno.test("pulls that overlap get the values in order", async () => {
  const loop = new Loop();
  const { sender, receiver } = openChannel<number>(0);
  const iterator = toAsyncIterable(receiver, loop);
  const pulls = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
  const done = loop.run(produce(sender));
  assertEquals((await Promise.all(pulls)).map((result) => result.value), [1, 2, 3, undefined]);
  await done;
});

Deno.test("R7: a pull that nothing can serve is a deadlock, not a hang", async () => {
  const loop = new Loop();
  const { receiver } = openChannel<number>(0);
  const pull = toAsyncIterable(receiver, loop).next();
  await Promise.all([
    assertRejects(() => loop.run(), DeadlockError, "toAsyncIterable: receiving"),
    assertRejects(() => pull, Error, "Deadlock"),
  ]);
});

Deno.test("a cancelled loop ends the iteration with the error", async () => {
  const loop = new Loop();
  const { receiver } = openChannel<number>(0);
  const iterator = toAsyncIterable(receiver, loop);
  const pull = assertRejects(() => iterator.next(), Error, "enough");
  loop.startSoon(sleep(60));
  const done = loop.run();
  await pause(2);
  loop.cancel("enough");
  await Promise.all([pull, done]);
  assertEquals(await iterator.next(), { done: true, value: undefined });
});

Deno.test("values that are buffered when the loop has ended still come", async () => {
  const loop = new Loop();
  const { sender, receiver } = openChannel<number>(5);
  const iterable = toAsyncIterable(receiver, loop);
  await loop.run(produce(sender));
  assertEquals(await Array.fromAsync(iterable), [1, 2, 3]);
});

Deno.test("toReadableStream gives every value, and holds senders back", async () => {
  const loop = new Loop();
  const { sender, receiver } = openChannel<number>(0);
  const log: string[] = [];
  const stream = toReadableStream(receiver, loop);
  const done = loop.run(produce(sender, log));
  await pause(5);
  assertEquals(log, [], "nothing is taken before it is read");
  const reader = stream.getReader();
  assertEquals(await reader.read(), { done: false, value: 1 });
  await pause(2);
  assertEquals(log, ["sent 1"]);
  reader.releaseLock();
  assertEquals(await Array.fromAsync(stream), [2, 3]);
  await done;
});

Deno.test("cancelling the stream closes the receiver", async () => {
  const loop = new Loop();
  const { sender, receiver } = openChannel<number>(0);
  const log: string[] = [];
  const stream = toReadableStream(receiver, loop);
  const done = loop.run(produce(sender, log));
  await pause(2);
  await stream.cancel();
  await done;
  assertEquals(log, ["BrokenResourceError"]);
});

Deno.test("toAsyncIterable says what it wants", () => {
  const { receiver } = openChannel<number>(0);
  assertThrows(() => toAsyncIterable(receiver, undefined as unknown as Loop), TypeError);
});

Deno.test("R7: who pulls from a loop that crashes is told so, and does not hang", async () => {
  const { receiver } = openChannel<number>(0);
  let broken = false;
  class Clock extends VirtualClock {
    override now(): number {
      if (broken) throw new Error("broken clock");
      return super.now();
    }
  }
  const loop = new Loop({ host: new Clock() });
  const pulled = assertRejects(
    () => toAsyncIterable(receiver, loop).next(),
    Error,
    "broken clock",
  );
  loop.startSoon(function* () {
    broken = true;
    for (let i = 0; i < 200; i++) yield* checkpoint();
  }());
  await assertRejects(() => loop.run(), Error, "broken clock");
  await pulled;
});

for (const seconds of [0.01, 0]) {
  for (
    const [how, open] of [["iterable", toAsyncIterable], ["stream", toReadableStream]] as const
  ) {
    Deno.test(`R33b: who iterates the ${how} of a loop that fails ${seconds} s after a value is told so`, async () => {
      const loop = new Loop();
      const { sender, receiver } = openChannel<number>(0);
      const run = assertRejects(
        () =>
          loop.run(function* () {
            yield* sender.send(1);
            if (seconds > 0) yield* sleep(seconds);
            throw new RangeError("producer failed"); // the sender stays open
          }()),
        RangeError,
      );
      const values: number[] = [];
      await assertRejects(async () => {
        for await (const value of open(receiver, loop) as AsyncIterable<number>) values.push(value);
      }, Error);
      await run;
      assertEquals(values, [1]);
    });
  }
}
Deno.test("R33b: what iterates outside is told when the loop fails, or ends, at whatever moment", async () => {
  for (const moment of ["at once", "in the next turn", "later"]) {
    for (const open of [toAsyncIterable, toReadableStream]) {
      const loop = new Loop();
      const { sender, receiver } = openChannel<number>(0);
      const run = loop.run(function* (): Coroutine {
        yield* sender.send(1);
        if (moment === "in the next turn") yield* checkpoint();
        if (moment === "later") yield* sleep(0.002);
        throw new Error("producer failed"); // the sender stays open
      }());
      const values: number[] = [];
      const iterating = (async () => {
        const source = open(receiver, loop) as AsyncIterable<number>;
        for await (const value of source) values.push(value);
      })();
      await assertRejects(() => iterating, Error, "producer failed");
      await assertRejects(() => run, Error);
      assertEquals(values, [1]);
    }
  }
});

Deno.test("R33b: after a run that ended well the rest is given, and then the end", async () => {
  const loop = new Loop();
  const { sender, receiver } = openChannel<number>(4);
  const iterable = toAsyncIterable(receiver, loop);
  await loop.run(function* (): Coroutine {
    yield* sender.send(1);
    yield* sender.send(2); // and the sender is left open
  }());
  assertEquals(await Array.fromAsync(iterable), [1, 2]);
  assertEquals(await iterable.next(), { done: true, value: undefined });
  assertThrows(() => sender.trySend(3), Error, "every receiver");
  await loop.run(sleep(0)); // not held
});

Deno.test("R33b: a receiver that was closed, or whose channel has failed, ends the iteration", async () => {
  const loop = new Loop();
  const { sender, receiver } = openChannel<number>(4);
  const iterable = toAsyncIterable(receiver, loop);
  sender.trySend(1);
  sender.fail(new Error("boom"));
  assertEquals(await iterable.next(), { done: false, value: 1 });
  await assertRejects(() => iterable.next(), Error, "boom");
  const other = openChannel<number>(1);
  const closed = toAsyncIterable(other.receiver, loop);
  other.receiver.close();
  await assertRejects(() => closed.next(), Error, "closed end");
  let failed = false; // and the loop is held no more: what waits for ever is a deadlock
  await loop.run(openChannel(0).sender.send(1)).catch(() => failed = true);
  assertEquals(failed, true);
});

Deno.test("R33b: a pull that is cancelled alone closes the receiver, so no sender waits for ever", async () => {
  const loop = new Loop({ host: new VirtualClock() });
  const { sender, receiver } = openChannel<number>(0);
  const outside = (async () => {
    for await (const _ of toAsyncIterable(receiver, loop));
  })();
  const inside = loop.run(function* () {
    yield* checkpoint();
    for (const task of loop.tasks) if (task.name === "toAsyncIterable") task.cancel("enough");
    yield* checkpoint();
    yield* sender.send(1);
  }());
  await assertRejects(() => outside, Error, "enough");
  await assertRejects(() => inside, BrokenResourceError, "every receiver of a channel is closed");
});
