import { TcpClientSocket, TcpListenSocket } from "../../src/net/mod.ts";
import { testStreams } from "../stream/conformance.ts";
import type { NetAddress } from "../../src/stream.ts";
import { nodeLoop } from "./support.ts";

// With and without undocumented internals: on Deno and Bun there are none, so both are the same
// there.
for (const internals of [true, false]) {
  testStreams({
    name: `TCP on node:net${internals ? "" : ", without internals"}`,
    makeLoop: () => nodeLoop({}, { internals }),
    listen: () => TcpListenSocket.listen({ hostname: "127.0.0.1" }),
    connect: (listener) => TcpClientSocket.connect(listener.localAddr as NetAddress),
    plenty: 16 * 1024 * 1024,
    cancels: 1000,
  });
}
