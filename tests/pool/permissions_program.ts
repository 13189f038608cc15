/**
 * Calls a handler in a worker and prints its answer, or the error.
 */
import { Loop } from "../../mod.ts";
import { ProcessPool, ThreadPool, WorkerError } from "../../src/pool/mod.ts";

const kind = Deno.args[0] === "threads" ? ThreadPool : ProcessPool;
const module = new URL("./handlers.ts", import.meta.url);

function* main() {
  try {
    const pool = yield* kind.open<typeof import("./handlers.ts")>({ module });
    console.log(yield* pool.execute("add", 1, 2));
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    console.log(error.message);
  }
}
await new Loop().run(main());
