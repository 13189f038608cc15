// deno run examples/cleared_queue.ts
// Complaint about queues: "clearing the queue leaves promises
// that never settle". Here whoever waited is told.
import { Loop, Nursery, sleep } from "jsr:@broomio/core";

function* job(id: number) {
  yield* sleep(0.005);
  return `job ${id} done`;
}

const loop = new Loop();
const results: Promise<string>[] = [];
const run = loop.run(Nursery.open(function* (queue) {
  for (const id of [1, 2, 3]) {
    results.push(queue.startLater(job(id), 0.01 * id).promise());
  }
  yield* sleep(0.017); // job 1 is done, 2 and 3 have not begun
  queue.cancel("cleared");
}));
await run;
for (const result of await Promise.allSettled(results)) {
  console.log(result.status === "fulfilled" ? result.value : result.reason.name);
}

/* Output:
job 1 done
TaskCancelledError
TaskCancelledError
*/
