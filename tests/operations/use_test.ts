/** use and lazy: what is taken for a scope, and what is computed once for all. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  all,
  CancelScope,
  type Coroutine,
  ensure,
  type ExecutionOrder,
  lazy,
  Loop,
  moveOnAfter,
  Nursery,
  settle,
  shield,
  sleep,
  until,
  use,
} from "../../mod.ts";
import fc from "fast-check";
import { VirtualClock } from "../../src/testing/mod.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import { inEveryOrder, nameOf, World } from "../support/world.ts";

function resource(log: string[], name: string): Disposable & { name: string } {
  return { name, [Symbol.dispose]: () => void log.push(`${name} closed`) };
}

const microtasks = async (count: number) => {
  for (let i = 0; i < count; i++) await Promise.resolve();
};

inEveryOrder(
  "R33: use disposes when its scope, nursery or task ends, last taken first",
  async ({ loop, log }) => {
    await loop.run(function* (): Coroutine {
      yield* use(resource(log, "task's"));
      yield* CancelScope.open(function* () {
        const { name } = yield* use(resource(log, "a"));
        yield* use(Promise.resolve(resource(log, "b")));
        yield* use({
          async [Symbol.asyncDispose]() {
            await microtasks(5);
            log.push("c closed");
          },
          [Symbol.dispose]: () => void log.push("not so"),
        });
        log.push(`in the scope with ${name}`);
      });
      log.push("after the scope");
    }());
    assertEquals(log, [
      "in the scope with a",
      "c closed",
      "b closed",
      "a closed",
      "after the scope",
      "task's closed",
    ]);
  },
);

inEveryOrder(
  "R33: a resource that comes after the cancel is disposed, whatever that takes",
  async (world) => {
    const { loop, log, warnings } = world;
    let give!: (value: AsyncDisposable) => void;
    const promise = new Promise<AsyncDisposable>((resolve) => give = resolve);
    await loop.run(function* (): Coroutine {
      yield* CancelScope.open(function* (scope) {
        queueMicrotask(() => scope.cancel());
        yield* use(promise);
      });
      yield* CancelScope.open(function* (scope) { // never begun
        scope.cancel();
        yield* use(Promise.resolve(resource(log, "refused")));
      });
      give({
        async [Symbol.asyncDispose]() {
          await microtasks(5);
          log.push("late closed");
          throw new Error("cannot close");
        },
      });
      yield* until(microtasks(50));
    }());
    assertEquals(log.sort(), ["late closed", "refused closed"]);
    assertEquals(warnings.length, 1);
    assertMatch(
      warnings[0].message,
      /^use\(\) could not dispose a value it dropped: Error: cannot/,
    );
  },
);

inEveryOrder("use: errors of disposing and of the body are both reported", async (world) => {
  const bad = {
    [Symbol.dispose]: () => {
      throw new Error("cannot close");
    },
  };
  const result = await world.loop.run(settle(CancelScope.open(function* () {
    yield* use(bad);
    throw new Error("body");
  })));
  const { errors } = (!result.ok && result.error) as AggregateError;
  assertEquals(errors.map(nameOf), ["Error: body", "Error: cannot close"]);
  const rejected = await world.loop.run(settle(use(Promise.reject(new Error("no")))));
  assertEquals(nameOf(!rejected.ok && rejected.error), "Error: no");
});

Deno.test("R2: use refuses what cannot be disposed, also as the value of a promise", async () => {
  for (const wrong of [null, undefined, 5, "x", {}, () => {}, []]) {
    assertThrows(() => use(wrong as never), TypeError, "Symbol.dispose or Symbol.asyncDispose, or");
  }
  const { loop } = new World();
  const result = await loop.run(settle(use(Promise.resolve({} as never))));
  assertMatch(String(!result.ok && result.error), /TypeError: Expected something with Symbol/);
});

inEveryOrder("lazy computes once, for all who wait, by either form", async ({ loop }) => {
  let computed = 0;
  const value = lazy(function* (): Coroutine<number> {
    yield* sleep(1);
    return ++computed;
  });
  await loop.run(function* (): Coroutine {
    assertEquals(yield* all([value(), value(), value()]), [1, 1, 1]);
    assertEquals(loop.now, 1);
    assertEquals([yield* value, yield* value, yield* value()], [1, 1, 1]);
    assertEquals(loop.now, 1);
  }());
});

inEveryOrder(
  "lazy: one who is cancelled leaves the others alone; with the last it is cancelled",
  async (world) => {
    const { loop, log } = world;
    const value = lazy(() => world.sleeper("computation", 3));
    await loop.run(Nursery.open(function* (nursery) {
      nursery.startSoon(moveOnAfter(1, value()));
      const other = nursery.startSoon(value());
      assertEquals(yield* other.join(), "computation");
    }));
    assertEquals([log.splice(0), loop.now], [["3 computation slept"], 3]);
    const lost = lazy(function* (): Coroutine<string> {
      try {
        return yield* world.sleeper("lost", 9);
      } finally {
        log.push("cleaned up");
      }
    });
    await loop.run(function* (): Coroutine {
      assertEquals(yield* moveOnAfter(2, all([lost(), moveOnAfter(1, lost())])), undefined);
      log.push("left");
      assertEquals(loop.now, 5);
    }());
    assertEquals(log, ["5 lost Cancelled", "cleaned up", "left"]);
  },
);

inEveryOrder(
  "lazy: who asks while a cancelled computation cleans up waits for that, and begins anew",
  async ({ loop, log }) => {
    let running = 0;
    const value = lazy(function* (): Coroutine<number> {
      log.push(`begins, beside ${running++}`);
      try {
        yield* sleep(1);
        return 7;
      } finally {
        yield* shield(sleep(1));
        running--;
      }
    });
    loop.startSoon(moveOnAfter(0.5, value()));
    await loop.run(function* (): Coroutine {
      yield* sleep(0.6);
      log.push(`gives ${yield* value}`);
    }());
    assertEquals(log, ["begins, beside 0", "begins, beside 0", "gives 7"]);
  },
);

inEveryOrder("lazy: an error goes to all who wait, and is not kept", async ({ loop }) => {
  let attempts = 0;
  const value = lazy(function* (): Coroutine<string> {
    yield* sleep(1);
    if (++attempts === 1) throw new Error("boom");
    return "fine";
  });
  await loop.run(function* (): Coroutine {
    const results = yield* all([settle(value()), settle(value())]);
    for (const result of results) assertEquals(nameOf(!result.ok && result.error), "Error: boom");
    assertEquals(yield* value(), "fine");
    assertEquals(attempts, 2);
  }());
});

inEveryOrder(
  "lazy: an error of a computation that is cancelled goes to the last who waited",
  async (world) => {
    const { loop, log } = world;
    const value = lazy(function* (): Coroutine<string> {
      yield* ensure(() => {
        throw new Error("cleanup");
      });
      return yield* world.sleeper("computation", 9);
    });
    await loop.run(function* (): Coroutine {
      const results = yield* all([
        settle(moveOnAfter(1, value())),
        settle(moveOnAfter(2, value())),
      ]);
      assertEquals(results[0], { ok: true, value: undefined });
      assertEquals(nameOf(!results[1].ok && results[1].error), "Error: cleanup");
    }());
    assertEquals(log, ["2 computation Cancelled"]);
  },
);

inEveryOrder("lazy: an error at the instant of the cancel is not lost", async ({ loop }) => {
  const value = lazy(function* (): Coroutine<string> {
    yield* sleep(1);
    throw new Error("at one");
  });
  await loop.run(function* (): Coroutine {
    const result = yield* settle(moveOnAfter(1, value()));
    assertEquals(nameOf(!result.ok && result.error), "Error: at one");
  }());
});

inEveryOrder("lazy: cleanup that the body registers is part of the computation", async (world) => {
  const { loop, log } = world;
  const value = lazy(function* (): Coroutine<string> {
    yield* ensure(function* () {
      yield* sleep(1);
      log.push("closed");
    });
    yield* ensure(() => {
      if (log.length === 0) throw new Error("cannot close");
    });
    return "value";
  });
  await loop.run(function* (): Coroutine {
    const result = yield* settle(value());
    assertEquals(nameOf(!result.ok && result.error), "Error: cannot close");
    assertEquals([log, loop.now], [["closed"], 1]);
    assertEquals(yield* value(), "value");
    assertEquals(loop.now, 2);
  }());
});

Deno.test("R2: lazy takes a function, and each operation is used once", async () => {
  for (const wrong of [null, 5, sleep(1), {}]) {
    assertThrows(() => lazy(wrong as never), TypeError, "body of lazy()");
  }
  const { loop } = new World();
  const value = lazy(function* (): Coroutine<number> {
    return 1;
  });
  const operation = value();
  await loop.run(operation);
  assertThrows(() => operation[Symbol.iterator](), TypeError, "was used already");
});

Deno.test("R30: use and lazy survive a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const log: string[] = [];
    let computing = 0;
    const value = lazy(function* (): Coroutine<string> {
      computing++;
      try {
        yield* sleep(2);
        return "value";
      } finally {
        computing--;
      }
    });
    const opened: string[] = [];
    const open = (name: string) => {
      opened.push(`${name} closed`);
      return resource(log, name);
    };
    return {
      victim: function* (): Coroutine {
        yield* CancelScope.open(function* () {
          yield* use(open("now"));
          yield* sleep(1);
          yield* use(microtasks(3).then(() => open("later")));
          assertEquals(yield* value(), "value");
        });
      }(),
      others: [function* (): Coroutine {
        yield* sleep(1);
        yield* moveOnAfter(1, value());
        yield* until(microtasks(9));
      }()],
      check() {
        assertEquals(log.sort(), opened.sort());
        assertEquals(computing, 0);
      },
    };
  });
  assert(waits >= 3, `only ${waits} waits`);
});

/** Who asks for a lazy value: when, and for how long he waits. */
interface Asker {
  readonly at: number;
  readonly patience: number;
}

/** One computation: how long it takes, and whether it succeeds. */
interface Attempt {
  readonly seconds: number;
  readonly succeeds: boolean;
}

/** What each asker gets, and when, by a plain model; and how many computations were begun. */
function lazyModel(askers: readonly Asker[], attempts: readonly Attempt[]) {
  const results: [number, string][] = [];
  let begun = 0;
  let value: string | null = null;
  let current: { ends: number; attempt: number; waiting: Set<number> } | null = null;
  const end = (): void => {
    const { ends, attempt, waiting } = current!;
    const { succeeds } = attempts[attempt];
    if (succeeds) value = `value ${attempt}`;
    for (const asker of waiting) results[asker] = [ends, value ?? `Error: ${attempt}`];
    current = null;
  };
  const events = askers.flatMap(({ at, patience }, asker) => [
    { time: at, asker, isAsking: true },
    { time: at + patience, asker, isAsking: false },
  ]).sort((a, b) => a.time - b.time);
  for (const { time, asker, isAsking } of events) {
    if (current !== null && current.ends < time) end();
    if (!isAsking) {
      if (results[asker] !== undefined) continue;
      results[asker] = [time, "gave up"];
      current!.waiting.delete(asker);
      if (current!.waiting.size === 0) current = null;
    } else if (value !== null) results[asker] = [time, value];
    else {
      const { seconds } = attempts[begun];
      current ??= { ends: time + seconds, attempt: begun++, waiting: new Set() };
      current.waiting.add(asker);
    }
  }
  return { results, begun };
}

Deno.test("random askers of a lazy value agree with a plain model", async () => {
  // No two things but asks happen at one time.
  const asker = fc.record({
    at: fc.nat(6),
    patience: fc.constantFrom(0.5, 1.5, 2.5, 40),
  });
  const attempt = fc.record({ seconds: fc.constantFrom(0.25, 1.25, 2.25), succeeds: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(asker, { minLength: 1, maxLength: 6 }),
      fc.array(attempt, { minLength: 6, maxLength: 6 }),
      fc.constantFrom<ExecutionOrder>("fifo", "lifo", "random"),
      fc.nat(),
      async (askers, attempts, executionOrder, seed) => {
        const loop = new Loop({ host: new VirtualClock(), executionOrder, seed });
        let begun = 0;
        let running = 0;
        const value = lazy(function* (): Coroutine<string> {
          const attempt = begun++;
          assertEquals(++running, 1, "computed twice at a time");
          try {
            yield* sleep(attempts[attempt].seconds);
            if (!attempts[attempt].succeeds) throw new Error(`${attempt}`);
            return `value ${attempt}`;
          } finally {
            running--;
          }
        });
        const results: [number, string][] = [];
        await loop.run(all(askers.map(function* ({ at, patience }, index): Coroutine {
          yield* sleep(at);
          const result = yield* settle(moveOnAfter(patience, value()));
          const text = result.ok ? result.value ?? "gave up" : nameOf(result.error);
          results[index] = [loop.now, text];
        })));
        assertEquals({ results, begun }, lazyModel(askers, attempts));
        assertEquals(running, 0);
      },
    ),
    { numRuns: 300 },
  );
});
