/** Rule R7: a program that can never go on ends with a report. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  CancelScope,
  type Coroutine,
  DeadlockError,
  Loop,
  moveOnAfter,
  Nursery,
  type Operation,
  shield,
  sleep,
  sleepForever,
  suspend,
  type Task,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import {
  inEveryOrder,
  leavesOf,
  leftovers,
  nameOf,
  NOTHING_LEFT,
  rejection,
  World,
} from "../support/world.ts";

inEveryOrder(
  "R7: what nothing can wake is cancelled, and run() rejects with a DeadlockError that lists it",
  async (world) => {
    const { loop, log } = world;
    const task = loop.startSoon(world.sleeper("waiter", Infinity), { name: "waiter" });
    const error = await rejection(loop.run());
    assert(error instanceof DeadlockError);
    assertEquals(error.tasks, [task] as Task[]);
    assertEquals(log, ["0 waiter Cancelled"]);
    assertEquals(task.state, "cancelled");
    assertEquals(error.name, "DeadlockError");
  },
);

inEveryOrder(
  "R7: the report is a tree: each task, what it waits for and since when",
  async ({ loop }) => {
    const error = await rejection(loop.run(function* (): Coroutine {
      yield* Nursery.open(function* (nursery) {
        const a = nursery.startSoon(sleepForever() as Iterable<unknown> as Coroutine, {
          name: "a",
        });
        yield* sleep(1);
        nursery.startSoon(a.join(), { name: "b" });
        nursery.startSoon(
          Nursery.open(function* (inner) {
            inner.startSoon(shield(sleepForever()), { name: "d" });
          }, { name: "pool" }),
          { name: "c" },
        );
        yield* sleep(1.5);
      });
    }()));
    const [title, ...lines] = (error as DeadlockError).message.split("\n");
    assertEquals(title, "Deadlock: 5 tasks are left, and nothing can wake them");
    assertEquals(lines.slice(0, 5).map((line) => line.trimEnd()), [
      "  main: waiting for 3 children, for 0 ms",
      "    a: sleeping forever, for 2.5 s",
      "    b: joining task a, for 1.5 s",
      "    c: waiting for 1 child of pool, for 1.5 s",
      "      d: sleeping forever, shielded, for 1.5 s",
    ]);
    assertMatch(lines.at(-1)!, /Dropped, because cancelling did not reach them: .*d/);
  },
);

inEveryOrder("R7: a cycle of waiting tasks is named", async ({ loop }) => {
  const tasks: Task[] = [];
  for (const i of [0, 1, 2]) {
    tasks.push(loop.startSoon(
      function* (): Coroutine {
        yield* tasks[(i + 1) % 3].join();
      }(),
      { name: "abc"[i] },
    ));
  }
  const error = await rejection(loop.run());
  assertMatch((error as DeadlockError).message, /A cycle: a waits for b waits for c waits for a/);
});

inEveryOrder(
  "R7: no deadlock while a deadline is pending, something outside is awaited, or the loop is held",
  async ({ loop }) => {
    await loop.run(moveOnAfter(1e6, sleepForever()));
    await loop.run(function* (): Coroutine {
      loop.startSoon(suspend<void>((resume) => void setTimeout(resume, 3)), { name: "external" });
      yield* [...loop.tasks].find((task) => task.name === "external")!.join();
    }());
    const hold = loop.hold();
    let wake!: () => void;
    const running = loop.run(Nursery.open(function* (nursery) {
      wake = () => {
        nursery.cancel();
        hold[Symbol.dispose]();
      };
      yield* sleepForever();
    }));
    setTimeout(() => wake(), 3);
    await running;
  },
);

inEveryOrder(
  "R7: cleanup runs when a deadlock is cancelled, and its errors are the cause",
  async ({ loop, log }) => {
    loop.startSoon(function* (): Coroutine {
      try {
        yield* sleepForever();
      } finally {
        yield* shield(sleep(1));
        log.push(`cleaned up at ${loop.now}`);
      }
    }());
    loop.startSoon(function* (): Coroutine {
      try {
        yield* sleepForever();
      } catch {
        throw new RangeError("cleanup broke");
      }
    }());
    const error = await rejection(loop.run());
    assert(error instanceof DeadlockError);
    assertEquals(log, ["cleaned up at 1"]);
    assertEquals(leavesOf(error.cause).map(nameOf), [
      "RangeError: cleanup broke",
    ]);
  },
);

inEveryOrder(
  "R7: a task that still waits, shielded, is dropped and listed; the loop is as new",
  async (world) => {
    const { loop, log } = world;
    const stuck = loop.startSoon(shield(sleepForever()), { name: "stuck" });
    loop.startSoon(sleepForever(), { name: "polite" });
    const error = await rejection(loop.run());
    assertMatch((error as Error).message, /Dropped, because cancelling did not reach them: stuck/);
    assertEquals((error as DeadlockError).tasks.length, 2);
    assertEquals(stuck.state, "failed");
    assertEquals(leftovers(loop), NOTHING_LEFT);
    await loop.run(world.sleeper("again", 1));
    assertEquals(log, ["1 again slept"]);
  },
);

inEveryOrder(
  "R7: dropping joins, starts and nurseries that wait for each other ends, and leaves nothing",
  async ({ loop }) => {
    const error = await rejection(loop.run(shield(Nursery.open(function* (nursery) {
      const tasks: Task[] = [];
      tasks.push(nursery.startSoon(function* (): Coroutine {
        yield* nursery.start(() => tasks[0].join());
      }()));
      nursery.startSoon(tasks[0].join());
      yield* CancelScope.open(() => tasks[0].join() as Operation<unknown> as Coroutine<unknown>);
    }))));
    assert(error instanceof DeadlockError);
    assertEquals(leftovers(loop), NOTHING_LEFT);
  },
);

inEveryOrder(
  "R7: a task that swallows the deadlock's cancel and waits for time is waited for",
  async (world) => {
    const { loop, log } = world;
    loop.startSoon(function* (): Coroutine {
      yield* CancelScope.open(function* () {
        try {
          yield* sleepForever();
          // deno-lint-ignore broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
        } catch {
          // swallowed
        }
      });
      yield* shield(world.sleeper("last words", 2));
    }());
    assert(await rejection(loop.run()) instanceof DeadlockError);
    assertEquals(log, ["2 last words slept"]);
  },
);

Deno.test("R7: a report of thousands of tasks is cut, and stays short", async () => {
  const { loop } = new World();
  for (let i = 0; i < 5000; i++) loop.startSoon(sleepForever());
  const error = await rejection(loop.run()) as DeadlockError;
  assertMatch(error.message, /Deadlock: 5000 tasks are left[^]*\.\.\. and 4940 more/);
  assert(error.message.length < 10_000);
  assertEquals(error.tasks.length, 5000);
});

Deno.test("R7: in debug mode the report says where each task waits", async () => {
  const loop = new Loop({ host: new VirtualClock(), debug: true });
  const error = await rejection(loop.run(function* forgetful(): Coroutine {
    yield* sleepForever();
  }()));
  assertMatch(
    (error as Error).message,
    /main: sleeping forever, for 0 ms\n +at forgetful .*deadlock_report_test\.ts:\d+/,
  );
});

inEveryOrder(
  "R7: the report says since when a child waits to be started",
  async ({ loop }) => {
    const error = await rejection(loop.run(function* (): Coroutine {
      yield* sleep(100);
      yield* Nursery.open(function* (nursery) {
        nursery.startLater(sleep(1), Infinity, { name: "late" });
      });
    }()));
    assertMatch((error as Error).message, /late: waiting to be started, for 0 ms/);
  },
);
