/** Rules R1 to R4, R6, R7 and R28: starting, running, order, misuse, depth. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  abortSignal,
  all,
  call,
  Cancelled,
  CancelScope,
  checkpoint,
  type Coroutine,
  currentLoop,
  DeadlockError,
  ensure,
  type ExecutionOrder,
  findError,
  type HostSession,
  Loop,
  type LoopOptions,
  moveOnAfter,
  Nursery,
  NurseryError,
  type Operation,
  shield,
  sleep,
  sleepForever,
  suspend,
  type Task,
  until,
} from "../mod.ts";
import { VirtualClock } from "../src/testing/mod.ts";
import {
  inEveryOrder,
  leftovers,
  nameOf,
  NOTHING_LEFT,
  rejection,
  World,
} from "./support/world.ts";

// R1

inEveryOrder(
  "R1: a coroutine runs nothing before it is started, and startSoon never runs it at once",
  async ({ loop, log }) => {
    function* child(): Coroutine {
      log.push("child");
    }
    await loop.run(function* (): Coroutine {
      const coroutine = child();
      yield* checkpoint();
      log.push("made");
      loop.startSoon(coroutine);
      log.push("started");
    }());
    assertEquals(log, ["made", "started", "child"]);
  },
);

Deno.test("R1: nothing runs before run(), and run() itself begins later", async () => {
  const { loop, log } = new World();
  loop.startSoon(function* (): Coroutine {
    log.push("ran");
  }());
  await Promise.resolve();
  log.push("before run");
  const running = loop.run();
  log.push("run was called");
  await running;
  assertEquals(log, ["before run", "run was called", "ran"]);
});

// R2

const WRONG: [string, () => unknown, string | RegExp][] = [
  [
    "a function that was not called",
    () => function* main() {},
    "startSoon() was given the function main itself: call it, as in startSoon(main())",
  ],
  [
    "an arrow function without a name",
    () => [() => {}][0],
    "was given the function main itself: call it",
  ],
  [
    "the promise of an async function",
    () => (async () => {})(),
    "startSoon() was given a promise: make the async function a function*, or wrap it, as in startSoon(until(promise))",
  ],
  [
    "an async generator",
    () => (async function* () {})(),
    "startSoon() was given an async generator: make the async function* a function*, with yield* for await",
  ],
  [
    "undefined",
    () => undefined,
    "wants a coroutine, the result of calling a function*, and was given undefined",
  ],
  ["null", () => null, "and was given null"],
  ["a number", () => 42, "and was given 42"],
  ["a string, though it can be iterated", () => "text", 'and was given "text"'],
  ["an array, though it can be iterated", () => [1], "and was given an array"],
  ["an object", () => new Date(0), "and was given an object of class Date"],
];

for (const [name, make, message] of WRONG) {
  Deno.test(`R2: startSoon refuses ${name}, and says what to write instead`, async () => {
    const { loop } = new World();
    const text = String(message);
    assertThrows(() => loop.startSoon(make() as Operation<void>), TypeError, text);
    await loop.run(); // nothing was left behind
    const rest = text.replace("startSoon() ", "");
    await loop.run(Nursery.open(function* (nursery) {
      assertThrows(() => nursery.startSoon(make() as Operation<void>), TypeError, text);
      assertThrows(
        () => nursery.startLater(make() as Operation<void>, 1),
        TypeError,
        rest.replaceAll("startSoon", "startLater"),
      );
      assertEquals([...nursery.children], []);
    }));
    await assertRejects(
      () => loop.run(make() as Operation<void>).then(() => assertEquals(make(), undefined)),
      make() === undefined ? Error : TypeError,
    ).catch((error) => {
      if (make() !== undefined) throw error; // run(undefined) is run()
    });
    assertEquals(leftovers(loop), NOTHING_LEFT);
  });
}

Deno.test("R2: a coroutine is given to a loop once, also to another loop, a nursery, call or a scope", async () => {
  const { loop } = new World();
  function* main(): Coroutine {}
  const coroutine = main();
  loop.startSoon(coroutine);
  const message =
    "given a coroutine that a loop was given already: call the function* again for a fresh one";
  assertThrows(() => loop.startSoon(coroutine), TypeError, message);
  assertThrows(() => new Loop().startSoon(coroutine), TypeError, message);
  await loop.run();
  assertThrows(() => loop.startSoon(coroutine), TypeError, message);
  for (const use of [call(coroutine), moveOnAfter(1, coroutine), shield(coroutine)]) {
    await assertRejects(() => loop.run(use), TypeError, message);
  }
});

Deno.test("R2: that holds for functions written in place, and however many others came between", () => {
  const loop = new Loop();
  const functions = Array.from({ length: 40 }, () => function* (): Coroutine {});
  const message = "a coroutine that a loop was given already";
  // Each function is unfamiliar at first, then familiar, and unfamiliar again after many others.
  for (const visits of [1, 2, 2, 1]) {
    for (const make of functions) {
      for (let visit = 0; visit < visits; visit++) {
        const [first, second] = [make(), make()];
        loop.startSoon(first);
        assertThrows(() => loop.startSoon(first), TypeError, message);
        loop.startSoon(second);
        for (const other of functions.slice(0, 20)) loop.startSoon(other());
        assertThrows(() => loop.startSoon(first), TypeError, message);
        assertThrows(() => loop.startSoon(second), TypeError, message);
        loop.startSoon(make());
        assertThrows(() => loop.startSoon(first), TypeError, message);
        assertThrows(() => loop.startSoon(second), TypeError, message);
      }
    }
  }
});

Deno.test("R2: that holds for the first coroutine of a function and for all others, also where prototypes are frozen", () => {
  const loop = new Loop();
  const message = "a coroutine that a loop was given already";
  const noObject = function* (): Coroutine {};
  (noObject as { prototype: unknown }).prototype = null;
  const shared = function* (): Coroutine {};
  const sharing = function* (): Coroutine {};
  (sharing as { prototype: unknown }).prototype = shared.prototype;
  const sealed = function* (): Coroutine {};
  const frozen = function* (): Coroutine {};
  Object.freeze(frozen.prototype);
  for (const make of [function* (): Coroutine {}, noObject, shared, sharing, sealed, frozen]) {
    const given: Coroutine[] = [];
    for (let count = 0; count < 4; count++) {
      if (make === shared && count === 2) Object.freeze(shared.prototype);
      if (make === sealed && count === 1) Object.preventExtensions(given[0]);
      const coroutine = make();
      given.push(coroutine);
      loop.startSoon(coroutine);
      for (const each of given) assertThrows(() => loop.startSoon(each), TypeError, message);
    }
  }
});

Deno.test("R2: an operation is used once; using it again is a TypeError that says so", async () => {
  const { loop } = new World();
  for (
    const make of [() => sleep(1), () => until(Promise.resolve()), () => Nursery.open(sleep(0))]
  ) {
    const operation: Operation<unknown> = make();
    const error = await rejection(loop.run(function* (): Coroutine {
      yield* operation;
      yield* operation;
    }()));
    assert(findError(error, TypeError) instanceof TypeError);
    assertMatch((error as Error).message, /was used already: make a new one for each yield\*/);
  }
  const twice = checkpoint(); // carries no state
  await loop.run(function* (): Coroutine {
    yield* twice;
    yield* twice;
  }());
});

Deno.test("R2: an operation that a loop was given is used by then: neither given again, nor by yield*", async () => {
  const { loop } = new World();
  const given = sleep(1);
  const task = loop.startSoon(given);
  assertThrows(() => loop.startSoon(given), TypeError, "was used already");
  const error = await rejection(loop.run(function* (): Coroutine {
    yield* given;
  }()));
  assert(error instanceof TypeError);
  assertEquals(task.state, "cancelled"); // by the failure of main, and not ended before it had slept
  const both = sleep(1);
  assertMatch(String(await rejection(loop.run(all([both, both])))), /was used already/);
});

Deno.test("R2: checkpoint(), which carries no state, can be given to loops, scopes and calls again and again", async () => {
  const { loop } = new World();
  for (let i = 0; i < 2; i++) {
    loop.startSoon(checkpoint());
    await loop.run(function* (): Coroutine {
      yield* call(checkpoint());
      yield* moveOnAfter(1, checkpoint());
      yield* all([checkpoint(), checkpoint()]);
    }());
  }
});

const YIELDED: [string, () => unknown, string][] = [
  ["a promise", () => Promise.resolve(1), "Yielded a promise: use yield* until(promise)"],
  ["a coroutine", () => (function* () {})(), "Yielded a coroutine: use yield* instead of yield"],
  [
    "an operation",
    () => sleep(1),
    "Yielded an operation (sleeping for 1 s): write yield* instead of yield",
  ],
  ["checkpoint()", () => checkpoint(), "use yield* instead of yield"],
  ["nothing", () => undefined, "A bare yield does nothing here: use yield* checkpoint()"],
  [
    "a number",
    () => 7,
    "Yielded 7: a coroutine waits with yield* and an operation, as in yield* sleep(1)",
  ],
  ["null", () => null, "Yielded null: a coroutine waits with yield*"],
];

for (const [name, make, message] of YIELDED) {
  inEveryOrder(
    `R2: yielding ${name} throws a TypeError at that yield, which can be caught there`,
    async ({ loop, log }) => {
      await loop.run(function* (): Coroutine {
        try {
          // deno-lint-ignore broomio/yield-star -- what is refused is tested here
          yield make() as never;
          log.push("went on");
        } catch (error) {
          assert(error instanceof TypeError);
          assert(error.message.includes(message), error.message);
          log.push("caught");
        }
        yield* sleep(1);
        log.push("fine");
      }());
      assertEquals(log, ["caught", "fine"]);
    },
  );
}

inEveryOrder(
  "R2: a missing yield* on a nested coroutine: it can be told from its yield*, and never runs by itself",
  async ({ loop, log }) => {
    function* nested(): Coroutine<string> {
      log.push("nested ran");
      return "value";
    }
    await loop.run(function* (): Coroutine {
      // deno-lint-ignore broomio/no-floating-operation -- what it does, or refuses, without being yielded is tested here
      nested(); // forgotten: nothing runs
      yield* checkpoint();
      log.push(yield* nested());
    }());
    assertEquals(log, ["nested ran", "value"]);
  },
);

inEveryOrder(
  "R2: an operation of the user's own, any object with an iterator, is as good as a coroutine",
  async ({ loop }) => {
    const twice: Operation<number> = {
      *[Symbol.iterator]() {
        yield* sleep(1);
        return loop.now;
      },
    };
    assertEquals(await loop.run(twice), 1);
    assertEquals(await loop.run(twice), 2); // it makes a new coroutine each time
    assertEquals(await loop.run(all([twice, twice])), [3, 3]);
  },
);

// R3

Deno.test("R3: with nothing to do run() resolves at once, and can be called again", async () => {
  const { loop } = new World();
  assertEquals(await loop.run(), undefined);
  assertEquals(await loop.run(), undefined);
  loop.startSoon(sleep(1));
  await loop.run();
  assertEquals(loop.now, 1);
  await loop.run();
});

inEveryOrder("R3: run(main) gives main's value once everything has ended", async (world) => {
  const { loop, log } = world;
  const value = await loop.run(function* (): Coroutine<string> {
    loop.startSoon(world.sleeper("other", 3));
    yield* sleep(1);
    world.note("main ends");
    return "value";
  }());
  log.push(value);
  assertEquals(log, ["1 main ends", "3 other slept", "value"]);
});

inEveryOrder(
  "R3: one failing root task cancels the others, and run() rejects with its very error",
  async (world) => {
    const { loop, log } = world;
    loop.startSoon(world.sleeper("other", 9));
    loop.startSoon(world.failing("boom", 1));
    const error = await rejection(loop.run());
    assertEquals(log, ["1 boom fails", "1 other Cancelled"]);
    assertEquals(nameOf(error), "Error: boom");
    log.length = 0;
    await loop.run(world.sleeper("again", 1));
    assertEquals(log, ["2 again slept"]);
  },
);

inEveryOrder(
  "R3: run(main) rejects with the error of main, or of another task, and with a NurseryError of several",
  async (world) => {
    const { loop } = world;
    const own = await rejection(loop.run(world.failing("main", 1)));
    assertEquals(nameOf(own), "Error: main");
    const others = await rejection(loop.run(function* (): Coroutine<string> {
      loop.startSoon(world.failing("other", 2));
      return "value";
    }()));
    assertEquals(nameOf(others), "Error: other");
    loop.startSoon(world.failing("a", 1), { name: "a" });
    loop.startSoon(
      function* (): Coroutine {
        try {
          yield* sleep(5);
        } catch {
          throw new Error("b");
        }
      }(),
      { name: "b" },
    );
    const both = await rejection(loop.run());
    assert(both instanceof NurseryError);
    assertEquals(both.flatten().map(nameOf), ["Error: a", "Error: b"]);
    assertEquals(both.tasks.map((task) => task.name), ["a", "b"]);
  },
);

inEveryOrder(
  "R3: run(main) rejects with Cancelled where main was cancelled before it had a value",
  async ({ loop }) => {
    const running = loop.run(function* (): Coroutine {
      loop.cancel("stop it");
      yield* sleep(1);
    }());
    const error = await rejection(running);
    assert(error instanceof Cancelled);
    assertEquals(error.reason, "stop it");
  },
);

inEveryOrder(
  "R3: loop.cancel cancels every task, and run() resolves; the loop runs again afterwards",
  async (world) => {
    const { loop, log } = world;
    loop.startSoon(world.sleeper("a", 9));
    loop.startSoon(Nursery.open(function* (nursery) {
      nursery.startSoon(world.sleeper("b", 9));
    }));
    loop.startSoon(function* (): Coroutine {
      yield* sleep(1);
      loop.cancel();
    }());
    await loop.run();
    assertEquals(log.sort(), ["1 a Cancelled", "1 b Cancelled"]);
    loop.startSoon(world.sleeper("c", 1));
    await loop.run();
    assertEquals(log.at(-1), "2 c slept");
  },
);

Deno.test("R3: run() while it runs is an error, also from a coroutine, and does not disturb the run", async () => {
  const { loop } = new World();
  const running = loop.run(function* (): Coroutine<string> {
    yield* sleep(1);
    const error = yield* until(rejection(loop.run()));
    return (error as Error).message;
  }());
  await assertRejects(() => loop.run(), Error, "running already: start more with startSoon()");
  assertMatch(await running, /running already/);
});

Deno.test("R3: two loops run side by side, and one may run inside a task of the other", async () => {
  const outer = new World();
  const inner = new World();
  await Promise.all([
    outer.loop.run(function* (): Coroutine {
      yield* until(inner.loop.run(inner.sleeper("inner", 5)));
      yield* outer.sleeper("outer", 1);
    }()),
    new World().loop.run(sleep(3)),
  ]);
  assertEquals([...inner.log, ...outer.log], ["5 inner slept", "1 outer slept"]);
});

Deno.test("R3: an option without a valid value is a RangeError or TypeError", () => {
  assertThrows(() => new Loop({ seed: 1.5 }), RangeError, "Expected an integer");
  assertThrows(
    () => new Loop({ sead: 1 } as LoopOptions),
    TypeError,
    'nearest known one is "seed"',
  );
  for (
    const wrong of [
      { debug: 1 },
      { onWarning: 5 },
      { instruments: 5 },
      { instruments: [null] },
      { asyncContext: "yes" },
    ]
  ) assertThrows(() => new Loop(wrong as unknown as LoopOptions), TypeError, "Expected");
  assertThrows(
    () => new Loop({ executionOrder: "filo" as ExecutionOrder }),
    RangeError,
    'executionOrder is "fifo", "lifo" or "random", not "filo"',
  );
  assertThrows(
    () => new Loop({ host: new VirtualClock(), asyncContext: true }),
    TypeError,
    "this host has no async context",
  );
});

// R4

async function orderOf(executionOrder: ExecutionOrder, seed: number): Promise<string> {
  const { loop, log } = new World({ executionOrder, seed });
  for (const name of "abcdefgh") {
    loop.startSoon(function* (): Coroutine {
      log.push(name);
      yield* checkpoint();
      log.push(name.toUpperCase());
    }());
  }
  await loop.run();
  return log.join("");
}

Deno.test("R4: the orders differ, and the same seed gives the same one", async () => {
  assertEquals(await orderOf("fifo", 0), "abcdefghABCDEFGH");
  assertEquals(await orderOf("lifo", 0), "hgfedcbaABCDEFGH");
  const shuffled = await orderOf("random", 1);
  assertEquals(await orderOf("random", 1), shuffled);
  const others = new Set(await Promise.all([2, 3, 4, 5].map((seed) => orderOf("random", seed))));
  assert(others.size === 4 && !others.has(shuffled));
});

Deno.test("R4: the seed is readable, one is drawn where none is given, and it is printed with failures", async () => {
  assertEquals(new Loop({ seed: 77 }).seed, 77);
  assert(new Set([1, 2, 3, 4].map(() => new Loop().seed)).size > 1);
  for (const fail of [new World().failing("boom"), sleepForever()]) {
    const { loop } = new World({ executionOrder: "random", seed: 77 });
    const error = await rejection(loop.run(fail)) as Error;
    assertMatch(error.message + error.stack, /executionOrder "random", seed 77/);
    const { loop: fifo } = new World({ seed: 77 });
    const plain = await rejection(fifo.run(sleepForever()));
    assert(!(plain as Error).message.includes("seed"));
  }
});

inEveryOrder(
  "R4: every order is fair: while a task is ready, no other runs more than twice before it",
  async ({ loop }) => {
    const runs: string[] = [];
    for (const name of "abcde") {
      loop.startSoon(function* (): Coroutine {
        for (let i = 0; i < 50; i++) {
          runs.push(name);
          yield* checkpoint();
        }
      }());
    }
    await loop.run();
    for (const name of "abcde") {
      let since: Record<string, number> = {};
      let seen = 0;
      for (const run of runs) {
        if (run === name) {
          since = {};
          seen++;
        } else if (seen < 50) {
          since[run] = (since[run] ?? 0) + 1;
          assert(since[run] <= 2, `${run} ran ${since[run]} times before ${name}`);
        }
      }
    }
  },
);

// R6

inEveryOrder(
  "R6: startSoon works from host callbacks while the loop runs, waiting or busy",
  async (world) => {
    const { loop, log } = world;
    let stop = false;
    loop.startSoon(function* (): Coroutine {
      // deno-lint-ignore broomio/no-busy-wait -- nothing tells when it changes
      while (!stop) yield* checkpoint();
    }());
    setTimeout(() => {
      loop.startSoon(world.sleeper("while busy", 0));
      stop = true;
    }, 1);
    await loop.run();
    loop.startSoon(function* (): Coroutine {
      yield* suspend<void>((resume) => void setTimeout(resume, 5));
    }());
    setTimeout(() => loop.startSoon(world.sleeper("while waiting", 0)), 1);
    await loop.run();
    assertEquals(log, ["0 while busy slept", "0 while waiting slept"]);
  },
);

inEveryOrder(
  "R5: where time stands still too, a task that is always ready does not keep promises and timers away",
  async ({ loop }) => {
    let turns = 0;
    let done = false;
    setTimeout(() => done = true, 5);
    await loop.run(function* (): Coroutine {
      for (; !done; turns++) yield* checkpoint();
    }());
    assert(turns > 0);
  },
);

Deno.test("R6: hold() keeps a loop without tasks that can run from being called deadlocked; disposing twice is disposing once", async () => {
  const { loop } = new World();
  loop.startSoon(sleepForever());
  const [a, b] = [loop.hold(), loop.hold()];
  const running = loop.run();
  let settled = false;
  running.catch(() => settled = true);
  a[Symbol.dispose]();
  a[Symbol.dispose]();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert(!settled);
  b[Symbol.dispose]();
  await assertRejects(() => running, DeadlockError);
  assertEquals(leftovers(loop), NOTHING_LEFT);
});

// Tasks of the loop, instruments

inEveryOrder(
  "R3: loop.tasks lists the tasks that have not ended, parents before their children",
  async ({ loop }) => {
    const names = () => [...loop.tasks].map((task) => task.name);
    loop.startSoon(sleep(2), { name: "root" });
    await loop.run(function* (): Coroutine {
      assertEquals(yield* currentLoop(), loop);
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(sleep(3), { name: "child" });
        yield* sleep(1);
        assertEquals(names(), ["root", "main", "child"]);
      });
      assertEquals(names(), ["main"]);
    }());
    assertEquals(names(), []);
  },
);

inEveryOrder("instruments see each task start, step and end", async () => {
  const seen: string[] = [];
  const note = (what: string) => (task: Task) =>
    void seen.push(`${what} ${task.name} ${task.state}`);
  const loop = new Loop({
    host: new VirtualClock(),
    instruments: [{
      taskStarted: note("start"),
      beforeStep: note("before"),
      afterStep: note("after"),
      taskEnded: note("end"),
    }],
  });
  loop.startSoon(sleep(1), { name: "a" });
  await loop.run();
  assertEquals(seen, [
    "start a ready",
    "before a ready",
    "after a waiting",
    "before a ready",
    "end a succeeded",
    "after a succeeded",
  ]);
});

for (const event of ["taskStarted", "taskEnded", "beforeStep", "afterStep"] as const) {
  Deno.test(`R33b: an instrument that throws in ${event} is dropped with a warning, and harms nobody`, async () => {
    let calls = 0;
    const broken = {
      [event]() {
        calls++;
        throw new Error("broken instrument");
      },
    };
    const seen: string[] = [];
    const other = { taskEnded: (task: Task) => seen.push(task.name) };
    const world = new World({ instruments: [broken, other] });
    const { loop, log, warnings } = world;
    loop.startSoon(world.sleeper("a", 1), { name: "a" });
    loop.startSoon(world.sleeper("b", 2), { name: "b" });
    await loop.run();
    assertEquals(log, ["1 a slept", "2 b slept"]);
    assertEquals(seen, ["a", "b"]);
    assertEquals(calls, 1);
    assertEquals(warnings.length, 1);
    assertMatch(
      warnings[0].message,
      new RegExp(`failed in ${event} and is dropped: Error: broken`),
    );
    assertEquals(leftovers(loop), NOTHING_LEFT);
  });
}

Deno.test("R33b: a host whose clock fails ends the run with its error, after the cleanup of all tasks", async () => {
  let broken = false;
  class Clock extends VirtualClock {
    override now(): number {
      if (broken) throw new Error("broken clock");
      return super.now();
    }
  }
  const log: string[] = [];
  const loop = new Loop({ host: new Clock({ autojump: "always" }) });
  let undone = 0;
  let signal: AbortSignal | undefined;
  let left: Nursery | undefined;
  loop.startSoon(suspend(() => () => undone++));
  loop.startSoon(function* (): Coroutine {
    try {
      yield* sleep(5);
    } finally {
      log.push("cleanup");
      // deno-lint-ignore broomio/no-unshielded-cleanup -- what a cancel does there is tested here
      yield* checkpoint();
    }
  }());
  loop.startSoon(moveOnAfter(1000, function* () {
    signal = yield* abortSignal();
    yield* Nursery.open(function* (nursery) {
      left = nursery;
      yield* shield(sleepForever());
    });
  }));
  loop.startSoon(function* (): Coroutine {
    yield* sleep(1);
    broken = true;
  }());
  await assertRejects(() => loop.run(), Error, "broken clock");
  broken = false;
  assertEquals(log, ["cleanup"]);
  assertEquals(undone, 1);
  assertEquals(leftovers(loop), NOTHING_LEFT);
  assert(signal!.aborted);
  assert(left!.closed);
  await loop.run(sleep(1));
});

Deno.test("R33b: a host that cannot begin a run rejects it, and the loop can run with its tasks gone", async () => {
  let broken = true;
  class Clock extends VirtualClock {
    override attach(turn: () => void): HostSession {
      if (broken) throw new Error("no host");
      return super.attach(turn);
    }
  }
  const loop = new Loop({ host: new Clock() });
  await assertRejects(() => loop.run(sleep(1)), Error, "no host");
  broken = false;
  await loop.run(sleep(1));
  assertEquals(loop.now, 1);
});

Deno.test("R33b: a clock that gives NaN is an error, and not a loop that never ends", async () => {
  class Clock extends VirtualClock {
    override now(): number {
      return NaN;
    }
  }
  const loop = new Loop({ host: new Clock() });
  await assertRejects(() => loop.run(sleep(1)), RangeError, "clock gave NaN");
});

Deno.test("R3: a task that is started after a run, in a loop that does not run again, is warned of", async () => {
  const reminders = new Set<() => void>();
  class Clock extends VirtualClock {
    remind(callback: () => void, seconds: number): () => void {
      assertEquals(seconds, 1);
      reminders.add(callback);
      return () => reminders.delete(callback);
    }
  }
  const warnings: string[] = [];
  const loop = new Loop({ host: new Clock(), onWarning: ({ message }) => warnings.push(message) });
  loop.startSoon(sleep(1));
  assertEquals(reminders.size, 0); // before the first run all is as it should be
  await loop.run();
  loop.startSoon(sleep(1), { name: "early" });
  loop.startSoon(sleep(1));
  assertEquals(reminders.size, 1);
  await loop.run();
  assertEquals(reminders.size, 0);
  loop.startSoon(sleep(1), { name: "late" });
  for (const remind of reminders) remind();
  assertMatch(warnings.join(), /^Task late was started in a loop whose run is over.*Portal$/);
  await loop.run();
});

Deno.test("what onWarning throws is printed with the warning, and no task is lost by it", async () => {
  const printed: string[] = [];
  class Clock extends VirtualClock {
    override warn(message: string): void {
      printed.push(message.split(".")[0]);
    }
  }
  const loop = new Loop({
    host: new Clock(),
    onWarning() {
      throw new Error("broken reporter");
    },
  });
  await loop.run(Nursery.open(function* (nursery) {
    let inner!: CancelScope;
    nursery.startSoon(function* (): Coroutine {
      yield* CancelScope.open(function* (scope) {
        inner = scope;
        try {
          yield* sleepForever();
        } catch {
          // swallowed
        }
        scope.shield = true;
        yield* sleepForever();
      });
    }());
    yield* sleep(1);
    nursery.cancel();
    yield* shield(sleep(1));
    inner.shield = false; // delivers, and warns
  }));
  assertEquals(printed, [
    "broomio: Task #2 was cancelled, and waits again before it has left the cancelled scope",
    "broomio: onWarning failed: Error: broken reporter",
  ]);
});

// R28

function* nested(depth: number, bottom: () => Coroutine): Coroutine {
  yield* Nursery.open(() => depth === 0 ? bottom() : nested(depth - 1, bottom));
}

function* nestedTasks(depth: number, bottom: () => Coroutine): Coroutine {
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(depth === 0 ? bottom() : nestedTasks(depth - 1, bottom));
  });
}

for (const [name, nest] of Object.entries({ "in one task": nested, "across tasks": nestedTasks })) {
  Deno.test(`R28: 10,000 nested nurseries ${name}: run, fail, be cancelled, deadlock`, async () => {
    const { loop } = new World();
    await loop.run(nest(10_000, () => sleep(1) as Operation<void> as Coroutine));
    const error = await rejection(loop.run(nest(10_000, function* () {
      yield* sleep(1);
      throw new RangeError("deep");
    })));
    assert(error instanceof NurseryError);
    assertEquals(error.flatten().map(nameOf), ["RangeError: deep"]);
    assertEquals(error.find(RangeError)?.message, "deep");
    assert(error.message.length < 400);
    let cleaned = false;
    await loop.run(moveOnAfter(
      1,
      nest(10_000, function* () {
        try {
          yield* sleepForever();
        } finally {
          cleaned = true;
        }
      }),
    ));
    assert(cleaned);
    const deadlock = await rejection(
      loop.run(nest(10_000, () => sleepForever() as Operation<void> as Coroutine)),
    );
    assert(deadlock instanceof DeadlockError);
    assert(deadlock.message.length < 20_000);
    assertEquals(leftovers(loop), NOTHING_LEFT);
  });
}

Deno.test("R28: call a million deep: returns, fails, is cancelled, cleans up", async () => {
  const { loop } = new World();
  let finallys = 0;
  function* down(depth: number, bottom: () => Operation<unknown>): Coroutine<number> {
    if (depth === 0) {
      yield* bottom();
      return 0;
    }
    try {
      return 1 + (yield* call(down(depth - 1, bottom)));
    } finally {
      finallys++;
    }
  }
  assertEquals(await loop.run(down(1_000_000, () => sleep(1))), 1_000_000);
  const depth = 200_000;
  const error = await rejection(loop.run(down(depth, function* () {
    throw new RangeError("deep");
  })));
  assertEquals(nameOf(error), "RangeError: deep");
  await loop.run(moveOnAfter(1, () => down(depth, sleepForever)));
  assertEquals(finallys, 1_000_000 + 2 * depth);
});

Deno.test("R28: a nursery of a million children runs, and is cancelled", async () => {
  const { loop } = new World();
  let ended = 0;
  function* child(): Coroutine {
    try {
      yield* sleep(1);
    } finally {
      ended++;
    }
  }
  for (const [count, cancel] of [[1_000_000, false], [200_000, true]] as const) {
    await loop.run(Nursery.open(function* (nursery) {
      for (let i = 0; i < count; i++) nursery.startSoon(child());
      yield* sleep(0.5);
      if (cancel) nursery.cancel();
    }));
  }
  assertEquals(ended, 1_200_000);
});

Deno.test("R28: the work grows with the size alone: steps for one nursery, call and cancel more", async () => {
  async function steps(count: number): Promise<number[]> {
    const results: number[] = [];
    let taken = 0;
    const loop = new Loop({
      host: new VirtualClock(),
      instruments: [{ beforeStep: () => void taken++ }],
    });
    function* down(depth: number): Coroutine {
      if (depth > 0) yield* call(down(depth - 1));
      else yield* sleepForever();
    }
    for (
      const main of [
        moveOnAfter(1, nestedTasks(count, () => sleepForever() as Operation<void> as Coroutine)),
        moveOnAfter(1, down(count)),
        Nursery.open(function* (nursery) {
          for (let i = 0; i < count; i++) nursery.startSoon(sleep(i % 7));
        }),
        Nursery.open(function* (nursery) {
          for (let i = 0; i < count; i++) nursery.startSoon(sleepForever());
          yield* sleep(1);
          for (const child of nursery.children) child.cancel();
        }),
      ] as Operation<unknown>[]
    ) {
      taken = 0;
      await loop.run(main);
      results.push(taken);
    }
    return results;
  }
  const [small, large] = [await steps(1_000), await steps(10_000)];
  for (const [i, count] of large.entries()) {
    assert(count <= small[i] * 10 + 10, `${small[i]} steps for 1,000, ${count} for 10,000`);
  }
});

Deno.test("R28: cancelling each of many nested scopes, inside out and outside in, visits each once", async () => {
  const { loop } = new World();
  for (const order of ["inside out", "outside in"]) {
    const scopes: CancelScope[] = [];
    const open = function* (depth: number): Coroutine {
      yield* CancelScope.open((scope) => {
        scopes.push(scope);
        return depth === 0 ? sleepForever() as Operation<void> as Coroutine : open(depth - 1);
      });
    };
    loop.startSoon(open(20_000));
    await loop.run(function* (): Coroutine {
      // deno-lint-ignore broomio/no-busy-wait -- nothing tells when it changes
      while (scopes.length <= 20_000) yield* checkpoint(); // opening gives way now and then (R5)
      if (order === "inside out") scopes.reverse();
      for (const scope of scopes) scope.cancel();
    }());
    assert(scopes.every((scope) => scope.cancelCalled));
  }
});

Deno.test("R28: ten thousand cleanups of one scope run without nesting", async () => {
  const { loop } = new World();
  let ran = 0;
  await loop.run(function* (): Coroutine {
    for (let i = 0; i < 10_000; i++) yield* ensure(() => void ran++);
  }());
  assertEquals(ran, 10_000);
});

inEveryOrder(
  "R3: loop.cancel where there is no task is nothing: the next run is not cancelled",
  async ({ loop }) => {
    loop.cancel("nobody");
    assertEquals(await loop.run(sleep(1)), undefined);
    assertEquals(loop.now, 1);
  },
);

Deno.test("R2: what is called need not be a generator: each coroutine is resumed in its own way", async () => {
  const log: string[] = [];
  /** An iterator of another kind around a coroutine. */
  const foreign = (inner: Coroutine): Operation<void> => {
    const iterator = { next: (sent: unknown) => inner.next(sent) };
    return { [Symbol.iterator]: () => iterator };
  };
  function* nested(depth: number): Coroutine {
    for (const part of ["before", "after"]) {
      yield* checkpoint(); // by now the loop has recognized the iterator
      // deno-lint-ignore broomio/no-sleep-zero -- not a checkpoint: a sleep, of no length
      yield* sleep(0);
      log.push(`${depth} ${part}`);
      if (part === "before" && depth > 0) {
        const inner = nested(depth - 1);
        yield* call(depth % 2 === 0 ? foreign(inner) : inner);
      }
    }
  }
  await new Loop().run(nested(4));
  const before = [4, 3, 2, 1, 0].map((depth) => `${depth} before`);
  assertEquals(log, [
    ...before,
    ...before.map((line) => line.replace("before", "after")).reverse(),
  ]);
});
