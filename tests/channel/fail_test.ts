/** sender.fail(error): a failing producer does not look like a clean end (R32). */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BrokenResourceError,
  Cancelled,
  ClosedResourceError,
  type Coroutine,
  moveOnAfter,
  Nursery,
  openChannel,
  type Operation,
  select,
  settle,
  sleep,
  sleepForever,
} from "../../mod.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import { inEveryOrder, nameOf } from "../support/world.ts";

const boom = new Error("boom");

function* errorOf(operation: Operation<unknown>): Coroutine<unknown> {
  const result = yield* settle(operation);
  return result.ok ? `no error but ${result.value}` : result.error;
}

inEveryOrder(
  "R32: what was sent before arrives first, then the error, each time",
  async ({ loop }) => {
    await loop.run(function* (): Coroutine {
      const { sender, receiver } = openChannel<number>(4);
      yield* sender.send(1);
      yield* sender.send(2);
      sender.fail(boom);
      assertEquals(yield* receiver.receive(), 1);
      assertEquals(receiver.tryReceive(), 2);
      for (let i = 0; i < 2; i++) {
        assertEquals(yield* errorOf(receiver.receive()), boom);
        assertEquals(yield* errorOf(receiver.next()), boom);
        assertEquals(yield* errorOf(receiver.forEach(() => {})), boom);
        assertThrows(() => receiver.tryReceive(), Error, "boom");
        assertThrows(() => receiver.tryNext(), Error, "boom");
      }
      assertEquals(yield* errorOf(select({ a: receiver.receive(), b: sleepForever() })), boom);
      assertEquals(yield* errorOf(receiver.clone().receive()), boom);
      assertThrows(() => sender.trySend(3), ClosedResourceError);
      assertEquals(sender.statistics().openSenders, 0);
    }());
  },
);

inEveryOrder("R32: every receiver that waits gets the error", async ({ loop, log }) => {
  const { sender, receiver } = openChannel<number>(0);
  await loop.run(Nursery.open(function* (nursery) {
    for (const end of [receiver, receiver.clone(), receiver]) {
      nursery.startSoon(function* (): Coroutine {
        log.push(`${yield* errorOf(end.receive())} at ${loop.now}`);
      }());
    }
    yield* sleep(1);
    sender.fail(boom);
  }));
  assertEquals(log, Array(3).fill("Error: boom at 1"));
  assertEquals(receiver.statistics().waitingReceivers, 0);
});

inEveryOrder(
  "R32: other senders cannot send any more; who waits to send is told",
  async ({ loop }) => {
    const { sender, receiver } = openChannel<number>(1);
    const other = sender.clone();
    await loop.run(Nursery.open(function* (nursery) {
      yield* other.send(1);
      const waiting = nursery.startSoon(errorOf(other.send(2)));
      const own = nursery.startSoon(errorOf(sender.send(3)));
      yield* sleep(1);
      sender.fail(boom);
      for (const task of [waiting, own]) {
        const error = yield* task.join();
        assert(error instanceof BrokenResourceError, String(error));
        assertEquals(error.cause, boom);
      }
      assertThrows(() => other.trySend(4), BrokenResourceError, "a sender of a channel has failed");
      assert((yield* errorOf(other.send(5))) instanceof BrokenResourceError);
      assertEquals(yield* receiver.receive(), 1);
      assertEquals(yield* errorOf(receiver.receive()), boom);
      other.close();
      assertEquals(yield* errorOf(receiver.receive()), boom);
    }));
  },
);

inEveryOrder("the first failure counts; failing a closed sender does nothing", async ({ loop }) => {
  await loop.run(function* (): Coroutine {
    const { sender, receiver } = openChannel<number>(1);
    const other = sender.clone();
    other.close();
    other.fail(new Error("late"));
    sender.trySend(1);
    sender.fail(undefined); // anything can be thrown
    sender.fail(boom);
    assertEquals(yield* receiver.receive(), 1);
    assertEquals(yield* errorOf(receiver.next()), undefined);
  }());
});

inEveryOrder("R11: a producer that was cancelled cancels nobody else", async ({ loop }) => {
  const { sender, receiver } = openChannel<number>(1);
  function* producer(): Coroutine {
    try {
      yield* sleepForever();
    } catch (error) {
      sender.fail(error);
      throw error;
    }
  }
  await loop.run(function* (): Coroutine {
    yield* moveOnAfter(1, producer());
    const error = yield* errorOf(receiver.receive());
    assert(error instanceof BrokenResourceError);
    assert(error.cause instanceof Cancelled);
    assertEquals(nameOf(error), "BrokenResourceError: A sender of a channel was cancelled");
  }());
});

Deno.test("R30: nothing is lost where producer or consumer are cancelled around a failure", async () => {
  const waits = await cancelAtEveryWait(() => {
    const { sender, receiver } = openChannel<number>(1);
    const got: unknown[] = [];
    const sent: number[] = [];
    return {
      victim: function* (): Coroutine {
        yield* settle(receiver.forEach((value) => void got.push(value)));
      }(),
      others: [
        function* (): Coroutine {
          for (let i = 0; i < 4; i++) {
            yield* sender.send(i);
            sent.push(i);
          }
          sender.fail(boom);
        }(),
        function* (): Coroutine {
          yield* sleep(1);
          got.push(yield* errorOf(receiver.forEach((value) => void got.push(value))));
        }(),
      ].map((each) => settled(each)),
      check() {
        assertEquals(got.filter((each) => each !== boom), sent);
        assertEquals(got.at(-1), boom);
        assertEquals(receiver.statistics().waitingReceivers, 0);
      },
    };
    function* settled(operation: Operation<unknown>): Coroutine {
      yield* settle(operation);
    }
  });
  assert(waits >= 2, `only ${waits} waits`);
});
