/** The primitives that tasks wait for: no permit, token, lock or wake-up is lost, whoever is cancelled. */
import {
  CapacityLimiter,
  checkpoint,
  Condition,
  type Coroutine,
  Event,
  Lock,
  moveOnAfter,
  Nursery,
  type Operation,
  ParkingLot,
  Semaphore,
  sleep,
} from "../../../mod.ts";
import { same, type Scenario } from "./scenario.ts";

/** Children of one nursery; that one was cancelled is no failure. */
export function children(...operations: Operation<unknown>[]): Operation<unknown> {
  return Nursery.open(function* (nursery) {
    for (const each of operations) nursery.startSoon(each);
  });
}

export const syncScenarios: readonly Scenario[] = [
  {
    name: "Event: everybody who waits is woken, once",
    program: () => {
      const event = new Event();
      let woken = 0;
      let cancelled = 0;
      function* waiter(): Coroutine {
        let done = false;
        try {
          yield* event.wait();
          woken++;
          done = true;
        } finally {
          if (!done) cancelled++;
        }
      }
      return {
        main: children(
          waiter(),
          moveOnAfter(1, waiter()),
          function* () {
            try {
              yield* sleep(1);
            } finally {
              event.set();
            }
          }(),
        ),
        check: () => same(event.isSet || woken === 0, true, "woken without a set"),
      };
    },
  },
  {
    name: "Lock: one at a time, and free at the end",
    program: () => {
      const lock = new Lock();
      let inside = 0;
      let most = 0;
      function* user(): Coroutine {
        yield* lock.with(function* () {
          most = Math.max(most, ++inside);
          try {
            yield* checkpoint();
          } finally {
            inside--;
          }
        });
      }
      return {
        main: children(
          user(),
          moveOnAfter(0, user()),
          user(),
          function* () {
            if (!lock.tryAcquire()) return;
            try {
              yield* checkpoint();
            } finally {
              lock.release();
            }
          }(),
        ),
        check() {
          same(most <= 1, true, "two inside");
          const { locked, tasksWaiting } = lock.statistics();
          same({ locked, tasksWaiting }, { locked: false, tasksWaiting: 0 }, "the lock");
        },
      };
    },
  },
  {
    name: "Semaphore: every permit comes back",
    program: () => {
      const semaphore = new Semaphore(2);
      let inside = 0;
      function* user(seconds: number): Coroutine {
        yield* semaphore.with(function* () {
          if (++inside > 2) throw new Error("three inside");
          try {
            yield* sleep(seconds);
          } finally {
            inside--;
          }
        });
      }
      return {
        main: children(user(1), user(2), moveOnAfter(1, user(1)), moveOnAfter(2, user(0))),
        check: () => same(semaphore.statistics(), { value: 2, tasksWaiting: 0 }, "the semaphore"),
      };
    },
  },
  {
    name: "CapacityLimiter: never more than the total, also when that changes",
    program: () => {
      const limiter = new CapacityLimiter(2);
      function* user(): Coroutine {
        yield* limiter.with(function* () {
          yield* checkpoint();
          yield* checkpoint();
        });
      }
      return {
        main: children(
          user(),
          user(),
          moveOnAfter(1, user()),
          user(),
          function* () {
            yield* checkpoint();
            limiter.total = 1;
            yield* checkpoint();
            const { borrowed } = limiter.statistics();
            yield* checkpoint();
            // None may have been added while there were more than the total.
            const now = limiter.statistics().borrowed;
            if (borrowed >= 1 && now > Math.max(borrowed, 1)) throw new Error(`${now} of 1`);
            limiter.total = 3;
          }(),
        ),
        check() {
          const { borrowed, tasksWaiting } = limiter.statistics();
          same({ borrowed, tasksWaiting }, { borrowed: 0, tasksWaiting: 0 }, "the limiter");
        },
      };
    },
  },
  {
    name: "Condition: a notification that a cancelled waiter got goes to another",
    program: () => {
      const condition = new Condition();
      let items = 0;
      let taken = 0;
      let put = 0;
      function* consumer(): Coroutine {
        yield* condition.with(function* () {
          while (items === 0) yield* condition.wait();
          items--;
          taken++;
        });
      }
      function* producer(): Coroutine {
        for (let i = 0; i < 2; i++) {
          yield* condition.with(function* () {
            items++;
            put++;
            condition.notify();
            yield* checkpoint();
          });
        }
      }
      return {
        main: moveOnAfter(
          10,
          children(consumer(), moveOnAfter(1, consumer()), consumer(), producer()),
        ),
        check() {
          same(items, put - taken, "items");
          const { tasksWaiting, lock } = condition.statistics();
          same([tasksWaiting, lock.locked], [0, false], "the condition");
        },
      };
    },
  },
  {
    name: "ParkingLot: as many are woken as were to be",
    program: () => {
      const lot = new ParkingLot();
      function* parker(): Coroutine {
        yield* lot.park();
      }
      return {
        main: moveOnAfter(
          5,
          children(
            parker(),
            moveOnAfter(1, parker()),
            parker(),
            function* () {
              yield* sleep(1);
              lot.unpark();
              yield* checkpoint();
              lot.unparkAll();
            }(),
          ),
        ),
        check: () => same(lot.statistics().tasksWaiting, 0, "tasks that wait"),
      };
    },
  },
];
