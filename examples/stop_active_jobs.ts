// deno run examples/stop_active_jobs.ts
// Complaint about limiters: "jobs that are active cannot be
// stopped". Here the first failure stops the others where they wait.
import { Loop, mapConcurrent, sleep } from "jsr:@broomio/core";

function* upload(part: number) {
  try {
    yield* sleep(part === 2 ? 0.01 : 60);
    throw new Error(`part ${part} was refused`);
  } finally {
    console.log(`part ${part} is left`);
  }
}

try {
  await new Loop().run(function* () {
    yield* mapConcurrent([1, 2, 3], upload, { concurrency: 3 });
  }());
} catch (error) {
  console.log(String((error as { cause?: unknown }).cause ?? error));
}

/* Output:
part 2 is left
part 1 is left
part 3 is left
Error: part 2 was refused
*/
