/** Sockets of production over the network in memory, in virtual time. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Coroutine,
  DeadlockError,
  Loop,
  moveOnAfter,
  Nursery,
  type Operation,
  sleep,
  until,
} from "jsr:@broomio/core";
import {
  SocketError,
  TcpClientSocket,
  TcpListenSocket,
  UnixClientSocket,
  UnixListenSocket,
  useNetwork,
} from "../../src/net/mod.ts";
import { memoryNetwork, VirtualClock } from "../../src/testing/mod.ts";
import type { NetAddress, UnixAddress } from "../../src/stream.ts";
import { errorOf, testStreams } from "../stream/conformance.ts";
import { FaultNetwork } from "../support/fault_network.ts";

function makeLoop(capacity = 65536): Loop {
  const loop = new Loop({ host: new VirtualClock() });
  useNetwork(loop, memoryNetwork({ capacity }));
  return loop;
}

testStreams({
  name: "TCP in memory",
  makeLoop,
  listen: () => TcpListenSocket.listen(),
  connect: (listener) => TcpClientSocket.connect(listener.localAddr as NetAddress),
  plenty: 200_000,
});

testStreams({
  name: "Unix in memory, a few bytes at a time",
  makeLoop: () => makeLoop(7),
  listen: () => UnixListenSocket.listen({ path: "/run/test.sock" }),
  connect: (listener) => UnixClientSocket.connect(listener.localAddr as UnixAddress),
  plenty: 20_000,
});

testStreams({
  name: "TCP in memory, through the network with faults that has none",
  makeLoop() {
    const loop = new Loop({ host: new VirtualClock() });
    useNetwork(loop, new FaultNetwork(memoryNetwork(), () => null));
    return loop;
  },
  listen: () => TcpListenSocket.listen(),
  connect: (listener) => TcpClientSocket.connect(listener.localAddr as NetAddress),
  plenty: 200_000,
});

function test(name: string, body: (loop: Loop) => Coroutine<unknown>): void {
  Deno.test(name, async () => {
    const loop = makeLoop();
    await loop.run(body(loop));
  });
}

function* codeOf(operation: Operation<unknown>): Coroutine<string> {
  const error = yield* errorOf(operation);
  assert(error instanceof SocketError, String(error));
  return error.code;
}

test("A memory network refuses, and says that a port is taken, with the codes of a system", function* () {
  const listener = yield* TcpListenSocket.listen({ port: 80 });
  assertEquals(yield* codeOf(TcpListenSocket.listen({ port: 80 })), "EADDRINUSE");
  listener.close();
  assertEquals(yield* codeOf(TcpClientSocket.connect({ port: 80 })), "ECONNREFUSED");
  assertEquals(yield* codeOf(UnixClientSocket.connect({ path: "/run/x.sock" })), "ENOENT");
  (yield* TcpListenSocket.listen({ port: 80 })).close();
});

test("A memory network knows both ends by their addresses", function* () {
  using listener = yield* TcpListenSocket.listen({ hostname: "0.0.0.0" });
  const { port } = listener.localAddr;
  using client = yield* TcpClientSocket.connect({ hostname: "db.test", port });
  using server = yield* listener.accept();
  assertEquals(client.remoteAddr, { transport: "tcp", hostname: "db.test", port });
  assertEquals(server.localAddr, client.remoteAddr);
  assertEquals(server.remoteAddr, client.localAddr);
  assert(client.localAddr.port !== port);
});

test("Two memory networks do not know each other", function* () {
  using listener = yield* TcpListenSocket.listen();
  const { port } = listener.localAddr;
  const code = yield* until(makeLoop().run(codeOf(TcpClientSocket.connect({ port }))));
  assertEquals(code, "ECONNREFUSED");
});

test(
  "A wait on a memory network costs no time, also for a place among maxConnections",
  function* (loop) {
    using listener = yield* TcpListenSocket.listen();
    const log: string[] = [];
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(function* (stream) {
        yield* sleep(3600);
        yield* stream.send(new Uint8Array([1]));
      }, { maxConnections: 1 }));
      yield* Nursery.open(function* (clients) {
        for (const name of ["first", "second"]) {
          clients.startSoon((function* () {
            using client = yield* TcpClientSocket.connect(listener.localAddr);
            yield* client.recv();
            log.push(`${name} at ${loop.now}`);
          })());
        }
      });
      nursery.cancel();
    });
    assertEquals(log, ["first at 3600", "second at 7200"]);
  },
);

test("What was sent and not yet flushed is no deadlock for who waits for it", function* () {
  using listener = yield* TcpListenSocket.listen();
  using client = yield* TcpClientSocket.connect(listener.localAddr);
  using server = yield* listener.accept();
  // The sender has ended, no timer is in force, and only the flush will wake the receiver.
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(client.send(new Uint8Array([5])));
    assertEquals([...(yield* server.recv())!], [5]);
  });
  // The same where a timer stands by: time does not jump to it.
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(client.send(new Uint8Array([6])));
    assertEquals([...(yield* moveOnAfter(1, server.recv()))!], [6]);
  });
});

Deno.test("Who accepts in memory where nobody will connect is a deadlock, and the report says where", async () => {
  const running = makeLoop().run((function* () {
    using listener = yield* TcpListenSocket.listen({ port: 80 });
    yield* listener.accept();
  })());
  await assertRejects(() => running, DeadlockError, "accepting at 0.0.0.0:80");
});

test("A view of what was received is wiped by the next receive: a test finds who keeps it", function* () {
  using listener = yield* TcpListenSocket.listen();
  using client = yield* TcpClientSocket.connect(listener.localAddr);
  using server = yield* listener.accept();
  yield* client.send(new Uint8Array([1, 2]));
  const view = (yield* server.recvView())!;
  assertEquals([...view], [1, 2]);
  yield* client.send(new Uint8Array([3]));
  yield* server.recvView();
  assertEquals([...view], [0, 0]);
});
