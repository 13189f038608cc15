// deno run --allow-env examples/pains/code_after_halt.ts
// Cleanup that waits, in a task that is stopped: does the code after the call still run?
import { Loop, moveOnAfter, shield, sleep, sleepForever } from "jsr:@broomio/core";
import { Effect, Fiber } from "effect";
import { run, sleep as effectionSleep, suspend } from "effection";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const report = (who: string, ran: boolean) =>
  console.log(`${who}: ${ran ? "the code after the call ran" : "stopped"}`);

async function promises(after = false) {
  const controller = new AbortController();
  async function step() {
    try {
      await pause(20); // nothing tells it of the signal
    } finally {
      await pause(1);
    }
  }
  const work = step().then(() => after = true);
  controller.abort();
  await work;
  report("promises", after);
}

async function effection(after = false) {
  function* step() {
    try {
      yield* suspend();
    } finally {
      yield* effectionSleep(1);
    }
  }
  const task = run(function* () {
    yield* step();
    after = true;
  });
  await pause(1);
  await task.halt();
  report("effection", after);
}

async function effect(after = false) {
  const step = Effect.never.pipe(Effect.ensuring(Effect.sleep(1)));
  const fiber = Effect.runFork(step.pipe(Effect.andThen(Effect.sync(() => after = true))));
  await pause(1);
  await Effect.runPromise(Fiber.interrupt(fiber));
  report("effect", after);
}

async function broomio(after = false) {
  function* step() {
    try {
      yield* sleepForever();
    } finally {
      yield* shield(sleep(0.001));
    }
  }
  function* work() {
    yield* step();
    after = true;
  }
  await new Loop().run(moveOnAfter(0.001, work()));
  report("broomio", after);
}

for (const each of [promises, effection, effect, broomio]) await each();

/* Output:
promises: the code after the call ran
effection: the code after the call ran
effect: stopped
broomio: stopped
*/
