// deno run --allow-env examples/pains/silent_hang.ts
// Two tasks wait for each other for ever: does the program say so?
import { all, Event, Loop } from "jsr:@broomio/core";
import { Deferred, Effect } from "effect";
import { all as effectionAll, run, withResolvers } from "effection";

function promises() {
  const a = Promise.withResolvers<void>();
  const b = Promise.withResolvers<void>();
  return Promise.all([a.promise.then(b.resolve), b.promise.then(a.resolve)]);
}

function effection() {
  const a = withResolvers<void>();
  const b = withResolvers<void>();
  function* pass(from: typeof a, to: typeof a) {
    yield* from.operation;
    to.resolve();
  }
  return run(() => effectionAll([pass(a, b), pass(b, a)]));
}

function effect() {
  const a = Deferred.makeUnsafe<void>();
  const b = Deferred.makeUnsafe<void>();
  const pass = (from: typeof a, to: typeof a) =>
    Deferred.await(from).pipe(Effect.andThen(Deferred.succeed(to, undefined)));
  return Effect.runPromise(Effect.all([pass(a, b), pass(b, a)], { concurrency: "unbounded" }));
}

function broomio() {
  const a = new Event();
  const b = new Event();
  function* pass(from: Event, to: Event) {
    yield* from.wait();
    to.set();
  }
  return new Loop().run(all([pass(a, b), pass(b, a)]));
}

const silence = () => new Promise<string>((resolve) => setTimeout(resolve, 100, "silence"));
for (const each of [promises, effection, effect, broomio]) {
  const outcome = await Promise.race([
    silence(),
    each().then(() => "it ended", (error: Error) => `${error.name}, with what each waits for`),
  ]);
  console.log(`${each.name}: ${outcome}`);
}
Deno.exit(); // what hangs would keep the program alive

/* Output:
promises: silence
effection: silence
effect: silence
broomio: DeadlockError, with what each waits for
*/
