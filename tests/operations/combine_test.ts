/** all and race: one result of several coroutines (R3 for their errors). */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  all,
  allSettled,
  any,
  type Coroutine,
  currentTask,
  moveOnAfter,
  NurseryError,
  type Operation,
  race,
  settle,
  shield,
  sleep,
  sleepForever,
  suspend,
} from "../../mod.ts";
import { inEveryOrder, nameOf, rejection, World } from "../support/world.ts";

/** What is inside an error that came out of a loop, by name and message. */
function leaves(error: unknown): string[] {
  return (error instanceof NurseryError ? error.flatten() : [error]).map(nameOf);
}

inEveryOrder(
  "all gives the results in the form they were given: tuple, array, record",
  async (world) => {
    const { loop } = world;
    await loop.run(function* (): Coroutine {
      function* number(): Coroutine<number> {
        yield* sleep(1);
        return 7;
      }
      const [text, seven]: [string, number] = yield* all([world.sleeper("slow", 3), number()]);
      assertEquals([text, seven], ["slow", 7]);
      assertEquals(loop.now, 3); // together, not one after the other
      const many: number[] = yield* all([number(), number(), number()]);
      assertEquals(many, [7, 7, 7]);
      const record = yield* all({ b: world.sleeper("b", 2), a: number() });
      assertEquals(Object.entries(record), [["b", "b"], ["a", 7]]);
      assertEquals(yield* all([] as Operation<number>[]), []);
      assertEquals(yield* all({}), {});
    }());
  },
);

inEveryOrder(
  "R3: all: the first to fail cancels the others, and its error comes out as itself",
  async (world) => {
    const { loop, log } = world;
    const error = await rejection(loop.run(function* (): Coroutine {
      try {
        yield* all([world.sleeper("other", 9), world.failing("boom", 1)]);
      } catch (error) {
        assertEquals(nameOf(error), "Error: boom");
        throw error;
      }
    }()));
    assertEquals(log, ["1 boom fails", "1 other Cancelled"]);
    assertEquals(leaves(error), ["Error: boom"]);
  },
);

inEveryOrder("all: cancelled from outside it cancels all, and gives nothing", async (world) => {
  const { loop, log } = world;
  assertEquals(
    await loop.run(moveOnAfter(1, all([world.sleeper("a", 9), world.sleeper("b", 9)]))),
    undefined,
  );
  assertEquals(log.sort(), ["1 a Cancelled", "1 b Cancelled"]);
});

inEveryOrder("R3: all: several errors come out as one NurseryError", async ({ loop }) => {
  function* failing(message: string): Coroutine<number> {
    try {
      yield* sleep(1);
    } finally {
      // deno-lint-ignore no-unsafe-finally
      throw new Error(message);
    }
  }
  const caught: unknown[] = [];
  await loop.run(function* () {
    try {
      yield* all({ a: failing("one"), b: failing("two") });
    } catch (error) {
      caught.push(error);
    }
  }());
  assert(caught[0] instanceof NurseryError);
  assertEquals(caught[0].flatten().map(nameOf).sort(), ["Error: one", "Error: two"]);
  assertMatch(caught[0].message, /^2 errors; the first, in task all [ab]: Error: /);
});

Deno.test("R3: the same error from several coroutines of all is one error", async () => {
  const { loop } = new World();
  const shared = new Error("shared");
  function* failing(): Coroutine {
    try {
      yield* sleep(1);
    } finally {
      // deno-lint-ignore no-unsafe-finally
      throw shared;
    }
  }
  let caught: unknown;
  await loop.run(function* () {
    try {
      yield* all([failing(), failing()]);
    } catch (error) {
      caught = error;
    }
  }());
  assertEquals(caught, shared);
});

Deno.test("R2: all, race, any and allSettled refuse at the call what is no collection of coroutines", () => {
  type Wrong = (given: never) => Operation<unknown>;
  const asyncIterable = { async *[Symbol.asyncIterator]() {} };
  function* work(): Coroutine {}
  for (const together of [all, race, any, allSettled] as Wrong[]) {
    const given: unknown[] = [
      ...[null, undefined, 5, "text", Promise.resolve([]), asyncIterable, new Date(), () => {}],
      ...[[Promise.resolve(1)], [5], [null], [[]], ["text"], new Set([1]), new Map([[1, 2]])],
    ];
    for (const wrong of given) assertThrows(() => together(wrong as never), TypeError, "Expected");
    assertThrows(() => together([Promise.resolve(1)] as never), TypeError, "until(promise)");
    assertThrows(
      () => together(sleeping() as never),
      TypeError,
      "Expected several coroutines, got one",
    );
  }
  for (const together of [all, race] as Wrong[]) {
    assertThrows(() => together([work] as never), TypeError, "got the function work");
  }
  for (const together of [race, any] as Wrong[]) {
    assertThrows(() => together({ a: work() } as never), TypeError, "got an object");
  }
  function* sleeping(): Coroutine {
    yield* sleep(1);
  }
});

Deno.test("R2: an operation of all, race, any, allSettled or settle is used once", async () => {
  const { loop } = new World();
  function* two(): Coroutine<number> {
    yield* sleep(1);
    return 2;
  }
  for (
    const make of [all, race, any, allSettled] as ((given: Coroutine[]) => Operation<unknown>)[]
  ) {
    const operation = make([two()] as never);
    await loop.run(operation);
    const error = await rejection(loop.run(function* () {
      yield* operation;
    }()));
    assertMatch(leaves(error).join(), /^TypeError: This operation \(\w+\) was used already/);
  }
  const operation = settle(two());
  await loop.run(operation);
  assertMatch(
    leaves(
      await rejection(loop.run(function* () {
        yield* operation;
      }())),
    ).join(),
    /was used already/,
  );
});

inEveryOrder("all takes sets, maps, iterators and generators too", async ({ loop }) => {
  function* number(n: number): Coroutine<number> {
    yield* sleep(n);
    return n;
  }
  function* several(): Generator<Coroutine<number>> {
    for (const n of [3, 1, 2]) yield number(n);
  }
  await loop.run(function* (): Coroutine {
    const fromSet: number[] = yield* all(new Set([number(2), number(1)]));
    assertEquals(fromSet, [2, 1]);
    const fromMap: Map<string, number> = yield* all(new Map([["b", number(2)], ["a", number(1)]]));
    assertEquals(fromMap, new Map([["b", 2], ["a", 1]]));
    assertEquals([...fromMap.keys()], ["b", "a"]);
    assertEquals(yield* all(Array.from([1, 2], number).values()), [1, 2]);
    assertEquals(yield* all(several()), [3, 1, 2]);
    assertEquals(yield* all([sleep(1)].values()), [undefined]);
    const record = Object.create(null);
    record.__proto__ = number(1);
    assertEquals(Object.entries(yield* all(record)), [["__proto__", 1]]);
    assertEquals(yield* race(new Set([number(2), number(1)])), 1);
    assertEquals(yield* race(new Map([["b", number(2)], ["a", number(1)]])), 1);
  }());
});

Deno.test("all closes an iterator in which it finds what is no coroutine", () => {
  let closed = false;
  function* several(): Generator<Operation<unknown>> {
    try {
      yield sleep(1);
      const begun = sleep(1);
      begun[Symbol.iterator]().next();
      yield begun;
    } finally {
      closed = true;
    }
  }
  assertThrows(() => all(several()), TypeError, "got one");
  assertEquals(closed, true);
});

inEveryOrder(
  "race gives the first result; the others are cancelled and their cleanup is waited for",
  async (world) => {
    const { loop, log } = world;
    const winner = await loop.run(race([
      world.sleeper("slow", 9),
      world.sleeper("quick", 1),
      shield(world.sleeper("shielded", 3)),
    ]));
    assertEquals(winner, "quick");
    assertEquals(log, ["1 quick slept", "1 slow Cancelled", "3 shielded slept"]);
  },
);

inEveryOrder("race: a result of undefined wins as well", async ({ loop }) => {
  assertEquals(await loop.run(race([sleep(1), sleepForever()])), undefined);
  assertEquals(loop.now, 1);
});

inEveryOrder(
  "race: one that fails before the first has ended fails the race, one that fails in its cleanup too",
  async (world) => {
    const { loop } = world;
    const early = await rejection(
      loop.run(race([world.failing("boom", 1), world.sleeper("slow", 9)])),
    );
    assertEquals(leaves(early), ["Error: boom"]);
    const late = await rejection(loop.run(race([
      world.sleeper("quick", 1),
      function* (): Coroutine<string> {
        try {
          return yield* world.sleeper("slow", 9);
        } catch {
          throw new Error("cleanup");
        }
      }(),
    ])));
    assertEquals(leaves(late), ["Error: cleanup"]);
  },
);

inEveryOrder(
  "R18: race drops the results of arms that settled in the same turn as the winner, and gives exactly one",
  async ({ loop }) => {
    const ended: string[] = [];
    function* arm(name: string): Coroutine<string> {
      yield* suspend<void>((resume) => resume());
      ended.push(name);
      return name;
    }
    const winner = await loop.run(race([arm("a"), arm("b"), arm("c")]));
    assertEquals(winner, ended[0]);
    assertEquals(ended.length, 3);
  },
);

Deno.test("race of nothing is a RangeError", () => {
  assertThrows(() => race([]), RangeError, "race() of nothing would never end");
  assertThrows(() => race(new Set<Operation<number>>()), RangeError, "would never end");
});

inEveryOrder("all and race nest, and compose with time limits", async (world) => {
  const { loop } = world;
  const result = await loop.run(race([
    all([world.sleeper("a", 1), world.sleeper("b", 2)]),
    all([world.sleeper("c", 5), moveOnAfter(1, world.sleeper("d", 9))]),
  ]));
  assertEquals(result as unknown, ["a", "b"]);
  assertEquals(loop.now, 2);
});

inEveryOrder(
  "all and race refuse what is no fresh coroutine, as the caller's own mistake",
  async ({ loop }) => {
    for (const together of [all, race] as ((given: never[]) => Operation<unknown>)[]) {
      const started: string[] = [];
      const good = function* good(): Coroutine {
        started.push("good");
        yield* sleep(1);
      };
      const used = good();
      const caught: unknown[] = [];
      await loop.run(used);
      started.length = 0;
      await loop.run(function* (): Coroutine {
        try {
          yield* together([good(), used] as never[]);
        } catch (error) {
          caught.push(error);
        }
      }());
      assert(caught[0] instanceof TypeError);
      assertMatch(caught[0].message, /was given a coroutine that a loop was given already/);
      assertEquals(started, []);
    }
  },
);

inEveryOrder(
  "all and race are not fooled by a task that cancelled itself alone",
  async ({ loop }) => {
    function* quitter(): Coroutine<number> {
      (yield* currentTask()).cancel("enough");
      yield* sleep(1);
      return 1;
    }
    for (const together of [all, race] as ((given: Coroutine<number>[]) => Operation<unknown>)[]) {
      const error = await rejection(loop.run(together([quitter()])));
      assertMatch(leaves(error).join(), /^TaskCancelledError: /);
    }
  },
);

inEveryOrder("race of coroutines of several types gives one of these types", async ({ loop }) => {
  function* after<T>(seconds: number, value: T): Coroutine<T> {
    yield* sleep(seconds);
    return value;
  }
  const winner: number | string = await loop.run(race([after(1, "hare"), after(60, 7)]));
  assertEquals(winner, "hare");
  const one: number = await loop.run(race([after(1, 1), after(2, 2)]));
  assertEquals(one, 1);
});
