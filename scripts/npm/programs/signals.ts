// A signal, sent by the program to itself: the waits get it, and then it does again what it does by
// default.
import { Loop, Nursery, shield, sleep, sleepForever } from "jsr:@broomio/core";
import { signals } from "jsr:@broomio/core/os";
import process from "node:process";

function* server() {
  try {
    yield* sleepForever();
  } finally {
    yield* shield(sleep(0.01));
    console.log("closed");
  }
}

function* main() {
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(server());
    setTimeout(() => process.kill(process.pid, "SIGTERM"), 20);
    const signal = yield* signals("SIGINT", "SIGTERM");
    console.log(`got ${signal}`);
    nursery.cancel(signal);
  });
  console.log(`listeners: ${process.listenerCount("SIGTERM")}`);
}
void new Loop().run(main());
/* Output:
got SIGTERM
closed
listeners: 0
*/
