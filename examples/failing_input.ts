// deno run examples/failing_input.ts
// Complaint about maps with a limit: "an input that throws
// leaves jobs running, unheard". Here they are stopped, and the error comes out.
import { Loop, mapConcurrent, settle, sleep } from "jsr:@broomio/core";

async function* rows() {
  yield 1;
  yield 2;
  await Promise.resolve();
  throw new Error("connection lost");
}

function* insert(row: number) {
  let done = false;
  try {
    yield* sleep(60);
    done = true;
  } finally {
    console.log(`row ${row}: ${done ? "inserted" : "rolled back"}`);
  }
}

await new Loop().run(function* () {
  const result = yield* settle(mapConcurrent(rows(), insert, { concurrency: 5 }));
  console.log(String(result.ok || result.error));
}());

/* Output:
row 1: rolled back
row 2: rolled back
Error: connection lost
*/
