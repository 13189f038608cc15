/** Sockets and TLS, cancelled at each of their waits: nothing stays open, nothing is lost (R18, R37). */
import { assert, assertEquals } from "@std/assert";
import { type Coroutine, currentLoop, Event, Nursery, type Operation } from "jsr:@broomio/core";
import {
  type Socket,
  TcpClientSocket,
  TcpListenSocket,
  TlsClientSocket,
  TlsListenSocket,
  useNetwork,
} from "../../src/net/mod.ts";
import { memoryNetwork } from "../../src/testing/mod.ts";
import { cancelAtEveryWait, type Outcome } from "../support/cancel_at_every_wait.ts";
import { certificates } from "../support/certificates.ts";
import { FaultNetwork } from "../support/fault_network.ts";

const { ca, localhost } = certificates();
const address = { hostname: "server.test", port: 443 };
const message = new Uint8Array(100_000).map((_, place) => place * 7);

/** A network in memory that counts what is open, the events of a program on it, and its other half. */
class World {
  readonly network = new FaultNetwork(memoryNetwork({ capacity: 40_000 }), () => null);
  readonly listening = new Event();
  readonly done = new Event();

  *use(): Coroutine {
    useNetwork(yield* currentLoop(), this.network);
  }

  /** The task that is cancelled: what it does ends the program, however it ends. */
  *victim(body: () => Operation<unknown>): Coroutine {
    yield* this.use();
    try {
      yield* body();
    } finally {
      this.listening.set();
      this.done.set();
    }
  }

  /** Something that goes on until the victim has ended. */
  *other(body: () => Operation<unknown>): Coroutine {
    yield* this.use();
    const { done } = this;
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(body());
      yield* done.wait();
      nursery.cancel();
    });
  }

  /** What is open closes before long: TLS says goodbye first, and that takes turns of the runtime. */
  async check({ completed, state }: Outcome): Promise<void> {
    // Cancelled after its last wait it succeeds all the same.
    if (state !== "cancelled" || completed) assertEquals(state, "succeeded");
    for (let tries = 0; this.network.left.length > 0 && tries < 200; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assertEquals(this.network.left, []);
  }
}

function* exchange(stream: Socket): Coroutine {
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(stream.send(message));
    const received = new Uint8Array(message.length);
    for (let at = 0; at < received.length;) {
      at += (yield* stream.recvInto(received.subarray(at)))!;
    }
    assertEquals(received, message);
  });
  yield* stream.shutdown();
  yield* stream.recv();
}

function* echo(stream: Socket): Coroutine {
  for (let bytes = yield* stream.recv(); bytes !== null; bytes = yield* stream.recv()) {
    yield* stream.send(bytes);
  }
}

function test(
  name: string,
  seeds: number,
  scenario: (world: World) => {
    victim: () => Operation<unknown>;
    other: () => Operation<unknown>;
  },
): void {
  Deno.test(`R37: ${name}, cancelled at each wait, leaves nothing open`, async () => {
    const waits = await cancelAtEveryWait(() => {
      const world = new World();
      const { victim, other } = scenario(world);
      return {
        victim: world.victim(victim),
        others: [world.other(other)],
        check: (outcome) => world.check(outcome),
      };
    }, { seeds });
    assert(waits >= 3, `${waits} waits`);
  });
}

test("a client of TCP", 3, (world) => ({
  *victim() {
    yield* world.listening.wait();
    using stream = yield* TcpClientSocket.connect(address);
    yield* exchange(stream);
  },
  *other() {
    using listener = yield* TcpListenSocket.listen(address);
    world.listening.set();
    yield* listener.serve(echo, { onError() {} });
  },
}));

test("a server of TCP", 3, (world) => ({
  *victim() {
    using listener = yield* TcpListenSocket.listen(address);
    world.listening.set();
    using stream = yield* listener.accept();
    yield* echo(stream);
  },
  *other() {
    yield* world.listening.wait();
    try {
      using stream = yield* TcpClientSocket.connect(address);
      yield* exchange(stream);
      // deno-lint-ignore broomio/no-swallowed-cancelled -- the peer goes on, whatever it meets
    } catch {
      // The server was cancelled.
    }
  },
}));

test("a client of TLS", 1, (world) => ({
  *victim() {
    yield* world.listening.wait();
    using stream = yield* TlsClientSocket.connect({
      ...address,
      serverName: "localhost",
      caCerts: [ca],
    });
    yield* exchange(stream);
  },
  *other() {
    using listener = yield* TlsListenSocket.listen({ ...address, ...localhost });
    world.listening.set();
    yield* listener.serve(echo, { onError() {} });
  },
}));

test("a server of TLS", 1, (world) => ({
  *victim() {
    using listener = yield* TlsListenSocket.listen({ ...address, ...localhost });
    world.listening.set();
    using stream = yield* listener.accept();
    yield* echo(stream);
  },
  *other() {
    yield* world.listening.wait();
    try {
      using stream = yield* TlsClientSocket.connect({
        ...address,
        serverName: "localhost",
        caCerts: [ca],
      });
      yield* exchange(stream);
      // deno-lint-ignore broomio/no-swallowed-cancelled -- the peer goes on, whatever it meets
    } catch {
      // The server was cancelled.
    }
  },
}));

test("an upgrade on either side", 1, (world) => ({
  *victim() {
    yield* world.listening.wait();
    using stream = yield* TcpClientSocket.connect(address);
    const options = { hostname: "localhost", caCerts: [ca] };
    yield* exchange(yield* TlsClientSocket.upgrade(stream, options));
  },
  *other() {
    using listener = yield* TcpListenSocket.listen(address);
    world.listening.set();
    yield* listener.serve(function* (stream) {
      yield* echo(yield* TlsClientSocket.upgradeServer(stream, localhost));
    }, { onError() {} });
  },
}));
