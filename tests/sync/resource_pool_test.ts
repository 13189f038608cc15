/** ResourcePool: never more than `max`, in order, idle ones kept and closed in time, every one closed once. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  all,
  ClosedResourceError,
  type Coroutine,
  DeadlockError,
  type ExecutionOrder,
  Loop,
  moveOnAfter,
  Nursery,
  ResourcePool,
  type ResourcePoolOptions,
  settle,
  sleep,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import {
  inEveryOrder,
  leftovers,
  nameOf,
  NOTHING_LEFT,
  rejection,
  World,
} from "../support/world.ts";

/** Connections that know how many of them there are. */
class Server {
  opened = 0;
  readonly open: Set<number> = new Set();
  readonly closed: number[] = [];
  most = 0;
  broken: Set<number> = new Set();
  failOpen = false;
  seconds = 0.5;

  options(rest: Partial<ResourcePoolOptions<number>> = {}): ResourcePoolOptions<number> {
    // deno-lint-ignore no-this-alias -- generator functions
    const server = this;
    return {
      *open(): Coroutine<number> {
        yield* sleep(server.seconds);
        if (server.failOpen) throw new Error("refused");
        server.open.add(++server.opened);
        server.most = Math.max(server.most, server.open.size);
        return server.opened;
      },
      *close(connection): Coroutine {
        yield* sleep(server.seconds);
        assert(server.open.delete(connection), `${connection} was closed twice`);
        server.closed.push(connection);
      },
      max: 2,
      ...rest,
    };
  }
}

function* query(pool: ResourcePool<number>, seconds = 1): Coroutine<number> {
  return yield* pool.with(function* (connection) {
    yield* sleep(seconds);
    return connection;
  });
}

inEveryOrder(
  "at most max are open; they are reused, and waited for in order",
  async ({ loop, log }) => {
    const server = new Server();
    const pool = new ResourcePool(server.options());
    await loop.run(function* (): Coroutine {
      yield* Nursery.open(function* (nursery) {
        for (const name of ["a", "b", "c", "d", "e"]) {
          nursery.startSoon(function* (): Coroutine {
            yield* query(pool);
            log.push(`${name} at ${loop.now}`);
          }());
          yield* sleep(0.01);
        }
        assertEquals(pool.statistics(), { max: 2, inUse: 2, idle: 0, tasksWaiting: 3 });
      });
      assertEquals([server.opened, server.most], [2, 2]);
      assertEquals(pool.statistics(), { max: 2, inUse: 0, idle: 2, tasksWaiting: 0 });
      assertEquals(log.map((line) => line[0]), ["a", "b", "c", "d", "e"]);
      yield* pool.close();
      assertEquals(server.open.size, 0);
    }());
  },
);

inEveryOrder(
  "idle ones are closed when their time is up; the one used last is borrowed first",
  async ({ loop }) => {
    const server = new Server();
    const pool = new ResourcePool(server.options({ idleTimeout: 10 }));
    await loop.run(function* (): Coroutine {
      const [first, last] = yield* all([query(pool, 1), query(pool, 2)]); // idle from 1.5, 2.5 on
      assertEquals(yield* query(pool, 1), last);
      yield* sleep(9);
      assertEquals(server.closed, [first]);
      yield* sleep(9);
      assertEquals(server.closed, [first, last]);
      assertEquals(pool.statistics(), { max: 2, inUse: 0, idle: 0, tasksWaiting: 0 });
      assertEquals(yield* query(pool), 3);
      yield* pool.close();
    }());
  },
);

inEveryOrder(
  "one that fails its check is closed and another one borrowed or opened",
  async ({ loop, warnings }) => {
    const server = new Server();
    for (
      const check of [
        (n: number) => !server.broken.has(n),
        function* (n: number): Coroutine<boolean> {
          yield* sleep(0.25);
          if (server.broken.has(n)) throw new Error("no answer");
          return true;
        },
      ]
    ) {
      const pool = new ResourcePool(server.options({ check }));
      await loop.run(function* (): Coroutine {
        yield* all([query(pool), query(pool)]);
        const [older, newer] = [...server.open];
        assertEquals((yield* query(pool)) !== older || (yield* query(pool)) !== newer, true);
        server.broken.add(newer).add(older);
        const third = yield* query(pool);
        assert(third > newer);
        assertEquals(server.open.has(newer) || server.open.has(older), false);
        yield* pool.close();
      }());
    }
    assertEquals([server.open.size, server.most, warnings], [0, 2, []]);
  },
);

inEveryOrder(
  "a discarded one is closed; failing to open is the borrower's error, and frees the slot",
  async ({ loop }) => {
    const server = new Server();
    const pool = new ResourcePool(server.options({ max: 1 }));
    await loop.run(function* (): Coroutine {
      yield* pool.with(function* (_, discard) {
        yield* sleep(1);
        discard();
      });
      assertEquals([server.closed, pool.statistics().idle], [[1], 0]);
      server.failOpen = true;
      const [one, two] = yield* all([settle(query(pool)), settle(query(pool))]);
      for (const result of [one, two]) {
        assertEquals(nameOf(!result.ok && result.error), "Error: refused");
      }
      assertEquals(pool.statistics(), { max: 1, inUse: 0, idle: 0, tasksWaiting: 0 });
      yield* pool.close();
    }());
  },
);

inEveryOrder("an error of the body comes out, and the resource goes back", async (world) => {
  const server = new Server();
  const pool = new ResourcePool(server.options());
  await world.loop.run(function* (): Coroutine {
    const result = yield* settle(pool.with(() => world.failing("boom", 1)));
    assertEquals(nameOf(!result.ok && result.error), "Error: boom");
    assertEquals(pool.statistics().idle, 1);
    yield* pool.close();
  }());
});

inEveryOrder(
  "close refuses who comes and who waits, and waits for what is borrowed",
  async ({ loop, log }) => {
    const server = new Server();
    const pool = new ResourcePool(server.options({ max: 2, name: "db" }));
    await loop.run(Nursery.open(function* (nursery) {
      yield* query(pool, 0); // one is idle
      const user = nursery.startSoon(query(pool, 5));
      nursery.startSoon(query(pool, 2));
      yield* sleep(0.75);
      const waiting = nursery.startSoon(settle(query(pool)));
      yield* sleep(0.25);
      yield* all([pool.close(), pool.close()]);
      log.push(`closed at ${loop.now}`);
      assertEquals((yield* user.join()) > 0, true);
      const refused = yield* waiting.join();
      assertMatch(
        String(!refused.ok && refused.error),
        /ClosedResourceError: Cannot borrow from resource pool "db": it was closed/,
      );
      const late = yield* settle(query(pool));
      assert(!late.ok && late.error instanceof ClosedResourceError);
      assertEquals(server.open.size, 0);
      yield* pool.close();
    }));
    assert(["closed at 6", "closed at 6.5"].includes(log[0]), log[0]); // the idle one went to either
  },
);

inEveryOrder("what goes wrong in closing is a warning", async ({ loop, warnings }) => {
  const pool = new ResourcePool({
    *open(): Coroutine<number> {
      yield* sleep(1);
      return 1;
    },
    close: () => {
      throw new Error("stuck");
    },
    max: 1,
  });
  await loop.run(function* (): Coroutine {
    yield* query(pool);
    yield* pool.close();
  }());
  assertEquals(warnings.length, 1);
  assertMatch(warnings[0].message, /^Closing a resource of a resource pool failed: Error: stuck/);
});

Deno.test("R7: a deadlock report says who has the resources", async () => {
  const { loop } = new World();
  const pool = new ResourcePool(new Server().options({ max: 1, name: "db" }));
  const error = await rejection(loop.run(pool.with(() => query(pool))));
  assert(error instanceof DeadlockError);
  assertMatch(error.message, /acquiring a resource of resource pool "db".*main/);
  assertEquals(pool.statistics().inUse, 0);
  await loop.run(pool.close());
});

Deno.test("R2, R40b: a pool refuses wrong options and bodies", () => {
  const good = new Server().options();
  for (
    const wrong of [
      ...[undefined, null, 5, { ...good, open: 5 }, { ...good, close: undefined }],
      ...[{ ...good, max: "2" }, { ...good, check: 5 }, { ...good, idleTimeout: "1" }],
    ]
  ) assertThrows(() => new ResourcePool(wrong as never), TypeError);
  for (const wrong of [{ ...good, max: 0 }, { ...good, max: 1.5 }, { ...good, idleTimeout: -1 }]) {
    assertThrows(() => new ResourcePool(wrong), RangeError);
  }
  const unknown = { ...good, idleTime: 5 } as never;
  assertThrows(() => new ResourcePool(unknown), TypeError, 'nearest known one is "idleTimeout"');
  // deno-lint-ignore broomio/no-uncalled-coroutine -- what is refused is tested here
  assertThrows(() => new ResourcePool(good).with(sleep(1) as never), TypeError, "body of with()");
});

Deno.test("R30: a pool survives a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const server = new Server();
    const check = function* (): Coroutine<boolean> {
      yield* sleep(0.1);
      return true;
    };
    const pool = new ResourcePool(server.options({ max: 1, idleTimeout: 5, check }));
    const users = 3;
    let served = 0;
    function* user(): Coroutine {
      yield* query(pool);
      yield* sleep(0.5);
      yield* query(pool);
      served++;
    }
    return {
      victim: user(),
      others: [
        user(),
        user(),
        function* (): Coroutine {
          yield* sleep(60);
          assertEquals(pool.statistics(), { max: 1, inUse: 0, idle: 0, tasksWaiting: 0 });
          yield* pool.close();
        }(),
      ],
      check({ completed }) {
        assertEquals(server.open.size, 0);
        assertEquals(server.most, 1);
        assert(served === users || (!completed && served === users - 1));
      },
    };
  });
  assert(waits >= 5, `only ${waits} waits`);
});

Deno.test("random users of a pool: never more than max, none lost, each closed once", async () => {
  const act = fc.record({
    pause: fc.constantFrom(0, 0, 1, 4),
    work: fc.constantFrom(0, 1, 2),
    patience: fc.constantFrom(0.3, 1.2, 99, 99),
    end: fc.constantFrom("well", "well", "error", "discard", "breaks"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(act, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
      fc.record({
        max: fc.integer({ min: 1, max: 3 }),
        idle: fc.constantFrom(0, 2, Infinity),
        seconds: fc.constantFrom(0, 0.5),
        closeAt: fc.constantFrom(3, 100),
      }),
      fc.constantFrom<ExecutionOrder>("fifo", "lifo", "random"),
      fc.nat(),
      async (users, { max, idle, seconds, closeAt }, executionOrder, seed) => {
        const loop = new Loop({ host: new VirtualClock(), executionOrder, seed });
        const server = new Server();
        server.seconds = seconds;
        const check = (n: number) => !server.broken.has(n);
        const pool = new ResourcePool(server.options({ max, idleTimeout: idle, check }));
        const inUse = new Set<number>();
        for (const acts of users) {
          loop.startSoon(function* (): Coroutine {
            for (const { pause, work, patience, end } of acts) {
              yield* sleep(pause);
              yield* settle(moveOnAfter(
                patience,
                pool.with(function* (n, discard): Coroutine {
                  assert(!inUse.has(n), `${n} is used by two`);
                  assert(server.open.has(n), `${n} is not open`);
                  inUse.add(n);
                  try {
                    yield* sleep(work);
                    if (end === "error") throw new Error("x");
                    if (end === "discard") discard();
                    if (end === "breaks") server.broken.add(n);
                  } finally {
                    inUse.delete(n);
                  }
                }),
              ));
            }
          }());
        }
        await loop.run(function* (): Coroutine {
          yield* sleep(closeAt);
          yield* pool.close();
          assertEquals(server.open.size, 0, "all are closed");
        }());
        assert(server.most <= max, `${server.most} open, ${max} allowed`);
        assertEquals(server.closed.length, server.opened);
        assertEquals(pool.statistics(), { max, inUse: 0, idle: 0, tasksWaiting: 0 });
        assertEquals(leftovers(loop), NOTHING_LEFT);
      },
    ),
    { numRuns: 300 },
  );
});
