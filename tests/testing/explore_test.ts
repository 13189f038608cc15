/** explore and replay: what they find, what they say of it, and that it is the same each time. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  all,
  checkpoint,
  type Coroutine,
  currentLoop,
  Event,
  Lock,
  moveOnAfter,
  Nursery,
  Semaphore,
  sleep,
  until,
} from "../../mod.ts";
import {
  ExplorationError,
  explore,
  type ExploreOptions,
  LeakError,
  memoryStreamPair,
  NeverReachedError,
  NondeterminismError,
  OutsideError,
  type Program,
  replay,
  sometimes,
  StepLimitError,
  type StrategyName,
} from "../../src/testing/mod.ts";
import { rejection } from "../support/world.ts";

/** Three tasks that each add 1, of which some is lost where two of them overlap. */
const lostUpdate: Program = () => {
  let sum = 0;
  function* add(): Coroutine {
    const before = sum;
    yield* checkpoint();
    sum = before + 1;
  }
  return {
    main: all([add(), add(), add()]),
    check() {
      if (sum !== 3) throw new Error(`the sum is ${sum}`);
    },
  };
};

/** Two tasks that only run. */
const walkers = (steps: number): Program => () => {
  function* walk(): Coroutine {
    for (let i = 0; i < steps; i++) yield* checkpoint();
  }
  return Nursery.open(function* (nursery) {
    nursery.startSoon(walk());
    nursery.startSoon(walk());
  });
};

async function failureOf(program: Program, options?: ExploreOptions): Promise<ExplorationError> {
  const error = await rejection(explore(program, options));
  assert(error instanceof ExplorationError, String(error));
  return error;
}

Deno.test("R53: a failure tells the error, the interleaving, the seed, and a replay to paste", async () => {
  const error = await failureOf(lostUpdate);
  const [first] = error.message.split("\n");
  assertMatch(first, /^Schedule 1 fails \(mixed \(fifo\).*\): Error: the sum is \d$/);
  assertMatch(error.message, /\n {2}step {2}main +all 0 +all 1 +all 2\n/);
  assertMatch(error.message, /in explore_test\.ts\n[^]* :\d+ ready/);
  assertStringIncludes(error.message, `replay(program, ${JSON.stringify(error.schedule)})`);
  assertStringIncludes(error.message, "seed 0");
  assertMatch(String((error.cause as Error).stack), /at .*check .*explore_test\.ts/);
});

Deno.test("R53: what was found with many preemptions is shrunk to few", async () => {
  for (const strategy of ["random", "urw", "pos", "pct"] as const) {
    const error = await failureOf(lostUpdate, { strategy, seed: 7 });
    assertEquals(error.preemptions, 1, `${strategy}: ${error.message}`);
  }
});

Deno.test("R53: what needs more than two preemptions is taken apart until no part can go", async () => {
  const program: Program = () => {
    let order = "";
    function* walk(name: string): Coroutine {
      for (let i = 0; i < 8; i++) {
        order += name;
        yield* checkpoint();
      }
    }
    return {
      main: all([walk("a"), walk("b")]),
      check() {
        if (/ababab|bababa/.test(order)) throw new Error("to and fro");
      },
    };
  };
  const error = await failureOf(program, { strategy: "random", seed: 3, schedules: 20_000 });
  const [, before, after] = error.message.match(/shrunk from (\d+) preemptions to (\d)\)/) ?? [];
  assert(Number(before) > 6, error.message);
  assert(Number(after) <= 6, error.message); // 5 are needed at least; no single one can go
});

Deno.test("R53: a replay fails as the exploration did, with the same log, each time", async () => {
  const found = await failureOf(lostUpdate, { strategy: "random", seed: 3 });
  for (let i = 0; i < 3; i++) {
    const again = await rejection(replay(lostUpdate, found.schedule));
    assert(again instanceof ExplorationError);
    assertEquals(again.table, found.table);
    assertEquals(String(again.cause), String(found.cause));
  }
  await replay(lostUpdate, ""); // whoever ran last goes on: nobody overlaps
});

Deno.test("R53: the same seed finds the same schedule, another seed may find another", async () => {
  const schedules = new Set<string>();
  for (let seed = 0; seed < 5; seed++) {
    const strategy = "random";
    const { schedule, run } = await failureOf(lostUpdate, { strategy, seed });
    const again = await failureOf(lostUpdate, { strategy, seed });
    assertEquals([again.schedule, again.run], [schedule, run]);
    schedules.add(schedule);
  }
  assert(schedules.size >= 1);
});

Deno.test("R53: a deadlock is a failure, and the table ends where nobody can go on", async () => {
  const error = await failureOf(() => {
    const [a, b] = [new Lock({ name: "a" }), new Lock({ name: "b" })];
    function* both(first: Lock, second: Lock): Coroutine {
      yield* first.with(function* () {
        yield* checkpoint();
        yield* second.with(checkpoint());
      });
    }
    return all([both(a, b), both(b, a)]);
  });
  assertStringIncludes(error.message, "DeadlockError: Deadlock");
  assertMatch(error.table, /acquiring lock "b"|acquiring lock b/);
});

Deno.test("R53: a program that keeps state from run to run is called not deterministic, and where", async () => {
  let runs = 0;
  const error = await rejection(explore(() => {
    const odd = runs++ % 2 === 1;
    return all([
      function* (): Coroutine {
        if (odd) yield* checkpoint();
        yield* checkpoint();
      }(),
      checkpoint(),
    ]);
  }));
  assert(error instanceof NondeterminismError, String(error));
  assertMatch(error.message, /with the same choices, at step \d+ .* in one run, and .* in another/);
});

Deno.test("R53: random numbers and the time are part of the schedule, and are put back", async () => {
  const seen = new Set<string>();
  const real = [Math.random, Date, performance.now];
  await explore(function () {
    function* main(): Coroutine {
      yield* sleep(1.5);
      seen.add(JSON.stringify([Math.random(), Date.now(), new Date(), performance.now()]));
      assert(new Date() instanceof Date);
    }
    return main();
  }, { schedules: 50, strategy: "random" });
  assertEquals(seen.size, 1);
  const [, now, date, milliseconds] = JSON.parse([...seen][0]);
  assertEquals(date, "2020-01-01T00:00:01.500Z");
  assertEquals(now, Date.parse(date));
  assertEquals(milliseconds, 1500);
  assertEquals([Math.random, Date, performance.now], real);
});

Deno.test("R53: timers, waits for something outside and holds that are left behind are a failure", async () => {
  const error = await failureOf(() =>
    function* (): Coroutine {
      const loop = yield* currentLoop();
      loop.hold();
    }()
  );
  assert(error.cause instanceof LeakError, String(error.cause));
  assertMatch(error.message, /had ended: a wait for something outside, or a hold of the loop/);
});

Deno.test("R53: locks that a task owned when it ended, and streams left open, are a failure", async () => {
  const lock = await failureOf(() => {
    const db = new Lock({ name: "db" });
    return Nursery.open(function* (nursery) {
      nursery.startSoon(db.acquire(), { name: "careless" });
    });
  });
  assert(lock.cause instanceof LeakError, String(lock.cause));
  assertEquals(lock.cause.left, ['lock "db", which careless owned when it ended']);

  const careful: Program = () =>
    function* (): Coroutine {
      const [here, there] = memoryStreamPair();
      yield* checkpoint();
      here.close();
      there.close();
    }();
  await explore(careful, { schedules: 50 });
  const stream = await failureOf(careful, { schedules: 50, cancel: "main" });
  assertMatch(String(stream.cause), /LeakError: .* an open stream to memory:\d+, an open stream/);
});

Deno.test("R53: a program that does not end is stopped, and not shrunk", async () => {
  const error = await failureOf(() =>
    function* (): Coroutine {
      for (;;) yield* checkpoint();
    }(), { maxSteps: 500 });
  assert(error.cause instanceof StepLimitError);
  assertMatch(error.message, /\d+ times: /);
});

Deno.test("R53: whatever is thrown is told", async () => {
  for (const thrown of [null, undefined, Object.create(null), 5, Symbol("s")]) {
    const error = await failureOf(() => ({
      main: checkpoint(),
      check() {
        throw thrown;
      },
    }));
    assertMatch(error.message, /was thrown/);
  }
});

Deno.test("a program that awaits something outside is explored too, more slowly", async () => {
  const { schedules, complete } = await explore(
    () =>
      all([
        until(Promise.resolve(1)),
        until(new Promise((resolve) => setTimeout(resolve, 1))),
        checkpoint(),
      ]),
    { schedules: 20 },
  );
  assert(complete || schedules === 20);
  assert(schedules >= 3);
});

Deno.test("R53: something outside that never comes is a failure, after a while", async () => {
  const error = await failureOf(() => until(new Promise(() => {})), { schedules: 1 });
  assert(error.cause instanceof OutsideError, String(error.cause));
});

Deno.test("R54: exhaustive tries every schedule of so many preemptions, and says when it has seen all", async () => {
  const counts = [];
  for (const preemptions of [0, 1, 2, 3]) {
    const found = await explore(walkers(10), {
      strategy: "exhaustive",
      schedules: Infinity,
      preemptions,
    });
    assert(found.complete);
    counts.push(found.schedules);
  }
  // Who goes first is no preemption; after that, each switch away from a task that could go on is.
  assertEquals(counts, [2, 22, 222, 1122]);
  const all = await explore(walkers(3), {
    strategy: "exhaustive",
    schedules: Infinity,
    preemptions: Infinity,
  });
  assert(all.complete);
  assertEquals(all.schedules, 70); // 8 over 4: each walker takes four steps
});

Deno.test("R54: what does not end within its budget is not called complete", async () => {
  for (const strategy of ["mixed", "exhaustive"] as const) {
    const found = await explore(walkers(20), { strategy, schedules: 50 });
    assertEquals([found.complete, found.schedules], [false, 50]);
  }
  const { seconds } = await explore(walkers(20), { schedules: Infinity, seconds: 0.05 });
  assert(seconds < 5);
});

Deno.test("R54: mixed begins with the order of an ordinary loop, then goes on with few preemptions", async () => {
  const orders: string[] = [];
  await explore(() => {
    let order = "";
    function* walk(name: string): Coroutine {
      for (let i = 0; i < 2; i++) {
        order += name;
        yield* checkpoint();
      }
    }
    return { main: all([walk("a"), walk("b")]), check: () => void orders.push(order) };
  }, { schedules: 10 });
  assertEquals(orders.slice(0, 5), ["abab", "abab", "abab", "aabb", "bbaa"]);
});

Deno.test("R54: pct tells n, k and its bound", async () => {
  const { bound } = await explore(walkers(5), { strategy: "pct", schedules: 100, depth: 2 });
  assertMatch(bound!, /^pct: n = 2 tasks, k = \d+ steps, depth 2: .* at least 1 in \d+$/);
});

Deno.test("R54: with `time` deadlines may pass while tasks are ready, without it they do not", async () => {
  const late: Program = () => {
    let done = false;
    return {
      main: moveOnAfter(1, function* () {
        for (let i = 0; i < 3; i++) yield* checkpoint();
        done = true;
      }),
      check() {
        if (!done) throw new Error("too late");
      },
    };
  };
  assertMatch((await failureOf(late)).message, /the time is 1 s/);
  assertEquals((await explore(late, { time: false })).complete, true);
});

Deno.test("R54: with `cancel` the program is cancelled at each of its waits", async () => {
  const places = new Set<number>();
  await explore(() =>
    function* (): Coroutine {
      let place = 0;
      try {
        for (; place < 10; place++) yield* checkpoint();
      } finally {
        places.add(place);
      }
    }(), { cancel: "main", schedules: 60, strategy: "fifo" });
  assertEquals([...places].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

Deno.test("R54: with `cancel` each task is cancelled too, and what that breaks is found", async () => {
  const program: Program = () => {
    const semaphore = new Semaphore(1);
    function* job(): Coroutine {
      yield* semaphore.acquire();
      yield* checkpoint();
      semaphore.release();
    }
    return {
      main: Nursery.open(function* (nursery) {
        nursery.startSoon(job());
      }),
      check({ cancelled }) {
        const { value } = semaphore.statistics();
        if (value !== 1) throw new Error(`a permit is gone${cancelled ? ", after a cancel" : ""}`);
      },
    };
  };
  const error = await failureOf(program, { cancel: "tasks" });
  assertMatch(error.message, /a permit is gone, after a cancel/);
  assertMatch(error.message, /-- (#2|main) is cancelled/);
  assertMatch(error.schedule, /\bc\d+\.\d+/);
  const again = await rejection(replay(program, error.schedule));
  assertEquals((again as ExplorationError).table, error.table);
  await explore(program);
});

Deno.test("R57: a state that was never reached fails the exploration, one that was does not", async () => {
  const program = (wanted: number): Program => () => {
    let running = 0;
    function* job(): Coroutine {
      running++;
      sometimes(running === wanted, `${wanted} jobs at once`);
      yield* checkpoint();
      running--;
    }
    return all([job(), job()]);
  };
  await explore(program(2), { schedules: 50 });
  const error = await rejection(explore(program(3), { schedules: 50 }));
  assert(error instanceof NeverReachedError);
  assertEquals(error.names, ["3 jobs at once"]);
  assertMatch(error.message, /In none of \d+ schedules was it true that 3 jobs at once/);
  sometimes(false, "outside of an exploration"); // does nothing
});

Deno.test("R4: in every strategy a task that polls does not keep the others from running", async () => {
  const strategies: StrategyName[] = ["mixed", "fifo", "random", "urw", "pos", "pct", "exhaustive"];
  for (const strategy of strategies) {
    await explore(() => {
      const ready = new Event();
      function* polls(): Coroutine {
        // deno-lint-ignore broomio/no-busy-wait -- what explore does with one is tested here
        while (!ready.isSet) yield* checkpoint();
      }
      function* sets(): Coroutine {
        yield* checkpoint();
        ready.set();
      }
      return all([polls(), polls(), sets()]);
    }, { strategy, schedules: 200, maxSteps: 5000 });
  }
});

Deno.test("explore and replay refuse what is not valid where it is given", async () => {
  const program: Program = () => checkpoint();
  const wrong = (options: unknown, Class: typeof TypeError | typeof RangeError, text: string) =>
    assertRejects(() => explore(program, options as ExploreOptions), Class, text);
  await wrong({ stratgey: "pos" }, TypeError, '"strategy"');
  await wrong({ strategy: "dfs" }, RangeError, '"exhaustive"');
  await wrong({ schedules: 0 }, RangeError, "schedules");
  await wrong({ seed: -1 }, RangeError, "seed");
  await wrong({ cancel: "all" }, RangeError, '"tasks"');
  await wrong({ time: 1 }, TypeError, "time");
  // deno-lint-ignore broomio/no-uncalled-coroutine -- what is refused is tested here
  await assertRejects(() => explore(checkpoint() as unknown as Program), TypeError, "program");
  await assertRejects(() => replay(program, "4:x"), TypeError, '"4:x"');
  await assertRejects(() => replay(program, 4 as unknown as string), TypeError, "schedule");
});

Deno.test("onProgress is told what has been run, between two turns of the runtime", async () => {
  const told: number[] = [];
  await explore(walkers(20), {
    schedules: Infinity,
    seconds: 0.3,
    onProgress: ({ schedules }) => told.push(schedules),
  });
  assert(told.length > 0);
  assertEquals(told, [...told].sort((a, b) => a - b));
});

Deno.test("R53: tasks of the same name are told apart in the table", async () => {
  const error = await failureOf(() =>
    Nursery.open(function* (nursery) {
      for (let i = 0; i < 2; i++) nursery.startSoon(checkpoint(), { name: "job" });
      yield* checkpoint();
      throw new Error("boom");
    })
  );
  assertMatch(error.table, / main +job #2 +job #3\n/);
});

Deno.test("R8: with autojump always, time passes also while something outside is awaited", async () => {
  const program: Program = () => {
    let value: unknown = "none";
    return {
      main: function* (): Coroutine {
        yield* moveOnAfter(5, until(new Promise(() => {})));
        value = yield* moveOnAfter(5, until(Promise.resolve(7)));
      },
      check() {
        if (value !== undefined) throw new Error(`the value is ${value}`);
      },
    };
  };
  const error = await failureOf(program, { autojump: "always", schedules: 20 });
  assertMatch(error.message, /: Error: the value is 7\n/);
  assertMatch(error.table, /the time is 5 s/);
  assertMatch(error.schedule, /!j$/);
  const again = await rejection(replay(program, error.schedule));
  assertEquals((again as ExplorationError).table, error.table);
});

Deno.test("R54: the first run of pct and pos does not let a task that polls run for long", async () => {
  for (const strategy of ["pct", "pos"] as const) {
    const { longest } = await explore(() => {
      const ready = new Event();
      function* polls(): Coroutine {
        // deno-lint-ignore broomio/no-busy-wait -- what explore does with one is tested here
        while (!ready.isSet) yield* checkpoint();
      }
      function* sets(): Coroutine {
        yield* checkpoint();
        ready.set();
      }
      return all([polls(), polls(), sets()]);
    }, { strategy, schedules: 50 });
    assert(longest < 2000, `${strategy}: ${longest}`);
  }
});

/** What a call rejects with that is no failure of the program. */
const refusal = (program: unknown) => rejection(explore(program as Program, { schedules: 5 }));

Deno.test("R53: a program of the wrong form is refused as itself, not called a failure", async () => {
  const wrong: [unknown, RegExp][] = [
    [async () => {}, /gives a promise: make it a plain function/],
    [() => undefined, /gives undefined/],
    [() => ({ mian: checkpoint() }), /\{ main, check\? \}, got one that gives an object/],
    [() => ({ main: checkpoint(), check: 5 }), /Expected check to be a function, got 5/],
    [() => ({ main: checkpoint(), check: () => Promise.reject(5) }), /a check that is not async/],
  ];
  for (const [program, text] of wrong) {
    const error = await refusal(program);
    assert(error instanceof TypeError && !(error instanceof ExplorationError), String(error));
    assertMatch(error.message, text);
    assertEquals((await rejection(replay(program as Program, "")) as Error).message, error.message);
  }
});

Deno.test("R53: a program that fails before any task has run is a failure, and says so", async () => {
  const boom = new RangeError("no database");
  const programs: Program[] = [
    () => {
      throw boom;
    },
    () => ({
      main: () => {
        throw boom;
      },
    }),
  ];
  for (const program of programs) {
    const error = await failureOf(program);
    assertEquals(error.cause, boom);
    assertStringIncludes(error.message, "It failed before any task had run");
  }
  const { complete } = await explore(() => function* (): Coroutine {}()); // and one that never waits
  assert(complete);
});

Deno.test("R53: what the program reads besides its state is put back, whatever happens", async () => {
  const real = [Math.random, Date, performance.now];
  const limit = Error.stackTraceLimit;
  const seen: boolean[] = [];
  const look = () => seen.push(real[0] === Math.random && real[1] === Date);
  const watching = (async () => {
    for (let i = 0; i < 200; i++) {
      look();
      await undefined;
    }
  })();
  const endings: (() => Promise<unknown>)[] = [
    () => explore(lostUpdate, { strategy: "random" }),
    () => refusal(() => 5),
    () => refusal(() => until(Promise.reject(new Error("down")))),
    () => explore(walkers(3)),
    () => replay(lostUpdate, "1:1"),
    () => Promise.all([explore(walkers(3)), explore(walkers(3))]),
    () => explore(walkers(3), { onProgress: 5 as never }),
  ];
  for (const ending of endings) {
    await ending().catch(() => {});
    assertEquals([Math.random, Date, performance.now], real, String(ending));
    assertEquals(Error.stackTraceLimit, limit);
  }
  await watching;
  assert(seen.every((same) => same), "seen by other code meanwhile");
});

Deno.test("R53: within a schedule Date() is a text, and dates are of the class they were", async () => {
  await explore(() =>
    function* (): Coroutine {
      yield* sleep(1);
      assertEquals(typeof Date(), "string");
      assertEquals(new Date("2021-02-03T00:00:00Z").getUTCFullYear(), 2021);
      assertEquals([Date.UTC(2020, 0), Date.parse("2020-01-01T00:00:00Z")], [
        1577836800000,
        1577836800000,
      ]);
      class Stamp extends Date {}
      assert(new Stamp() instanceof Stamp && new Stamp() instanceof Date);
      assertEquals(new Stamp().getTime(), 1577836801000);
    }(), { schedules: 5 });
});

Deno.test("R53: explore within a program that is explored is refused, and harms neither", async () => {
  const random = Math.random;
  const error = await failureOf(() => until(() => explore(walkers(2))), { schedules: 5 });
  assertMatch(error.message, /explore\(\) was called within a program that is explored/);
  assertMatch(
    String((await failureOf(() => until(() => replay(walkers(2), "")))).cause),
    /replay\(\) was called within/,
  );
  assertEquals(Math.random, random);
});

Deno.test("R53: where a run fails and the next does not, both are told", async () => {
  let runs = 0;
  const now = await rejection(explore(() => ({
    main: all([checkpoint(), checkpoint()]),
    check() {
      if (++runs === 6) throw new Error("now and then");
    },
  })));
  assert(now instanceof NondeterminismError, String(now));
  assertMatch(
    now.message,
    /one run failed \(Error: now and then\), and the next did not fail in this way/,
  );
  assertEquals((now.cause as Error).message, "now and then");

  const once = function* (): Coroutine {}();
  const second = await rejection(explore(() => once));
  assert(second instanceof NondeterminismError, String(second));
  assertMatch(second.message, /one run did not fail, and the next did \(TypeError: .* already/);

  let late = 0;
  const outside = await rejection(explore(() => ({
    main: until(Promise.resolve()),
    check() {
      if (++late === 4) throw new Error("too many");
    },
  })));
  assertMatch(String(outside), /awaits something outside .* put a fake in its place/);
});

Deno.test("R53: a replay that does not fit the program warns, and what fails is told with that", async () => {
  const printed: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => printed.push(text);
  try {
    await replay(walkers(2), "1:1"); // it fits
    assertEquals(printed, []);
    await replay(walkers(2), "1:7");
    await replay(walkers(2), "90:1");
    await replay(walkers(2), "c2.9");
  } finally {
    console.warn = warn;
  }
  assertMatch(printed[0], /does not fit the program: choice 1 is not possible in it/);
  assertMatch(printed[1], /it makes \d+ choices, and choice 90 is named/);
  assertMatch(printed[2], /before step 2 it has no task 9 to cancel/);
  const error = await rejection(replay(lostUpdate, "1:1 99:1"));
  assertMatch(String(error), /does not fit .* What it does now fails: Error: the sum is/);
});

Deno.test("R53: the table says with what a task failed, and where", async () => {
  const error = await failureOf(() =>
    Nursery.open(function* (nursery) {
      nursery.startSoon(
        function* (): Coroutine {
          yield* checkpoint();
          throw new RangeError("too big");
        }(),
        { name: "job" },
      );
      yield* checkpoint();
    })
  );
  assertMatch(error.table, /:\d+ failed: RangeError: too big/);
  assertMatch(error.table, /\n +\d+ +failed: NurseryError/); // not where the exploration began
});

Deno.test("R54: no bound is told where pct has not run", async () => {
  assertEquals((await explore(walkers(1))).bound, undefined);
  assertMatch((await explore(walkers(9), { schedules: 400 })).bound!, /^pct: n = 2 tasks/);
});

Deno.test("R53: a wait within an operation of ours stands where that was called", async () => {
  const line = Number(new Error().stack!.match(/explore_test\.ts:(\d+)/)![1]);
  const error = await failureOf(() => {
    const lock = new Lock({ name: "db" });
    function* owner(): Coroutine {
      yield* lock.acquire();
      yield* new Event().wait();
    }
    function* waits(): Coroutine {
      yield* lock.with(checkpoint());
    }
    return all([owner(), waits()]);
  });
  assertStringIncludes(error.table, `:${line + 8} acquiring lock "db"`);
});
