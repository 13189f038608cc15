// deno run --allow-env examples/pains/second_error.ts
// A task fails, and another, stopped for that reason, fails too: which errors are told?
import { all, Loop, NurseryError, sleep } from "jsr:@broomio/core";
import { Cause, Effect, Exit } from "effect";
import { all as effectionAll, run, sleep as effectionSleep } from "effection";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const fail = (message: string) => {
  throw new Error(message);
};
const both = ["no network", "disk full"];

async function promises() {
  const first = pause(5).then(() => fail(both[0]));
  const second = pause(10).finally(() => fail(both[1])); // nothing stops it
  return await Promise.all([first, second]).catch((error) => error.message);
}

async function effection() {
  function* first() {
    yield* effectionSleep(5);
    fail(both[0]);
  }
  function* second() {
    try {
      yield* effectionSleep(1000);
    } finally {
      fail(both[1]);
    }
  }
  return await run(() => effectionAll([first(), second()])).catch((error) => error.message);
}

async function effect() {
  const first = Effect.sleep(5).pipe(Effect.andThen(Effect.fail(both[0])));
  const second = Effect.sleep(1000).pipe(Effect.ensuring(Effect.die(new Error(both[1]))));
  const all = Effect.all([first, second], { concurrency: "unbounded" });
  const exit = await Effect.runPromiseExit(all);
  return Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "";
}

async function broomio() {
  function* first() {
    yield* sleep(0.005);
    fail(both[0]);
  }
  function* second() {
    try {
      yield* sleep(1);
    } finally {
      fail(both[1]);
    }
  }
  return await new Loop().run(all([first(), second()])).catch((error) =>
    error instanceof NurseryError ? error.flatten().join() : error.message
  );
}

for (const each of [promises, effection, effect, broomio]) {
  const text = await each();
  console.log(`${each.name}: ${both.filter((message) => text.includes(message)).join(", ")}`);
}

/* Output:
promises: no network
effection: disk full
effect: no network, disk full
broomio: no network, disk full
*/
