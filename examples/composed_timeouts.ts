// deno run examples/composed_timeouts.ts
import { failAfter, Loop, moveOnAfter, sleep, TimeoutError } from "jsr:@broomio/core";

/** One attempt, which must not take longer than 200 ms. */
function* attempt(host: string, seconds: number) {
  return yield* failAfter({ milliseconds: 200 }, function* () {
    yield* sleep(seconds);
    return `answer of ${host}`;
  });
}

/** Tries host after host. Knows nothing of a time limit of its own. */
function* firstAnswer(hosts: Record<string, number>) {
  for (const [host, seconds] of Object.entries(hosts)) {
    try {
      return yield* attempt(host, seconds);
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      console.log(`${host}: ${error.message.split("\n")[0]}`);
    }
  }
}

function* main() {
  // The inner limit fails each attempt; the outer one ends the whole search, wherever it is.
  const searches: Record<string, number>[] = [
    { slow: 5, quick: 0.01 },
    { slow: 5, slower: 10, slowest: 20 },
  ];
  for (const hosts of searches) {
    const answer = yield* moveOnAfter(0.5, firstAnswer(hosts));
    console.log(answer ?? "gave up after 500 ms");
  }
}

await new Loop().run(main());

/* Output:
slow: Not done within 0.2 s
answer of quick
slow: Not done within 0.2 s
slower: Not done within 0.2 s
gave up after 500 ms
*/
