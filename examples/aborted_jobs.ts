// deno run examples/aborted_jobs.ts
// Complaint about limiters: "jobs that were aborted stay in the
// queue". Here a cancelled waiter is gone at once.
import { CapacityLimiter, Loop, Nursery, sleep } from "jsr:@broomio/core";

const limiter = new CapacityLimiter(1);

function* job(name: string) {
  yield* limiter.with(function* () {
    console.log(`${name} runs`);
    yield* sleep(0.02);
  });
}

await new Loop().run(Nursery.open(function* (nursery) {
  nursery.startSoon(job("first"));
  const aborted = nursery.startSoon(job("aborted"));
  nursery.startSoon(job("last"));
  yield* sleep(0.005);
  console.log("waiting:", limiter.statistics().tasksWaiting);
  aborted.cancel();
  console.log("waiting:", limiter.statistics().tasksWaiting);
}));

/* Output:
first runs
waiting: 2
waiting: 1
last runs
*/
