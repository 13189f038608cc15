// deno run --allow-run examples/graceful_shutdown.ts
import { Loop, Nursery, shield, sleep, sleepForever } from "jsr:@broomio/core";
import { signals } from "jsr:@broomio/core/os";

function* connection(id: number) {
  try {
    yield* sleepForever(); // serves its client
  } finally {
    yield* shield(sleep(0.01 * id), { timeout: 5 }); // says goodbye, but not for ever
    console.log(`connection ${id} closed`);
  }
}

function* main() {
  yield* Nursery.open(function* (nursery) {
    for (const id of [1, 2, 3]) nursery.startSoon(connection(id));
    console.log("serving; press Ctrl-C");
    nursery.startLater(pressCtrlC(), 0.05);
    const signal = yield* signals("SIGINT", "SIGTERM");
    console.log(`${signal}: shutting down`);
    nursery.cancel(signal);
  });
  console.log("bye");
}

/** So that this example ends by itself. */
function* pressCtrlC() {
  Deno.kill(Deno.pid, "SIGINT");
}

await new Loop().run(main());

/* Output:
serving; press Ctrl-C
SIGINT: shutting down
connection 1 closed
connection 2 closed
connection 3 closed
bye
*/
