import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeadlockError, Loop, Nursery, sleep } from "jsr:@broomio/core";
import { MemoryListener, memoryStreamPair, VirtualClock } from "../../src/testing/mod.ts";
import { errorOf, testStreams } from "../stream/conformance.ts";
import { BrokenResourceError } from "../../src/kernel/errors.ts";
import type { ByteStream, Listener } from "../../src/stream.ts";

const makeLoop = () => new Loop({ host: new VirtualClock() });

function* listen(): Generator<never, Listener<ByteStream>> {
  return new MemoryListener({ capacity: 1000 });
}

testStreams({
  name: "memory",
  makeLoop,
  listen,
  connect: (listener) => (listener as MemoryListener).connect(),
  plenty: 100_000,
});

Deno.test("A wait on a memory stream holds neither time nor the search for deadlocks up", async () => {
  const loop = makeLoop();
  const [client, server] = memoryStreamPair();
  await assertRejects(
    () => loop.run(server.recv()),
    DeadlockError,
    "receiving from memory:",
  );
  await loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon((function* () {
      yield* sleep(3600);
      yield* client.send(new Uint8Array([1]));
    })());
    assertEquals([...(yield* server.recv())!], [1]);
    assertEquals(loop.now, 3600);
  }));
});

Deno.test("A memory stream holds as much as its capacity, and no more", async () => {
  const loop = makeLoop();
  const log: string[] = [];
  await loop.run(Nursery.open(function* (nursery) {
    const [client, server] = memoryStreamPair({ capacity: 4 });
    nursery.startSoon((function* () {
      yield* client.send(new Uint8Array(4));
      log.push("4 sent");
      yield* client.send(new Uint8Array(1));
      log.push("5 sent");
    })());
    yield* sleep(1);
    log.push("the other end reads");
    yield* server.recv(2);
  }));
  assertEquals(log, ["4 sent", "the other end reads", "5 sent"]);
  for (const capacity of [0, 0.5, NaN]) {
    assertThrows(() => memoryStreamPair({ capacity }), RangeError);
    assertThrows(() => new MemoryListener({ capacity }), RangeError);
  }
});

Deno.test("Who connects to a closed memory listener is told so, and who was not accepted is at the end", async () => {
  await makeLoop().run((function* () {
    const listener = new MemoryListener();
    const client = yield* listener.connect();
    listener.close();
    assertEquals(yield* client.recv(), null);
    assert((yield* errorOf(listener.connect())) instanceof BrokenResourceError);
  })());
});
