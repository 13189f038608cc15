// Work on other threads and in other processes.
import { Loop } from "jsr:@broomio/core";
import { ProcessPool, ThreadPool } from "jsr:@broomio/core/pool";
import type * as Worker from "./pool_worker.ts";

const file = new URL("./pool_worker.ts", import.meta.url);

function* main() {
  const threads = yield* ThreadPool.open<typeof Worker>({ module: file, size: 2 });
  const sums = yield* threads.map([10, 100, 1000], "sumTo");
  console.log(`threads: ${[...sums].join(" ")}`);
  const processes = yield* ProcessPool.open<typeof Worker>({ module: file, size: 1 });
  console.log(`processes: ${yield* processes.execute("sumTo", 4)}`);
}
void new Loop().run(main());
/* Output:
threads: 55 5050 500500
processes: 10
*/
