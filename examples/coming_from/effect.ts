// deno run --allow-env examples/coming_from/effect.ts
// Asks three shops at once, for at most 50 ms; who has not answered by then is told to stop.
import { all, Cancelled, type Coroutine, Loop, moveOnAfter, sleep } from "jsr:@broomio/core";
import { Effect } from "effect";

const shops: [name: string, ms: number][] = [["north", 5], ["south", 10], ["east", 5000]];

const withEffect = Effect.gen(function* () {
  const answers: string[] = [];
  const ask = (shop: string, ms: number) =>
    Effect.sleep(ms).pipe(
      Effect.andThen(Effect.sync(() => answers.push(shop))),
      Effect.onInterrupt(() => Effect.sync(() => console.log(`${shop} was told to stop`))),
    );
  yield* Effect.forEach(shops, ([shop, ms]) => ask(shop, ms), { concurrency: "unbounded" }).pipe(
    Effect.timeoutOption(50),
  );
  return answers;
});

function* withBroomio(): Coroutine<string[]> {
  const answers: string[] = [];
  function* ask(shop: string, ms: number): Coroutine {
    try {
      yield* sleep({ milliseconds: ms });
      answers.push(shop);
    } catch (error) {
      if (error instanceof Cancelled) console.log(`${shop} was told to stop`);
      throw error;
    }
  }
  yield* moveOnAfter(0.05, all(shops.map(([shop, ms]) => ask(shop, ms))));
  return answers;
}

console.log("effect:", ...await Effect.runPromise(withEffect));
console.log("broomio:", ...await new Loop().run(withBroomio()));

/* Output:
east was told to stop
effect: north south
east was told to stop
broomio: north south
*/
