// deno run --allow-env examples/pains/work_after_timeout.ts
// The caller has a time limit and goes on without the result: does the work stop?
import { Loop, moveOnAfter, sleep } from "jsr:@broomio/core";
import { Effect } from "effect";
import { race, run, sleep as effectionSleep } from "effection";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function promises(written: string[]) {
  async function work() {
    await pause(20);
    written.push("too late");
  }
  await Promise.race([work(), pause(5)]);
}

async function effection(written: string[]) {
  function* work() {
    yield* effectionSleep(20);
    written.push("too late");
  }
  await run(() => race([work(), effectionSleep(5)]));
}

async function effect(written: string[]) {
  const work = Effect.sleep(20).pipe(Effect.andThen(Effect.sync(() => written.push("too late"))));
  await Effect.runPromise(work.pipe(Effect.timeoutOption(5)));
}

async function broomio(written: string[]) {
  function* work() {
    yield* sleep(0.02);
    written.push("too late");
  }
  await new Loop().run(moveOnAfter(0.005, work()));
}

for (const each of [promises, effection, effect, broomio]) {
  const written: string[] = [];
  await each(written);
  await pause(40);
  console.log(`${each.name}: ${written.length > 0 ? "the work ran on, and wrote" : "stopped"}`);
}

/* Output:
promises: the work ran on, and wrote
effection: stopped
effect: stopped
broomio: stopped
*/
