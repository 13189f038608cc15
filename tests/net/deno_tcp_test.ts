import { assertEquals } from "@std/assert";
import { all, Loop, until } from "jsr:@broomio/core";
import {
  fromDeno,
  runtimeNetwork,
  TcpClientSocket,
  TcpListenSocket,
  useNetwork,
} from "../../src/net/mod.ts";
import { DenoStream } from "../../src/net/deno/network.ts";
import { testStreams } from "../stream/conformance.ts";
import type { DenoConn } from "../../src/net/runtime_types.ts";
import type { Address, NetAddress } from "../../src/stream.ts";

const hostname = "127.0.0.1";

testStreams({
  name: "TCP on Deno",
  makeLoop: () => new Loop(),
  listen: () => TcpListenSocket.listen({ hostname }),
  connect: (listener) => TcpClientSocket.connect(listener.localAddr as NetAddress),
  plenty: 16 * 1024 * 1024,
});

testStreams({
  name: "TCP on Deno, without internals",
  makeLoop: () => {
    const loop = new Loop();
    useNetwork(loop, runtimeNetwork({ internals: false }));
    return loop;
  },
  listen: () => TcpListenSocket.listen({ hostname }),
  connect: (listener) => TcpClientSocket.connect(listener.localAddr as NetAddress),
  plenty: 16 * 1024 * 1024,
});

const dial = (address: Address) => Deno.connect({ hostname, port: (address as NetAddress).port });

/**
 * A connection with its public methods and nothing else, as in a Deno without the internal
 * operations.
 */
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

testStreams({
  name: "TCP on Deno, by the public methods of the user's own connections",
  makeLoop: () => new Loop(),
  *listen() {
    return fromDeno(Deno.listen({ hostname, port: 0 }));
  },
  *connect(listener) {
    const conn = yield* until(dial(listener.localAddr));
    return new TcpClientSocket(new DenoStream(plainConn(conn), true));
  },
  plenty: 16 * 1024 * 1024,
});

/** Records each call of a connection's own methods. */
function spied(conn: Deno.TcpConn, calls: string[]): Deno.TcpConn {
  const { read, write } = conn;
  conn.read = (bytes) => (calls.push("read"), read.call(conn, bytes));
  conn.write = (bytes) => (calls.push("write"), write.call(conn, bytes));
  return conn;
}

Deno.test("what was adopted is read and written by its own methods, for they know of unref", () =>
  new Loop().run((function* () {
    const inner = Deno.listen({ hostname, port: 0 });
    const calls: string[] = [];
    using listener = fromDeno({
      addr: inner.addr,
      accept: async () => spied(await inner.accept(), calls),
      close: () => inner.close(),
    });
    using client = fromDeno(spied(yield* until(dial(listener.localAddr)), calls));
    using server = yield* listener.accept();
    yield* all([client.send(new Uint8Array([1])), server.send(new Uint8Array([2]))]);
    assertEquals(yield* client.recv(), new Uint8Array([2]));
    assertEquals(yield* server.recv(), new Uint8Array([1]));
    assertEquals(calls.sort(), ["read", "read", "write", "write"]);
  })()));
