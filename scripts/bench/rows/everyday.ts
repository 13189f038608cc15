/**
 * Everyday operations against what people install for them: 10,000 items through a mapper that
 * waits once, 8 at a time, against p-limit and p-map; and 1,000 bodies that succeed at the first
 * attempt under `retry`, against p-retry.
 *
 * - ours: `mapConcurrent`, `retry`.
 * - async: the packages, with async functions.
 * - Effect: `forEach` with `concurrency: 8`; `retry` with an exponential schedule.
 * - Effection has neither.
 */

import { runOn } from "../lib.ts";
import { loadPLimit, loadPMap, loadPRetry } from "../peers.ts";
import type { Bars, Sides, TimeRow } from "../row.ts";

const count = 10_000;
const concurrency = 8;
const items = Array.from({ length: count }, (_, index) => index);

function mapSides(
  async: () => Promise<(work: (item: number) => Promise<number>) => Promise<unknown>>,
): Sides {
  return {
    broomio(lib) {
      const { checkpoint, mapConcurrent } = lib;
      return {
        ops: count,
        async run() {
          let done = 0;
          await runOn(lib, function* () {
            yield* mapConcurrent(items, function* (item) {
              yield* checkpoint();
              done++;
              return item;
            }, { concurrency });
          });
          return done;
        },
      };
    },
    async() {
      return {
        ops: count,
        async run(watch) {
          const map = await async();
          let done = 0;
          watch.start();
          await map(async (item) => {
            await undefined;
            done++;
            return item;
          });
          return done;
        },
      };
    },
    effect({ Effect }) {
      return {
        ops: count,
        async run() {
          let done = 0;
          const work = (item: number) =>
            Effect.gen(function* () {
              yield* Effect.yieldNow;
              done++;
              return item;
            });
          await Effect.runPromise(Effect.forEach(items, work, { concurrency }));
          return done;
        },
      };
    },
  };
}

const retries = 1_000;

const retrySides: Sides = {
  broomio(lib) {
    const { checkpoint, retry } = lib;
    return {
      ops: retries,
      async run() {
        let done = 0;
        function* body() {
          yield* checkpoint();
          done++;
        }
        await runOn(lib, function* () {
          for (let i = 0; i < retries; i++) yield* retry(body);
        });
        return done;
      },
    };
  },
  async() {
    return {
      ops: retries,
      async run(watch) {
        const retry = await loadPRetry();
        let done = 0;
        async function body() {
          await undefined;
          done++;
        }
        watch.start();
        for (let i = 0; i < retries; i++) await retry(body);
        return done;
      },
    };
  },
  effect({ Effect, Schedule }) {
    return {
      ops: retries,
      async run() {
        let done = 0;
        const body = Effect.gen(function* () {
          yield* Effect.yieldNow;
          done++;
        });
        await Effect.runPromise(Effect.gen(function* () {
          for (let i = 0; i < retries; i++) {
            yield* Effect.retry(body, Schedule.exponential("1 second"));
          }
        }));
        return done;
      },
    };
  },
};

const head = { kind: "time", clock: "wall" } as const;
const bars: Bars = { async: 1, effect: 1 / 5 };

export const everydayRows: readonly TimeRow[] = [
  {
    ...head,
    id: "map-p-limit",
    title: "map, 8 at a time, against p-limit",
    per: "item",
    bars,
    needs: ["Loop", "mapConcurrent", "checkpoint"],
    sides: mapSides(async () => {
      const limit = (await loadPLimit())(concurrency);
      return (work) => Promise.all(items.map((item) => limit(work, item)));
    }),
  },
  {
    ...head,
    id: "map-p-map",
    title: "map, 8 at a time, against p-map",
    per: "item",
    bars,
    needs: ["Loop", "mapConcurrent", "checkpoint"],
    sides: mapSides(async () => {
      const map = await loadPMap();
      return (work) => map(items, work, { concurrency });
    }),
  },
  {
    ...head,
    id: "retry",
    title: "retry that succeeds at once, against p-retry",
    per: "body",
    bars,
    needs: ["Loop", "retry", "checkpoint"],
    sides: retrySides,
  },
];
