import { assertEquals } from "@std/assert";
import { all, type Coroutine, Loop, until } from "jsr:@broomio/core";
import { fromDeno, TcpClientSocket, TcpListenSocket } from "../../src/net/mod.ts";
import { testStreams } from "../stream/conformance.ts";
import type { DenoConn, DenoListener } from "../../src/net/shapes.ts";
import type { Address, NetAddress } from "../../src/stream.ts";

const hostname = "127.0.0.1";

testStreams({
  name: "TCP on Deno",
  makeLoop: () => new Loop(),
  listen: () => TcpListenSocket.listen({ hostname }),
  connect: (listener) => TcpClientSocket.connect(listener.localAddr as NetAddress),
  plenty: 16 * 1024 * 1024,
});

const dial = (address: Address) => Deno.connect({ hostname, port: (address as NetAddress).port });

/** A connection with its public methods and nothing else. */
function plainConn(conn: Deno.TcpConn): DenoConn {
  return {
    localAddr: conn.localAddr,
    remoteAddr: conn.remoteAddr,
    read: (buffer) => conn.read(buffer),
    write: (bytes) => conn.write(bytes),
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
    setNoDelay: (on) => conn.setNoDelay(on),
    setKeepAlive: (on) => conn.setKeepAlive(on),
  };
}

/** A listener that gives such connections, as a Deno would that has no operations we know. */
function plainListener(): TcpListenSocket {
  const listener = Deno.listen({ hostname, port: 0 });
  const plain: DenoListener = {
    addr: listener.addr,
    accept: async () => plainConn(await listener.accept()),
    close: () => listener.close(),
  };
  return fromDeno(plain) as TcpListenSocket;
}

testStreams({
  name: "TCP on Deno, by public methods alone",
  makeLoop: () => new Loop(),
  *listen() {
    return plainListener();
  },
  *connect(listener) {
    return fromDeno(yield* until(dial(listener.localAddr)));
  },
  plenty: 16 * 1024 * 1024,
});

/** Makes a connection to `listener` say one byte each way. */
function* converse(listener: TcpListenSocket, client: TcpClientSocket): Coroutine {
  using peer = client;
  using server = yield* listener.accept();
  yield* all([peer.send(new Uint8Array([1])), server.send(new Uint8Array([2]))]);
  assertEquals(yield* peer.recv(), new Uint8Array([2]));
  assertEquals(yield* server.recv(), new Uint8Array([1]));
}

Deno.test("a connection whose methods are its own is read and written by them, for they know of unref", () =>
  new Loop().run((function* () {
    using listener = yield* TcpListenSocket.listen({ hostname });
    const conn = yield* until(dial(listener.localAddr));
    const calls: string[] = [];
    const { read, write } = conn;
    conn.read = (bytes) => (calls.push("read"), read.call(conn, bytes));
    conn.write = (bytes) => (calls.push("write"), write.call(conn, bytes));
    yield* converse(listener, fromDeno(conn) as TcpClientSocket);
    assertEquals(calls.sort(), ["read", "write"]);
  })()));
