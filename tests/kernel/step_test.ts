/** Rules R5 and R33b: operations that do not wait, and operations that misbehave. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  abortSignal,
  all,
  allSettled,
  any,
  asCompleted,
  call,
  CancelScope,
  checkpoint,
  type Coroutine,
  currentTask,
  ensure,
  lazy,
  Lock,
  mapConcurrent,
  moveOnAfter,
  Nursery,
  type Operation,
  race,
  RateLimiter,
  ResourcePool,
  retry,
  settle,
  shield,
  sleep,
  TaskLocal,
  use,
  Watch,
} from "../../mod.ts";
import { leavesOf, nameOf, rejection, World } from "../support/world.ts";

function* nothing(): Coroutine {}
const local = new TaskLocal("local", 1);
const lock = new Lock();
const value = lazy(nothing);
const limiter = new RateLimiter({ limit: 1e9 });
const watch = new Watch(0);
const pool = new ResourcePool({ open: nothing, close: nothing, max: 1 });

const KINDS: Record<string, () => Operation<unknown>> = {
  "an empty nursery": () => Nursery.open(nothing()),
  "all of nothing": () => all([]),
  "a scope": () => CancelScope.open(nothing()),
  "a timeout": () => moveOnAfter(1, nothing()),
  "a shield": () => shield(nothing()),
  "call": () => call(nothing()),
  "ensure": () =>
    CancelScope.open(function* () {
      yield* ensure(nothing);
    }),
  "abortSignal": () => abortSignal(),
  "currentTask": () => currentTask(),
  "a task local": () => local.get(),
  "a task local with a body": () => local.with(2, nothing()),
  "lock.with": () => lock.with(nothing()),
  "settle": () => settle(nothing()),
  "any": () => any([nothing()]),
  "race": () => race([nothing()]),
  "allSettled of nothing": () => allSettled([]),
  "mapConcurrent over nothing": () => mapConcurrent([], nothing, { concurrency: 2 }),
  "mapConcurrent": () => mapConcurrent([1, 2], nothing, { concurrency: 2 }),
  "asCompleted": () => asCompleted([1, 2], nothing, { concurrency: 2 }).forEach(nothing),
  "retry": () => retry(nothing),
  "use": () =>
    CancelScope.open(function* () {
      yield* use({ [Symbol.dispose]() {} });
    }),
  "a lazy value": () => value(),
  "a rate limiter": () => limiter.acquire(),
  "a pool": () => pool.with(nothing),
  "a watch": () => {
    const changes = watch.changes();
    watch.set(1);
    return changes.next();
  },
};

for (const [name, make] of Object.entries(KINDS)) {
  Deno.test(`R5: a loop over ${name} lets others run, and a cancel ends it`, async () => {
    const { loop } = new World();
    let rounds = 0;
    let others = 0;
    await loop.run(CancelScope.open(function* (scope) {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(function* (): Coroutine {
          for (; others < 3; others++) yield* checkpoint();
          scope.cancel();
        }());
        for (;;) {
          if (++rounds > 100_000) throw new Error("nobody else has run");
          yield* make();
        }
      });
    }));
    assertEquals(others, 3);
  });
}

Deno.test("R5: a cancel that ends such a loop lands before anything of the operation has happened", async () => {
  const { loop } = new World();
  let begun = 0;
  let ended = 0;
  await loop.run(CancelScope.open(function* (scope) {
    scope.cancel();
    for (;;) {
      yield* call(function* () {
        begun++;
      });
      ended++;
    }
  }));
  assert(begun > 0 && begun < 10_000);
  assertEquals(begun, ended);
});

Deno.test("R5: an operation that was put off by a checkpoint gives its value, and happens once", async () => {
  const { loop } = new World();
  const values: number[] = [];
  await loop.run(function* (): Coroutine {
    for (let i = 0; i < 1000; i++) {
      values.push(
        yield* call(function* () {
          return i;
        }),
      );
    }
  }());
  assertEquals(values, Array.from({ length: 1000 }, (_, i) => i));
});

for (
  const [what, value, message] of [
    ["a revoked proxy", Proxy.revocable({}, {}), /./],
    ["an object whose then throws", {
      get then() {
        return throwing("then");
      },
    }, /^Yielded an object/],
    ["an object whose constructor throws", {
      get constructor() {
        return throwing("c");
      },
    }, /^Yielded an object/],
    ["a symbol", Symbol("s"), /^Yielded Symbol\(s\)/],
  ] as [string, unknown, RegExp][]
) {
  Deno.test(`R2: ${what} that is yielded is an error there, and harms nobody else`, async () => {
    const world = new World();
    const { loop, log } = world;
    let yielded = value;
    if (what === "a revoked proxy") {
      const { proxy, revoke } = value as { proxy: object; revoke(): void };
      revoke();
      yielded = proxy;
    }
    let caught: unknown;
    loop.startSoon(world.sleeper("other", 1));
    loop.startSoon(function* (): Coroutine {
      try {
        // deno-lint-ignore broomio/yield-star -- what is refused is tested here
        yield yielded as never;
      } catch (error) {
        caught = error;
      }
    }());
    await loop.run();
    assertMatch((caught as Error).message, message);
    assertEquals(log, ["1 other slept"]);
  });
}

/** An operation by hand whose iterator is `iterator`. */
function operationOf(iterator: object): Operation<unknown> {
  return { [Symbol.iterator]: () => iterator } as Operation<unknown>;
}

function throwing(text: string): never {
  throw new Error(text);
}

const sleeping = () => (sleep(9) as unknown as Iterable<never>)[Symbol.iterator]();

const HOSTILE: Record<string, [make: () => Operation<unknown>, message: RegExp]> = {
  "next() gives undefined": [() => call(operationOf({ next: () => undefined })), /no result/],
  "next() gives null": [() => call(operationOf({ next: () => null })), /no result/],
  "value is a getter that throws": [
    () =>
      call(operationOf({
        next: () => ({
          done: false,
          get value() {
            return throwing("value");
          },
        }),
      })),
    /^value$/,
  ],
  "done is a getter that throws": [
    () =>
      call(operationOf({
        next: () => ({
          get done() {
            return throwing("done");
          },
        }),
      })),
    /^done$/,
  ],
  "there is no next()": [() => call(operationOf({})), /not a function/],
  "perform() throws": [
    () =>
      call(operationOf({
        next: () => ({ done: false, value: { perform: () => throwing("perform") } }),
      })),
    /^perform$/,
  ],
  "perform is a getter that throws": [
    () =>
      call(operationOf({
        next: () => ({
          done: false,
          value: {
            get perform() {
              return throwing("getter");
            },
          },
        }),
      })),
    /^getter$/,
  ],
  "throw() gives undefined where it is cancelled": [
    () =>
      moveOnAfter(1, () => {
        const iterator = sleeping();
        return operationOf({ next: (sent: never) => iterator.next(sent), throw: () => undefined });
      }),
    /no result/,
  ],
};

for (const [what, [make, message]] of Object.entries(HOSTILE)) {
  for (const observed of [false, true]) {
    Deno.test(`R33b: where ${what}, that task fails and the others go on (${observed ? "" : "not "}observed)`, async () => {
      const world = new World({ instruments: observed ? [{}] : [] });
      const { loop, log } = world;
      let caught: unknown;
      loop.startSoon(world.sleeper("other", 5));
      loop.startSoon(function* (): Coroutine {
        try {
          yield* make();
        } catch (error) {
          caught = error;
        }
      }());
      await loop.run();
      assertMatch((caught as Error).message, message);
      assertEquals(log, ["5 other slept"]);
    });
  }
}

const revoked = (() => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
})();

const THROWN: Record<string, unknown> = {
  "null": null,
  "undefined": undefined,
  "a symbol": Symbol("thrown"),
  "an object without a prototype": Object.create(null),
  "a revoked proxy": revoked,
  "an error whose message throws": Object.defineProperty(new Error(), "message", {
    get: () => throwing("message"),
  }),
  "an error whose name is a symbol": Object.assign(new Error("m"), { name: Symbol("name") }),
  "a frozen error": Object.freeze(new Error("frozen")),
};

for (const [what, thrown] of Object.entries(THROWN)) {
  Deno.test(`R11: ${what} that is thrown is reported as it is, and harms nobody else`, async () => {
    const { loop } = new World();
    const log: string[] = [];
    loop.startSoon(function* (): Coroutine {
      try {
        yield* sleep(9);
      } finally {
        log.push("cleaned up");
      }
    }());
    loop.startSoon(Nursery.open(function* (nursery) {
      nursery.startSoon(function* (): Coroutine {
        yield* sleep(1);
        throw thrown;
      }());
    }));
    const error = await rejection(loop.run());
    assertEquals(nameOf(error).split(":")[0], "NurseryError");
    assert(Object.is(leavesOf(error)[0], thrown));
    assert(leavesOf(error).length === 1);
    assertEquals(log, ["cleaned up"]);
    assert(Deno.inspect(error).length > 0);
  });
}
