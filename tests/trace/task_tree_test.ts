/** taskTree: what the tasks of a loop are doing. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  CancelScope,
  checkpoint,
  Lock,
  Loop,
  moveOnAfter,
  Nursery,
  shield,
  sleep,
  sleepForever,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { taskTree } from "../../src/trace/mod.ts";
import { inEveryOrder } from "../support/world.ts";

Deno.test("R59: a loop without tasks has none to show", () => {
  const loop = new Loop();
  assertEquals(taskTree(loop).tasks, []);
  assertEquals(`${taskTree(loop)}`, "no tasks");
});

inEveryOrder("R59: nesting, names, states, waits and since when, holders", async ({ loop }) => {
  await loop.run(Nursery.open(function* (nursery) {
    const lock = new Lock({ name: "db" });
    nursery.startSoon(lock.with(sleep(5)), { name: "owner" });
    yield* sleep(1);
    nursery.startSoon(
      Nursery.open(function* (inner) {
        inner.startSoon(lock.with(checkpoint()), { name: "other" });
        yield* sleep(3);
      }),
      { name: "group" },
    );
    yield* sleep(1);
    const tree = taskTree(loop);
    assertEquals(
      tree.tasks.map(({ name, depth, state, waitsFor, seconds, holders }) => [
        ...[name, depth, state, waitsFor, seconds, holders.join()],
      ]),
      [
        ["main", 0, "running", undefined, 0, ""],
        ["owner", 1, "waiting", "sleeping for 5 s", 2, ""],
        ["group", 1, "waiting", "sleeping for 3 s", 1, ""],
        ["other", 2, "waiting", 'acquiring lock "db"', 1, "owner"],
      ],
    );
    assertMatch(`${tree}`, /^ {2}main: running\n {4}owner: sleeping for 5 s, for 2\.0 s\n/);
    assertMatch(`${tree}`, /\n {6}other: acquiring lock "db", held by owner, for 1\.0 s$/);
    assertEquals(JSON.parse(JSON.stringify(tree)).tasks.length, 4);
  }));
});

inEveryOrder("R59: deadlines, shields, and cancels that are in force", async ({ loop }) => {
  await loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(moveOnAfter(7, sleepForever()), { name: "limited" });
    nursery.startSoon(shield(sleep(2)), { name: "shielded" });
    nursery.startSoon(
      CancelScope.open(function* (scope) {
        scope.cancel();
        yield* shield(sleep(2));
      }),
      { name: "cleaning" },
    );
    yield* sleep(1);
    const [, limited, shielded, cleaning] = taskTree(loop).tasks;
    assertEquals([limited.deadline, limited.shielded], [7, false]);
    assertEquals([shielded.deadline, shielded.shielded], [Infinity, true]);
    assertEquals(cleaning.shielded, true);
  }));
});

Deno.test("R59: in debug mode it says where each task waits", async () => {
  const loop = new Loop({ host: new VirtualClock(), debug: true });
  await loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(function* () {
      yield* sleep(1);
    }());
    yield* sleep(0.5);
    assertMatch(taskTree(loop).tasks[1].where, /task_tree_test\.ts:\d+/);
  }));
});

Deno.test("R59: what is no loop is refused", () => {
  for (const value of [undefined, null, {}, "loop"]) {
    assertThrows(() => taskTree(value as unknown as Loop), TypeError, "a loop");
  }
});
