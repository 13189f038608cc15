/**
 * Tasks: names, states, joining, promises (R33), and stacks that show where tasks were started
 * (R36).
 */
import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import {
  call,
  type Coroutine,
  currentTask,
  moveOnAfter,
  Nursery,
  NurseryError,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
  until,
} from "../../mod.ts";
import { inspect } from "../../src/testing/mod.ts";
import { inEveryOrder, nameOf, rejection, World } from "../support/world.ts";

inEveryOrder(
  "a task has an id counted from 1, a name, a parent and a state that follows what it does",
  async ({ loop }) => {
    const states: string[] = [];
    const task = loop.startSoon(function* (): Coroutine {
      const self = yield* currentTask();
      states.push(self.state);
      yield* sleep(2);
    }());
    const named = loop.startSoon(sleep(0), { name: "named" });
    loop.startSoon(function* (): Coroutine {
      yield* sleep(1);
      states.push(task.state);
    }());
    states.push(task.state);
    assertEquals([task.id, task.name, task.parent], [1, "#1", null]);
    assertEquals([named.id, named.name], [2, "named"]);
    await loop.run();
    states.push(task.state);
    assertEquals(states, ["ready", "running", "waiting", "succeeded"]);
  },
);

inEveryOrder("R33: join gives the value, before and after the end", async (world) => {
  const { loop, log } = world;
  const task = loop.startSoon(world.sleeper("target", 2));
  await loop.run(function* (): Coroutine {
    world.note(yield* task.join());
    yield* sleep(1);
    world.note(yield* task.join());
  }());
  assertEquals(log, ["2 target slept", "2 target", "3 target"]);
});

inEveryOrder(
  "R33: join of a failed task throws its error, and the nursery still gets it",
  async (world) => {
    const { loop, log } = world;
    const error = await rejection(loop.run(Nursery.open(function* (nursery) {
      const task = nursery.startSoon(world.failing("boom", 1));
      try {
        yield* task.join();
      } catch (error) {
        log.push(`joined: ${nameOf(error)}`);
      }
    }, { exceptionPolicy: "accumulate" })));
    assertEquals(log, ["1 boom fails", "joined: Error: boom"]);
    assertEquals((error as NurseryError).flatten().map(nameOf), ["Error: boom"]);
  },
);

inEveryOrder(
  "R33: join of a cancelled task throws TaskCancelledError with the task, not Cancelled",
  async (world) => {
    const { loop } = world;
    await loop.run(Nursery.open(function* (nursery) {
      const task = nursery.startSoon(sleepForever(), { name: "target" });
      const swallower = nursery.startSoon(function* (): Coroutine {
        try {
          yield* sleepForever();
          // deno-lint-ignore broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
        } catch {
          // deno-lint-ignore broomio/no-unshielded-cleanup -- what a cancel does there is tested here
          yield* sleepForever(); // ends by return()
        }
      }());
      yield* sleep(1);
      task.cancel();
      swallower.cancel();
      for (const each of [task, swallower] as Task[]) {
        try {
          yield* each.join();
          world.note("joined");
        } catch (error) {
          assert(error instanceof TaskCancelledError);
          assertStrictEquals(error.task, each);
          assertEquals(error.message, `Task ${each.name} was cancelled by task main`);
          assertEquals(error.source, "explicit");
        }
        assertEquals(each.state, "cancelled");
      }
    }));
    assertEquals(world.log, []);
  },
);

inEveryOrder("R33: a join that is cancelled leaves the joined task alone", async (world) => {
  const { loop, log } = world;
  const task = loop.startSoon(world.sleeper("target", 3));
  await loop.run(moveOnAfter(1, task.join()));
  assertEquals(log, ["3 target slept"]);
});

inEveryOrder(
  "R30: a join that was cancelled is not kept by the task it waited for",
  async ({ loop }) => {
    const task = loop.startSoon(sleep(9));
    await loop.run(function* (): Coroutine {
      for (let i = 0; i < 3; i++) yield* moveOnAfter(1, task.join());
      assertEquals(inspect(task).watchers, 0);
    }());
  },
);

inEveryOrder("joining oneself is an error, not a deadlock", async ({ loop }) => {
  const error = await rejection(loop.run(function* (): Coroutine {
    yield* (yield* currentTask()).join();
  }()));
  assertMatch(
    (error as NurseryError).message,
    /Task main cannot join itself: it would wait forever/,
  );
});

inEveryOrder("many tasks join one, and each gets the value", async ({ loop, log }) => {
  const task = loop.startSoon(function* (): Coroutine<string> {
    yield* sleep(1);
    return "value";
  }());
  for (let i = 0; i < 3; i++) {
    loop.startSoon(function* (): Coroutine {
      log.push(yield* task.join());
    }());
  }
  await loop.run();
  assertEquals(log, ["value", "value", "value"]);
});

inEveryOrder(
  "promise() settles as join does, and one nobody looks at is not an unhandled rejection",
  async (world) => {
    const { loop } = world;
    const good = loop.startSoon(world.sleeper("good", 1));
    const cancelled = loop.startSoon(sleepForever());
    loop.startSoon(function* (): Coroutine {
      yield* sleep(1);
      cancelled.cancel();
    }());
    const promises = [good.promise(), cancelled.promise()];
    cancelled.promise(); // dropped
    await loop.run();
    assertEquals(await promises[0], "good");
    await assertRejects(() => promises[1], TaskCancelledError);
    assertEquals(await good.promise(), "good");
    const bad = loop.startSoon(world.failing("boom", 1));
    const promise = bad.promise();
    await assertRejects(() => loop.run(), Error, "boom");
    await assertRejects(() => promise, Error, "boom");
    await assertRejects(() => bad.promise(), Error, "boom");
  },
);

inEveryOrder(
  "task.cancel cancels that task alone, with what it has open, from its parent or from anywhere",
  async (world) => {
    const { loop, log } = world;
    const task = loop.startSoon(Nursery.open(function* (nursery) {
      nursery.startSoon(world.sleeper("child", 9));
      yield* world.sleeper("body", 9);
    }));
    loop.startSoon(world.sleeper("other", 3));
    loop.startSoon(function* (): Coroutine {
      yield* sleep(1);
      task.cancel("why");
    }());
    await loop.run();
    assertEquals(log.slice(0, 2).sort(), ["1 body Cancelled", "1 child Cancelled"]);
    assertEquals(log[2], "3 other slept");
    assertEquals(task.state, "cancelled");
    task.cancel(); // after its end: nothing
  },
);

inEveryOrder(
  "task.cancel reaches a task inside shields only after them, and counts for the whole task",
  async (world) => {
    const { loop, log } = world;
    const task = loop.startSoon(function* (): Coroutine {
      yield* shield(world.sleeper("shielded", 3));
      yield* moveOnAfter(9, world.sleeper("not here", 1));
      world.note("nor here");
    }());
    loop.startSoon(function* (): Coroutine {
      yield* sleep(1);
      task.cancel();
    }());
    await loop.run();
    assertEquals(log, ["3 shielded slept", "3 not here Cancelled"]);
  },
);

// R36

function* failsDeep(): Coroutine {
  yield* sleep(1);
  yield* innermost();
}
function* innermost(): Coroutine {
  yield* sleep(1);
  throw new Error("boom");
}

Deno.test("R36: the stack of an error has the coroutine's own frames", async () => {
  const error = await rejection(new World().loop.run(failsDeep())) as Error;
  const { stack } = error;
  assertMatch(stack!, /at innermost .*task_test\.ts/);
  assertMatch(stack!, /at failsDeep .*task_test\.ts/);
});

Deno.test("R36: an error from outside is given the stack of the coroutine that waited for it", async () => {
  function* asks(): Coroutine {
    yield* until((async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      throw new Error("from outside");
    })());
  }
  const error = await rejection(new World().loop.run(asks())) as Error;
  assertMatch(
    error.stack!,
    /while the coroutine waited:\n +at asks .*task_test\.ts/,
  );
});

Deno.test("R36: a frozen error from outside is thrown as it is", async () => {
  const frozen = Object.freeze(new Error("frozen"));
  const error = await rejection(new World().loop.run(until(Promise.reject(frozen))));
  assertStrictEquals(error, frozen);
});

Deno.test("R36: a NurseryError has the stack of the coroutine that opened the nursery", async () => {
  let stack = "";
  await new World().loop.run(function* opener(): Coroutine {
    try {
      yield* Nursery.open(function* () {
        throw new Error("boom");
      });
    } catch (error) {
      stack = (error as Error).stack!;
    }
  }());
  assertMatch(
    stack,
    /^NurseryError: 1 error, in task main: Error: boom\n +at opener .*task_test\.ts/,
  );
});

Deno.test("R36: in debug mode an error tells where each task on the way was started", async () => {
  function* starter(nursery: Nursery): Coroutine {
    nursery.startSoon(innermost(), { name: "worker" });
  }
  const { loop } = new World({ debug: true });
  const error = await rejection(loop.run(Nursery.open(function* outer(nursery) {
    yield* starter(nursery);
  }))) as NurseryError;
  const { stack } = error.cause as Error;
  assertMatch(
    stack!,
    /task worker was started:\n +at starter .*task_test\.ts[^]*task main was started:/,
  );
  const plain = await rejection(new World().loop.run(innermost())) as Error;
  assert(!plain.stack!.includes("was started"));
});

Deno.test("R36: in debug mode an error tells the coroutines around it under call", async () => {
  function* caller(): Coroutine {
    yield* call(innermost());
  }
  const { loop } = new World({ debug: true });
  const error = await rejection(loop.run(caller())) as Error;
  assertMatch(error.stack!, /called from:\n +at caller .*task_test\.ts/);
});
