/**
 * TaskLocal (R33): inherited from the task that called startSoon, and put back when the body ends.
 */
import { assertEquals, assertMatch } from "@std/assert";
import {
  call,
  type Coroutine,
  moveOnAfter,
  Nursery,
  sleep,
  sleepForever,
  TaskLocal,
} from "../../mod.ts";
import { inEveryOrder, rejection, World } from "../support/world.ts";

inEveryOrder(
  "a local has its default, then the innermost value in force, then the outer one again",
  async ({ loop, log }) => {
    const local = new TaskLocal("user", "nobody");
    function* show(): Coroutine {
      log.push(yield* local.get());
    }
    await loop.run(function* (): Coroutine {
      yield* show();
      yield* local.with("ann", function* () {
        yield* show();
        yield* local.with("bob", call(show()));
        yield* show();
      });
      yield* show();
    }());
    assertEquals(log, ["nobody", "ann", "bob", "ann", "nobody"]);
  },
);

inEveryOrder(
  "R33: a task inherits from the task that called startSoon, as of then",
  async ({ loop, log }) => {
    const local = new TaskLocal<string>("user", "nobody");
    function* show(name: string): Coroutine {
      log.push(`${name} ${yield* local.get()}`);
    }
    await loop.run(Nursery.open(function* (nursery) {
      yield* local.with("ann", function* () {
        nursery.startSoon(show("started inside"));
        yield* sleep(1);
        yield* local.with("later", function* () {
          yield* sleep(1);
        });
      });
      nursery.startSoon(show("started outside"));
    }));
    loop.startSoon(show("started by no task"));
    await loop.run();
    assertEquals(log, [
      "started inside ann",
      "started outside nobody",
      "started by no task nobody",
    ]);
  },
);

inEveryOrder(
  "R33: a nursery opened by one task and used by another: the starter counts, not the opener",
  async ({ loop, log }) => {
    const local = new TaskLocal<string>("user", "nobody");
    let nursery!: Nursery;
    loop.startSoon(local.with(
      "opener",
      Nursery.open(function* (n) {
        nursery = n;
        yield* sleep(3);
      }),
    ));
    loop.startSoon(local.with("starter", function* () {
      yield* sleep(1);
      nursery.startSoon(function* (): Coroutine {
        log.push(yield* local.get());
      }());
      nursery.startLater(
        function* (): Coroutine {
          log.push(yield* local.get());
        }(),
        1,
      );
      yield* nursery.start<void>(function* (started) {
        log.push(yield* local.get());
        started();
      });
    }));
    await loop.run();
    assertEquals(log, ["starter", "starter", "starter"]);
  },
);

inEveryOrder(
  "a child's own value does not reach its parent or its siblings",
  async ({ loop, log }) => {
    const local = new TaskLocal("n", 0);
    await loop.run(Nursery.open(function* (nursery) {
      for (const n of [1, 2]) {
        nursery.startSoon(local.with(n, function* () {
          yield* sleep(n);
          log.push(`${yield* local.get()}`);
        }));
      }
      yield* sleep(1.5);
      log.push(`parent ${yield* local.get()}`);
    }));
    assertEquals(log, ["1", "parent 0", "2"]);
  },
);

inEveryOrder("the outer value is back also after an error or a cancel", async ({ loop }) => {
  const local = new TaskLocal("n", 0);
  await loop.run(function* (): Coroutine {
    try {
      yield* local.with(1, function* () {
        throw new Error("boom");
      });
      // deno-lint-ignore broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
    } catch {
      assertEquals(yield* local.get(), 0);
    }
    yield* moveOnAfter(1, local.with(2, sleepForever()));
    assertEquals(yield* local.get(), 0);
    yield* local.with(3, function* () {
      yield* moveOnAfter(1, local.with(4, sleepForever()));
      assertEquals(yield* local.get(), 3);
    });
  }());
});

Deno.test("without default, get outside of any with is a ReferenceError that says what to write; undefined is a value", async () => {
  const { loop } = new World();
  const local = new TaskLocal<string>("user");
  const error = await rejection(loop.run(local.get()));
  assertMatch(
    (error as Error).message,
    /TaskLocal user has no value here: set one with yield\* local\.with/,
  );
  assertEquals(await loop.run(local.with("ann", local.get())), "ann");
  assertEquals(await loop.run(new TaskLocal<undefined>("u", undefined).get()), undefined);
});
