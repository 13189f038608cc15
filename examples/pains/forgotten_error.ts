// deno run --allow-env examples/pains/forgotten_error.ts
// Work in the background fails, and nobody waits for it: who learns of the error?
import { Loop, Nursery, sleep } from "jsr:@broomio/core";
import { Effect } from "effect";
import { run, sleep as effectionSleep, spawn } from "effection";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function promises() {
  let unhandled = false;
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault(); // else the process ends here
    unhandled = true;
  }, { once: true });
  (async () => {
    await pause(1);
    throw new Error("the writer failed");
  })();
  await pause(20);
  return unhandled ? "an unhandled rejection ends the process" : "nobody";
}

async function effection() {
  const main = run(function* () {
    yield* spawn(function* () {
      throw new Error("the writer failed");
    });
    yield* effectionSleep(20);
  });
  return await main.then(() => "nobody", () => "the task that started it");
}

async function effect() {
  const main = Effect.gen(function* () {
    yield* Effect.forkChild(Effect.fail("the writer failed"));
    yield* Effect.sleep(20);
  });
  return await Effect.runPromise(main).then(() => "nobody", () => "the task that started it");
}

async function broomio() {
  const main = Nursery.open(function* (nursery) {
    nursery.startSoon(function* (): Generator<never, void> {
      throw new Error("the writer failed");
    }());
    yield* sleep(0.02);
  });
  return await new Loop().run(main).then(() => "nobody", () => "the task that started it");
}

for (const each of [promises, effection, effect, broomio]) {
  console.log(`${each.name}: ${await each()}`);
}

/* Output:
promises: an unhandled rejection ends the process
effection: the task that started it
effect: nobody
broomio: the task that started it
*/
