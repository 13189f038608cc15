import { Loop } from "jsr:@broomio/core";
import { UnixClientSocket, UnixListenSocket } from "../../src/net/mod.ts";
import { testStreams } from "../stream/conformance.ts";
import type { UnixAddress } from "../../src/stream.ts";
import { newPath } from "./support.ts";

testStreams({
  name: "Unix on Deno",
  makeLoop: () => new Loop(),
  listen: () => UnixListenSocket.listen({ path: newPath() }),
  connect: (listener) => UnixClientSocket.connect(listener.localAddr as UnixAddress),
  plenty: 16 * 1024 * 1024,
  cancels: 1000,
});
