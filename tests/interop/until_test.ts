/** Rule R33 for promises. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  type Coroutine,
  Nursery,
  NurseryError,
  shield,
  sleep,
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
    assertEquals(log, ["aborted: Cancelled: enough", "Cancelled"]);
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
    yield* sleep(0);
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

Deno.test("R2: until of what is no promise is a TypeError that says so", async () => {
  for (const bad of [1, undefined, null, () => 1, {}]) {
    const error = await rejection(new World().loop.run(until(bad as unknown as Promise<void>)));
    assertMatch(
      (error as NurseryError).message,
      /until\(\) wants a promise, or a function \(signal\) => promise/,
    );
  }
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
