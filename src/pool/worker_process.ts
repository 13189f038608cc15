/**
 * Where worker processes of Deno, Node and Bun start.
 */
import process from "node:process";
import { deserialize, serialize } from "node:v8";
import { createCallRunner } from "./call_runner.ts";
import { encodeError } from "./error_codec.ts";
import type { FromWorker } from "./protocol.ts";

if (process.send !== undefined) {
  const post = (message: FromWorker) => void process.send!(serialize(message));
  const receive = createCallRunner(post);
  process.on("message", (bytes) => receive(deserialize(bytes as Uint8Array)));
  // The pool is gone, or wants this process to go.
  process.on("disconnect", () => process.exit(0));
  process.on("uncaughtException", (error) => {
    // Said before it ends, so that those who wait learn more than an exit code.
    process.send!(
      serialize(["broken", encodeError(error)] satisfies FromWorker),
      () => process.exit(1),
    );
  });
  post(["up"]);
}
