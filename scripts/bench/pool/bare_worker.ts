/** The other end of the bare round trip: a worker thread without any library. */
import { parentPort } from "node:worker_threads";
import { add } from "./handlers.ts";

parentPort!.on("message", ({ id, args }: { id: number; args: [number] }) => {
  parentPort!.postMessage({ id, value: add(args[0]) });
});
