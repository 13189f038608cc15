/**
 * Pools with real workers: threads, processes, and the Web Workers that browsers have.
 */
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  CancelScope,
  checkpoint,
  type Coroutine,
  failAfter,
  Loop,
  moveOnAfter,
  Nursery,
  type Operation,
  race,
  select,
  sleep,
} from "../../mod.ts";
import { ClosedResourceError } from "../../src/kernel/errors.ts";
import {
  type Pool,
  PoolFullError,
  type PoolOptions,
  ProcessPool,
  ThreadPool,
  transfer,
  WorkerError,
} from "../../src/pool/mod.ts";
import { openPool } from "../../src/pool/pool.ts";
import { webWorkers } from "../../src/pool/worker_web.ts";

type Handlers = typeof import("./handlers.ts");
const module = new URL("./handlers.ts", import.meta.url);

const kinds: Record<string, (options: Omit<PoolOptions, "module">) => Operation<Pool<Handlers>>> = {
  threads: (options) => ThreadPool.open<Handlers>({ module, ...options }),
  processes: (options) => ProcessPool.open<Handlers>({ module, ...options }),
  "web workers": (options) =>
    openPool<Handlers>(
      { module, ...options },
      "ThreadPool.open",
      "worker_browser",
      webWorkers,
    ),
};
const servers = ["threads", "processes"];

/** A test that runs `body` with a pool of each of the named kinds; nothing in it takes long. */
function test(
  name: string,
  of: string[],
  options: Omit<PoolOptions, "module">,
  body: (pool: Pool<Handlers>, kind: string) => Coroutine<unknown>,
): void {
  for (const kind of of) {
    Deno.test(`${kind}: ${name}`, async () => {
      await new Loop().run(failAfter(30, function* () {
        yield* body(yield* kinds[kind](options), kind);
      }));
    });
  }
}

/** What an operation throws. */
function* thrownBy(operation: Operation<unknown>): Coroutine<Error> {
  try {
    yield* operation;
  } catch (error) {
    return error as Error;
  }
  throw new Error("It was expected to throw");
}

const everyKind = Object.keys(kinds);

test(
  "handlers are functions, async functions or coroutines",
  everyKind,
  { size: 2 },
  function* (pool) {
    const sum: number = yield* pool.execute("add", 1, 2);
    const late: string = yield* pool.execute("later", "value", 5);
    const slept: string = yield* pool.execute("nap", 0.01);
    assertEquals([sum, late, slept], [3, "value", "slept 0.01"]);
  },
);

test(
  "R9: the workers are gone when the surrounding scope has ended",
  servers,
  {},
  function* (_, kind) {
    const pids: number[] = [];
    let inner: Pool<Handlers> | undefined;
    yield* CancelScope.open(function* () {
      inner = yield* kinds[kind]({ size: 2, warm: 2 });
      pids.push(yield* inner.execute("processId"));
      assertEquals(inner.statistics().workers, 2);
    });
    const { workers, starting } = inner!.statistics();
    assertEquals([workers, starting], [0, 0]);
    if (kind === "processes") assertEquals(yield* isAlive(pids[0]), false);
    assertInstanceOf(yield* thrownBy(inner!.execute("add", 1, 2)), ClosedResourceError);
  },
);

function* isAlive(pid: number): Coroutine<boolean> {
  // deno-lint-ignore broomio/no-blocking-call -- kill ends at once
  const { success } = new Deno.Command("kill", { args: ["-0", `${pid}`], stderr: "null" })
    .outputSync();
  return success;
}

test(
  "errors keep class, message, stack, cause and fields",
  everyKind,
  { size: 1 },
  function* (pool) {
    const error = yield* thrownBy(pool.execute("fail", "bad bytes"));
    assertInstanceOf(error, TypeError);
    assertEquals([error.name, error.message], ["HashError", "bad bytes"]);
    assertEquals((error as { code?: string }).code, "EHASH");
    assertInstanceOf(error.cause, RangeError);
    assertEquals(error.cause.message, "the cause");
    assertStringIncludes(error.stack!, "handlers.ts");
    assertStringIncludes(error.stack!, "pool_test.ts"); // and who called

    const both = yield* thrownBy(pool.execute("failLater", "two of them"));
    assertInstanceOf(both, AggregateError);
    assertEquals(both.errors.map(String), ["Error: one", "RangeError: two"]);

    const value: unknown = yield* thrownBy(pool.execute("throwValue", { odd: 1 }));
    assertEquals(value, { odd: 1 });
    assertEquals(pool.statistics().died, 0);
  },
);

test("what cannot be cloned is named", everyKind, { size: 1 }, function* (pool) {
  const argument = yield* thrownBy(pool.execute("throwValue", { deep: [new WeakMap()] }));
  assertInstanceOf(argument, TypeError);
  assertStringIncludes(argument.message, "arguments of throwValue()");
  assertStringIncludes(argument.message, "args[0].deep[0] is an object of class WeakMap");

  const result = yield* thrownBy(pool.execute("giveFunction"));
  assertInstanceOf(result, TypeError);
  assertStringIncludes(result.message, "result of giveFunction()");
  assertStringIncludes(result.message, "result.list[1].callback is the function onDone");

  const thrown = yield* thrownBy(pool.execute("throwUncloneable"));
  assertStringIncludes(thrown.message, "what was thrown.retry is the function retry");
  assertEquals(yield* pool.execute("add", 1, 2), 3); // by the same worker
  assertEquals(pool.statistics().died, 0);
});

test(
  "a name that is no function is an error that lists those there are",
  ["threads"],
  {},
  function* (pool) {
    for (const name of ["notAFunction", "nothing", "toString"]) {
      const error = yield* thrownBy(pool.execute(name as "add", 1, 2));
      assertInstanceOf(error, TypeError);
      assertStringIncludes(
        error.message,
        `exports no function ${name}: it has HashError, add, count`,
      );
    }
  },
);

test("a worker that dies fails the calls it held alone, and is replaced", servers, {
  size: 2,
  warm: 2,
}, function* (pool) {
  for (const [fatal, how] of [["exit", "exit code 7"], ["crash", "nobody catches this"]] as const) {
    const results = yield* Nursery.open(function* (nursery) {
      const innocent = nursery.startSoon(pool.execute("later", "untouched", 300));
      const error = yield* thrownBy(
        fatal === "exit" ? pool.execute("exit", 7) : pool.execute("crash"),
      );
      assertInstanceOf(error, WorkerError);
      assertStringIncludes(error.message, how);
      assertStringIncludes(error.message, `${fatal}()`);
      return yield* innocent.join();
    });
    assertEquals(results, "untouched");
  }
  const sums = yield* pool.map([1, 2, 3, 4, 5, 6], "spin");
  assertEquals(sums, [1, 2, 3, 4, 5, 6]);
  const { died, workers, starting } = pool.statistics();
  assertEquals([died, workers + starting], [2, 2]);
});

test("killed from outside in the middle of a call", ["processes"], { size: 2 }, function* (pool) {
  const pid = yield* pool.execute("processId");
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon((function* () {
      const error = yield* thrownBy(pool.execute("forever"));
      assertInstanceOf(error, WorkerError);
      assertStringIncludes(error.message, "SIGKILL");
    })());
    yield* sleep(0.05);
    // deno-lint-ignore broomio/no-blocking-call -- kill ends at once
    new Deno.Command("kill", { args: ["-KILL", `${pid}`] }).outputSync();
    assertEquals(yield* pool.execute("add", 1, 2), 3);
  });
  assert((yield* pool.execute("processId")) !== pid);
});

test("cancelling the caller cancels the coroutine in the worker, cleanup included", ["threads"], {
  size: 1,
}, function* (pool) {
  const flags = new Int32Array(new SharedArrayBuffer(12));
  yield* CancelScope.open(function* (scope) {
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(pool.execute("guarded", flags));
      while (Atomics.load(flags, 0) === 0) yield* sleep(0.005);
      scope.cancel("enough");
    });
  });
  assertEquals(Atomics.load(flags, 1), 0, "the caller is free before the cleanup has run");
  assertEquals(yield* pool.execute("add", 1, 2), 3); // once the worker has room again
  assertEquals([...flags], [1, 1, 1]);
  const { died, cancelled } = pool.statistics();
  assertEquals([died, cancelled], [0, 1]);
});

test("a handler that does not hear the cancel is ended with its worker", servers, {
  size: 1,
  cancelGrace: { milliseconds: 50 },
}, function* (pool) {
  const start = performance.now();
  yield* moveOnAfter(0.05, pool.execute("forever"));
  const freed = performance.now() - start;
  assert(freed < 5000, `the caller was held for ${freed} ms`);
  assertEquals(yield* pool.execute("add", 1, 2), 3);
  const { died, overdue } = pool.statistics();
  assertEquals([died, overdue], [1, 1]); // it did not end by itself, and is counted
});

test("a handler that ends within the grace keeps its worker", servers, {
  size: 1,
  cancelGrace: 20,
}, function* (pool) {
  const before = yield* pool.execute("whoAmI");
  yield* moveOnAfter(0.02, pool.execute("spin", 100));
  assertEquals(yield* pool.execute("whoAmI"), before);
});

test(
  "a pool that ends while a handler is deaf ends within the grace",
  servers,
  {},
  function* (_, kind) {
    const start = performance.now();
    yield* moveOnAfter(1, function* () {
      const pool = yield* kinds[kind]({ size: 1, cancelGrace: 0.1 });
      yield* race([pool.execute("forever"), sleep(0.05)]);
    });
    assert(performance.now() - start < 10_000);
  },
);

test("10,000 calls over 2 workers: each answered once, with its own answer", servers, {
  size: 2,
}, function* (pool) {
  const numbers = Array.from({ length: 10_000 }, (_, index) => index);
  const answers: number[] = [];
  yield* Nursery.open(function* (nursery) {
    for (const number of numbers) {
      nursery.startSoon((function* () {
        answers.push((yield* pool.execute("add", number, 1)) - number);
      })());
    }
  });
  assertEquals(answers, numbers.map(() => 1));
  const { completed, failed, waiting, running, workers } = pool.statistics();
  assertEquals([completed, failed, waiting, running, workers], [10_000, 0, 0, 0, 2]);
});

test("no call is run twice, also where workers die among them", ["threads"], {
  size: 2,
}, function* (pool) {
  const counter = new Int32Array(new SharedArrayBuffer(4));
  let answered = 0;
  let lost = 0;
  yield* Nursery.open(function* (nursery) {
    for (let i = 0; i < 200; i++) {
      nursery.startSoon((function* () {
        yield* pool.execute("count", counter);
        answered++;
      })());
      if (i % 50 === 10) {
        nursery.startSoon((function* () {
          assertInstanceOf(yield* thrownBy(pool.execute("exit", 1)), WorkerError);
          lost++;
        })());
      }
    }
  });
  assertEquals([answered, lost, counter[0]], [200, 4, 200]);
});

test("a storm of cancels leaves a pool that works", servers, {
  size: 2,
  concurrency: 4,
  cancelGrace: 20,
}, function* (pool) {
  for (let round = 0; round < 10; round++) {
    yield* moveOnAfter(0.005 * (round % 4), function* () {
      yield* Nursery.open(function* (nursery) {
        for (let i = 0; i < 40; i++) nursery.startSoon(pool.execute("nap", 0.003 * (i % 5)));
      });
    });
  }
  assertEquals(yield* pool.map([1, 2, 3], "spin"), [1, 2, 3]);
  const { waiting, running, died } = pool.statistics();
  assertEquals([waiting, died], [0, 0]);
  assert(running <= 8);
});

test("concurrency: handlers that wait share a worker", servers, {
  size: 1,
  concurrency: 10,
}, function* (pool) {
  yield* Nursery.open(function* (nursery) {
    for (let i = 0; i < 12; i++) nursery.startSoon(pool.execute("nap", 60));
    yield* checkpoint();
    const { running, waiting, busy } = pool.statistics();
    assertEquals([running, waiting, busy], [10, 2, 1]);
    nursery.cancel();
  });
  assertEquals(yield* pool.execute("nap", 0), "slept 0");
});

test("map gives results in order, takes items as it goes and tells each", servers, {
  size: 2,
}, function* (pool) {
  let taken = 0;
  const seen: number[] = [];
  function* source() {
    for (let i = 0; i < 50; i++) {
      taken++;
      assert(taken - seen.length <= 5);
      yield (i * 7) % 5;
    }
  }
  const results = yield* pool.map(source(), "spin", {
    inFlight: 5,
    *each(result, item, index) {
      assertEquals([result, index], [item, seen.length]);
      seen.push(result);
      yield* checkpoint();
    },
  });
  assertEquals(results, [...Array(50).keys()].map((i) => (i * 7) % 5));
  assertEquals(seen, results);
});

test("map throws the first error as it is, and cancels the rest", ["threads"], {
  size: 2,
}, function* (pool) {
  const error = yield* thrownBy(pool.map(["bad"], "fail"));
  assertEquals(error.message, "bad");
  const own = yield* thrownBy(pool.map([1, 2, 3], "spin", {
    each() {
      throw new RangeError("mine");
    },
  }));
  assertEquals(String(own), "RangeError: mine");
});

test(
  "transfer moves a buffer there and back",
  ["threads", "web workers"],
  { size: 1 },
  function* (pool) {
    const bytes = new Uint8Array(1000);
    const back = yield* pool.execute("fill", transfer(bytes), 7);
    assertEquals([bytes.length, back.length, back[999]], [0, 1000, 7]);
  },
);

test("maxWaiting: one call too many is refused at once", ["threads"], {
  size: 1,
  maxWaiting: 2,
}, function* (pool) {
  yield* Nursery.open(function* (nursery) {
    for (let i = 0; i < 3; i++) nursery.startSoon(pool.execute("spin", 30));
    yield* checkpoint();
    assertEquals(pool.statistics().waiting, 2);
    assertInstanceOf(yield* thrownBy(pool.execute("add", 1, 2)), PoolFullError);
  });
  assertEquals(yield* pool.execute("add", 1, 2), 3);
});

test("idle workers beyond warm end after a while", servers, {
  size: 3,
  warm: 1,
  idleTimeout: 0.1,
}, function* (pool) {
  while (pool.statistics().workers < 3) yield* pool.map(Array(6).fill(50), "spin");
  while (pool.statistics().workers > 1) yield* sleep(0.01);
  yield* sleep(0.2);
  assertEquals(pool.statistics().workers, 1);
  assertEquals(pool.statistics().died, 0);
  assertEquals(yield* pool.execute("add", 1, 2), 3);
});

const broken: Record<string, string> = {
  "does not parse": "data:text/javascript,export let = ;",
  "throws as it is loaded": "data:text/javascript,throw new RangeError('not today')",
  "is not there": new URL("./no_such_file.ts", import.meta.url).href,
  "ends its worker as it is loaded":
    "data:text/javascript,import process from 'node:process'; process.exit(9)",
};
for (const [what, module] of Object.entries(broken)) {
  for (const [name, open] of Object.entries({ ThreadPool, ProcessPool })) {
    Deno.test(`${name}: a module that ${what} fails open, or the call`, async () => {
      await new Loop().run(failAfter(20, function* () {
        const error = yield* thrownBy(open.open({ module, size: 2, warm: 2 }));
        assertInstanceOf(error, WorkerError);
        assertStringIncludes(error.message, "No worker for");
        const pool = yield* open.open({ module, size: 2, warm: 0 });
        for (let i = 0; i < 2; i++) {
          assertInstanceOf(yield* thrownBy(pool.execute("anything")), WorkerError);
        }
      }));
    });
  }
}

test("R7: a deadlock in a worker fails the calls that are in it", ["threads"], {
  size: 1,
}, function* (pool) {
  for (const name of ["deadlocked", "deadlockedForGood"] as const) {
    const error = yield* thrownBy(pool.execute(name));
    assertEquals(error.name, "DeadlockError");
    assertStringIncludes(error.message, `${name}()`);
    assertEquals(yield* pool.execute("nap", 0), "slept 0");
  }
  assertEquals(pool.statistics().died, 0);
});

test(
  "memory cannot be shared with a process, and that is said",
  ["processes"],
  {},
  function* (pool) {
    const error = yield* thrownBy(pool.execute("throwValue", new SharedArrayBuffer(4)));
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, "SharedArrayBuffer");
    assertEquals(yield* pool.execute("add", 1, 2), 3);
  },
);

test("the script that workers start from can be named", ["threads"], {
  entry: new URL("../../src/pool/worker_thread.ts", import.meta.url),
}, function* (pool) {
  assertEquals(yield* pool.execute("add", 1, 2), 3);
});

test("a call can be an arm of a select", ["threads"], { size: 1 }, function* (pool) {
  const picked = yield* select({ sum: pool.execute("add", 1, 2), late: pool.execute("nap", 60) });
  assertEquals([picked.arm, picked.value], ["sum", 3]);
  assertEquals(yield* pool.execute("add", 3, 4), 7);
});

for (const [name, open] of Object.entries({ ThreadPool, ProcessPool })) {
  Deno.test(`${name}: where the script of the workers is missing, the error names entry`, async () => {
    await new Loop().run(failAfter(20, function* () {
      const entry = new URL("./no_such_script.js", import.meta.url);
      const error = yield* thrownBy(open.open({ module, entry }));
      assertInstanceOf(error, WorkerError);
      assertStringIncludes(error.message, "with `entry`");
    }));
  });
}

// In pieces, because what converts this test for the npm package moves addresses that it can see.
const where = [
  "Expected an absolute address, such as new URL(",
  '"./hash.ts"',
  ", import.meta.url)",
]
  .join("");

Deno.test("R40b: options that are not valid are refused by open itself", () => {
  const wrong: [unknown, string][] = [
    [undefined, `TypeError: ${where}, got undefined (module)`],
    [null, "TypeError: Expected an object of options, got null (ThreadPool.open())"],
    [[], "TypeError: Expected an object of options, got an empty array (ThreadPool.open())"],
    [{}, `TypeError: ${where}, got undefined (module)`],
    [{ module: 5 }, `TypeError: ${where}, got 5 (module)`],
    [{ module: "./handlers.ts" }, `RangeError: ${where}, got "./handlers.ts" (module)`],
    [{ module, size: 0 }, "RangeError: Expected an integer of at least 1, got 0 (size)"],
    [{ module, size: "2" }, 'TypeError: Expected an integer of at least 1, got "2" (size)'],
    [{ module, size: 1, warm: 2 }, "RangeError: Expected an integer from 0 to 1, got 2 (warm)"],
    [{ module, warm: -1 }, "RangeError: Expected an integer of at least 0, got -1 (warm)"],
    [{ module, concurrency: 1.5 }, "RangeError: Expected an integer of at least 1, got 1.5"],
    [{ module, maxWaiting: -1 }, "RangeError: Expected an integer of at least 0, or Infinity"],
    [{ module, cancelGrace: NaN }, "RangeError: "],
    [{ module, idleTimeout: "1 s" }, "TypeError: "],
    [{ module, startTimeout: -1 }, "RangeError: "],
    [{ module, entry: "worker.js" }, `RangeError: ${where}, got "worker.js" (entry)`],
    [{ module, concurency: 2 }, 'TypeError: Unknown option "concurency" of ThreadPool.open()'],
    [{ module, graceTimeout: 2 }, "the nearest known one is"],
  ];
  for (const [options, message] of wrong) {
    let text = "nothing was thrown";
    try {
      // deno-lint-ignore broomio/no-floating-operation -- what it does, or refuses, without being yielded is tested here
      ThreadPool.open(options as PoolOptions);
    } catch (error) {
      text = String(error);
    }
    assertStringIncludes(text.replace("hash.js", "hash.ts"), message); // as the package calls it
  }
});
