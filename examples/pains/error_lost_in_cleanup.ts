// deno run --allow-env examples/pains/error_lost_in_cleanup.ts
// A task failed, and is stopped while its cleanup waits: is its error still known?
import { Loop, moveOnAfter, shield, sleep } from "jsr:@broomio/core";
import { Effect, Fiber } from "effect";
import { run, sleep as effectionSleep } from "effection";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function promises() {
  async function work() {
    try {
      throw new Error("disk full");
    } finally {
      await pause(10); // nothing stops it
    }
  }
  return await work().catch((error) => error.message);
}

async function effection() {
  const task = run(function* () {
    try {
      throw new Error("disk full");
    } finally {
      yield* effectionSleep(10);
    }
  });
  await pause(2);
  await task.halt().catch(() => {});
  return await task.catch((error) => error.message);
}

async function effect() {
  const work = Effect.fail("disk full").pipe(Effect.ensuring(Effect.sleep(10)));
  const fiber = Effect.runFork(work);
  await pause(2);
  await Effect.runPromise(Fiber.interrupt(fiber));
  return JSON.stringify(await Effect.runPromise(Fiber.await(fiber)));
}

async function broomio(cleanup = () => shield(sleep(0.01))) {
  function* work() {
    try {
      throw new Error("disk full");
    } finally {
      // deno-lint-ignore broomio/no-unshielded-cleanup -- that is the pain
      yield* cleanup();
    }
  }
  const run = new Loop().run(moveOnAfter(0.002, work()));
  return await run.then(() => "", (error) => String(error));
}

const unshielded = () => broomio(() => sleep(0.01));
for (const each of [promises, effection, effect, broomio, unshielded]) {
  const name = each === unshielded ? "broomio without shield" : each.name;
  console.log(`${name}: ${(await each()).includes("disk full") ? "known" : "lost"}`);
}

/* Output:
promises: known
effection: lost
effect: known
broomio: known
broomio without shield: lost
*/
