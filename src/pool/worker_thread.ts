/**
 * Where worker threads of Deno, Node and Bun start.
 */
import { parentPort } from "node:worker_threads";
import type { FromWorker } from "./protocol.ts";
import { serve } from "./serve.ts";

const port = parentPort;
if (port !== null) {
  const receive = serve((message, transfer) => port.postMessage(message, transfer as never));
  port.on("message", receive);
  port.postMessage(["up"] satisfies FromWorker);
}
