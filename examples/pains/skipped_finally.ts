// deno run --allow-env examples/pains/skipped_finally.ts
// A task is stopped while it waits inside `try`: does its own `finally` run?
import { Loop, moveOnAfter, sleepForever } from "jsr:@broomio/core";
import { Effect } from "effect";
import { race, run, sleep as effectionSleep, suspend } from "effection";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const never = new Promise(() => {});

async function promises(closed = false) {
  async function work() {
    try {
      await never;
    } finally {
      closed = true;
    }
  }
  await Promise.race([work(), pause(5)]);
  return closed;
}

async function effection(closed = false) {
  function* work() {
    try {
      yield* suspend();
    } finally {
      closed = true;
    }
  }
  await run(() => race([work(), effectionSleep(5)]));
  return closed;
}

async function effect(closed = false) {
  const work = Effect.gen(function* () {
    try {
      yield* Effect.never;
    } finally {
      closed = true; // Effect.ensuring would run; the language's own finally does not
    }
  });
  await Effect.runPromise(work.pipe(Effect.timeoutOption(5)));
  return closed;
}

async function broomio(closed = false) {
  function* work() {
    try {
      yield* sleepForever();
    } finally {
      closed = true;
    }
  }
  await new Loop().run(moveOnAfter(0.005, work()));
  return closed;
}

for (const each of [promises, effection, effect, broomio]) {
  console.log(`${each.name}: finally ${await each() ? "ran" : "was skipped"}`);
}

/* Output:
promises: finally was skipped
effection: finally ran
effect: finally was skipped
broomio: finally ran
*/
