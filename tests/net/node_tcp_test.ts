import { TcpClientSocket, TcpListenSocket } from "../../src/net/mod.ts";
import { testStreams } from "../stream/conformance.ts";
import type { NetAddress } from "../../src/stream.ts";
import { nodeLoop } from "./support.ts";

testStreams({
  name: "TCP on node:net",
  makeLoop: nodeLoop,
  listen: () => TcpListenSocket.listen({ hostname: "127.0.0.1" }),
  connect: (listener) => TcpClientSocket.connect(listener.localAddr as NetAddress),
  plenty: 16 * 1024 * 1024,
  cancels: 1000,
});
