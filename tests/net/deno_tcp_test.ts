import { Loop } from "jsr:@broomio/core";
import { TcpClientSocket, TcpListenSocket } from "../../src/net/mod.ts";
import { testStreams } from "../stream/conformance.ts";
import type { NetAddress } from "../../src/stream.ts";

testStreams({
  name: "TCP on Deno",
  makeLoop: () => new Loop(),
  listen: () => TcpListenSocket.listen({ hostname: "127.0.0.1" }),
  connect: (listener) => TcpClientSocket.connect(listener.localAddr as NetAddress),
  plenty: 16 * 1024 * 1024,
});
