/**
 * Where worker processes of Deno, Node and Bun start.
 */
import process from "node:process";
import { deserialize, serialize } from "node:v8";
import { serve } from "./serve.ts";
import { encodeThrown } from "./thrown.ts";
import type { FromWorker } from "./protocol.ts";

if (process.send !== undefined) {
  const post = (message: FromWorker) => void process.send!(serialize(message));
  const receive = serve(post);
  process.on("message", (bytes) => receive(deserialize(bytes as Uint8Array)));
  // The pool is gone, or wants this process to go.
  process.on("disconnect", () => process.exit(0));
  process.on("uncaughtException", (error) => {
    // Said before it ends, so that those who wait learn more than an exit code.
    process.send!(
      serialize(["broken", encodeThrown(error)] satisfies FromWorker),
      () => process.exit(1),
    );
  });
  post(["up"]);
}
