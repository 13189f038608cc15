/**
 * Memory of a task at rest: heap bytes (with array buffers) per item, after collection.
 *
 * - ours: children of one nursery in `sleep(1000)`: task, coroutine, operation, their place in the deadline queue.
 * - async: suspended async functions, each awaiting a new promise. Somebody must hold what wakes it, or it would be
 *   garbage: here an array of the `resolve` functions, and nothing else. No timer: this is the least it can be.
 * - Effect: fibers in `Effect.sleep`. Effection: tasks in `sleep`. Theirs includes the host timer's JavaScript half.
 */

import type { MemoryRow } from "../row.ts";

export const memoryRows: readonly MemoryRow[] = [{
  kind: "memory",
  id: "memory",
  title: "memory of a sleeping task",
  per: "task",
  bars: { async: 1.0 },
  needs: ["Loop", "Nursery", "sleep"],
  sides: {
    broomio: (lib) => ({
      items: 100_000,
      async hold(count) {
        let asleep = 0;
        function* sleeper() {
          asleep++;
          yield* lib.sleep(1_000);
        }
        const ended = new lib.Loop().run(function* () {
          yield* lib.Nursery.open(function* (nursery) {
            for (let index = 0; index < count; index++) nursery.startSoon(sleeper());
          });
        }());
        while (asleep < count) await new Promise((resolve) => setTimeout(resolve, 10));
        return [ended]; // in an array: returning the promise itself would wait for it
      },
    }),
    async: () => ({
      items: 100_000,
      // deno-lint-ignore require-await -- the others wait
      async hold(count) {
        const wakers: (() => void)[] = new Array(count);
        async function sleeper(index: number) {
          await new Promise<void>((resolve) => wakers[index] = resolve);
        }
        for (let index = 0; index < count; index++) sleeper(index);
        return wakers;
      },
    }),
    effect: ({ Effect }) => ({
      items: 20_000,
      async hold(count) {
        let asleep = 0;
        const sleeper = Effect.gen(function* () {
          asleep++;
          yield* Effect.sleep(1_000_000);
        });
        const indexes = Array.from({ length: count }, (_, index) => index);
        const fiber = Effect.runFork(
          Effect.forEach(indexes, () => sleeper, { concurrency: "unbounded", discard: true }),
        );
        while (asleep < count) await new Promise((resolve) => setTimeout(resolve, 10));
        return fiber;
      },
    }),
    effection: ({ run, sleep, spawn, suspend }) => ({
      items: 5_000,
      async hold(count) {
        let asleep = 0;
        function* sleeper() {
          asleep++;
          yield* sleep(1_000_000);
        }
        const task = run(function* () {
          for (let index = 0; index < count; index++) yield* spawn(sleeper);
          yield* suspend();
        });
        while (asleep < count) await new Promise((resolve) => setTimeout(resolve, 10));
        return [task]; // in an array: a task is a thenable, and returning it would wait for it
      },
    }),
  },
}];
