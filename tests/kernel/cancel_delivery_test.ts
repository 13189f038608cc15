/** Rule R22b: who cancelled, and why. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  Cancelled,
  type CancelSource,
  type Coroutine,
  currentTask,
  moveOnAfter,
  Nursery,
  Portal,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { inEveryOrder, rejection, World } from "../support/world.ts";

/** Waits, and keeps the Cancelled that ended that. */
class Watcher {
  cancelled: Cancelled | undefined;

  *wait(): Coroutine {
    try {
      yield* sleepForever();
    } catch (error) {
      this.cancelled = error as Cancelled;
      throw error;
    }
  }

  get says(): [source: CancelSource, message: string] {
    return [this.cancelled!.source, this.cancelled!.message];
  }
}

inEveryOrder(
  "R22b: a Cancelled says that a deadline has passed, and of which scope",
  async ({ loop }) => {
    const watcher = new Watcher();
    await loop.run(moveOnAfter(1, watcher.wait()));
    assertEquals(watcher.says, ["deadline", "Cancelled: The deadline of moveOnAfter has passed"]);
    assert((watcher.cancelled!.origin as { cancelCalled: boolean }).cancelCalled);
  },
);

inEveryOrder("R22b: a Cancelled says which task called cancel()", async ({ loop }) => {
  const [byScope, byTask] = [new Watcher(), new Watcher()];
  await loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(byScope.wait());
    const task = nursery.startSoon(byTask.wait());
    yield* sleep(1);
    task.cancel();
    nursery.cancel("user left");
  }));
  assertEquals(byScope.says, ["explicit", "Cancelled by task main: user left"]);
  assertEquals(byTask.says, ["explicit", "Cancelled by task main"]);
  assertEquals((byTask.cancelled!.origin as Task).name, "main");
});

inEveryOrder("R22b: a Cancelled says which task failed", async ({ loop }) => {
  const watcher = new Watcher();
  await rejection(loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(watcher.wait());
    nursery.startSoon(
      function* (): Coroutine {
        yield* sleep(1);
        throw new RangeError("disk full");
      }(),
      { name: "writer" },
    );
  })));
  assertEquals(watcher.says, ["sibling failed", "Cancelled because task writer failed: disk full"]);
});

inEveryOrder(
  "R22b: a Cancelled says that the loop was cancelled, and join() says it too",
  async ({ loop }) => {
    const watcher = new Watcher();
    const task = loop.startSoon(watcher.wait(), { name: "watcher" });
    loop.startSoon(function* (): Coroutine {
      yield* sleep(1);
      loop.cancel("SIGTERM");
    }());
    await loop.run();
    assertEquals(watcher.says, ["loop", "Cancelled with the loop: SIGTERM"]);
    const joined = await rejection(task.promise());
    assert(joined instanceof TaskCancelledError);
    assertEquals(joined.message, "Task watcher was cancelled with the loop: SIGTERM");
    assertEquals([joined.source, joined.reason], ["loop", "SIGTERM"]);
  },
);

Deno.test("R22b: a Cancelled made by code outside of any task names none", async () => {
  const { loop } = new World();
  const watcher = new Watcher();
  const task = loop.startSoon(watcher.wait());
  const run = loop.run(shield(sleep(1)));
  task.cancel("from outside");
  await run;
  assertEquals(watcher.says, ["explicit", "Cancelled: from outside"]);
  assertEquals(watcher.cancelled!.origin, undefined);
});

Deno.test("R22b: a Cancelled made by the signal of portal.run says so, and who aborted it", async () => {
  const portal = new Portal({ host: new VirtualClock() });
  const [outside, inside] = [new Watcher(), new Watcher()];
  const [one, other] = [new AbortController(), new AbortController()];
  const first = portal.run(outside.wait(), { signal: one.signal });
  const second = portal.run(inside.wait(), { signal: other.signal });
  one.abort("client left");
  await portal.run(
    function* () {
      yield* sleep(1);
      other.abort("too late");
    }(),
    { name: "supervisor" },
  );
  assertEquals(await rejection(first), "client left");
  assertEquals(await rejection(second), "too late");
  assertEquals(outside.says, ["signal", "Cancelled by a signal: client left"]);
  assertEquals(outside.cancelled!.origin, undefined);
  assertEquals(inside.says, ["signal", "Cancelled by a signal: too late"]);
  assertEquals((inside.cancelled!.origin as Task).name, "supervisor");
  await portal.close();
});

Deno.test("R22b: what portal.run rejects with says who cancelled, where it was no signal", async () => {
  const portal = new Portal({ host: new VirtualClock() });
  const result = portal.run(function* (): Coroutine {
    const task = yield* currentTask();
    task.cancel("gave up");
    yield* sleep(1);
  }, { name: "worker" });
  const error = await rejection(result);
  assert(error instanceof TaskCancelledError);
  assertEquals(
    [error.source, error.reason, error.message],
    ["explicit", "gave up", "Task worker was cancelled by task worker: gave up"],
  );
  await portal.close();
});

inEveryOrder(
  "R19: a task cancelled while an inner scope cleans up after its deadline ends with the reason of its own cancel",
  async ({ loop }) => {
    const task = loop.startSoon(moveOnAfter(1, function* () {
      try {
        yield* sleep(10);
      } finally {
        yield* shield(sleep(5));
      }
    }));
    loop.startSoon(function* (): Coroutine {
      yield* sleep(3);
      task.cancel("outer");
    }());
    await loop.run();
    const error = await rejection(task.promise());
    assertMatch((error as Error).message, /: outer$/);
    assertEquals((error as TaskCancelledError).reason, "outer");
  },
);
