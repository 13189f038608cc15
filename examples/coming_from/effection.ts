// deno run --allow-env examples/coming_from/effection.ts
// Asks three shops at once, for at most 50 ms; who has not answered by then is told to stop.
import { all, type Coroutine, Loop, moveOnAfter, sleep } from "jsr:@broomio/core";
import { all as effectionAll, type Operation, race, run, sleep as effectionSleep } from "effection";

const shops: [name: string, ms: number][] = [["north", 5], ["south", 10], ["east", 5000]];

function* withEffection(): Operation<string[]> {
  const answers: string[] = [];
  function* ask(shop: string, ms: number): Operation<void> {
    let stopped = true;
    try {
      yield* effectionSleep(ms);
      answers.push(shop);
      stopped = false;
    } finally {
      if (stopped) console.log(`${shop} was told to stop`);
    }
  }
  yield* race([effectionAll(shops.map(([shop, ms]) => ask(shop, ms))), effectionSleep(50)]);
  return answers;
}

function* withBroomio(): Coroutine<string[]> {
  const answers: string[] = [];
  function* ask(shop: string, ms: number): Coroutine {
    let stopped = true;
    try {
      yield* sleep({ milliseconds: ms });
      answers.push(shop);
      stopped = false;
    } finally {
      if (stopped) console.log(`${shop} was told to stop`);
    }
  }
  yield* moveOnAfter(0.05, all(shops.map(([shop, ms]) => ask(shop, ms))));
  return answers;
}

console.log("effection:", ...await run(withEffection));
console.log("broomio:", ...await new Loop().run(withBroomio()));

/* Output:
east was told to stop
effection: north south
east was told to stop
broomio: north south
*/
