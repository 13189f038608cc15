/** Limits, pools of resources, and values that are shared: nothing is lost, opened twice or left open, whoever is cancelled. */
import {
  CapacityLimiter,
  checkpoint,
  ClosedResourceError,
  type Coroutine,
  currentLoop,
  ensure,
  lazy,
  moveOnAfter,
  Nursery,
  RateLimiter,
  ResourcePool,
  settle,
  shield,
  sleep,
  use,
  Watch,
} from "../../../mod.ts";
import { same, type Scenario } from "./scenario.ts";
import { children } from "./sync_scenarios.ts";

/** A resource that may be used by one at a time. */
interface Connection {
  users: number;
  closed: number;
}

export const resourceScenarios: readonly Scenario[] = [
  {
    name: "RateLimiter: no more than its rate, and a waiter that is cancelled takes nothing",
    program: () => {
      const limiter = new RateLimiter({ limit: 2, period: 1, burst: 1 });
      const times: number[] = [];
      function* user(): Coroutine {
        yield* limiter.acquire();
        times.push((yield* currentLoop()).now);
      }
      return {
        main: children(user(), user(), moveOnAfter(0.3, user()), moveOnAfter(0.5, user()), user()),
        check() {
          for (let i = 1; i < times.length; i++) {
            // Time may pass between the acquire and the note of it, so the first may look late.
            same(times[i] >= i * 0.5 - 1e-9, true, `acquire ${i} at ${times[i]}`);
          }
          same(limiter.statistics().tasksWaiting, 0, "tasks that wait");
        },
      };
    },
  },
  {
    name: "CapacityLimiter: tokens of objects come back, however their borrowers wait",
    program: () => {
      const limiter = new CapacityLimiter(1);
      let inside = 0;
      function* borrow(): Coroutine {
        const borrower = {};
        yield* limiter.acquireOnBehalfOf(borrower);
        try {
          if (++inside > 1) throw new Error("two inside");
          yield* checkpoint();
        } finally {
          inside--;
          limiter.releaseOnBehalfOf(borrower);
        }
      }
      return {
        main: children(borrow(), moveOnAfter(1, borrow()), borrow(), limiter.with(checkpoint())),
        check() {
          const { borrowed, tasksWaiting } = limiter.statistics();
          same({ borrowed, tasksWaiting }, { borrowed: 0, tasksWaiting: 0 }, "the limiter");
        },
      };
    },
  },
  ...[{ idleTimeout: Infinity }, { idleTimeout: 1 }, { idleTimeout: 0 }].map((
    { idleTimeout },
  ): Scenario => ({
    name: `ResourcePool, idle for ${idleTimeout} s: each resource has one user, and is closed once`,
    program: () => {
      const made: Connection[] = [];
      let failing = true;
      const pool = new ResourcePool<Connection>({
        *open() {
          yield* checkpoint();
          if (failing) {
            failing = false;
            throw new RangeError("refused");
          }
          const connection = { users: 0, closed: 0 };
          made.push(connection);
          const open = made.filter(({ closed }) => closed === 0).length;
          if (open > 2) throw new Error(`${open} are open`);
          return connection;
        },
        *close(connection) {
          if (connection.users !== 0) throw new Error("closed while in use");
          connection.closed++;
          yield* checkpoint();
        },
        *check({ closed }) {
          yield* checkpoint();
          return closed === 0;
        },
        max: 2,
        idleTimeout,
      });
      function* user(seconds: number, discards = false): Coroutine {
        try {
          yield* pool.with(function* (connection, discard) {
            if (++connection.users > 1) throw new Error("two users");
            if (connection.closed > 0) throw new Error("it is closed");
            try {
              yield* sleep(seconds);
              if (discards) discard();
            } finally {
              connection.users--;
            }
          });
        } catch (error) {
          if (!(error instanceof ClosedResourceError || error instanceof RangeError)) throw error;
        }
      }
      return {
        main: Nursery.open(function* () {
          yield* ensure(() => pool.close());
          yield* children(user(1), moveOnAfter(1, user(2)), user(0, true), user(1));
          yield* user(0);
        }),
        check() {
          same(made.map(({ closed }) => closed), made.map(() => 1), "how often each was closed");
          const { inUse, idle, tasksWaiting } = pool.statistics();
          same([inUse, idle, tasksWaiting], [0, 0, 0], "the pool");
        },
      };
    },
  })),
  {
    name: "Watch: a reader sees newer values only, the last one too, and then the end",
    program: () => {
      const watch = new Watch(0);
      const seen: number[][] = [[], []];
      function* reader(index: number): Coroutine {
        using changes = watch.changes();
        yield* changes.forEach(function* (value) {
          seen[index].push(value);
          yield* checkpoint();
        });
        same(seen[index].at(-1) ?? watch.value, watch.value, "the last value it saw");
      }
      return {
        main: children(
          reader(0),
          moveOnAfter(1, reader(1)),
          function* () {
            try {
              yield* checkpoint();
              watch.set(1);
              yield* sleep(1);
              watch.update((value) => value + 1);
              watch.set(3);
              yield* checkpoint();
            } finally {
              watch.close();
            }
          }(),
        ),
        check() {
          for (const values of seen) {
            same(values, [...new Set(values)].sort((a, b) => a - b), "the order");
          }
          same(watch.statistics().tasksWaiting, 0, "readers that wait");
        },
      };
    },
  },
  {
    name: "lazy: computed by one at a time, once with success, and ended with the last who waits",
    program: () => {
      let running = 0;
      let most = 0;
      let computed = 0;
      const value = lazy(function* () {
        most = Math.max(most, ++running);
        try {
          yield* checkpoint();
          yield* sleep(1);
          computed++;
          return 7;
        } finally {
          yield* shield(checkpoint());
          running--;
        }
      });
      function* asks(): Coroutine {
        same(yield* value, 7, "the value");
      }
      return {
        main: children(
          moveOnAfter(0.5, asks()),
          moveOnAfter(1, asks()),
          moveOnAfter(2, asks()),
          function* () {
            yield* checkpoint();
            yield* moveOnAfter(2, asks());
          }(),
        ),
        check() {
          same([running, most <= 1, computed <= 1], [0, true, true], "computations");
        },
      };
    },
  },
  {
    name: "use: what was handed out is disposed once, before what was taken earlier",
    program: () => {
      const log: string[] = [];
      const taken: string[] = [];
      const resource = (name: string) => ({ [Symbol.dispose]: () => void log.push(name) });
      function* user(name: string): Coroutine {
        yield* Nursery.open(function* (nursery) {
          yield* use(resource(`${name} 1`));
          taken.push(`${name} 1`);
          nursery.startSoon(checkpoint());
          yield* checkpoint();
          yield* use(resource(`${name} 2`));
          taken.push(`${name} 2`);
          yield* sleep(1);
        });
      }
      return {
        main: children(user("a"), settle(moveOnAfter(0.5, user("b")))),
        check() {
          same([...log].sort(), [...taken].sort(), "what was disposed");
          for (const name of ["a", "b"]) {
            const mine = log.filter((entry) => entry.startsWith(name));
            same(mine, [...mine].sort().reverse(), "the order");
          }
        },
      };
    },
  },
];
