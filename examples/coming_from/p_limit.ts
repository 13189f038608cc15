// deno run --allow-env examples/coming_from/p_limit.ts
// Checks six pages, two at a time, tries again where one fails, and gives up on what takes too long.
import { type Coroutine, failAfter, Loop, mapConcurrent, retry, sleep } from "jsr:@broomio/core";
import pLimit from "p-limit";
import pRetry from "p-retry";

const pages = ["a", "b", "c", "d", "e", "f"];
let tries = 0;
/** The third check fails, once. */
const failsOnce = () => {
  if (++tries === 3) throw new Error("busy");
};

async function withPackages(): Promise<string[]> {
  const limit = pLimit(2);
  async function check(page: string): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 5)); // no time limit reaches this wait
    failsOnce();
    return page.toUpperCase();
  }
  return await Promise.all(
    pages.map((page) => limit(() => pRetry(() => check(page), { retries: 3, minTimeout: 1 }))),
  );
}

function* withBroomio(): Coroutine<string[]> {
  function* check(page: string): Coroutine<string> {
    yield* sleep(0.005);
    failsOnce();
    return page.toUpperCase();
  }
  function* checkAgain(page: string): Coroutine<string> {
    return yield* retry(() => check(page), { maxAttempts: 4, minTimeout: 0.001 });
  }
  // The limit of time ends everything below it: what runs, what waits for its turn, what tries again.
  return yield* failAfter(5, mapConcurrent(pages, checkAgain, { concurrency: 2 }));
}

console.log("packages:", ...await withPackages());
tries = 0;
console.log("broomio:", ...await new Loop().run(withBroomio()));

/* Output:
packages: A B C D E F
broomio: A B C D E F
*/
