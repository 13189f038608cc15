/**
 * Pools and what can go wrong with values: arguments, results, errors and messages that cannot be
 * cloned, read or understood. Each harms its own call only, and every call is answered.
 */
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  Cancelled,
  checkpoint,
  type Coroutine,
  failAfter,
  Loop,
  type LoopWarning,
  Nursery,
} from "../../mod.ts";
import { type Operation } from "../../mod.ts";
import {
  type Pool,
  type PoolOptions,
  ProcessPool,
  ThreadPool,
  transfer,
} from "../../src/pool/mod.ts";
import { WorkerError } from "../../src/pool/mod.ts";
import { serialize } from "node:v8";

type Handlers = typeof import("./hostile_handlers.ts");
const module = new URL("./hostile_handlers.ts", import.meta.url);

const kinds = {
  threads: (options: Partial<PoolOptions>) => ThreadPool.open<Handlers>({ module, ...options }),
  processes: (options: Partial<PoolOptions>) => ProcessPool.open<Handlers>({ module, ...options }),
};

/** A test with a pool of one worker, of each kind. */
function test(
  name: string,
  body: (pool: Pool<Handlers>, warnings: LoopWarning[], kind: string) => Coroutine<unknown>,
): void {
  for (const [kind, open] of Object.entries(kinds)) {
    Deno.test(`${kind}: ${name}`, async () => {
      const warnings: LoopWarning[] = [];
      const loop = new Loop({ onWarning: (warning) => warnings.push(warning) });
      await loop.run(failAfter(30, function* () {
        yield* body(yield* open({ size: 1 }), warnings, kind);
      }));
    });
  }
}

/** What an operation throws, or `undefined` where it gives a value. */
function* errorOf(operation: Operation<unknown>): Coroutine<unknown> {
  try {
    yield* operation;
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    return error;
  }
}

const throwingGetter = Object.defineProperty({}, "x", {
  enumerable: true,
  get() {
    throw new Error("boo");
  },
});
const BAD_ARGUMENTS: [name: string, value: unknown, message: string][] = [
  ["a throwing getter", throwingGetter, "args[0].x cannot be read: Error: boo"],
  ["one inside", [1, { a: throwingGetter }], "args[0][1].a.x cannot be read"],
  ["a symbol", Symbol("s"), "args[0] is Symbol(s)"],
  ["a function", function f() {}, "args[0] is the function f"],
  [
    "a proxy that throws",
    new Proxy({}, {
      ownKeys() {
        throw new Error("trap");
      },
    }),
    "args[0] is an object that cannot be looked at",
  ],
  ["a function in a Map", new Map([["k", () => {}]]), 'args[0].get("k") is a function'],
  ["a function in a Set", new Set([() => {}]), "args[0] (in the Set) is a function"],
];

test("an argument that cannot be sent fails its own call only, waiting or not", function* (pool) {
  for (const [name, value, message] of BAD_ARGUMENTS) {
    const direct = yield* errorOf(pool.execute("echo", value));
    assertInstanceOf(direct, TypeError, name);
    assertStringIncludes(direct.message, message);
    yield* Nursery.open(function* (nursery) {
      const before = nursery.startSoon(pool.execute("later", 20));
      const waited = nursery.startSoon(errorOf(pool.execute("echo", value)));
      const after = nursery.startSoon(pool.execute("echo", "after"));
      assertEquals(yield* before.join(), 20);
      const error = yield* waited.join();
      assertInstanceOf(error, TypeError, name);
      assertStringIncludes(error.message, message);
      assertEquals(yield* after.join(), "after");
    });
  }
  const { waiting, running, failed, died } = pool.statistics();
  assertEquals([waiting, running, failed, died], [0, 0, 2 * BAD_ARGUMENTS.length, 0]);
});

test("whatever a handler gives or throws, the call is answered", function* (pool) {
  const names = yield* pool.execute("names");
  assert(names.length > 10);
  const ways = ["gives", "resolves", "returns", "throws", "rejects", "fails"] as const;
  let unreadable = 0;
  for (const name of names) {
    for (const way of ways) {
      const error = yield* errorOf(failAfter(5, () => pool.execute(way, name)));
      const text = `${way} ${name}: ${error instanceof Error ? error.stack : "no error"}`;
      // Node sends an error that contains itself, and cannot read it: the worker is ended.
      if (error instanceof WorkerError && name === "circular") unreadable++;
      else assert(!(error instanceof WorkerError), text);
      assert((error as Error | undefined)?.name !== "TimeoutError", text);
    }
  }
  assertEquals(yield* pool.execute("echo", 1), 1);
  const { running, died, completed, failed } = pool.statistics();
  const calls = names.length * ways.length + 2;
  assertEquals([running, died, completed + failed], [0, unreadable, calls]);
});

test("what is wrong with a result or an error is said", function* (pool) {
  const said: [operation: Operation<unknown>, message: string][] = [
    [pool.execute("gives", "getter"), "the result of gives(): result.x cannot be read: Error: boo"],
    [pool.execute("returns", "function"), "the result of returns(): result is "],
    [pool.execute("throws", "symbol"), "what was thrown is Symbol(s)"],
    [pool.execute("rejects", "throwing message"), "(its message cannot be read)"],
    [pool.execute("throwingThen"), "then"],
    [pool.execute("thenable", "throws"), "then"],
  ];
  for (const [operation, message] of said) {
    const error = yield* errorOf(operation);
    assertInstanceOf(error, Error);
    assertStringIncludes(error.message, message);
  }
  const strange = (yield* errorOf(pool.execute("throws", "strange fields"))) as { code: string };
  assertEquals([strange.code, Object.getPrototypeOf(strange)], ["E", Error.prototype]);
  const circular = yield* errorOf(pool.execute("fails", "circular"));
  assertInstanceOf(circular, AggregateError);
  const inner = [circular.cause, ...circular.errors] as AggregateError[];
  assertEquals(inner.length, 11);
  for (const each of inner) assertEquals([each.message, each.cause], ["circular", undefined]);
});

test("a promise of the handler's own making answers once", function* (pool) {
  assertEquals(yield* pool.execute("thenable", "twice"), 1);
  assertEquals(yield* pool.execute("thenable", "thenThrows"), 1);
  assertEquals(yield* pool.execute("echo", 5), 5);
  const { completed, failed } = pool.statistics();
  assertEquals([completed, failed], [3, 0]);
});

test(
  "messages of the module are ignored, also where they look like ours",
  function* (pool, warnings) {
    const junk = ["hello", 5, { a: 1 }, [], ["up"], ["ready"], ["broken"], ["broken", null]];
    const forged = [["done"], ["done", 1], ["failed", 2, null], ["failed", 3, { kind: "error" }]];
    const strange = [new Uint8Array([1, 2, 3]), new Uint8Array(0), ["done", 99, 1], [["done"]]];
    for (const message of [...junk, ...forged, ...strange]) {
      assertEquals(yield* pool.execute("post", message), "answered");
    }
    assertEquals(yield* pool.execute("post", ...junk, ...forged), "answered");
    assertEquals(yield* pool.execute("echo", 1), 1);
    const { running, died, failed } = pool.statistics();
    assertEquals([running, died, failed], [0, 0, 0]);
    assertEquals(warnings.length, 1, "one warning for all");
    assertStringIncludes(warnings[0].message, "give results back by returning them");
  },
);

Deno.test("processes: what cannot be read ends the worker, and its calls say so", async () => {
  await new Loop().run(failAfter(30, function* () {
    const pool = yield* kinds.processes({ size: 1 });
    const [version] = serialize(null);
    const error = yield* errorOf(pool.execute("post", new Uint8Array([version, 0, 0])));
    assertInstanceOf(error, WorkerError);
    assertStringIncludes(error.message, "a message of the worker cannot be read");
    assertEquals(yield* pool.execute("echo", 1), 1);
  }));
});

test("arguments of pool methods are checked at the call", function* (pool) {
  const untyped = pool as unknown as Record<string, (...args: unknown[]) => unknown>;
  const calls: [string, () => unknown, string][] = [
    ["symbol", () => untyped.execute(Symbol("x")), "TypeError: Expected a string, got Symbol(x)"],
    ["nothing", () => untyped.execute(), "TypeError: Expected a string, got undefined"],
    ["no items", () => untyped.map(5, "echo"), "TypeError: Expected an iterable of items, got 5"],
    ["no name", () => untyped.map([1]), "TypeError: Expected a string, got undefined"],
    ["inFlight", () => untyped.map([], "echo", { inFlight: 0 }), "RangeError: Expected an integer"],
    ["each", () => untyped.map([], "echo", { each: 5 }), "TypeError: Expected a function, got 5"],
    ["unknown", () => untyped.map([], "echo", { inflight: 5 }), '"inFlight"'],
    ["options", () => untyped.map([], "echo", 5), "TypeError: Expected an object of options"],
    ["transfer", () => transfer(5 as unknown as object), "TypeError: Expected an object, got 5"],
    ["owned", () => transfer({}, 5 as unknown as object[]), "TypeError: Expected an array"],
    [
      "owned of numbers",
      () => transfer({}, [5 as unknown as object]),
      "TypeError: Expected an obj",
    ],
  ];
  for (const [name, call, message] of calls) {
    let text = `${name}: nothing was thrown`;
    try {
      call();
    } catch (error) {
      text = String(error);
    }
    assertStringIncludes(text, message);
  }
  yield* checkpoint();
});

for (const [kind, open] of Object.entries(kinds)) {
  Deno.test(`${kind}: a module that never finishes loading fails open after startTimeout`, async () => {
    const stuck = "data:text/javascript,await new Promise((resolve) => setTimeout(resolve, 1e8));";
    await new Loop().run(failAfter(20, function* () {
      const error = yield* errorOf(open({ module: stuck, startTimeout: 0.5 }));
      assertInstanceOf(error, WorkerError);
      assertStringIncludes(
        error.message,
        "the module was not loaded within 0.5 s (startTimeout)",
      );
      const lazy = yield* open({ module: stuck, startTimeout: 0.5, warm: 0 });
      assertInstanceOf(yield* errorOf(lazy.execute("echo", 1)), WorkerError);
      const { died, starting, workers } = lazy.statistics();
      assertEquals([died + starting, workers], [1, 0]);
    }));
  });
}
