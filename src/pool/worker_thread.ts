/**
 * Where worker threads of Deno, Node and Bun start.
 */
import { parentPort } from "node:worker_threads";
import type { FromWorker } from "./protocol.ts";
import { createCallRunner } from "./call_runner.ts";

const port = parentPort;
if (port !== null) {
  const receive = createCallRunner((message, transfer) =>
    port.postMessage(message, transfer as never)
  );
  port.on("message", receive);
  // A call that cannot be read here could not be answered: the worker ends, and the pool fails it.
  port.on("messageerror", (error) => {
    throw error;
  });
  port.postMessage(["up"] satisfies FromWorker);
}
