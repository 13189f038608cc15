/** Rule R22b: who cancelled, and why. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  Cancelled,
  type CancelSource,
  type Coroutine,
  moveOnAfter,
  Nursery,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
} from "../../mod.ts";
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
