// deno run --allow-env examples/pains/listener_leak.ts
// A hundred waits that a long-lived owner can stop: how many listeners does it keep?
import { Loop, sleep } from "jsr:@broomio/core";
import { Effect } from "effect";
import { run, sleep as effectionSleep } from "effection";

let listeners = 0;
const { addEventListener, removeEventListener } = EventTarget.prototype;
EventTarget.prototype.addEventListener = function (...args) {
  listeners++;
  addEventListener.apply(this, args);
};
EventTarget.prototype.removeEventListener = function (...args) {
  listeners--;
  removeEventListener.apply(this, args);
};

/** As it is often written: the listener goes when the signal aborts, and only then. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, ms);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

async function promises() {
  const owner = new AbortController();
  for (let i = 0; i < 100; i++) await pause(0, owner.signal);
}

async function effection() {
  await run(function* () {
    for (let i = 0; i < 100; i++) yield* effectionSleep(0);
  });
}

async function effect() {
  const owner = new AbortController();
  const main = Effect.forEach(Array(100).fill(0), (ms) => Effect.sleep(ms), { discard: true });
  await Effect.runPromise(main, { signal: owner.signal });
}

async function broomio() {
  await new Loop().run(function* () {
    for (let i = 0; i < 100; i++) yield* sleep(0.0001);
  }());
}

for (const each of [promises, effection, effect, broomio]) {
  listeners = 0;
  await each();
  console.log(`${each.name}: ${listeners}`);
}

/* Output:
promises: 100
effection: 0
effect: 0
broomio: 0
*/
