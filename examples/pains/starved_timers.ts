// deno run --allow-env examples/pains/starved_timers.ts
// A task is busy, and gives way to others all the time: do timers fire meanwhile?
import { checkpoint, Loop } from "jsr:@broomio/core";
import { Effect } from "effect";
import { action, run } from "effection";

const isOver = (start: number) => performance.now() - start > 100;

async function promises(start: number) {
  while (!isOver(start)) await null;
}

async function effection(start: number) {
  function* giveWay() {
    yield* action<void>((resolve) => {
      resolve();
      return () => {};
    });
  }
  await run(function* () {
    while (!isOver(start)) yield* giveWay();
  });
}

async function effect(start: number) {
  await Effect.runPromise(Effect.gen(function* () {
    while (!isOver(start)) yield* Effect.yieldNow;
  }));
}

async function broomio(start: number) {
  await new Loop().run(function* () {
    // deno-lint-ignore broomio/no-busy-wait -- that is the work
    while (!isOver(start)) yield* checkpoint();
  }());
}

for (const each of [promises, effection, effect, broomio]) {
  let fired = 0;
  const timer = setInterval(() => fired++, 5);
  await each(performance.now());
  clearInterval(timer);
  console.log(`${each.name}: timers ${fired > 3 ? "fire" : "starve"}`);
}

/* Output:
promises: timers starve
effection: timers starve
effect: timers fire
broomio: timers fire
*/
