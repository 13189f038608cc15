// deno run --allow-run examples/pipeline.ts
// Two processes as in `seq ... | grep ...`, with a deadline over both. When it passes both are ended.
import { type Coroutine, moveOnAfter } from "jsr:@broomio/core";
import { BufferedReader } from "jsr:@broomio/core/net";
import { main, Process } from "jsr:@broomio/core/os";

/** How many numbers up to `last` have a 7 in them. */
function* countSevens(last: number): Coroutine<number> {
  const numbers = yield* Process.start("seq", [`${last}`], { stdout: "pipe" });
  const sevens = yield* Process.start("grep", ["-c", "7"], {
    stdin: numbers.stdout,
    stdout: "pipe",
  });
  const line = yield* new BufferedReader(sevens.stdout).readLine();
  return Number(line);
}

await main(function* () {
  const few = yield* moveOnAfter(20, countSevens(1000));
  console.log(`up to 1,000: ${few}`);
  const many = yield* moveOnAfter(0.2, countSevens(1e15));
  console.log(`up to 10^15: ${many ?? "not done in time"}`);
});

/* Output:
up to 1,000: 271
up to 10^15: not done in time
*/
