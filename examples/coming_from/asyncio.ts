// deno run examples/coming_from/asyncio.ts
// Asks three shops at once, for at most 50 ms; who has not answered by then is told to stop.
import { Cancelled, failAfter, Loop, Nursery, sleep, TimeoutError } from "jsr:@broomio/core";

const shops: [name: string, seconds: number][] = [["north", 0.005], ["south", 0.01], ["east", 5]];

function* main() {
  const answers: string[] = [];

  function* ask(shop: string, seconds: number) {
    try {
      yield* sleep(seconds);
      answers.push(shop);
    } catch (error) {
      if (error instanceof Cancelled) console.log(`${shop} was told to stop`);
      throw error;
    }
  }

  try {
    yield* failAfter(
      0.05,
      Nursery.open(function* (group) {
        for (const [shop, seconds] of shops) group.startSoon(ask(shop, seconds));
      }),
    );
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
  }
  console.log(...answers);
}

await new Loop().run(main());

/* Output:
east was told to stop
north south
*/
