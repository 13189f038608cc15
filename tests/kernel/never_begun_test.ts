/** In debug mode, what was made and never begun is warned of when it is collected. */
// deno-lint-ignore-file broomio/no-floating-operation -- what is never begun is tested here
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  all,
  call,
  CancelScope,
  checkpoint,
  type Coroutine,
  ensure,
  Event,
  Lock,
  Loop,
  type LoopWarning,
  moveOnAfter,
  Nursery,
  openChannel,
  race,
  select,
  shield,
  sleep,
} from "../../mod.ts";

setFlagsFromString("--expose-gc");
const { Bun } = globalThis as { Bun?: { gc(sync: boolean): void } };
const collect: () => void = Bun ? () => Bun.gc(true) : runInNewContext("gc");

/** The warnings of a run in debug mode, once what it left behind was collected. */
async function warningsOf(main: () => Coroutine<unknown>, debug = true): Promise<LoopWarning[]> {
  const warnings: LoopWarning[] = [];
  const loop = new Loop({ debug, onWarning: (warning) => warnings.push(warning) });
  await loop.run(main());
  for (let round = 0; round < 2; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5)); // the engine tells in a task of its own
  }
  return warnings;
}

Deno.test("R61: in debug mode an operation that was never begun is warned of, with its line", async () => {
  function* forgetful(): Coroutine {
    sleep(1);
    yield* checkpoint();
  }
  const warnings = await warningsOf(forgetful);
  assertEquals(warnings.length, 1);
  assertStringIncludes(warnings[0].message, "Task main made an operation that was never begun");
  assertStringIncludes(warnings[0].message, "write yield* before it");
  const [line] = warnings[0].message.split("\n").slice(1);
  assertStringIncludes(line, "forgetful");
  assert(/never_begun_test/.test(line), line);
  assertEquals(warnings[0].task.name, "main");
});

Deno.test("R61: so is each kind of operation", async () => {
  const warnings = await warningsOf(function* (): Coroutine {
    new Lock().acquire();
    new Event().wait();
    Nursery.open(() => checkpoint());
    CancelScope.open(() => checkpoint());
    openChannel<number>(1).receiver.receive();
    ensure(() => {});
    // Both, and what they were given.
    all([sleep(1)]);
    race([sleep(1), sleep(2)]);
    yield* checkpoint();
  });
  assertEquals(warnings.length, 11);
});

Deno.test("R61: nothing is said of what was begun, in whatever way, nor outside of debug mode", async () => {
  const pause = (): Coroutine =>
    function* (): Coroutine {
      yield* sleep(0.001);
    }();
  function* busy(): Coroutine {
    const lock = new Lock();
    const { sender, receiver } = openChannel<number>(1);
    for (let i = 0; i < 3; i++) {
      yield* sender.send(i);
      yield* receiver.receive();
    }
    yield* select({ in: receiver.receive(), out: sender.send(1), late: sleep(0.001) });
    yield* moveOnAfter(0.001, sleep(1));
    yield* all([sleep(0.001), pause()]);
    yield* race([sleep(0.001), sleep(1)]);
    yield* lock.with(pause);
    yield* shield(pause());
    yield* call(pause());
    const kept = sleep(0.001);
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(kept);
      nursery.startSoon(sleep(1));
      nursery.startLater(sleep(1), 1);
      yield* checkpoint();
      nursery.cancel();
      nursery.startSoon(sleep(1));
    });
  }
  assertEquals((await warningsOf(busy)).map((each) => each.message), []);
  const forgetful = function* (): Coroutine {
    sleep(1);
    all([sleep(1)]);
    yield* checkpoint();
  };
  assertEquals((await warningsOf(forgetful, false)).map((each) => each.message), []);
});
