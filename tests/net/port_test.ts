/** What sockets ask of a backend: a backend that records its calls. */
import { assert, assertEquals } from "@std/assert";
import {
  CancelScope,
  checkpoint,
  type Coroutine,
  type Host,
  Loop,
  moveOnAfter,
  Nursery,
  type Operation,
  sleep,
  type Trap,
} from "jsr:@broomio/core";
import {
  type Address,
  type Attempt,
  type Network,
  type RawListener,
  type RawStream,
  SocketError,
  TcpClientSocket,
  TcpListenSocket,
  useNetwork,
} from "../../src/net/mod.ts";
import { memoryNetwork } from "../../src/testing/mod.ts";
import { errorOf } from "../stream/conformance.ts";

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
const here: Address = { transport: "tcp", hostname: "here", port: 1 };
const there: Address = { transport: "tcp", hostname: "there", port: 2 };
const bytes = (...values: number[]) => new Uint8Array(values);

/** A connection that records what it is asked, and answers when the test says so. */
class FakeStream implements RawStream {
  readonly localAddr = here;
  readonly remoteAddr = there;
  receiveEvents!: RawStream["receiveEvents"];
  sendEvents!: RawStream["sendEvents"];
  readonly bytes: Uint8Array = new Uint8Array(100);
  lifetime: RawStream["lifetime"] = "receive";
  readonly log: string[] = [];
  /** Answers sends at once. */
  eager = true;

  receive(): void {
    this.log.push("receive");
  }
  send(bytes: Uint8Array): void {
    this.log.push(`send ${bytes.length > 16 ? bytes.length : bytes}`);
    if (this.eager) this.sendEvents.sent();
  }
  finish(): void {
    this.log.push("finish");
    if (this.eager) this.sendEvents.sent();
  }
  close(): void {
    this.log.push("close");
  }
  closeSoon(): void {
    this.log.push("close soon");
  }
  setNoDelay(on: boolean): void {
    this.log.push(`noDelay ${on}`);
  }
  setKeepAlive(on: boolean): void {
    this.log.push(`keepAlive ${on}`);
  }
}

class FakeListener implements RawListener {
  readonly localAddr = here;
  events!: RawListener["events"];
  readonly log: string[] = [];
  accept(): void {
    this.log.push("accept");
  }
  close(): void {
    this.log.push("close");
  }
}

/** A network in which the test decides how an attempt ends. */
function fakeLoop(
  connectTcp: (attempt: Attempt<RawStream>) => (() => void) | void,
  warnings: string[] = [],
): Loop {
  const loop = new Loop({ onWarning: ({ message }) => warnings.push(message) });
  const network: Network = memoryNetwork();
  network.connectTcp = (_, attempt) => connectTcp(attempt);
  useNetwork(loop, network);
  return loop;
}

function test(
  name: string,
  body: (socket: TcpClientSocket, raw: FakeStream) => Coroutine<unknown>,
): void {
  Deno.test(name, async () => {
    const raw = new FakeStream();
    const socket = new TcpClientSocket(raw, { noDelay: false });
    assertEquals(raw.log.splice(0), ["noDelay false"]);
    await new Loop().run(body(socket, raw));
  });
}

test("the sends of one turn are one write, in order", function* (socket, raw) {
  for (let value = 1; value <= 5; value++) yield* socket.send(bytes(value));
  assertEquals(raw.log, []);
  yield* checkpoint();
  yield* sleep(0.02); // a later turn
  assertEquals(raw.log, ["send 1,2,3,4,5"]);
});

test("what was sent goes out before its answer is waited for", function* (socket, raw) {
  yield* socket.send(bytes(1, 2));
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(socket.recv());
    nursery.startSoon((function* () {
      assertEquals(raw.log, ["send 1,2", "receive"]);
      nursery.cancel();
    })());
  });
});

test("sixteen small sends in a row go on before the other tasks, and no more", function* (socket) {
  const log: string[] = [];
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon((function* () {
      for (let value = 1; value <= 18; value++) {
        yield* socket.send(bytes(value));
        log.push(`sent ${value}`);
      }
      yield* sleep(0.001); // it is written
      yield* socket.send(bytes(19));
      log.push("sent 19");
    })());
    nursery.startSoon((function* () {
      for (let step = 1; step <= 3; step++) {
        log.push(`other ${step}`);
        yield* checkpoint();
      }
      yield* sleep(0.001);
      log.push("other 4");
    })());
  });
  assertEquals(log, [
    ...Array.from({ length: 16 }, (_, index) => `sent ${index + 1}`),
    ...["other 1", "sent 17", "other 2", "sent 18", "other 3", "sent 19", "other 4"],
  ]);
});

test(
  "R5: a task that sends small messages for ever lets time limits and others in",
  function* (socket) {
    let others = 0;
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon((function* () {
        for (;; others++) yield* checkpoint();
      })());
      yield* moveOnAfter(0.02, function* () {
        for (;;) yield* socket.send(bytes(1));
      });
      nursery.cancel();
    });
    assert(others > 5, `${others} steps of another task`);
  },
);

test("R17: a cancel lands between two small sends of one step", function* (socket, raw) {
  yield* CancelScope.open(function* (scope) {
    yield* socket.send(bytes(1));
    yield* socket.send(bytes(2));
    scope.cancel();
    yield* socket.send(bytes(3));
  });
  yield* sleep(0.001);
  assertEquals(raw.log, ["send 1,2"]);
});

test("R17: the first small send of a cancelled task is not sent", function* (socket, raw) {
  yield* CancelScope.open(function* (scope) {
    scope.cancel();
    yield* socket.send(bytes(1));
  });
  yield* sleep(0.001);
  assertEquals(raw.log, []);
});

test("yield in place of yield* sends nothing", function* (socket, raw) {
  const wrong = socket.send(bytes(1)) as unknown as Trap;
  const error = yield* errorOf((function* () {
    yield wrong;
  })());
  assert(error instanceof TypeError && /yield\*/.test(error.message));
  yield* sleep(0.001);
  assertEquals(raw.log, []);
});

test(
  "R37: a view taken of memory that stays only for the event is a copy",
  function* (socket, raw) {
    raw.lifetime = "event";
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon((function* () {
        yield* checkpoint();
        raw.bytes.set([1, 2, 3]);
        assertEquals(raw.receiveEvents.received(3), true);
        raw.bytes.fill(9);
      })());
      assertEquals(yield* socket.recvView(), bytes(1, 2, 3));
    });
  },
);

test("a view is no copy where the memory stays", function* (socket, raw) {
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon((function* () {
      yield* checkpoint();
      raw.bytes.set([1, 2, 3]);
      raw.receiveEvents.received(3);
    })());
    const first = yield* socket.recvView(2);
    assertEquals(first, bytes(1, 2));
    assert(first!.buffer === raw.bytes.buffer);
    assertEquals(yield* socket.recvView(), bytes(3));
  });
});

Deno.test("many sockets with bytes at once share a turn, sixteen at a time", async () => {
  const wakes: string[] = [];
  const host: Host = {
    now: () => performance.now() / 1000,
    warn: () => {},
    attach(turn) {
      let due = false;
      const later = () => {
        if (!due) setTimeout(() => (due = false, turn()), 0);
        due = true;
      };
      const wake = (soon = false) => {
        wakes.push(soon ? "soon" : "now");
        later();
      };
      later();
      return { yield: later, idle: () => {}, wake, close: () => {} };
    },
  };
  const raws = Array.from({ length: 40 }, () => new FakeStream());
  let served = 0;
  const loop = new Loop({ host });
  const running = loop.run(Nursery.open(function* (nursery) {
    for (const raw of raws) {
      nursery.startSoon((function* () {
        yield* new TcpClientSocket(raw).recvView();
        served++;
      })());
    }
  }));
  while (raws.some(({ log }) => !log.includes("receive"))) await tick();
  wakes.length = 0;
  for (const [index, raw] of raws.entries()) {
    raw.receiveEvents.received(1);
    assertEquals(wakes, index < 16 ? ["soon"] : ["soon", "now"]);
  }
  await running;
  assertEquals(served, 40);
});

test("bytes may be changed once send has returned", function* (socket, raw) {
  const message = bytes(1);
  yield* socket.send(message);
  message[0] = 9;
  yield* socket.send(message);
  yield* sleep(0.001);
  assertEquals(raw.log, ["send 1,9"]);
});

test("a large send follows what was gathered, and is not copied", function* (socket, raw) {
  yield* socket.send(bytes(1));
  yield* socket.send(new Uint8Array(20_000));
  yield* socket.send(bytes(2));
  yield* sleep(0.001);
  assertEquals(raw.log, ["send 1", "send 20000", "send 2"]);
});

test(
  "while a write is under way, one buffer more is gathered, and then send waits",
  function* (socket, raw) {
    raw.eager = false;
    let sent = 0;
    yield* moveOnAfter(0.02, function* () {
      for (;; sent++) yield* socket.send(new Uint8Array(1024));
    });
    assertEquals(sent, 32);
    assertEquals(raw.log, ["send 16384"]);
    raw.sendEvents.sent();
    assertEquals(raw.log, ["send 16384", "send 16384"]);
    yield* socket.send(bytes(1)); // the cancelled send did not happen: nothing is broken
    raw.eager = true;
    raw.sendEvents.sent();
    assertEquals(raw.log.at(-1), "send 1");
  },
);

test(
  "a send that waited goes out once, also where the write before it is answered at once",
  function* (socket, raw) {
    raw.eager = false;
    yield* socket.send(bytes(1));
    yield* sleep(0.001); // in flight
    yield* socket.send(new Uint8Array(16384)); // coalesced: the buffer is full
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(socket.send(bytes(2)));
      yield* sleep(0.001);
      const { send } = raw;
      raw.send = (message) => {
        raw.eager = message.length === 16384;
        send.call(raw, message);
      };
      raw.sendEvents.sent();
      assertEquals(raw.log, ["send 1", "send 16384", "send 2"]);
      raw.sendEvents.sent();
    });
    yield* sleep(0.001);
    assertEquals(raw.log, ["send 1", "send 16384", "send 2"]);
  },
);

test("R38: an error of a gathered write is thrown by the next send", function* (socket, raw) {
  raw.eager = false;
  yield* socket.send(bytes(1));
  yield* sleep(0.001);
  raw.sendEvents.sendFailed("EPIPE", new Error("gone"));
  for (let count = 0; count < 2; count++) {
    const error = yield* errorOf(socket.send(bytes(2)));
    assert(error instanceof SocketError);
    assertEquals([error.code, error.address], ["EPIPE", there]);
  }
  assertEquals(raw.log, ["send 1"]);
});

test("close lets what was gathered out first, and closes then", function* (socket, raw) {
  raw.eager = false;
  yield* socket.send(bytes(1));
  socket.close();
  assertEquals(raw.log, ["send 1", "close soon"]);
  raw.sendEvents.sent();
  assertEquals(raw.log, ["send 1", "close soon", "close"]);
});

test(
  "close cuts off a large send, and closes at once where nothing is to go out",
  function* (socket, raw) {
    raw.eager = false;
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(errorOf(socket.send(new Uint8Array(20_000))));
      yield* sleep(0.001);
      socket.close();
      assertEquals(raw.log, ["send 20000", "close"]);
    });
    const other = new FakeStream();
    new TcpClientSocket(other).close();
    assertEquals(other.log, ["noDelay true", "close"]);
  },
);

test("R37: a cancelled receive leaves what it asked for to the next one", function* (socket, raw) {
  yield* moveOnAfter(0.001, socket.recv());
  yield* moveOnAfter(0.001, socket.recvInto(bytes(0)));
  assertEquals(raw.log, ["receive"]);
  raw.bytes.set([1, 2, 3]);
  raw.receiveEvents.received(3);
  assertEquals([yield* socket.recv(1), yield* socket.recv()], [bytes(1), bytes(2, 3)]);
  assertEquals(raw.log, ["receive"]);
});

test("noDelay and keepAlive go through", function* (socket, raw) {
  assertEquals([socket.noDelay, socket.keepAlive], [false, false]);
  socket.noDelay = true;
  socket.keepAlive = true;
  assertEquals([socket.noDelay, socket.keepAlive], [true, true]);
  assertEquals(raw.log, ["noDelay true", "keepAlive true"]);
});

Deno.test("R37: a connect that is cancelled is abandoned, and what opens all the same is closed", async () => {
  let attempt: Attempt<RawStream> | undefined;
  let abandoned = 0;
  const loop = fakeLoop((given) => {
    attempt = given;
    return () => void abandoned++;
  });
  const raw = new FakeStream();
  await loop.run((function* (): Coroutine {
    yield* moveOnAfter(0.001, TcpClientSocket.connect({ port: 1 }));
    assertEquals(abandoned, 1);
    attempt!.opened(raw);
  })());
  assertEquals(raw.log, ["close"]);
});

Deno.test("R39: a connect that takes too long is ETIMEDOUT, and abandoned", async () => {
  let abandoned = 0;
  const loop = fakeLoop(() => () => void abandoned++);
  const error = await loop.run(errorOf(
    TcpClientSocket.connect({ port: 1, timeout: { milliseconds: 5 } }),
  ));
  assert(error instanceof SocketError);
  assertEquals([error.code, abandoned], ["ETIMEDOUT", 1]);
});

function testListener(
  name: string,
  body: (listener: TcpListenSocket, raw: FakeListener) => Coroutine<unknown>,
  warnings: string[] = [],
): void {
  Deno.test(name, async () => {
    const raw = new FakeListener();
    const loop = fakeLoop(() => {}, warnings);
    await loop.run(body(new TcpListenSocket(raw, { noDelay: false }), raw));
  });
}

testListener(
  "R37: a connection that arrives while nobody accepts goes to the next accept",
  function* (listener, raw) {
    yield* moveOnAfter(0.001, listener.accept());
    raw.events.accepted(new FakeStream());
    (yield* listener.accept()).close();
    assertEquals(raw.log, ["accept"]);
  },
);

testListener("R37: or is closed with the listener", function* (listener, raw) {
  yield* moveOnAfter(0.001, listener.accept());
  const [first, second] = [new FakeStream(), new FakeStream()];
  raw.events.accepted(first);
  listener.close();
  raw.events.accepted(second);
  assertEquals([first.log, second.log, raw.log], [["close"], ["close"], ["accept", "close"]]);
});

const warnings: string[] = [];
testListener(
  "R40: a full descriptor table is warned of and tried again",
  function* (listener, raw) {
    const started = performance.now();
    yield* Nursery.open(function* (nursery) {
      const accepting: Operation<TcpClientSocket> = listener.accept();
      const task = nursery.startSoon(accepting);
      yield* sleep(0.001);
      raw.events.acceptFailed("ENFILE", new Error("full"));
      // deno-lint-ignore broomio/no-busy-wait -- nothing tells when it changes
      while (raw.log.length < 2) yield* sleep(0.005);
      assert(performance.now() - started >= 95);
      assertEquals(warnings.length, 1);
      assert(warnings[0].includes("ENFILE"));
      raw.events.acceptFailed("ECONNABORTED", new Error("gone already")); // at once, no warning
      assertEquals([raw.log.length, warnings.length], [3, 1]);
      raw.events.accepted(new FakeStream());
      (yield* task.join()).close();
    });
  },
  warnings,
);

testListener(
  "R40: what a handler's last send came to is an error of the handler",
  function* (listener, raw) {
    const failures: unknown[] = [];
    const stream = new FakeStream();
    stream.eager = false;
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(
        (socket) => socket.send(bytes(1)),
        { onError: (error) => failures.push(error) },
      ));
      yield* sleep(0.001);
      raw.events.accepted(stream);
      yield* sleep(0.001);
      assertEquals(stream.log.splice(0), ["noDelay false", "send 1"]);
      stream.sendEvents.sendFailed("ECONNRESET", new Error("gone"));
      yield* sleep(0.001);
      assertEquals(stream.log, ["close"]);
      nursery.cancel();
    });
    assert(failures[0] instanceof SocketError);
    assertEquals([failures.length, failures[0].code], [1, "ECONNRESET"]);
  },
);

const told: string[] = [];
testListener(
  "R40: by default a failed handler is a warning, with its stack",
  function* (listener, raw) {
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(function* () {
        throw new TypeError("boom");
      }));
      yield* sleep(0.001);
      raw.events.accepted(new FakeStream());
      yield* sleep(0.001);
      nursery.cancel();
    });
    assertEquals(told.length, 1);
    assert(/handler of there:2 failed.*TypeError: boom/.test(told[0]), told[0]);
    assert(told[0].includes("port_test.ts"));
  },
  told,
);
