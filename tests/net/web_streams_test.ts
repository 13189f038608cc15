import { assert, assertEquals } from "@std/assert";
import {
  all,
  BusyResourceError,
  type Coroutine,
  Loop,
  Nursery,
  sleep,
  until,
} from "jsr:@broomio/core";
import { TcpClientSocket, TcpListenSocket } from "../../src/net/mod.ts";
import { errorOf, receiveAll } from "../stream/conformance.ts";
import { nodeLoop } from "./support.ts";

type Body = (client: TcpClientSocket, server: TcpClientSocket) => Coroutine<unknown>;

function* pair(body: Body): Coroutine {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
  const [client, server] = yield* all([
    TcpClientSocket.connect(listener.localAddr),
    listener.accept(),
  ]);
  using _client = client;
  using _server = server;
  yield* body(client, server);
}

for (const [name, makeLoop] of [["Deno", () => new Loop()], ["node:net", nodeLoop]] as const) {
  const test = (title: string, body: Body) =>
    Deno.test(`${name}: ${title}`, () => makeLoop().run(pair(body)));

  test("readable gives what is sent, to the end", function* (client, server) {
    yield* client.send(new TextEncoder().encode("hello "));
    yield* client.send(new TextEncoder().encode("world"));
    yield* client.shutdown();
    assertEquals(yield* until(new Response(server.readable).text()), "hello world");
  });

  test("readable fills a buffer that its reader brings", function* (client, server) {
    yield* client.send(new Uint8Array([1, 2, 3]));
    yield* client.shutdown();
    const reader = server.readable.getReader({ mode: "byob" });
    const first = yield* until(reader.read(new Uint8Array(2)));
    assertEquals(first.value, new Uint8Array([1, 2]));
    const second = yield* until(reader.read(new Uint8Array(2)));
    assertEquals(second.value, new Uint8Array([3]));
    assert((yield* until(reader.read(new Uint8Array(2)))).done);
  });

  test(
    "writable sends what is written, small and large, and closing it is the end",
    function* (client, server) {
      const writer = client.writable.getWriter();
      const large = Uint8Array.from({ length: 3_000_000 }, (_, place) => place * 7);
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon((function* () {
          yield* until(writer.write(new Uint8Array([1, 2])));
          yield* until(writer.write(large));
          yield* until(writer.close());
        })());
        const all = yield* receiveAll(server);
        assertEquals(all.length, large.length + 2);
        assert(all.subarray(2).every((byte, place) => byte === large[place]));
      });
      yield* server.send(new Uint8Array([9]));
      assertEquals(yield* client.recv(), new Uint8Array([9]));
    },
  );

  test(
    "R38: while the readable reads, recv is busy; closing ends both streams with an error",
    function* (client) {
      const reading = client.readable.getReader().read();
      yield* sleep(0.01);
      assert((yield* errorOf(client.recv())) instanceof BusyResourceError);
      client.close();
      assertEquals(((yield* errorOf(until(reading))) as Error).name, "ClosedResourceError");
    },
  );

  test("cancelling the readable closes the socket", function* (client, server) {
    yield* until(client.readable.cancel());
    assertEquals(yield* server.recv(), null);
  });
}
