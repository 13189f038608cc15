/**
 * The one suite that every stream must pass: sockets of each backend, Unix, TLS, memory, simulated.
 *
 * A world says how to listen and connect; `testStreams(world)` registers the tests.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  all,
  BrokenResourceError,
  BusyResourceError,
  CancelScope,
  checkpoint,
  ClosedResourceError,
  type Coroutine,
  Event,
  type Loop,
  moveOnAfter,
  Nursery,
  NurseryError,
  type Operation,
  sleep,
  sleepForever,
} from "jsr:@broomio/core";
import type { ByteStream, Listener } from "../../src/stream.ts";

/** A kind of stream. */
export interface StreamWorld {
  /** For the names of the tests. */
  readonly name: string;
  /** Makes a loop on which these streams work. */
  makeLoop(): Loop;
  listen(): Operation<Listener<ByteStream>>;
  connect(listener: Listener<ByteStream>): Operation<ByteStream>;
  /** More bytes than all buffers between two ends hold. */
  readonly plenty: number;
  /**
   * TLS cannot end one direction alone everywhere: then tests of half-open connections are left
   * out.
   */
  readonly wholeClose?: boolean;
  /** How many times the test of R37 cancels. */
  readonly cancels?: number;
}

/** The two ends of a connection, both closed when the body has ended. */
export function* withPair<T>(
  world: StreamWorld,
  body: (client: ByteStream, server: ByteStream) => Coroutine<T>,
): Coroutine<T> {
  using listener = yield* world.listen();
  const [client, server] = yield* all([world.connect(listener), listener.accept()]);
  try {
    return yield* body(client, server);
  } finally {
    client.close();
    server.close();
  }
}

/** What an operation throws. */
export function* errorOf(operation: Operation<unknown>): Coroutine<unknown> {
  try {
    yield* operation;
  } catch (error) {
    return error;
  }
  throw new Error("It threw nothing");
}

/** All bytes up to the end. */
export function* receiveAll(stream: ByteStream): Coroutine<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const bytes = yield* stream.recv();
    if (bytes === null) break;
    chunks.push(bytes);
  }
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** The byte at a place of a long message: so that lost or doubled bytes are seen. */
const numbered = (place: number) => (place * 31 + (place >>> 8) * 17 + (place >>> 16) * 7) & 255;
const numberedBytes = (from: number, count: number) =>
  Uint8Array.from({ length: count }, (_, index) => numbered(from + index));

/** Random numbers that a seed repeats. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** Runs a test with a seed that its failure names. */
async function seeded(test: (random: (below: number) => number) => Promise<void>): Promise<void> {
  const seed = Math.floor(Math.random() * 2 ** 32);
  try {
    await test(randomOf(seed));
  } catch (error) {
    throw new Error(`With seed ${seed}: ${error}`, { cause: error });
  }
}

/**
 * Runs `body` and cancels it after a random while: some steps of the loop, or some tenths of a
 * millisecond.
 */
function* cancelledSoon<T>(
  random: (below: number) => number,
  body: () => Operation<T>,
): Coroutine<T | undefined> {
  if (random(2) === 0) return yield* moveOnAfter(random(10) / 10_000, body);
  let result: T | undefined;
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon((function* () {
      for (let steps = random(6); steps > 0; steps--) yield* checkpoint();
      nursery.cancel();
    })());
    result = yield* body();
    nursery.cancel();
  });
  return result;
}

/** Registers the suite for one kind of stream. */
export function testStreams(world: StreamWorld): void {
  const test = (name: string, body: () => Coroutine<unknown>) =>
    Deno.test(`${world.name}: ${name}`, async () => void await world.makeLoop().run(body()));
  const testPair = (
    name: string,
    body: (client: ByteStream, server: ByteStream) => Coroutine<unknown>,
  ) => test(name, () => withPair(world, body));
  const bytes = (...values: number[]) => new Uint8Array(values);
  const plenty = new Uint8Array(world.plenty);

  testPair("bytes arrive in order, and then the end, again and again", function* (client, server) {
    yield* client.send(bytes(1, 2, 3));
    yield* client.send(bytes(4));
    client.close();
    assertEquals([...yield* receiveAll(server)], [1, 2, 3, 4]);
    assertEquals(yield* server.recv(), null);
    assertEquals(yield* server.recvInto(new Uint8Array(1)), null);
  });

  testPair("recv gives at most as many bytes as wanted", function* (client, server) {
    yield* client.send(bytes(1, 2, 3, 4, 5));
    const first = (yield* server.recv(2))!;
    assert(first.length >= 1 && first.length <= 2);
    client.close();
    assertEquals([...first, ...yield* receiveAll(server)], [1, 2, 3, 4, 5]);
    assertThrows(() => server.recv(0), RangeError);
  });

  testPair("what recv gave is the caller's to keep", function* (client, server) {
    yield* client.send(bytes(1, 1));
    const first = (yield* server.recv())!;
    yield* client.send(bytes(2, 2));
    const second = (yield* server.recv())!;
    assertEquals([[...first], [...second]], [[1, 1], [2, 2]]);
  });

  testPair("recvInto fills the start of the buffer, and no more", function* (client, server) {
    yield* client.send(bytes(1, 2, 3));
    const buffer = new Uint8Array(8).fill(9);
    let count = (yield* server.recvInto(buffer.subarray(2)))!;
    while (count < 3) count += (yield* server.recvInto(buffer.subarray(2 + count)))!;
    assertEquals([...buffer], [9, 9, 1, 2, 3, 9, 9, 9]);
    assertThrows(() => server.recvInto(new Uint8Array(0)), RangeError);
  });

  testPair(
    "recvView gives at most as many bytes as wanted, and then the end",
    function* (client, server) {
      yield* client.send(bytes(1, 2, 3, 4, 5));
      const received: number[] = [];
      while (received.length < 5) {
        const view = (yield* server.recvView(2))!;
        assert(view.length >= 1 && view.length <= 2);
        received.push(...view);
      }
      client.close();
      assertEquals(received, [1, 2, 3, 4, 5]);
      assertEquals(yield* server.recvView(), null);
      assertThrows(() => server.recvView(0), RangeError, "recvView");
    },
  );

  testPair(
    "what recvView gave stands until the next receive, whatever others receive meanwhile",
    function* (client, server) {
      for (const size of [10, 3000, 60_000]) {
        const message = numberedBytes(size, size);
        const sender: Operation<unknown> = client.send(message);
        yield* Nursery.open(function* (nursery) {
          nursery.startSoon(sender);
          for (let at = 0; at < size;) {
            const view = (yield* server.recvView())!;
            yield* server.send(bytes(1, 2, 3)); // bytes for the other direction do not disturb it
            for (let got = 0; got < 3;) got += (yield* client.recvView())!.length;
            assertEquals(view, message.slice(at, at + view.length));
            at += view.length;
          }
        });
      }
    },
  );

  testPair("to send nothing is to do nothing", function* (client, server) {
    yield* client.send(bytes());
    yield* client.send(bytes(7));
    assertEquals([...(yield* server.recv())!], [7]);
  });

  testPair("a checkpoint: other tasks run although bytes are there", function* (client, server) {
    yield* client.send(bytes(1, 2, 3, 4));
    yield* sleep(0.01);
    const log: string[] = [];
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon((function* () {
        log.push("other");
      })());
      yield* server.recv(1);
      log.push("received");
    });
    assertEquals(log, ["other", "received"]);
    const scope = yield* CancelScope.open(function* (scope) {
      scope.cancel();
      yield* server.recv(1);
    });
    assertEquals(scope, undefined);
    assertEquals((yield* server.recv(1))!.length, 1);
  });

  testPair("much arrives whole, both ways at once", function* (client, server) {
    const size = world.plenty;
    const sent = numberedBytes(0, size);
    function* oneWay(from: ByteStream, to: ByteStream): Coroutine {
      const received = new Uint8Array(size);
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(from.send(sent));
        let at = 0;
        while (at < size) at += (yield* to.recvInto(received.subarray(at)))!;
      });
      assert(received.every((byte, place) => byte === sent[place]), "bytes are lost or doubled");
    }
    yield* all([oneWay(client, server), oneWay(server, client)]);
  });

  testPair("small sends arrive whole and in order, however many", function* (client, server) {
    const count = 20_000;
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon((function* () {
        for (let at = 0; at < count * 3; at += 3) yield* client.send(numberedBytes(at, 3));
        client.close();
      })());
      const all = yield* receiveAll(server);
      assertEquals(all.length, count * 3);
      assert(all.every((byte, place) => byte === numbered(place)), "bytes are lost or doubled");
    });
  });

  testPair("send waits while the other end does not read", function* (client, server) {
    let sent = 0;
    yield* moveOnAfter(0.2, function* () {
      for (;;) {
        yield* client.send(new Uint8Array(8192));
        sent += 8192;
      }
    });
    assert(sent <= world.plenty, `${sent} bytes were taken`);
    assert((yield* server.recv()) !== null);
  });

  testPair(
    "R18: a send cancelled half way breaks the sending side, and only that",
    function* (client, server) {
      yield* moveOnAfter(0.05, client.send(plenty));
      const error = yield* errorOf(client.send(bytes(1)));
      assert(error instanceof BrokenResourceError, String(error));
      yield* server.send(bytes(5));
      assertEquals([...(yield* client.recv())!], [5]);
    },
  );

  testPair("R18: a send cancelled before it began did not happen", function* (client, server) {
    yield* CancelScope.open(function* (scope) {
      scope.cancel();
      yield* client.send(bytes(1));
    });
    yield* client.send(bytes(2));
    assertEquals([...(yield* server.recv())!], [2]);
  });

  if (!world.wholeClose) {
    testPair("shutdown ends one direction, the other goes on", function* (client, server) {
      yield* client.send(bytes(1));
      yield* client.shutdown();
      yield* client.shutdown();
      assert((yield* errorOf(client.send(bytes(2)))) instanceof ClosedResourceError);
      assertEquals([...yield* receiveAll(server)], [1]);
      yield* server.send(bytes(3));
      yield* server.shutdown();
      assertEquals([...yield* receiveAll(client)], [3]);
    });
  }

  testPair("shutdown comes after what was sent, however much", function* (client, server) {
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon((function* () {
        yield* client.send(plenty);
        yield* client.shutdown();
      })());
      assertEquals((yield* receiveAll(server)).length, world.plenty);
    });
  });

  testPair(
    "R38: a second receiver, and a second sender, are told that there is one",
    function* (client, server) {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(server.recv());
        nursery.startSoon(client.send(plenty));
        yield* sleep(0.02);
        const first = server.recvInto(new Uint8Array(8));
        // The first may have got its bytes by now: then somebody has to take its place.
        nursery.startSoon(client.recv());
        yield* sleep(0.02);
        assert((yield* errorOf(client.recv())) instanceof BusyResourceError);
        assert((yield* errorOf(client.recvInto(new Uint8Array(8)))) instanceof BusyResourceError);
        assert((yield* errorOf(client.send(bytes(1)))) instanceof BusyResourceError);
        assert((yield* errorOf(client.shutdown())) instanceof BusyResourceError);
        yield* first;
        nursery.cancel();
      });
    },
  );

  testPair(
    "R38: closing wakes who receives and who sends, and refuses who comes later",
    function* (client, server) {
      yield* Nursery.open(function* (nursery) {
        const receiving = nursery.startSoon(errorOf(client.recv()));
        const sending = nursery.startSoon(errorOf(client.send(plenty)));
        yield* sleep(0.05);
        client.close();
        client.close();
        assert((yield* receiving.join()) instanceof ClosedResourceError);
        assert((yield* sending.join()) instanceof ClosedResourceError);
        for (
          const operation of [
            client.recv(),
            client.recvInto(new Uint8Array(1)),
            client.send(bytes(1)),
            client.shutdown(),
          ]
        ) assert((yield* errorOf(operation)) instanceof ClosedResourceError);
      });
      server.close();
    },
  );

  testPair("what was sent before the close arrives", function* (client, server) {
    yield* client.send(bytes(1, 2, 3));
    client.close();
    assertEquals([...yield* receiveAll(server)], [1, 2, 3]);
  });

  testPair("R39: sending to who has closed fails before long", function* (client, server) {
    server.close();
    const error = yield* errorOf((function* () {
      for (let count = 0; count < 1000; count++) {
        yield* client.send(new Uint8Array(1024));
        yield* sleep(0.002);
      }
    })());
    const code = (error as { code?: string }).code;
    assert(
      error instanceof BrokenResourceError || code === "EPIPE" || code === "ECONNRESET",
      String(error),
    );
  });

  testPair("R37: a cancelled recvInto never touches the buffer", function* (client, server) {
    const buffer = new Uint8Array(4);
    yield* moveOnAfter(0.01, server.recvInto(buffer));
    yield* client.send(bytes(1, 2, 3, 4));
    yield* sleep(0.02);
    assertEquals([...buffer], [0, 0, 0, 0]);
    const received: number[] = [];
    while (received.length < 4) received.push(...(yield* server.recv())!);
    assertEquals(received, [1, 2, 3, 4]);
  });

  Deno.test(`${world.name}: R37: a receiver cancelled thousands of times loses no byte and doubles none`, () =>
    seeded(async (random) => {
      const cancels = world.cancels ?? 3000;
      await world.makeLoop().run(withPair(world, function* (client, server) {
        yield* Nursery.open(function* (nursery) {
          nursery.startSoon((function* () {
            for (let at = 0;;) {
              const count = 1 + random(200);
              yield* client.send(numberedBytes(at, count));
              at += count;
              if (random(4) === 0) yield* sleep(random(5) / 10_000);
            }
          })());
          const buffer = new Uint8Array(64);
          let place = 0;
          let cancelled = 0;
          while (cancelled < cancels) {
            let received: Uint8Array | null | undefined;
            const way = random(3);
            if (way === 0) {
              received = yield* cancelledSoon(random, () => server.recv(1 + random(100)));
            } else if (way === 1) {
              received = yield* cancelledSoon(random, () => server.recvView(1 + random(100)));
            } else {
              const count = yield* cancelledSoon(random, () => server.recvInto(buffer));
              received = count && buffer.subarray(0, count) || undefined;
            }
            if (received === undefined) cancelled++;
            for (const byte of received ?? []) {
              if (byte !== numbered(place)) throw new Error(`Wrong byte at place ${place}`);
              place++;
            }
          }
          assert(place > 0);
          nursery.cancel();
        });
      }));
    }));

  Deno.test(`${world.name}: R37: an accept cancelled again and again loses no connection`, () =>
    seeded(async (random) => {
      await world.makeLoop().run((function* () {
        using listener = yield* world.listen();
        const count = 60;
        const seen: number[] = [];
        yield* Nursery.open(function* (nursery) {
          nursery.startSoon((function* () {
            for (let index = 0; index < count; index++) {
              using client = yield* world.connect(listener);
              yield* client.send(bytes(index));
              if (random(3) === 0) yield* sleep(random(10) / 10_000);
            }
          })());
          while (seen.length < count) {
            const server = yield* cancelledSoon(random, () => listener.accept());
            if (server === undefined) continue;
            seen.push((yield* server.recv())![0]);
            server.close();
          }
        });
        assertEquals(seen.toSorted((a, b) => a - b), Array.from({ length: count }, (_, i) => i));
      })());
    }));

  test("R38: one accepts at a time, and closing wakes it", function* () {
    const listener = yield* world.listen();
    yield* Nursery.open(function* (nursery) {
      const accepting = nursery.startSoon(errorOf(listener.accept()));
      yield* sleep(0.01);
      assert((yield* errorOf(listener.accept())) instanceof BusyResourceError);
      listener.close();
      listener.close();
      assert((yield* accepting.join()) instanceof ClosedResourceError);
      assert((yield* errorOf(listener.accept())) instanceof ClosedResourceError);
    });
  });

  test("closing a listener leaves its connections alone", function* () {
    using listener = yield* world.listen();
    const [client, server] = yield* all([world.connect(listener), listener.accept()]);
    listener.close();
    yield* client.send(bytes(1));
    assertEquals([...(yield* server.recv())!], [1]);
    client.close();
    server.close();
  });

  test("accept(nursery, handler) starts a child, and closes its stream when it ends", function* () {
    using listener = yield* world.listen();
    yield* Nursery.open(function* (nursery) {
      const connecting = nursery.startSoon(world.connect(listener));
      const task = yield* listener.accept(nursery, function* (stream) {
        const received = (yield* stream.recv())!;
        yield* stream.send(received);
        return "done";
      });
      using client = yield* connecting.join();
      yield* client.send(bytes(1, 2));
      assertEquals([...yield* receiveAll(client)], [1, 2]);
      yield* task.join();
    });
  });

  test("accept(nursery, handler): an error that is not the stream's own goes to the nursery", function* () {
    using listener = yield* world.listen();
    const error = yield* errorOf(Nursery.open(function* (nursery) {
      const connecting = nursery.startSoon(world.connect(listener));
      yield* listener.accept(nursery, function* () {
        throw new TypeError("boom");
      });
      using _client = yield* connecting.join();
      yield* sleepForever();
    }));
    assert(error instanceof NurseryError && error.find(TypeError)?.message === "boom");
  });

  test("R40: serve goes on after a handler failed, and tells onError", function* () {
    using listener = yield* world.listen();
    const failures: string[] = [];
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(function* (stream) {
        const [byte] = (yield* stream.recv())!;
        if (byte === 0) throw new TypeError("boom");
        yield* stream.send(bytes(byte));
      }, { onError: (error) => failures.push((error as Error).message) }));
      for (const byte of [0, 1, 0, 2]) {
        using client = yield* world.connect(listener);
        yield* client.send(bytes(byte));
        const answer = yield* receiveAll(client);
        assertEquals([...answer], byte === 0 ? [] : [byte]);
      }
      nursery.cancel();
    });
    assertEquals(failures, ["boom", "boom"]);
  });

  test('R40: serve with onError "throw" stops at the first error', function* () {
    using listener = yield* world.listen();
    const error = yield* errorOf(Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(function* () {
        throw new TypeError("boom");
      }, { onError: "throw" }));
      using _client = yield* world.connect(listener);
      yield* sleepForever();
    }));
    assert(error instanceof NurseryError && error.find(TypeError)?.message === "boom");
  });

  test("serve serves at most maxConnections at once", function* () {
    using listener = yield* world.listen();
    const full = new Event();
    let open = 0;
    let most = 0;
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(function* (stream) {
        most = Math.max(most, ++open);
        if (open === 3) full.set();
        yield* full.wait();
        yield* stream.recv();
        open--;
      }, { maxConnections: 3 }));
      yield* Nursery.open(function* (clients) {
        for (let index = 0; index < 12; index++) {
          clients.startSoon((function* () {
            using client = yield* world.connect(listener);
            yield* sleep(0.005);
            yield* client.send(bytes(1));
            yield* client.recv();
          })());
        }
      });
      nursery.cancel();
    });
    assertEquals(most, 3);
  });

  test("serve returns when the listener was closed and the handlers have ended", function* () {
    using listener = yield* world.listen();
    let served = 0;
    yield* Nursery.open(function* (nursery) {
      const serving = nursery.startSoon(listener.serve(function* (stream) {
        yield* stream.recv();
        served++;
      }));
      using client = yield* world.connect(listener);
      yield* sleep(0.02);
      listener.close();
      yield* sleep(0.01);
      assertEquals(serving.state, "waiting");
      yield* client.send(bytes(1));
      yield* serving.join();
    });
    assertEquals(served, 1);
  });
}
