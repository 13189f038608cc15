// deno run examples/failing_child.ts
import { Loop, Nursery, NurseryError, sleep } from "jsr:@broomio/core";

function* worker(name: string, seconds: number) {
  try {
    yield* sleep(seconds);
    console.log(`${name} is done`);
  } finally {
    console.log(`${name} cleans up`);
  }
}

function* broken() {
  yield* sleep(0.1);
  throw new RangeError("the disk is full");
}

function* main() {
  try {
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(worker("quick", 0.05), { name: "quick" });
      nursery.startSoon(worker("slow", 60), { name: "slow" });
      nursery.startSoon(broken(), { name: "broken" });
      yield* sleep(60); // the body is cancelled too
    });
  } catch (error) {
    if (!(error instanceof NurseryError)) throw error;
    console.log(error.message);
    console.log(`found: ${error.find(RangeError)?.message}`);
  }
  console.log("and no task is left");
}

await new Loop().run(main());

/* Output:
quick is done
quick cleans up
slow cleans up
1 error, in task broken: RangeError: the disk is full
found: the disk is full
and no task is left
*/
