// deno run examples/coming_from/trio.ts
// Asks three shops at once, for at most 50 ms; who has not answered by then is told to stop.
import { Cancelled, Loop, moveOnAfter, Nursery, sleep } from "jsr:@broomio/core";

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

  yield* moveOnAfter(
    0.05,
    Nursery.open(function* (nursery) {
      for (const [shop, seconds] of shops) nursery.startSoon(ask(shop, seconds));
    }),
  );
  console.log(...answers);
}

await new Loop().run(main());

/* Output:
east was told to stop
north south
*/
