// deno run --allow-run examples/reload_on_sighup.ts
// A worker that reads its settings again at each SIGHUP. One that comes while it reads is not lost, and many
// count as one. Here it sends the signals to itself; SIGTERM ends it.
import { type Coroutine, Nursery, sleep } from "jsr:@broomio/core";
import { main, openSignalReceiver, signals } from "jsr:@broomio/core/os";

let version = 0;

function* readSettings(): Coroutine {
  yield* sleep(0.1); // a file, a service
  version++;
  console.log(`settings, version ${version}`);
}

function* work(): Coroutine {
  for (;;) yield* sleep(0.02); // with the settings of the moment
}

function* worker(): Coroutine {
  using hangups = openSignalReceiver("SIGHUP");
  yield* readSettings();
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(work());
    nursery.startSoon(hangups.forEach(readSettings));
    nursery.startSoon(signalItself());
    yield* signals("SIGTERM");
    nursery.cancel();
  });
  console.log("ended");
}

function* signalItself(): Coroutine {
  Deno.kill(Deno.pid, "SIGHUP");
  yield* sleep(0.05); // it is reading now
  for (let i = 0; i < 3; i++) Deno.kill(Deno.pid, "SIGHUP");
  yield* sleep(0.5);
  Deno.kill(Deno.pid, "SIGTERM");
}

await main(worker());

/* Output:
settings, version 1
settings, version 2
settings, version 3
ended
*/
