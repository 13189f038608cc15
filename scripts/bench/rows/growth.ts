/**
 * Linear growth: the cost per item of 10,000, 100,000 and 1,000,000 children, sleepers and cancelled sleepers.
 *
 * Larger heaps miss more caches on every side, so the bar is not 1: the plain side is measured too where it has one, to
 * show what the engine itself does. (Cancelling has none: listeners on one `AbortSignal` go quadratic, ten thousand
 * already take a second.)
 */

import { asyncChildren, ourChildren } from "./children.ts";
import { asyncSleepers, ourSleepers } from "./sleep.ts";
import type { Broomio } from "../lib.ts";
import type { GrowthRow, Work } from "../row.ts";

/** One cancel of a nursery whose children all sleep; only the cancel, up to the end of `open`, is measured. */
function ourCancels(lib: Broomio, children: number): Work {
  return {
    ops: children,
    async run(watch) {
      let asleep = 0;
      let cancelled = 0;
      function* sleeper() {
        try {
          asleep++;
          yield* lib.sleep(1_000);
        } finally {
          cancelled++;
        }
      }
      await new lib.Loop().run(function* () {
        yield* lib.Nursery.open(function* (nursery) {
          for (let index = 0; index < children; index++) nursery.startSoon(sleeper());
          while (asleep < children) yield* lib.checkpoint();
          watch.start();
          nursery.cancel();
        });
        watch.stop();
      }());
      return cancelled;
    },
  };
}

const head = { kind: "growth", sizes: [10_000, 100_000, 1_000_000], bars: {} } as const;

export const growthRows: readonly GrowthRow[] = [
  {
    ...head,
    id: "growth-children",
    title: "children, one wait each",
    per: "child",
    clock: "wall",
    needs: ["Loop", "Nursery", "checkpoint"],
    sides: {
      broomio: (lib, size) => ourChildren(lib, size, true),
      async: (size) => asyncChildren(size),
    },
  },
  {
    ...head,
    id: "growth-sleepers",
    title: "sleepers (cpu)",
    per: "sleeper",
    clock: "cpu",
    needs: ["Loop", "Nursery", "sleep"],
    sides: { broomio: ourSleepers, async: asyncSleepers },
  },
  {
    ...head,
    id: "growth-cancels",
    title: "cancelled sleepers",
    per: "cancel",
    clock: "wall",
    needs: ["Loop", "Nursery", "sleep", "checkpoint"],
    sides: { broomio: ourCancels },
  },
];
