/** Rule R33 for promises. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  type Coroutine,
  Nursery,
  NurseryError,
  select,
  shield,
  sleep,
  sleepForever,
  until,
} from "../../mod.ts";
import { inEveryOrder, nameOf, rejection, World } from "../support/world.ts";

/** Lets the others run: virtual time stands still while a promise is awaited. */
function* pause(): Coroutine {
  for (let i = 0; i < 5; i++) yield* checkpoint();
}

const soon = (milliseconds = 1) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

inEveryOrder(
  "R33: until settles with the promise, one settled already or later",
  async ({ loop }) => {
    await loop.run(function* (): Coroutine {
      assertEquals(yield* until(Promise.resolve("value")), "value");
      assertEquals(yield* until(soon().then(() => "later")), "later");
      assertEquals(yield* until(() => Promise.resolve("made")), "made");
      for (
        const reject of [() => Promise.reject(new RangeError("no")), () =>
          soon().then(() => {
            throw new RangeError("no");
          })]
      ) {
        try {
          yield* until(reject());
          throw new Error("went on");
        } catch (error) {
          assert(error instanceof RangeError);
        }
      }
    }());
  },
);

inEveryOrder("R33: any thenable will do", async ({ loop }) => {
  const thenable = { then: (resolve: (value: string) => void) => resolve("now") } as PromiseLike<
    string
  >;
  assertEquals(await loop.run(until(thenable)), "now");
});

inEveryOrder(
  "R33: cancelled, it aborts the signal it gave, with the Cancelled, and lets the late result go",
  async ({ loop, log }) => {
    let settle!: (value: string) => void;
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(function* (): Coroutine {
        try {
          yield* until((signal) => {
            signal.onabort = () => log.push(`aborted: ${signal.reason.message}`);
            return new Promise<string>((resolve) => settle = resolve);
          });
          log.push("not here");
        } catch (error) {
          log.push(nameOf(error));
          throw error;
        }
      }());
      yield* pause();
      nursery.cancel("enough");
    }));
    settle("late");
    await soon();
    assertEquals(log, ["aborted: Cancelled by task main: enough", "Cancelled"]);
  },
);

inEveryOrder(
  "R33: a late rejection of what was cancelled is nobody's unhandled rejection",
  async ({ loop }) => {
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(until(
        soon(2).then(() => {
          throw new Error("too late to matter");
        }),
      ));
      yield* pause();
      nursery.cancel();
    }));
    await soon(5); // an unhandled one would fail this test
  },
);

inEveryOrder(
  "R33: nor is that of a promise given to an until that was cancelled before it began",
  async ({ loop }) => {
    await loop.run(CancelScope.open(function* (scope) {
      scope.cancel();
      yield* until(Promise.reject(new Error("nobody looks")));
    }));
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startLater(until(Promise.reject(new Error("never begun"))), 1);
      nursery.cancel();
    }));
    await soon(2);
  },
);

inEveryOrder("R17: in a cancelled scope the function is not called at all", async ({ loop }) => {
  let called = false;
  await loop.run(CancelScope.open(function* (scope) {
    scope.cancel();
    yield* until(() => {
      called = true;
      return Promise.resolve();
    });
  }));
  assert(!called);
});

inEveryOrder("R18: settled before the cancel, until delivers its value", async ({ loop, log }) => {
  const { promise, resolve } = Promise.withResolvers<string>();
  await loop.run(CancelScope.open(function* (scope) {
    loop.startSoon(function* (): Coroutine {
      yield* pause();
      resolve("value");
      // The reaction runs in a microtask; from there on the wait is settled.
      yield* until(promise.then(() => {}).then(() => {}));
      scope.cancel();
    }());
    log.push(yield* until(promise));
    yield* checkpoint();
  }));
  assertEquals(log, ["value"]);
});

inEveryOrder("R33: shielded, it is not interrupted", async ({ loop, log }) => {
  await loop.run(CancelScope.open(function* (scope) {
    scope.cancel();
    log.push(yield* shield(until(soon().then(() => "value"))));
    yield* checkpoint();
    log.push("not here");
  }));
  assertEquals(log, ["value"]);
});

inEveryOrder("R33: what the function throws is thrown at the yield*", async ({ loop }) => {
  await loop.run(function* (): Coroutine {
    try {
      yield* until(() => {
        throw new RangeError("at once");
      });
    } catch (error) {
      assertEquals(nameOf(error), "RangeError: at once");
    }
    yield* sleep(1); // and no external wait is left
  }());
});

Deno.test("R2: until refuses at the call what is no promise, and options it does not know", async () => {
  for (const bad of [1, undefined, null, {}, "text", []]) {
    assertThrows(
      () => until(bad as unknown as Promise<void>),
      TypeError,
      "Expected a promise, or a function (signal) => promise, got",
    );
  }
  assertThrows(
    () => until(Promise.resolve(), { lat: () => {} } as never),
    TypeError,
    'known one is "late"',
  );
  assertThrows(
    () => until(Promise.resolve(), { late: 5 } as never),
    TypeError,
    "a function, got 5 (late",
  );
  const error = await rejection(new World().loop.run(until(() => 1 as unknown as Promise<void>)));
  assertMatch(String(error), /Expected a promise from the function \(signal\) => promise, got 1/);
});

/** A promise that is settled by hand. */
function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => resolve = settle);
  return { promise, resolve };
}

inEveryOrder("R33: a result after the cancel goes to late, once", async ({ loop }) => {
  const late: string[] = [];
  const { promise, resolve } = deferred<string>();
  await loop.run(function* (): Coroutine {
    yield* CancelScope.open(function* (scope) {
      scope.cancel();
      yield* until(() => promise, { late: (value) => late.push(`never begun: ${value}`) });
    });
    yield* CancelScope.open(function* (scope) {
      queueMicrotask(() => scope.cancel());
      yield* until(promise, { late: (value) => late.push(value) });
    });
    yield* CancelScope.open(function* (scope) {
      queueMicrotask(() => scope.cancel());
      yield* select({
        arm: until(promise, { late: (value) => late.push(`arm: ${value}`) }),
        never: sleepForever(),
      });
    });
    resolve("file");
    yield* until(soon());
  }());
  assertEquals(late.sort(), ["arm: file", "file"]);
});

inEveryOrder(
  "R33: late also gets what a wait that never began would have had",
  async ({ loop }) => {
    const late: string[] = [];
    const waiting = (name: string) =>
      until(Promise.resolve(name), { late: (value) => late.push(value) });
    await loop.run(function* (): Coroutine {
      yield* CancelScope.open(function* (scope) {
        scope.cancel();
        yield* waiting("refused");
      });
      yield* CancelScope.open(function* (scope) {
        scope.cancel();
        yield* select({ arm: waiting("refused arm"), never: sleepForever() });
      });
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(waiting("of a task that never ran")).cancel();
      });
      yield* until(soon());
    }());
    assertEquals(late.sort(), ["of a task that never ran", "refused", "refused arm"]);
  },
);

inEveryOrder(
  "R33: late gets nothing where the result was delivered, or rejected",
  async ({ loop }) => {
    const late: unknown[] = [];
    const { promise, resolve } = deferred<string>();
    await loop.run(function* (): Coroutine {
      const got = yield* CancelScope.open(function* (scope) {
        const waiting = until(
          promise.then((value) => (queueMicrotask(() => scope.cancel()), value)),
          {
            late: (value) => late.push(value),
          },
        );
        queueMicrotask(() => resolve("delivered"));
        return yield* waiting;
      });
      if (got !== undefined) assertEquals(got, "delivered");
      else assertEquals(late.splice(0), ["delivered"]);
      yield* CancelScope.open(function* (scope) {
        queueMicrotask(() => scope.cancel());
        yield* until(soon().then(() => Promise.reject(new Error("late"))), {
          late: (value) => late.push(value),
        });
      });
      yield* until(soon(3));
    }());
    assertEquals(late, []);
  },
);

inEveryOrder("R33: what late throws or rejects with is a warning", async ({ loop, warnings }) => {
  await loop.run(function* (): Coroutine {
    for (
      const late of [
        () => {
          throw new Error("sync");
        },
        () => Promise.reject(new Error("async")),
        () => {
          throw Object.create(null);
        },
      ]
    ) {
      yield* CancelScope.open(function* (scope) {
        queueMicrotask(() => scope.cancel());
        yield* until(Promise.resolve(), { late });
      });
    }
    yield* until(soon(3));
  }());
  const texts = warnings.map(({ message }) => message.split("\n", 1)[0]).sort();
  assertEquals(texts, [
    "The late of an until() failed: Error: async",
    "The late of an until() failed: Error: sync",
    "The late of an until() failed: an object",
  ]);
});

Deno.test("R8: while a promise is awaited a virtual clock does not jump", async () => {
  const { loop, log } = new World();
  loop.startSoon(function* (): Coroutine {
    yield* until(soon(5));
    log.push(`promise at ${loop.now}`);
  }());
  loop.startSoon(function* (): Coroutine {
    yield* sleep(1);
    log.push(`slept at ${loop.now}`);
  }());
  await loop.run();
  assertEquals(log, ["promise at 0", "slept at 1"]);
});

inEveryOrder(
  "R11: a Cancelled from elsewhere is an error here, not a cancel that nobody made",
  async ({ loop }) => {
    const elsewhere = new Cancelled("over there");
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(until(Promise.reject(elsewhere)));
      yield* checkpoint();
    })));
    assert(error instanceof NurseryError);
    assertMatch(error.message, /What was waited for was cancelled elsewhere .*over there/);
    assertEquals((error.cause as Error).cause, elsewhere);
  },
);

inEveryOrder(
  "R27: a promise that is rejected with the scope's own Cancelled unwinds like it, also within a shield",
  async ({ loop }) => {
    const value = await loop.run(CancelScope.open(function* (scope) {
      let own: unknown;
      scope.cancel("enough");
      try {
        yield* checkpoint();
      } catch (error) {
        own = error;
        throw error;
      } finally {
        yield* shield(until(Promise.reject(own)));
      }
    }));
    assertEquals(value, undefined);
  },
);
