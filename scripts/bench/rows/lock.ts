/**
 * Lock hand-over among 1,000 waiters: each in turn gets the lock, gives it back at once and queues again. The lock is
 * held until everybody waits, so every acquire is a hand-over and none is free; timed from its release.
 *
 * - ours: `Lock`. async: `PromiseMutex` of `promise_queue.ts`, hand-written.
 * - Effect: a `Semaphore` of one permit, `take` and `release`, its nearest thing to a lock.
 * - Effection has no lock: the same mutex written with its `action`, as its documentation has one do.
 */

import { effectionMany, effectionTurn, effectMany } from "../peers.ts";
import { runOn } from "../lib.ts";
import { PromiseMutex } from "../promise_queue.ts";
import type { EffectionDoor } from "../peers.ts";
import type { Sides, TimeRow } from "../row.ts";

const waiters = 1_000;

const sides: Sides = {
  broomio(lib) {
    const times = 200;
    return {
      ops: waiters * times,
      async run(watch) {
        let done = 0;
        const lock = new lib.Lock();
        function* waiter() {
          for (let time = 0; time < times; time++) {
            yield* lock.acquire();
            if (++done === waiters * times) watch.stop();
            lock.release();
          }
        }
        await runOn(lib, function* () {
          yield* lib.Nursery.open(function* (nursery) {
            yield* lock.acquire();
            for (let index = 0; index < waiters; index++) nursery.startSoon(waiter());
            yield* lib.checkpoint();
            yield* lib.checkpoint();
            watch.start();
            lock.release();
          });
        });
        return done;
      },
    };
  },
  async() {
    const times = 200;
    return {
      ops: waiters * times,
      async run(watch) {
        let done = 0;
        const lock = new PromiseMutex();
        async function waiter() {
          for (let time = 0; time < times; time++) {
            await lock.acquire();
            if (++done === waiters * times) watch.stop();
            lock.release();
          }
        }
        await lock.acquire();
        const all = Promise.all(Array.from({ length: waiters }, waiter));
        watch.start();
        lock.release();
        await all;
        return done;
      },
    };
  },
  effect(fx) {
    const { Effect, Semaphore } = fx;
    const times = 10;
    return {
      ops: waiters * times,
      async run(watch) {
        let done = 0;
        const lock = Effect.runSync(Semaphore.make(1));
        const waiter = Effect.gen(function* () {
          for (let time = 0; time < times; time++) {
            yield* Semaphore.take(lock, 1);
            if (++done === waiters * times) watch.stop();
            yield* Semaphore.release(lock, 1);
          }
        });
        const opener = Effect.gen(function* () {
          yield* Effect.yieldNow;
          yield* Effect.yieldNow;
          watch.start();
          yield* Semaphore.release(lock, 1);
        });
        Effect.runSync(Semaphore.take(lock, 1));
        await effectMany(fx, waiters + 1, (index) => index < waiters ? waiter : opener);
        return done;
      },
    };
  },
  effection(fx) {
    const times = 20;
    const turn = effectionTurn(fx);
    return {
      ops: waiters * times,
      async run(watch) {
        let done = 0;
        const lock = new ActionMutex(fx);
        function* waiter() {
          for (let time = 0; time < times; time++) {
            yield* lock.acquire();
            if (++done === waiters * times) watch.stop();
            lock.release();
          }
        }
        function* opener() {
          for (let count = 0; count < 10; count++) yield* turn;
          watch.start();
          lock.release();
        }
        lock.hold();
        await effectionMany(fx, waiters + 1, (index) => index < waiters ? waiter() : opener());
        return done;
      },
    };
  },
};

/** The hand-written mutex, waiting in Effection's way. */
class ActionMutex {
  readonly #action: EffectionDoor["action"];
  readonly #waiters: (() => void)[] = [];
  #locked = false;

  constructor(fx: EffectionDoor) {
    this.#action = fx.action;
  }

  hold(): void {
    this.#locked = true;
  }

  *acquire() {
    if (!this.#locked) return void (this.#locked = true);
    yield* this.#action<void>((resolve) => {
      this.#waiters.push(resolve);
      return () => {};
    });
  }

  release(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#locked = false;
    else next();
  }
}

export const lockRows: readonly TimeRow[] = [{
  kind: "time",
  id: "lock",
  title: "lock hand-over, 1,000 waiters",
  per: "hand-over",
  clock: "wall",
  bars: { async: 1.0, effect: 0.2, effection: 0.02 },
  needs: ["Loop", "Nursery", "checkpoint", "Lock"],
  sides,
}];
