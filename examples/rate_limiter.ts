// deno run examples/rate_limiter.ts
//
// A polite client: at most two requests at once, and at most one new request every 100 ms.
import { CapacityLimiter, type Coroutine, Lock, Loop, moveOnAfter } from "jsr:@broomio/core";
import { Nursery, type Operation, sleep, sleepUntil } from "jsr:@broomio/core";
import { VirtualClock } from "jsr:@broomio/core/testing";

// In virtual time, so that it prints the same times everywhere. Without a host: in real time.
const loop = new Loop({ host: new VirtualClock() });
const note = (text: string) => console.log(`${loop.now.toFixed(2)} s: ${text}`);

/**
 * Lets one through every `interval` seconds, first come, first served; one who is cancelled in line
 * leaves no trace.
 */
function rateLimiter(interval: number): () => Operation<void> {
  const line = new Lock({ name: "rate limiter" });
  let next = 0;
  return () =>
    line.with(function* () {
      yield* sleepUntil(next);
      next = loop.now + interval;
    });
}

const pass = rateLimiter(0.1);
const connections = new CapacityLimiter(2);

function* request(page: number): Coroutine<string> {
  note(`page ${page} requested`);
  yield* sleep(page === 2 ? 60 : 0.25); // the server thinks
  return `page ${page} arrived`;
}

function* fetchPage(page: number): Coroutine {
  yield* connections.with(function* () {
    yield* pass();
    note((yield* moveOnAfter(0.5, request(page))) ?? `page ${page} given up`);
  });
}

await loop.run(Nursery.open(function* (nursery) {
  for (let page = 1; page <= 5; page++) nursery.startSoon(fetchPage(page));
}));
note(`done, ${connections.available} connections free`);

/* Output:
0.00 s: page 1 requested
0.10 s: page 2 requested
0.25 s: page 1 arrived
0.25 s: page 3 requested
0.50 s: page 3 arrived
0.50 s: page 4 requested
0.60 s: page 2 given up
0.60 s: page 5 requested
0.75 s: page 4 arrived
0.85 s: page 5 arrived
0.85 s: done, 2 connections free
*/
