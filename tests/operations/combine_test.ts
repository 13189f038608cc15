/** all and race: one result of several coroutines (R3 for their errors). */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  all,
  type Coroutine,
  currentTask,
  moveOnAfter,
  NurseryError,
  type Operation,
  race,
  shield,
  sleep,
  sleepForever,
  suspend,
  TaskCancelledError,
} from "../../mod.ts";
import { inEveryOrder, nameOf, rejection, World } from "../support/world.ts";

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
  "all: the first to fail cancels the others; the error is always a NurseryError",
  async (world) => {
    const { loop, log } = world;
    const error = await rejection(loop.run(function* (): Coroutine {
      try {
        yield* all([world.sleeper("other", 9), world.failing("boom", 1)]);
      } catch (error) {
        assert(error instanceof NurseryError);
        assertMatch(error.message, /^1 error, in task all 1: Error: boom/);
        throw error;
      }
    }()));
    assertEquals(log, ["1 boom fails", "1 other Cancelled"]);
    assertEquals((error as NurseryError).flatten().map(nameOf), ["Error: boom"]);
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

Deno.test("R2: all refuses what is no array and no record; an element that is no coroutine fails with the sentence", async () => {
  assertThrows(() => all(null as unknown as []), TypeError, "all() wants an array or a record");
  const { loop } = new World();
  const error = await rejection(
    loop.run(all([Promise.resolve(1) as unknown as Operation<number>])),
  );
  assertMatch((error as Error).message, /was given a promise/);
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
    assertEquals((early as NurseryError).flatten().map(nameOf), ["Error: boom"]);
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
    assertEquals((late as NurseryError).flatten().map(nameOf), ["Error: cleanup"]);
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

Deno.test("race of nothing is a RangeError, of no array a TypeError", () => {
  assertThrows(() => race([]), RangeError, "race() of nothing would never end");
  assertThrows(() => race({} as []), TypeError, "race() wants an array");
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
      const error = await rejection(loop.run(function* (): Coroutine {
        try {
          yield* together([good(), good] as never[]);
        } catch (error) {
          assert(error instanceof TypeError);
          throw error;
        }
      }()));
      assert(error instanceof NurseryError);
      assertMatch(error.message, /was given the function good itself: call it/);
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
      assert(error instanceof NurseryError);
      assert(error.find(TaskCancelledError) !== undefined);
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
