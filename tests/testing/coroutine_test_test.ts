/** coroutineTest: what makes a test fail, for any runner. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  all,
  checkpoint,
  type Coroutine,
  currentTask,
  DeadlockError,
  Event,
  Lock,
  Nursery,
  sleep,
  sleepForever,
} from "../../mod.ts";
import {
  coroutineTest,
  ExplorationError,
  LeakError,
  memoryStreamPair,
} from "../../src/testing/mod.ts";
import { rejection } from "../support/world.ts";

async function leftBy(body: Parameters<typeof coroutineTest>[0]): Promise<readonly string[]> {
  const error = await rejection(coroutineTest(body)());
  assert(error instanceof LeakError, String(error));
  return error.left;
}

Deno.test(
  "R55: a body runs in virtual time, with a loop and a clock",
  coroutineTest(function* ({ loop, clock }) {
    yield* sleep(3600);
    assertEquals([clock.now(), loop.now], [3600, 3600]);
    clock.advance(5);
    assertEquals(loop.now, 3605);
  }),
);

Deno.test("R55: what a runner passes is ignored, and each call is a new run", async () => {
  let runs = 0;
  const test = coroutineTest(function* () {
    runs++;
    yield* checkpoint();
  });
  assertEquals(await test({ name: "a context of some runner" }), undefined);
  await test();
  assertEquals(runs, 2);
});

Deno.test("R55: an error of the body fails the test as itself, a deadlock as one", async () => {
  const boom = new RangeError("boom");
  assertEquals(
    await rejection(
      coroutineTest(function* () {
        yield* checkpoint();
        throw boom;
      })(),
    ),
    boom,
  );
  const stuck = await rejection(coroutineTest(() => new Event().wait())());
  assert(stuck instanceof DeadlockError);
});

Deno.test("R55: tasks that still run are named, and are cancelled, with their cleanup", async () => {
  let cleaned = false;
  const left = await leftBy(function* ({ loop }) {
    loop.startSoon(
      function* (): Coroutine {
        try {
          yield* sleepForever();
        } finally {
          cleaned = true;
        }
      }(),
      { name: "server" },
    );
    yield* checkpoint();
  });
  assertEquals(left, ["task server, waiting"]);
  assert(cleaned);
});

Deno.test("R55: locks that a task owned when it ended are named, with the task", async () => {
  const left = await leftBy(function* () {
    const lock = new Lock({ name: "db" });
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(lock.acquire(), { name: "careless" });
    });
    yield* lock.statistics().locked ? sleepForever() : checkpoint();
  });
  assertEquals(left, ['lock "db", which careless owned when it ended']);
});

Deno.test("R55: open streams, timers and holds are named", async () => {
  const streams = await leftBy(function* () {
    const [client, server] = memoryStreamPair();
    server.close();
    yield* client.recv();
  });
  assertEquals(streams.length, 1);
  assertMatch(streams[0], /^an open stream to memory:\d+$/);

  const held = await leftBy(function* ({ loop }) {
    loop.hold();
    yield* checkpoint();
  });
  assertEquals(held, ["a wait for something outside, or a hold of the loop"]);
});

Deno.test("R55: what was closed and given back is no leak", async () => {
  await coroutineTest(function* ({ loop }) {
    const lock = new Lock();
    yield* lock.with(sleep(1));
    const [client, server] = memoryStreamPair();
    client.close();
    server.close();
    yield* loop.startSoon(sleep(2)).join();
    using _ = loop.hold();
  })();
});

Deno.test("R55: with explore the body is run under many schedules, and leaks count there too", async () => {
  const lost = coroutineTest(function* () {
    let sum = 0;
    function* add(): Coroutine {
      const before = sum;
      yield* checkpoint();
      sum = before + 1;
    }
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(add());
      nursery.startSoon(add());
    });
    assertEquals(sum, 2);
  }, { explore: { strategy: "exhaustive" } });
  const error = await rejection(lost());
  assert(error instanceof ExplorationError);
  assertMatch(error.message, /coroutineTest\(body, \{ replay: ".+" \}\)/);

  const leaks = coroutineTest(function* ({ loop }) {
    loop.startSoon(sleepForever(), { name: "server" });
    yield* checkpoint();
  }, { explore: { schedules: 20 } });
  const leak = await rejection(leaks());
  assertMatch(String(leak), /Left behind when all tasks had ended: task server/);

  await coroutineTest(function* ({ clock }) {
    yield* sleep(1);
    clock.advance(1);
    assertEquals(clock.now() >= 2, true);
    yield* currentTask();
  }, { explore: { schedules: 50 } })();
});

Deno.test("R55: a schedule that explore has found is run again, alone, by the same body", async () => {
  let runs = 0;
  function* body(): Coroutine {
    runs++;
    let sum = 0;
    function* add(): Coroutine {
      const before = sum;
      yield* checkpoint();
      sum = before + 1;
    }
    yield* all([add(), add()]);
    assertEquals(sum, 2);
  }
  const found = await rejection(coroutineTest(body, { explore: { strategy: "exhaustive" } })());
  assert(found instanceof ExplorationError);
  runs = 0;
  const again = await rejection(coroutineTest(body, { replay: found.schedule })());
  assert(again instanceof ExplorationError);
  assertEquals([again.table, runs], [found.table, 1]);
  await coroutineTest(body, { replay: "" })();
  assertThrows(() => coroutineTest(body, { replay: "4:x" }), TypeError, '"4:x"');
});

Deno.test("R55: the seed of random order is printed where the test fails", async () => {
  const printed: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => printed.push(text);
  try {
    await rejection(
      coroutineTest(() => {
        throw new Error("boom");
      }, { executionOrder: "random", seed: 42 })(),
    );
  } finally {
    console.warn = warn;
  }
  assertMatch(printed.join(), /executionOrder "random", seed 42/);
});

Deno.test("R55: what is not valid is refused where the test is made", () => {
  const body = () => checkpoint();
  // deno-lint-ignore broomio/no-uncalled-coroutine -- what is refused is tested here
  assertThrows(() => coroutineTest(checkpoint() as never), TypeError, "body");
  assertThrows(() => coroutineTest(body, { sed: 1 } as never), TypeError, '"seed"');
  assertThrows(() => coroutineTest(body, { executionOrder: "up" as never }), RangeError, "fifo");
  assertThrows(() => coroutineTest(body, { explore: true as never }), TypeError, "explore");
});
