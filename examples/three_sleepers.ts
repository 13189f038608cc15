// deno run examples/three_sleepers.ts
import { Loop, sleep } from "jsr:@broomio/core";

function* test(index: number) {
  console.log(`${index} started`);
  yield* sleep(2); // seconds
  console.log(`${index} stopped`);
}

const loop = new Loop();
loop.startSoon(test(1));
loop.startSoon(test(2));
loop.startSoon(test(3));
await loop.run(); // resolves after about two seconds, when nothing is left to do

/* Output:
1 started
2 started
3 started
1 stopped
2 stopped
3 stopped
*/
