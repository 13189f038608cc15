/** Rule R33: suspend, the one primitive under all adapters. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  CancelScope,
  checkpoint,
  type Coroutine,
  moveOnAfter,
  Nursery,
  shield,
  sleep,
  suspend,
  type SuspendStart,
} from "../../mod.ts";
import { inspect } from "../../src/testing/mod.ts";
import { inEveryOrder, nameOf, rejection } from "../support/world.ts";

/** A suspended task, and what can be done to it. */
class Probe {
  resume!: (value: string) => void;
  fail!: (error: unknown) => void;
  undone = 0;
  readonly start: SuspendStart<string> = (resume, fail) => {
    this.resume = resume;
    this.fail = fail;
    return () => this.undone++;
  };
}

function* pause(): Coroutine {
  for (let i = 0; i < 5; i++) yield* checkpoint();
}

inEveryOrder(
  "R33: it settles once, with a value or an error; later calls are ignored",
  async ({ loop, log }) => {
    for (const how of ["resume", "fail"]) {
      const probe = new Probe();
      loop.startSoon(function* (): Coroutine {
        try {
          log.push(yield* suspend(probe.start));
        } catch (error) {
          log.push(nameOf(error));
        }
        yield* sleep(1);
      }());
      await loop.run(function* (): Coroutine {
        yield* pause();
        if (how === "resume") probe.resume("value");
        else probe.fail(new Error("failed"));
        probe.resume("again");
        probe.fail(new Error("again"));
        yield* pause();
        probe.resume("late");
      }());
      assertEquals(probe.undone, 0);
    }
    assertEquals(log, ["value", "Error: failed"]);
  },
);

inEveryOrder("R33: resume and fail may be called at once, within start", async ({ loop, log }) => {
  await loop.run(function* (): Coroutine {
    log.push(
      yield* suspend<string>((resume, fail) => {
        resume("first");
        fail(new Error("second"));
        return () => log.push("undone");
      }),
    );
    try {
      yield* suspend((resume, fail) => {
        fail(new Error("first"));
        resume(1);
      });
    } catch (error) {
      log.push(nameOf(error));
    }
  }());
  assertEquals(log, ["first", "Error: first"]);
});

inEveryOrder("R33: undo runs exactly once, and only if it was not settled", async ({ loop }) => {
  const probe = new Probe();
  await loop.run(Nursery.open(function* (nursery) {
    const task = nursery.startSoon(suspend(probe.start));
    yield* pause();
    task.cancel();
    nursery.cancel();
    nursery.cancel();
    probe.resume("late");
    assertEquals(probe.undone, 1);
  }));
  assertEquals(probe.undone, 1);
});

inEveryOrder(
  "R33: cancelled from within start, before there is an undo, it is undone all the same",
  async ({ loop }) => {
    let undone = 0;
    await loop.run(CancelScope.open(function* (scope) {
      yield* suspend(() => {
        scope.cancel();
        return () => undone++;
      });
    }));
    assertEquals(undone, 1);
  },
);

inEveryOrder(
  "R33: cancelled from within start after it has settled, it gives its value",
  async ({ loop, log }) => {
    await loop.run(CancelScope.open(function* (scope) {
      log.push(
        yield* suspend<string>((resume) => {
          resume("value");
          scope.cancel();
          return () => log.push("undone");
        }),
      );
      yield* checkpoint();
      log.push("not here");
    }));
    assertEquals(log, ["value"]);
  },
);

inEveryOrder("R33: what must not be interrupted is shield(suspend(...))", async ({ loop, log }) => {
  const probe = new Probe();
  await loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(function* (): Coroutine {
      log.push(yield* shield(suspend(probe.start)));
    }());
    yield* pause();
    nursery.cancel();
    yield* shield(pause());
    probe.resume("done all the same");
  }));
  assertEquals(log, ["done all the same"]);
  assertEquals(probe.undone, 0);
});

inEveryOrder(
  "R33: what start throws is thrown at the yield*, and nothing is left",
  async ({ loop }) => {
    const error = await rejection(loop.run(suspend(() => {
      throw new RangeError("cannot");
    })));
    assertEquals(nameOf(error), "RangeError: cannot");
  },
);

inEveryOrder(
  "R33: what start throws after it has settled is too late to matter",
  async ({ loop }) => {
    assertEquals(
      await loop.run(suspend<string>((resume) => {
        resume("value");
        throw new Error("too late");
      })),
      "value",
    );
  },
);

inEveryOrder(
  "R33: what undo throws replaces Cancelled, and reaches the coroutine",
  async ({ loop }) => {
    const error = await rejection(loop.run(function* (): Coroutine {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(suspend(() => () => {
          throw new RangeError("undo broke");
        }));
        yield* pause();
        nursery.cancel();
      });
    }()));
    assertEquals(nameOf((error as Error).cause), "RangeError: undo broke");
  },
);

inEveryOrder(
  "R33: resume may be called from outside, long after, and from another loop's task",
  async ({ loop }) => {
    const value = await loop.run(suspend<string>((resume) => {
      const timer = setTimeout(() => resume("from a timer"), 2);
      return () => clearTimeout(timer);
    }));
    assertEquals(value, "from a timer");
  },
);

inEveryOrder(
  "R7: while suspended the loop counts one external wait, however it ends",
  async ({ loop }) => {
    const probe = new Probe();
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(suspend(probe.start));
      const second = nursery.startSoon(suspend(() => {}));
      yield* pause();
      assertEquals(inspect(loop).externalWaits, 2);
      second.cancel();
      assertEquals(inspect(loop).externalWaits, 1);
      probe.resume("");
      assertEquals(inspect(loop).externalWaits, 0);
      yield* moveOnAfter(1, sleep(2));
    }));
    assertEquals(inspect(loop).externalWaits, 0);
  },
);

Deno.test("R2: suspend wants a function, where it is written", () => {
  assertThrows(
    () => suspend(Promise.resolve() as unknown as SuspendStart<void>),
    TypeError,
    "Expected a function (resume, fail) => undo, got",
  );
});
