/**
 * R30: for each primitive, a scenario in which one task is cancelled at its 1st, 2nd, ... nth wait,
 * until it completes.
 */
import { assert, assertEquals } from "@std/assert";
import {
  CapacityLimiter,
  checkpoint,
  Condition,
  type Coroutine,
  Event,
  Lock,
  type Operation,
  ParkingLot,
  Semaphore,
  sleep,
} from "../../mod.ts";
import { cancelAtEveryWait, type Outcome, type Scenario } from "../support/cancel_at_every_wait.ts";

/** Where at most `capacity` tasks may be at once. */
class Room {
  inside = 0;
  visits = 0;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  *visit(): Coroutine {
    assert(++this.inside <= this.#capacity, "too many inside");
    try {
      yield* checkpoint();
      yield* sleep(1);
    } finally {
      this.inside--;
    }
    this.visits++;
  }
}

interface Guard {
  acquire(): Operation<void>;
  tryAcquire(): boolean;
  release(): void;
  with<T>(body: Operation<T>): Operation<T>;
}

/** Goes in and out three times, once in each way. */
function* visitor(guard: Guard, room: Room): Coroutine {
  yield* guard.with(room.visit());
  yield* guard.acquire();
  try {
    yield* room.visit();
  } finally {
    guard.release();
  }
  if (!guard.tryAcquire()) yield* guard.acquire();
  try {
    yield* room.visit();
  } finally {
    guard.release();
  }
}

function guarded(guard: Guard, capacity: number, check: () => void): Scenario {
  const room = new Room(capacity);
  return {
    victim: visitor(guard, room),
    others: [visitor(guard, room), visitor(guard, room), visitor(guard, room)],
    check({ completed }: Outcome) {
      assertEquals(room.inside, 0);
      assert(room.visits >= 9, "the others were held up");
      if (completed) assertEquals(room.visits, 12);
      check();
    },
  };
}

const FREE = { locked: false, owner: null, tasksWaiting: 0 };

Deno.test("R30: a lock survives a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const lock = new Lock();
    return guarded(lock, 1, () => assertEquals(lock.statistics(), FREE));
  });
  assert(waits >= 8, `only ${waits} waits`);
});

Deno.test("R30: a semaphore survives a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const semaphore = new Semaphore(2, { max: 2 });
    return guarded(
      semaphore,
      2,
      () => assertEquals(semaphore.statistics(), { value: 2, tasksWaiting: 0 }),
    );
  });
  assert(waits >= 8, `only ${waits} waits`);
});

Deno.test("R30: a capacity limiter survives a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const limiter = new CapacityLimiter(2);
    return guarded(limiter, 2, () =>
      assertEquals(limiter.statistics(), {
        total: 2,
        borrowed: 0,
        borrowers: [],
        tasksWaiting: 0,
      }));
  });
  assert(waits >= 8, `only ${waits} waits`);
});

Deno.test("R30: an event survives a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const events = [new Event(), new Event(), new Event()];
    let seen = 0;
    function* watcher(): Coroutine {
      for (const event of events) yield* event.wait();
      seen++;
    }
    return {
      victim: watcher(),
      others: [
        watcher(),
        function* () {
          for (const event of events) {
            yield* sleep(1);
            event.set();
          }
        }(),
      ],
      check({ completed }) {
        assert(seen === 2 || (!completed && seen === 1));
        for (const event of events) assertEquals(event.statistics().tasksWaiting, 0);
      },
    };
  });
  assertEquals(waits, 3);
});

Deno.test("R30: a parking lot survives a cancel at every wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const lot = new ParkingLot();
    let woken = 0;
    let returned = 0;
    function* parker(): Coroutine {
      for (let i = 0; i < 3; i++) {
        yield* lot.park();
        returned++;
      }
    }
    return {
      victim: parker(),
      others: [
        parker(),
        parker(),
        function* () {
          while (lot.statistics().tasksWaiting > 0 || woken === 0) {
            yield* sleep(1);
            woken += lot.unpark();
          }
        }(),
      ],
      check({ completed }) {
        assertEquals(returned, woken); // those that were woken, and no others
        assert(woken >= 6);
        if (completed) assertEquals(woken, 9);
        assertEquals(lot.statistics().tasksWaiting, 0);
      },
    };
  });
  assertEquals(waits, 3);
});

Deno.test("R30: a condition loses no notification to a cancel at any wait", async () => {
  const LOAVES = 6;
  const waits = await cancelAtEveryWait(() => {
    const lock = new Lock();
    const baked = new Condition(lock);
    const sold = new Condition(lock);
    let loaf: number | null = null;
    let closed = false;
    const eaten: number[] = [];
    function* eater(): Coroutine {
      yield* sleep(1);
      yield* lock.with(function* (): Coroutine {
        while (!closed) {
          while (loaf === null && !closed) yield* baked.wait();
          if (loaf === null) return;
          eaten.push(loaf);
          loaf = null;
          sold.notify();
          yield* checkpoint();
        }
      });
    }
    function* baker(): Coroutine {
      yield* sleep(2);
      yield* lock.with(function* () {
        for (let i = 1; i <= LOAVES; i++) {
          loaf = i;
          assert(baked.notify() <= 1);
          yield* sleep(1);
          while (loaf !== null) yield* sold.wait(); // forever, if the notification went to nobody
        }
        closed = true;
        baked.notifyAll();
      });
    }
    return {
      victim: eater(),
      others: [eater(), eater(), baker()],
      check() {
        assertEquals(eaten, [1, 2, 3, 4, 5, 6]);
        for (const condition of [baked, sold]) {
          assertEquals(condition.statistics(), { tasksWaiting: 0, lock: FREE });
        }
      },
    };
  });
  assert(waits >= 5, `only ${waits} waits`);
});

Deno.test("R30: the one who notifies may be cancelled at any wait", async () => {
  const waits = await cancelAtEveryWait(() => {
    const condition = new Condition();
    let bread = 0;
    let eaten = 0;
    function* baker(): Coroutine {
      for (let i = 0; i < 3; i++) {
        yield* condition.with(function* () {
          yield* sleep(1);
          bread++;
          condition.notify();
          yield* checkpoint();
        });
      }
    }
    function* eater(): Coroutine {
      for (let i = 0; i < 3; i++) {
        yield* condition.with(function* () {
          while (bread === 0) yield* condition.wait();
          bread--;
          eaten++;
        });
      }
    }
    return {
      victim: baker(),
      others: [eater(), eater(), baker(), baker()],
      check({ completed }) {
        assertEquals([eaten, condition.lock.locked], [6, false]);
        if (completed) assertEquals(bread, 3);
      },
    };
  });
  assert(waits >= 9, `only ${waits} waits`);
});
