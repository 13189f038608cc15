/** Portal: coroutines run from async code (R41 to R44). */
import { AsyncLocalStorage } from "node:async_hooks";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Cancelled,
  checkpoint,
  ClosedResourceError,
  currentLoop,
  currentTask,
  DeadlockError,
  ensure,
  Event,
  Loop,
  type LoopWarning,
  Nursery,
  Portal,
  shield,
  sleep,
  sleepForever,
  suspend,
  TaskCancelledError,
  TimeoutError,
  until,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";

/** What a promise came to, with the error itself. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return { error };
  }
}

function* fail(error: unknown) {
  yield* checkpoint();
  throw error;
}

Deno.test("R41: called from async code, a coroutine runs to its first wait at once", async () => {
  await using portal = new Portal();
  const log: string[] = [];
  const promise = portal.run(function* () {
    log.push("begun");
    yield* checkpoint();
    log.push("went on");
    return "value";
  });
  log.push("called");
  assertEquals(portal.active, 1);
  assertEquals(await promise, "value");
  assertEquals(log, ["begun", "called", "went on"]);
  assertEquals(portal.active, 0);
});

Deno.test("R41: one that waits for nothing has ended when run() returns", async () => {
  await using portal = new Portal();
  const promise = portal.run(function* () {
    return 1;
  });
  assertEquals(portal.active, 0);
  assertEquals(await promise, 1);
});

Deno.test("R41: called inside a turn, of its own loop or of another, it is queued", async () => {
  await using portal = new Portal();
  const log: string[] = [];
  function* called(from: string) {
    log.push(`begun from ${from}`);
  }
  await portal.run(function* () {
    const promise = portal.run(called("its own loop"));
    log.push("called in its first step");
    yield* until(promise);
    const again = portal.run(called("a later step"));
    log.push("called in a later step");
    yield* until(again);
  });
  await new Loop().run(function* () {
    const promise = portal.run(called("another loop"));
    log.push("called in another loop");
    yield* until(promise);
  }());
  assertEquals(log, [
    "called in its first step",
    "begun from its own loop",
    "called in a later step",
    "begun from a later step",
    "called in another loop",
    "begun from another loop",
  ]);
});

Deno.test("R41: a failure rejects its own promise with its own error, and touches no other", async () => {
  await using portal = new Portal({ host: new VirtualClock() });
  const error = new RangeError("bad request");
  const other = portal.run(function* () {
    yield* sleep(1);
    return "good";
  });
  assertStrictEquals((await assertRejects(() => portal.run(fail(error)))) as unknown, error);
  assertStrictEquals(
    (await assertRejects(() =>
      portal.run(function* () {
        throw error; // before its first wait
      })
    )) as unknown,
    error,
  );
  assertEquals(await other, "good");
  assertEquals(await portal.run(sleep(1)), undefined);
});

Deno.test("R41: whatever is thrown is what the promise rejects with", async () => {
  await using portal = new Portal();
  const thrown = [null, undefined, 0, Object.create(null), Symbol("odd")];
  for (const value of thrown) {
    assertEquals(await outcome(portal.run(fail(value))), { error: value });
  }
});

Deno.test("R41: each run is a root of its own", async () => {
  await using portal = new Portal();
  await portal.run(function* () {
    const task = yield* currentTask();
    assertEquals([task.parent, task.name], [null, "root"]);
    const nested = portal.run(function* () {
      return (yield* currentTask()).parent;
    });
    assertEquals(yield* until(nested), null);
  }, { name: "root" });
});

Deno.test("R41: what is no coroutine rejects the promise with a TypeError, and nothing runs", async () => {
  await using portal = new Portal();
  // deno-lint-ignore no-explicit-any
  const run = (body: any, options?: any) => () => portal.run(body, options);
  await assertRejects(run(undefined), TypeError);
  await assertRejects(run(Promise.resolve()), TypeError, "until(promise)");
  await assertRejects(run(() => 5), TypeError);
  await assertRejects(run(async () => {}), TypeError);
  await assertRejects(run(sleep(1), { signal: {} }), TypeError, "signal");
  await assertRejects(run(sleep(1), { timeout: -1 }), RangeError);
  await assertRejects(run(sleep(1), { timeout: "1" }), TypeError);
  await assertRejects(run(sleep(1), { timeOut: 1 }), TypeError, '"timeout"');
  assertThrows(() => new Portal({ onerror: fail } as never), TypeError, '"onError"');
  const used = sleep(0);
  await portal.run(used);
  await assertRejects(run(used), TypeError, "used already");
  assertEquals(portal.active, 0);
  assertThrows(() => new Portal({ onError: 5 as never }), TypeError, "onError");
  assertThrows(() => portal.wrap(5 as never), TypeError);
});

Deno.test("wrap keeps arguments, this, name and number of parameters", async () => {
  await using portal = new Portal();
  const server = {
    prefix: ">",
    handle: portal.wrap(function* handle(this: { prefix: string }, a: string, b: string) {
      yield* checkpoint();
      return this.prefix + a + b;
    }),
  };
  assertEquals(await server.handle("a", "b"), ">ab");
  assertEquals([server.handle.name, server.handle.length], ["handle", 2]);
  const broken = portal.wrap((_: number) => {
    throw new RangeError("no coroutine came of it");
  });
  await assertRejects(() => broken(1), RangeError);
});

Deno.test("R42: a signal that is aborted already: nothing starts, and the promise rejects with its reason", async () => {
  await using portal = new Portal();
  let begun = false;
  const reason = { custom: true };
  const signal = AbortSignal.abort(reason);
  const body = function* () {
    begun = true;
  };
  assertEquals(await outcome(portal.run(body, { signal })), { error: reason });
  assertEquals(await outcome(portal.run(body(), { signal })), { error: reason });
  assertEquals(await outcome(portal.run(() => body(), { signal })), { error: reason });
  // The rejection of a promise that nobody will look at now counts as handled, as elsewhere.
  const rejected = until(Promise.reject(new Error("nobody's")));
  assertEquals(await outcome(portal.run(rejected, { signal })), { error: reason });
  assertEquals(begun, false);
});

Deno.test("R42: aborted while it waits: cleanup runs to its end, then the promise rejects with the reason", async () => {
  await using portal = new Portal({ host: new VirtualClock() });
  const controller = new AbortController();
  const log: string[] = [];
  const promise = portal.run(function* () {
    yield* ensure(function* () {
      yield* sleep(5);
      log.push("cleaned up");
    });
    yield* sleepForever();
  }, { signal: controller.signal });
  promise.catch(() => log.push("rejected"));
  controller.abort();
  const { error } = await outcome(promise) as { error: DOMException };
  assertStrictEquals(error, controller.signal.reason);
  assertEquals(error.name, "AbortError");
  assertEquals(log, ["cleaned up", "rejected"]);
});

Deno.test("R42: aborted in its own first step, and after its value was there", async () => {
  await using portal = new Portal();
  const controller = new AbortController();
  const { signal } = controller;
  const first = portal.run(function* () {
    controller.abort("at once");
    yield* checkpoint();
    return "value";
  }, { signal });
  assertEquals(await outcome(first), { error: "at once" });
  const late = new AbortController();
  const promise = portal.run(function* () {
    late.abort("too late"); // it never waits again
    return "value";
  }, { signal: late.signal });
  assertEquals(await promise, "value");
});

Deno.test("R42: at the same instant as the wait settles, the wait's value counts, and the next wait is cancelled", async () => {
  await using portal = new Portal();
  const controller = new AbortController();
  const log: string[] = [];
  let resume!: (value: string) => void;
  const promise = portal.run(function* () {
    log.push(
      yield* suspend<string>((settle) => {
        resume = settle;
      }),
    );
    yield* checkpoint();
    log.push("not reached");
  }, { signal: controller.signal });
  resume("delivered");
  controller.abort("stop");
  assertEquals(await outcome(promise), { error: "stop" });
  assertEquals(log, ["delivered"]);
});

Deno.test("R42: aborted in its last step it has succeeded; one that swallows the cancel has not", async () => {
  await using portal = new Portal();
  const swallowing = new AbortController();
  const promise = portal.run(function* () {
    try {
      yield* sleepForever();
      // deno-lint-ignore broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
    } catch {
      return "a value all the same";
    }
  }, { signal: swallowing.signal });
  swallowing.abort("stop");
  assertEquals(await outcome(promise), { error: "stop" });
});

Deno.test("R42: aborted in its cleanup, or twice, the first reason stays", async () => {
  const clock = new VirtualClock();
  await using portal = new Portal({ host: clock });
  const controller = new AbortController();
  const promise = portal.run(function* () {
    try {
      yield* sleepForever();
    } finally {
      yield* shield(function* () {
        yield* sleep(1);
        controller.abort("second");
        yield* sleep(1);
      });
    }
  }, { signal: controller.signal, timeout: 3 });
  const { error } = await outcome(promise) as { error: Error };
  assert(error instanceof TimeoutError, String(error));
  assertEquals(clock.now(), 5);
});

Deno.test("R42: an error of the cleanup is what comes out", async () => {
  await using portal = new Portal();
  const controller = new AbortController();
  const error = new RangeError("cleanup failed");
  const promise = portal.run(function* () {
    yield* ensure(() => {
      throw error;
    });
    yield* sleepForever();
  }, { signal: controller.signal });
  controller.abort();
  assertEquals(await outcome(promise), { error });
});

Deno.test("R42: timeout rejects with a TimeoutError, after cleanup; counted from the call", async () => {
  const clock = new VirtualClock();
  await using portal = new Portal({ host: clock });
  const error = await assertRejects(
    () =>
      portal.run(function* () {
        try {
          yield* sleep(100);
        } finally {
          yield* shield(sleep(1));
        }
      }, { timeout: { milliseconds: 500 }, name: "slow" }),
    TimeoutError,
  );
  assertEquals(error.message, "Task slow was not done within 0.5 s");
  assertEquals(clock.now(), 1.5);
  assertEquals(await portal.run(sleep(100), { timeout: Infinity }), undefined);
  await assertRejects(() => portal.run(sleep(1), { timeout: 0 }), TimeoutError);
});

Deno.test("R42: cancelled by something else, it rejects with a TaskCancelledError", async () => {
  await using portal = new Portal();
  const byItself = portal.run(function* () {
    (yield* currentTask()).cancel("mine");
    yield* checkpoint();
  }, { signal: new AbortController().signal, timeout: 5 });
  await assertRejects(() => byItself, TaskCancelledError);
  const byLoop = portal.run(sleepForever());
  await portal.run(function* () {
    (yield* currentLoop()).cancel("all");
  });
  await assertRejects(() => byLoop, TaskCancelledError);
  await portal.run(sleep(0)); // and the portal goes on
});

Deno.test("R42: a signal keeps a listener while runs wait under it, one for all, and no longer", async () => {
  await using portal = new Portal();
  const { signal } = new AbortController();
  let listeners = 0;
  let most = 0;
  const add = signal.addEventListener;
  const remove = signal.removeEventListener;
  signal.addEventListener = function (...given: unknown[]) {
    most = Math.max(most, ++listeners);
    return Reflect.apply(add, this, given);
  };
  signal.removeEventListener = function (...given: unknown[]) {
    listeners--;
    return Reflect.apply(remove, this, given);
  };
  const runs = Array.from({ length: 100 }, () => portal.run(sleep(0.001), { signal }));
  runs.push(portal.run(function* () {}, { signal }));
  await Promise.all(runs);
  assertEquals([listeners, most], [0, 1]);
});

Deno.test("R42: one signal cancels a hundred thousand runs, in the order in which they started", async () => {
  await using portal = new Portal();
  const controller = new AbortController();
  const { signal } = controller;
  const ended: number[] = [];
  const runs = Array.from({ length: 100_000 }, (_, i) =>
    outcome(portal.run(function* () {
      try {
        yield* sleepForever();
      } finally {
        ended.push(i);
      }
    }, { signal })));
  controller.abort("all");
  for (const each of await Promise.all(runs)) {
    assertEquals((each as { error: unknown }).error, "all");
  }
  assertEquals(ended, Array.from({ length: 100_000 }, (_, i) => i));
});

Deno.test("R43: the caller's AsyncLocalStorage store is seen inside, over waits and in children", async () => {
  const storage = new AsyncLocalStorage<string>();
  await using portal = new Portal();
  function* reader() {
    const seen = [storage.getStore()];
    yield* checkpoint();
    seen.push(storage.getStore());
    yield* until(Promise.resolve());
    seen.push(storage.getStore());
    yield* sleep(0.001);
    seen.push(storage.getStore());
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(function* () {
        seen.push(storage.getStore());
        yield* checkpoint();
        seen.push(storage.getStore());
      }());
    });
    return seen;
  }
  const runs = ["a", "b", "c"].map((store) => storage.run(store, () => portal.run(reader)));
  runs.push(portal.run(reader));
  const [a, b, c, none] = await Promise.all(runs);
  assertEquals(a, Array(6).fill("a"));
  assertEquals(b, Array(6).fill("b"));
  assertEquals(c, Array(6).fill("c"));
  assertEquals(none, Array(6).fill(undefined));
  // Queued, in a coroutine that has a store of its own.
  const queued = storage.run("outer", () =>
    portal.run(function* () {
      return yield* until(storage.run("inner", () => portal.run(reader)));
    }));
  assertEquals(await queued, Array(6).fill("inner"));
});

Deno.test("R43: a wait leaves no store behind in the code that called", async () => {
  const storage = new AsyncLocalStorage<string>();
  await using portal = new Portal();
  const promise = storage.run("inside", () => portal.run(sleep(0.001)));
  assertEquals(storage.getStore(), undefined);
  await promise;
  assertEquals(storage.getStore(), undefined);
});

Deno.test("R43: a host without async context is fine, asked for or not", async () => {
  for (const asyncContext of [undefined, true, false]) {
    await using portal = new Portal({ host: new VirtualClock(), asyncContext });
    await portal.run(sleep(1));
  }
});

Deno.test("R43: while a portal is open nothing is a deadlock, and a virtual clock jumps", async () => {
  const clock = new VirtualClock();
  await using portal = new Portal({ host: clock });
  const event = new Event();
  const waiting = portal.run(event.wait());
  await portal.run(sleep(3600));
  assertEquals(clock.now(), 3600);
  event.set(); // from async code, without a hold
  await waiting;
});

Deno.test("R43: what the loop was given by other means and fails goes to onError, and ends nothing else", async () => {
  const told: unknown[] = [];
  const error = new RangeError("stray");
  await using portal = new Portal({
    host: new VirtualClock(),
    onError: (error, task) => told.push(error, task.name),
  });
  const other = portal.run(sleep(2));
  await portal.run(function* () {
    (yield* currentLoop()).startSoon(fail(error), { name: "stray" });
    yield* sleep(1);
  });
  await other;
  assertEquals(told, [error, "stray"]);
});

Deno.test("R43: an onError that throws is a warning", async () => {
  const warnings: string[] = [];
  await using portal = new Portal({
    onError() {
      throw new Error("reporter is down");
    },
    onWarning: ({ message }: LoopWarning) => warnings.push(message),
  });
  await portal.run(function* () {
    (yield* currentLoop()).startSoon(fail(1), { name: "stray" });
    yield* checkpoint();
  });
  assertEquals(warnings, [
    "onError of a portal failed, told of task stray: Error: reporter is down",
  ]);
});

Deno.test("R44: close refuses new work, and cancels what is left, strays included, after cleanup", async () => {
  const portal = new Portal({ host: new VirtualClock() });
  const log: string[] = [];
  function* worker(name: string) {
    try {
      yield* sleepForever();
    } finally {
      yield* shield(sleep(1));
      log.push(`${name} cleaned up`);
    }
  }
  const run = outcome(portal.run(worker("run")));
  portal.run(function* () {
    (yield* currentLoop()).startSoon(worker("stray"));
  });
  const closing = portal.close();
  await assertRejects(() => portal.run(sleep(1)), ClosedResourceError, "closed");
  await closing;
  assertEquals(log, ["run cleaned up", "stray cleaned up"]);
  const { error } = await run as { error: Error };
  assert(error instanceof ClosedResourceError, String(error));
  assertEquals(portal.active, 0);
});

Deno.test("R44: close waits for grace first; those that end in time have succeeded", async () => {
  const clock = new VirtualClock();
  const portal = new Portal({ host: clock });
  const quick = portal.run(function* () {
    yield* sleep(4);
    return "done";
  });
  const slow = outcome(portal.run(sleep(100)));
  await portal.close({ grace: 5, reason: "going down" });
  assertEquals(await quick, "done");
  assertEquals(await slow, { error: "going down" });
  assertEquals(clock.now(), 5);
});

Deno.test("R44: close ends as soon as nothing is left; twice is once", async () => {
  const clock = new VirtualClock();
  const portal = new Portal({ host: clock });
  const run = portal.run(sleep(1));
  const closing = portal.close({ grace: 60 });
  assertStrictEquals(portal.close({ grace: 0, reason: "again" }), closing);
  await closing;
  await run;
  assertEquals(clock.now(), 1);
  await new Portal().close();
  await new Portal().close({ grace: Infinity });
});

Deno.test("R44: close in a coroutine of its own, and during a signal's abort", async () => {
  const portal = new Portal();
  const run = outcome(portal.run(function* () {
    yield* until(portal.close({ reason: "closed from inside" }));
  }));
  assertEquals(await run, { error: "closed from inside" });
  const other = new Portal();
  const controller = new AbortController();
  const first = outcome(other.run(sleepForever(), { signal: controller.signal }));
  const second = outcome(other.run(sleepForever()));
  controller.abort("aborted");
  await other.close({ reason: "closed" });
  assertEquals([await first, await second], [{ error: "aborted" }, { error: "closed" }]);
});

Deno.test("R44: cancelled by close first, then by its signal: the reason of close stays", async () => {
  const portal = new Portal({ host: new VirtualClock() });
  const controller = new AbortController();
  const run = outcome(portal.run(function* () {
    try {
      yield* sleepForever();
    } finally {
      controller.abort("later");
      yield* shield(sleep(1));
    }
  }, { signal: controller.signal }));
  await portal.close({ reason: "first" });
  assertEquals(await run, { error: "first" });
});

Deno.test("R44: cleanup that waits for what never comes is a deadlock once all is cancelled", async () => {
  const portal = new Portal();
  const run = outcome(portal.run(function* () {
    yield* shield(new Event().wait());
  }));
  await assertRejects(() => portal.close(), DeadlockError);
  const { error } = await run as { error: Error };
  assert(error instanceof DeadlockError, String(error));
});

Deno.test("R44: leaving `await using` closes the portal", async () => {
  let promise;
  {
    await using portal = new Portal();
    promise = outcome(portal.run(sleepForever()));
  }
  const { error } = await promise as { error: Error };
  assert(error instanceof ClosedResourceError);
});

Deno.test("a coroutine that is cancelled sees Cancelled, whose reason is the signal's", async () => {
  await using portal = new Portal();
  const controller = new AbortController();
  let seen: unknown;
  const promise = portal.run(function* () {
    try {
      yield* sleepForever();
    } catch (error) {
      seen = error instanceof Cancelled && error.reason;
      throw error;
    }
  }, { signal: controller.signal });
  controller.abort("why");
  await outcome(promise);
  assertEquals(seen, "why");
});

Deno.test("100,000 runs at once, each with its own error or value", async () => {
  await using portal = new Portal();
  const runs = Array.from({ length: 100_000 }, (_, i) =>
    portal.run(function* () {
      yield* checkpoint();
      if (i % 3 === 0) throw i;
      return i;
    }));
  const settled = await Promise.allSettled(runs);
  assert(
    settled.every((each, i) =>
      each.status === "rejected" ? i % 3 === 0 && each.reason === i : each.value === i
    ),
  );
  assertEquals(portal.active, 0);
});

Deno.test("R5: a turn that comes long after the calls it serves is as long as any other", async () => {
  // The host is busy for a second between the calls and the turn; each step takes no time.
  let now = 0;
  let turn!: () => void;
  const asked: string[] = [];
  const portal = new Portal({
    host: {
      now: () => now,
      warn() {},
      attach(callback) {
        turn = callback;
        return {
          yield: () => void asked.push("yield"),
          idle: () => void asked.push("idle"),
          wake() {},
          close() {},
        };
      },
    },
  });
  function* call() {
    for (let i = 0; i < 10; i++) yield* checkpoint();
  }
  const all: Promise<void>[] = [];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 100; i++) all.push(portal.run(call()));
    now += 1;
    turn();
  }
  assertEquals(asked, Array(5).fill("idle"));
  await Promise.all(all);
  const closed = portal.close();
  turn();
  await closed;
});
