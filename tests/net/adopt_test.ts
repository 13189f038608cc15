import { connect, createServer } from "node:net";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { all, type Coroutine, Loop, suspend, until } from "jsr:@broomio/core";
import {
  fromDeno,
  fromNode,
  type Socket,
  TcpClientSocket,
  TcpListenSocket,
  UnixClientSocket,
  UnixListenSocket,
} from "../../src/net/mod.ts";
import { receiveAll } from "../stream/conformance.ts";
import { newPath } from "./support.ts";

const host = { hostname: "127.0.0.1" };

/** Sends something in both directions of an adopted connection. */
function* converse(client: Socket, server: Socket): Coroutine {
  yield* client.send(new Uint8Array([1, 2]));
  yield* client.shutdown();
  assertEquals([...yield* receiveAll(server)], [1, 2]);
  yield* server.send(new Uint8Array([3]));
  server.close();
  assertEquals([...yield* receiveAll(client)], [3]);
  client.close();
}

const test = (name: string, body: () => Coroutine) => Deno.test(name, () => new Loop().run(body()));

test("fromDeno adopts a TCP listener and connection", function* () {
  using listener = fromDeno(Deno.listen({ ...host, port: 0 }));
  assert(listener instanceof TcpListenSocket);
  const { port } = listener.localAddr;
  const [conn, server] = yield* all([
    until(Deno.connect({ ...host, port })),
    listener.accept(),
  ]);
  const client = fromDeno(conn, { keepAlive: true });
  assert(client instanceof TcpClientSocket && client.keepAlive && client.noDelay);
  assertEquals(client.remoteAddr, listener.localAddr);
  assertEquals(client.localAddr, server.remoteAddr);
  yield* converse(client, server);
});

test("fromDeno adopts a Unix listener and connection", function* () {
  const path = newPath();
  using listener = fromDeno(Deno.listen({ transport: "unix", path }));
  assert(listener instanceof UnixListenSocket);
  const [conn, server] = yield* all([
    until(Deno.connect({ transport: "unix", path })),
    listener.accept(),
  ]);
  const client = fromDeno(conn);
  assert(client instanceof UnixClientSocket);
  assertEquals(client.remoteAddr, { transport: "unix", path });
  yield* converse(client, server);
});

test("fromNode adopts a server and a socket", function* () {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  yield* suspend<void>((resume) => void server.listen(0, host.hostname, resume));
  using listener = fromNode(server);
  assert(listener instanceof TcpListenSocket);
  const options = { port: listener.localAddr.port, host: host.hostname, allowHalfOpen: true };
  const socket = connect(options);
  yield* suspend<void>((resume) => void socket.on("connect", () => resume()));
  const client = fromNode(socket);
  assert(client instanceof TcpClientSocket);
  assertEquals(client.remoteAddr, listener.localAddr);
  yield* converse(client, yield* listener.accept());
});

Deno.test("what is neither is refused", () => {
  assertThrows(() => fromDeno({} as Deno.Conn), TypeError, "a Deno.Conn or a Deno.Listener");
  assertThrows(() => fromNode({} as ReturnType<typeof connect>), TypeError, "a net.Socket");
  assertThrows(() => fromNode(createServer()), TypeError, "listens already");
});
