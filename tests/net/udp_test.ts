import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BusyResourceError,
  CancelScope,
  checkpoint,
  ClosedResourceError,
  type Coroutine,
  Loop,
  moveOnAfter,
  Nursery,
  sleep,
} from "jsr:@broomio/core";
import { SocketError, UdpSocket, useNetwork } from "../../src/net/mod.ts";
import { denoNetwork } from "../../src/net/deno/network.ts";
import { errorOf } from "../stream/conformance.ts";

const hostname = "127.0.0.1";
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Runs a test with two bound sockets. */
function test(name: string, body: (one: UdpSocket, two: UdpSocket) => Coroutine<unknown>): void {
  Deno.test(`UDP: ${name}`, async () => {
    await new Loop().run((function* () {
      using one = yield* UdpSocket.bind({ hostname });
      using two = yield* UdpSocket.bind({ hostname });
      yield* body(one, two);
    })());
  });
}

test("messages arrive whole, in order, with their sender", function* (one, two) {
  const texts = ["hello", "", "x".repeat(9000)];
  for (const text of texts) yield* one.sendTo(encode(text), two.localAddr);
  for (const text of texts) {
    const { bytes, address } = yield* two.recvFrom();
    assertEquals(decode(bytes), text);
    assertEquals(address, one.localAddr);
  }
});

test("a name is looked up", function* (one, two) {
  yield* one.sendTo(encode("hi"), { hostname: "localhost", port: two.localAddr.port });
  assertEquals(decode((yield* two.recvFrom()).bytes), "hi");
});

test("recvFromInto copies what fits, and tells how long the message was", function* (one, two) {
  const buffer = new Uint8Array(6).fill(46);
  yield* one.sendTo(encode("abc"), two.localAddr);
  yield* one.sendTo(encode("abcdefghij"), two.localAddr);
  const { localAddr: address } = one;
  assertEquals(yield* two.recvFromInto(buffer), { count: 3, size: 3, address });
  assertEquals(decode(buffer), "abc...");
  assertEquals(yield* two.recvFromInto(buffer), { count: 6, size: 10, address });
  assertEquals(decode(buffer), "abcdef");
});

test("what arrives before anybody receives is kept", function* (one, two) {
  for (let index = 0; index < 20; index++) {
    yield* one.sendTo(new Uint8Array([index]), two.localAddr);
  }
  yield* sleep(0.05);
  const seen: number[] = [];
  for (let index = 0; index < 20; index++) seen.push((yield* two.recvFrom()).bytes[0]);
  assertEquals(seen, Array.from({ length: 20 }, (_, index) => index));
});

test("R37: a cancelled receive loses no message, and touches no buffer", function* (one, two) {
  const count = 2000;
  const buffer = new Uint8Array(2);
  const seen: number[] = [];
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon((function* () {
      for (let index = 0; index < count; index++) {
        yield* one.sendTo(new Uint8Array([index >> 8, index & 255]), two.localAddr);
        // Loopback loses messages where the receiver falls behind.
        // deno-lint-ignore broomio/no-busy-wait -- nothing tells when it changes
        while (index - seen.length > 20) yield* sleep(0.001);
      }
    })());
    let cancelled = 0;
    while (seen.length < count) {
      buffer.fill(255);
      const patience = (seen.length + cancelled) % 7 / 10_000;
      const received = yield* moveOnAfter(patience, two.recvFromInto(buffer));
      if (received === undefined) {
        cancelled++;
        assertEquals([...buffer], [255, 255]);
      } else seen.push(buffer[0] * 256 + buffer[1]);
    }
    assert(cancelled > 50, `only ${cancelled} were cancelled`);
  });
  assertEquals(seen, Array.from({ length: count }, (_, index) => index));
});

test("a cancelled send leaves the caller's bytes alone, and they it", function* (one, two) {
  const bytes = encode("first");
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(one.sendTo(bytes, two.localAddr));
    yield* checkpoint();
    nursery.cancel();
  });
  bytes.fill(0);
  yield* one.sendTo(encode("second"), two.localAddr);
  const { bytes: got } = yield* two.recvFrom();
  assert(["first", "second"].includes(decode(got)), decode(got));
});

test("R17: in a cancelled scope nothing is sent", function* (one, two) {
  yield* CancelScope.open(function* (scope) {
    scope.cancel();
    yield* one.sendTo(encode("no"), two.localAddr);
  });
  yield* one.sendTo(encode("yes"), two.localAddr);
  assertEquals(decode((yield* two.recvFrom()).bytes), "yes");
});

test("R38: one task receives; closing wakes it, and refuses who comes later", function* (one, two) {
  yield* Nursery.open(function* (nursery) {
    const receiving = nursery.startSoon(errorOf(two.recvFrom()));
    yield* sleep(0.01);
    assert((yield* errorOf(two.recvFrom())) instanceof BusyResourceError);
    two.close();
    two.close();
    assert((yield* receiving.join()) instanceof ClosedResourceError);
    assert((yield* errorOf(two.recvFrom())) instanceof ClosedResourceError);
    const sending = two.sendTo(encode("x"), one.localAddr);
    assert((yield* errorOf(sending)) instanceof ClosedResourceError);
  });
});

test("many tasks send at once", function* (one, two) {
  yield* Nursery.open(function* (nursery) {
    for (let index = 0; index < 50; index++) {
      nursery.startSoon(one.sendTo(new Uint8Array([index]), two.localAddr));
    }
  });
  const seen = new Set<number>();
  while (seen.size < 50) seen.add((yield* two.recvFrom()).bytes[0]);
});

test("R39: a port that is taken, and a message that is too long", function* (one) {
  const taken = yield* errorOf(UdpSocket.bind({ hostname, port: one.localAddr.port }));
  assert(taken instanceof SocketError, String(taken));
  assertEquals(taken.code, "EADDRINUSE");
  const long = yield* errorOf(one.sendTo(new Uint8Array(70_000), one.localAddr));
  assert(long instanceof SocketError, String(long));
  assertEquals(long.code, "EMSGSIZE");
});

test("a port is a number from 1, and a message is bytes", function* (one) {
  assertThrows(() => one.sendTo(encode("x"), { hostname, port: 0 }), RangeError);
  assertThrows(() => one.sendTo("x" as never, one.localAddr), TypeError);
  assertThrows(() => UdpSocket.bind({ port: 65536 }), RangeError);
});

Deno.test("UDP: a network without it says so", async () => {
  const loop = new Loop();
  useNetwork(loop, denoNetwork()!);
  const error = await loop.run(errorOf(UdpSocket.bind({ hostname })));
  assert(error instanceof SocketError);
  assertEquals(error.code, "ENOTSUP");
});
