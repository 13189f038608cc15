// deno run --allow-env examples/pains/swallowed_cancel.ts
// A loop that logs every error is stopped: how many more rounds does it make, of 20?
import { Loop, sleep } from "jsr:@broomio/core";
import { Effect, Fiber } from "effect";
import { run, sleep as effectionSleep } from "effection";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const pauseUnless = (ms: number, signal: AbortSignal) =>
  signal.aborted ? Promise.reject(signal.reason) : pause(ms);
let stopped = false;
let rounds = 0;
const isEnough = () => stopped && ++rounds >= 20;

async function promises() {
  const controller = new AbortController();
  const work = (async () => {
    do await pauseUnless(1, controller.signal).catch(() => {}); while (!isEnough());
  })();
  await pause(5);
  stopped = true;
  controller.abort();
  await work;
}

async function effection() {
  const task = run(function* () {
    do {
      try {
        yield* effectionSleep(1);
      } catch { /* logged */ }
    } while (!isEnough());
  });
  await pause(5);
  stopped = true;
  await task.halt();
}

async function effect() {
  const round = Effect.sleep(1).pipe(Effect.catchCause(() => Effect.void));
  const work = Effect.whileLoop({ while: () => !isEnough(), body: () => round, step: () => {} });
  const fiber = Effect.runFork(work);
  await pause(5);
  stopped = true;
  await Effect.runPromise(Fiber.interrupt(fiber));
}

async function broomio() {
  const loop = new Loop({ onWarning: () => {} }); // which tells of the swallowed cancel
  const task = loop.startSoon(function* () {
    do {
      try {
        yield* sleep(0.001);
        // deno-lint-ignore broomio/no-swallowed-cancelled -- that is the pain
      } catch { /* logged */ }
    } while (!isEnough());
  }());
  const run = loop.run();
  await pause(5);
  stopped = true;
  task.cancel();
  await run;
}

for (const each of [promises, effection, effect, broomio]) {
  stopped = false;
  rounds = 0;
  await each();
  console.log(`${each.name}: ${rounds}`);
}

/* Output:
promises: 20
effection: 0
effect: 0
broomio: 1
*/
