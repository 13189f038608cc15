// deno run examples/abort_a_map.ts
// Complaint about limiters: "an abort leaves the queue hanging".
// Here it ends all that runs and all that waits.
import { Loop, mapConcurrent, moveOnAfter, sleep } from "jsr:@broomio/core";

let begun = 0;
let cleanedUp = 0;

function* download(_page: number) {
  begun++;
  try {
    yield* sleep(60);
  } finally {
    cleanedUp++;
  }
}

const pages = Array.from({ length: 1000 }, (_, page) => page);
const loop = new Loop();
const result = await loop.run(
  moveOnAfter(0.02, mapConcurrent(pages, download, { concurrency: 4 })),
);
console.log({ result, begun, cleanedUp, left: [...loop.tasks].length });

/* Output:
{ result: undefined, begun: 4, cleanedUp: 4, left: 0 }
*/
