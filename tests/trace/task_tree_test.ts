/** taskTree: what the tasks of a loop are doing. */
import { assertEquals, assertLess, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  CancelScope,
  checkpoint,
  type Coroutine,
  DeadlockError,
  Event,
  Lock,
  Loop,
  moveOnAfter,
  Nursery,
  shield,
  sleep,
  sleepForever,
  suspend,
  until,
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

Deno.test("R59: asked from a callback, it says since when each task waits, however long the loop was idle", async () => {
  const clock = new VirtualClock();
  const loop = new Loop({ host: clock });
  let resume = () => {};
  const seconds = () => taskTree(loop).tasks.slice(1).map((task) => task.seconds);
  const found: unknown[] = [];
  await loop.run(Nursery.open(function* (nursery) {
    yield* sleep(1);
    nursery.startSoon(suspend<void>((given) => void (resume = given)));
    yield* until(
      Promise.resolve().then(() => {
        clock.advance(3600); // no turn comes of it
        found.push(seconds());
        nursery.startLater(checkpoint(), 10);
        found.push(seconds());
        clock.advance(5);
        found.push(seconds());
        resume();
        found.push(taskTree(loop).tasks.map(({ state }) => state));
        clock.advance(5);
      }),
    );
  }));
  assertEquals(found, [[3600], [3600, 0], [3605, 5], ["waiting", "ready", "waiting"]]);
});

/** A clock that a task moves on, as a long computation does. */
class SlowClock extends VirtualClock {
  busy = 0;
  override now(): number {
    return super.now() + this.busy;
  }
}

for (const [debug, seconds] of [[true, 1], [false, 6]] as const) {
  Deno.test(
    `R59: after a long computation a wait is ${debug ? "exact" : "long"} ${
      debug ? "in debug mode" : "by that, without"
    }`,
    async () => {
      const clock = new SlowClock();
      const loop = new Loop({ host: clock, debug });
      let found: number | undefined;
      await loop.run(function* () {
        yield* checkpoint();
        clock.busy = 5;
        yield* suspend<void>((resume) => {
          queueMicrotask(() => {
            clock.busy = 6;
            found = taskTree(loop).tasks[0].seconds;
            resume();
          });
        });
      }());
      assertEquals(found, seconds);
    },
  );
}

Deno.test("R59: a clock that fails does not keep it from answering", async () => {
  let broken: unknown = 0;
  class Clock extends VirtualClock {
    override now(): number {
      if (broken === null) throw new Error("broken clock");
      return broken as number;
    }
  }
  const loop = new Loop({ host: new Clock() });
  const found: string[] = [];
  await loop.run(suspend<void>((resume) => {
    queueMicrotask(() => {
      for (broken of [NaN, null]) found.push(`${taskTree(loop)}`);
      broken = 0;
      resume();
    });
  }));
  const line = "  main: suspended until a callback, for 0 ms";
  assertEquals(found, [line, line]);
});

inEveryOrder(
  "R59: shields around a task, its own or not; deadlines that will cancel it",
  async ({ loop }) => {
    await loop.run(moveOnAfter(50, function* () {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(
          shield(moveOnAfter(40, function* () {
            yield* Nursery.open(function* (inner) {
              inner.startSoon(moveOnAfter(30, sleepForever()), { name: "inner" });
              yield* CancelScope.open(() => sleepForever(), { deadline: 60 });
            });
          })),
          { name: "outer" },
        );
        nursery.startSoon(
          CancelScope.open(function* (scope) {
            scope.cancel();
            yield* CancelScope.open(() => sleepForever(), { shield: true, deadline: 20 });
          }, { timeout: 5 }),
          { name: "cleaning" },
        );
        nursery.startSoon(
          moveOnAfter(3, function* () {
            try {
              yield* sleepForever();
            } finally {
              yield* shield(sleep(10)); // after its deadline
            }
          }),
          { name: "late" },
        );
        nursery.startSoon(sleepForever(), { name: "plain" });
        yield* sleep(4);
        assertEquals(
          taskTree(loop).tasks.map(({ name, shielded, deadline, cancelled }) => [
            ...[name, shielded, deadline, cancelled],
          ]),
          [
            ["main", false, 50, false],
            ["outer", true, 40, false],
            ["inner", true, 30, false],
            ["cleaning", true, 20, false],
            ["late", true, Infinity, false],
            ["plain", false, 50, false],
          ],
        );
        nursery.cancel();
        yield* checkpoint();
      });
    }));
  },
);

Deno.test("R59: in debug mode, where a task waits or will go on; of the one that runs, nothing", async () => {
  const loop = new Loop({ host: new VirtualClock(), debug: true });
  await loop.run(Nursery.open(function* (nursery) {
    const event = new Event();
    nursery.startSoon(function* () {
      yield* event.wait();
    }());
    yield* sleep(1);
    event.set();
    const [main, child] = taskTree(loop).tasks;
    assertEquals([main.where, child.state], ["", "ready"]);
    assertMatch(child.where, /task_tree_test\.ts:\d+/);
  }));
});

Deno.test("R59: right in the hooks of an instrument, when tasks start, end and are dropped too", async () => {
  const log: string[] = [];
  const note = (hook: string) => () => {
    const tasks = taskTree(loop).tasks.map(({ name, state, depth }) => `${depth} ${name} ${state}`);
    log.push(`${hook}: ${tasks.join(", ") || "none"}`);
  };
  const loop: Loop = new Loop({
    host: new VirtualClock(),
    instruments: [{
      taskStarted: note("started"),
      taskWaiting: note("waiting"),
      taskEnded: note("ended"),
      scopeClosed: note("closed"),
    }],
  });
  const run = loop.run(Nursery.open(function* (nursery) {
    nursery.startSoon(shield(sleepForever()), { name: "child" });
  }));
  await assertRejects(() => run, DeadlockError);
  assertEquals(log, [
    "started: 0 main ready",
    "started: 0 main running, 1 child ready",
    "waiting: 0 main waiting, 1 child ready",
    "waiting: 0 main waiting, 1 child waiting",
    "closed: 0 main waiting, 1 child ready", // it is being dropped
    "ended: 0 main waiting",
    "closed: 0 main ready",
    "ended: none",
  ]);
});

Deno.test("R59: nests of ten thousand tasks are read in no time", async () => {
  const loop = new Loop({ host: new VirtualClock() });
  function* nest(depth: number): Coroutine {
    if (depth === 0) return yield* sleep(1);
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(nest(depth - 1));
    });
  }
  const run = loop.run(function* () {
    const task = loop.startSoon(nest(10_000));
    yield* sleep(0.5);
    const started = performance.now();
    const { tasks } = taskTree(loop);
    assertEquals(tasks.length, 10_002);
    assertLess(performance.now() - started, 2000);
    yield* task.join();
  }());
  await run;
});

Deno.test("R59: what is no loop is refused", () => {
  for (const value of [undefined, null, {}, "loop"]) {
    assertThrows(() => taskTree(value as unknown as Loop), TypeError, "a loop");
  }
});
