/**
 * Starting 100,000 children and joining them. Two rows: children that wait once, as any child worth starting does, and
 * children that only count. The second sets no bar: plain async functions and Effect run such a child inside the call that
 * starts it and schedule nothing, which ours must not (rule R1).
 *
 * - ours: `nursery.startSoon` in a loop; the end of `Nursery.open` joins.
 * - async: calls in a loop, `Promise.all` over their promises.
 * - Effect and Effection: `effectMany`, `effectionMany`; one fiber or task per child. Effection gets 5,000 of them.
 */

import { effectionMany, effectionTurn, effectMany } from "../peers.ts";
import { runMany } from "../lib.ts";
import { peerBars, type Sides, type TimeRow, type Work } from "../row.ts";
import type { Broomio } from "../lib.ts";

/** Ours, for any number of children. */
export function ourChildren(lib: Broomio, children: number, waits: boolean): Work {
  const { checkpoint } = lib;
  let done = 0;
  function* waiting() {
    yield* checkpoint();
    done++;
  }
  // deno-lint-ignore require-yield -- a child that does not wait is the point
  function* counting() {
    done++;
  }
  return {
    ops: children,
    async run() {
      done = 0;
      await runMany(lib, children, waits ? waiting : counting);
      return done;
    },
  };
}

/** Plain async functions, for any number of children. */
export function asyncChildren(children: number, waits: boolean): Work {
  let done = 0;
  async function waiting() {
    await undefined;
    done++;
  }
  // deno-lint-ignore require-await -- as above
  async function counting() {
    done++;
  }
  return {
    ops: children,
    async run() {
      done = 0;
      const child = waits ? waiting : counting;
      const promises: Promise<void>[] = [];
      for (let index = 0; index < children; index++) promises.push(child());
      await Promise.all(promises);
      return done;
    },
  };
}

function sides(waits: boolean): Sides {
  return {
    broomio: (lib) => ourChildren(lib, 100_000, waits),
    async: () => asyncChildren(100_000, waits),
    effect(fx) {
      const { Effect } = fx;
      let done = 0;
      const waiting = Effect.gen(function* () {
        yield* Effect.yieldNow;
        done++;
      });
      // A generator like the others: `Effect.sync` would run inside `forEach` without a fiber at all.
      // deno-lint-ignore require-yield -- as above
      const counting = Effect.gen(function* () {
        done++;
      });
      return {
        ops: 100_000,
        async run() {
          done = 0;
          await effectMany(fx, 100_000, () => waits ? waiting : counting);
          return done;
        },
      };
    },
    effection(fx) {
      const turn = effectionTurn(fx);
      let done = 0;
      function* waiting() {
        yield* turn;
        done++;
      }
      // deno-lint-ignore require-yield -- as above
      function* counting() {
        done++;
      }
      return {
        ops: 5_000,
        async run() {
          done = 0;
          await effectionMany(fx, 5_000, waits ? waiting : counting);
          return done;
        },
      };
    },
  };
}

const head = { kind: "time", per: "child", clock: "wall" } as const;

export const childrenRows: readonly TimeRow[] = [
  {
    ...head,
    id: "children",
    title: "100,000 children, one wait each",
    bars: { async: 1.5, ...peerBars },
    needs: ["Loop", "Nursery", "checkpoint"],
    sides: sides(true),
  },
  {
    ...head,
    id: "children-idle",
    title: "100,000 children, no wait",
    bars: {},
    needs: ["Loop", "Nursery"],
    sides: sides(false),
  },
];
