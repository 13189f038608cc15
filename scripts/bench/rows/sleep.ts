/**
 * Sleeping: 100,000 tasks asleep at once, each for its own time, and timeouts that do not fire.
 *
 * All sleepers are started before the first is due and wake spread over 50 ms, in no order. Measured is processor time:
 * the elapsed time has the same idle wait in it on every side, which would flatter the slow.
 *
 * - ours: `sleep` in the children of a nursery.
 * - async: `await new Promise((resolve) => setTimeout(resolve, ms))`.
 * - Effect: `Effect.sleep` in fibers. Effection: `sleep` in spawned tasks, 5,000 of them. Both set one host timer each.
 *
 * The timeout row wraps one switch in a limit of ten seconds, 10 tasks at a time: `moveOnAfter`; `Promise.race` against
 * a timer that is cleared after; `Effect.timeoutOption`; Effection's `race` with `sleep`.
 */

import { effectionMany, effectionTurn, effectMany } from "../peers.ts";
import { runMany } from "../lib.ts";
import { peerBars, type TimeRow, type Work } from "../row.ts";
import type { Broomio } from "../lib.ts";

/** Milliseconds that sleeper `index` of `count` sleeps: 1.5 us for each to get started, then spread over 50 ms. */
function milliseconds(index: number, count: number): number {
  return Math.ceil(count * 0.0015) + (index * 7919) % 50;
}

/** Ours, for any number of sleepers. */
export function ourSleepers(lib: Broomio, sleepers: number): Work {
  const { sleep } = lib;
  let done = 0;
  function* sleeper(index: number) {
    yield* sleep(milliseconds(index, sleepers) / 1000);
    done++;
  }
  return {
    ops: sleepers,
    async run() {
      done = 0;
      await runMany(lib, sleepers, sleeper);
      return done;
    },
  };
}

/** Promises over `setTimeout`, for any number of sleepers. */
export function asyncSleepers(sleepers: number): Work {
  let done = 0;
  async function sleeper(index: number) {
    await new Promise<void>((resolve) => setTimeout(resolve, milliseconds(index, sleepers)));
    done++;
  }
  return {
    ops: sleepers,
    async run() {
      done = 0;
      const promises: Promise<void>[] = [];
      for (let index = 0; index < sleepers; index++) promises.push(sleeper(index));
      await Promise.all(promises);
      return done;
    },
  };
}

const sleepRow: TimeRow = {
  kind: "time",
  id: "sleep",
  title: "100,000 concurrent sleeps (cpu)",
  per: "sleep",
  clock: "cpu",
  bars: { async: 0.5, ...peerBars },
  needs: ["Loop", "Nursery", "sleep"],
  sides: {
    broomio: (lib) => ourSleepers(lib, 100_000),
    async: () => asyncSleepers(100_000),
    effect(fx) {
      const { Effect } = fx;
      const sleepers = 50_000;
      let done = 0;
      const sleeper = (index: number) =>
        Effect.gen(function* () {
          yield* Effect.sleep(milliseconds(index, sleepers));
          done++;
        });
      return {
        ops: sleepers,
        async run() {
          done = 0;
          await effectMany(fx, sleepers, sleeper);
          return done;
        },
      };
    },
    effection(fx) {
      const { sleep } = fx;
      const sleepers = 5_000;
      let done = 0;
      function* sleeper(index: number) {
        yield* sleep(milliseconds(index, sleepers));
        done++;
      }
      return {
        ops: sleepers,
        async run() {
          done = 0;
          await effectionMany(fx, sleepers, sleeper);
          return done;
        },
      };
    },
  },
};

const tasks = 10;

const timeoutRow: TimeRow = {
  kind: "time",
  id: "timeout",
  title: "timeout that does not fire",
  per: "timeout",
  clock: "wall",
  bars: {}, // DESIGN section 6 sets none
  needs: ["Loop", "Nursery", "checkpoint", "moveOnAfter"],
  sides: {
    broomio(lib) {
      const { checkpoint, moveOnAfter } = lib;
      const times = 10_000;
      let done = 0;
      function* body() {
        yield* checkpoint();
        done++;
      }
      function* task() {
        for (let time = 0; time < times; time++) yield* moveOnAfter(10, body);
      }
      return {
        ops: tasks * times,
        async run() {
          done = 0;
          await runMany(lib, tasks, task);
          return done;
        },
      };
    },
    async() {
      const times = 2_000;
      let done = 0;
      async function body() {
        await undefined;
        done++;
      }
      async function limited(ms: number, promise: Promise<void>): Promise<void> {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const expired = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
        try {
          await Promise.race([promise, expired]);
        } finally {
          clearTimeout(timer);
        }
      }
      async function task() {
        for (let time = 0; time < times; time++) await limited(10_000, body());
      }
      return {
        ops: tasks * times,
        async run() {
          done = 0;
          await Promise.all(Array.from({ length: tasks }, task));
          return done;
        },
      };
    },
    effect(fx) {
      const { Effect } = fx;
      const times = 500;
      let done = 0;
      const body = Effect.gen(function* () {
        yield* Effect.yieldNow;
        done++;
      });
      const limited = Effect.timeoutOption(body, 10_000);
      const task = Effect.gen(function* () {
        for (let time = 0; time < times; time++) yield* limited;
      });
      return {
        ops: tasks * times,
        async run() {
          done = 0;
          await effectMany(fx, tasks, () => task);
          return done;
        },
      };
    },
    effection(fx) {
      const { race, sleep } = fx;
      const turn = effectionTurn(fx);
      const times = 50;
      let done = 0;
      function* body() {
        yield* turn;
        done++;
      }
      function* task() {
        for (let time = 0; time < times; time++) yield* race([body(), sleep(10_000)]);
      }
      return {
        ops: tasks * times,
        async run() {
          done = 0;
          await effectionMany(fx, tasks, task);
          return done;
        },
      };
    },
  },
};

export const sleepRows: readonly TimeRow[] = [sleepRow, timeoutRow];
