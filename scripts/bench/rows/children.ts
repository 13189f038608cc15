/**
 * Starting 100,000 children and joining them: children that wait once, as any child worth starting does, and children
 * that only count.
 *
 * A call of an async function runs it to its first `await` at once, which ours must not (rule R1). So the children that
 * only count are compared with promises that start later too: `Promise.resolve().then(child)`, with an async function as
 * the child, and, without a bar, with a plain function, which could never wait. Effect runs such a child inside the call
 * that starts it: no bar against it there.
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

/** Promises, for any number of children that do not wait and start later. */
function laterChildren(children: number, form: "async" | "callback"): Work {
  let done = 0;
  // deno-lint-ignore require-await -- a child that does not wait is the point
  async function counting() {
    done++;
  }
  function count() {
    done++;
  }
  return {
    ops: children,
    async run() {
      done = 0;
      const child = form === "async" ? counting : count;
      const ready = Promise.resolve();
      const promises: Promise<void>[] = [];
      for (let index = 0; index < children; index++) promises.push(ready.then(child));
      await Promise.all(promises);
      return done;
    },
  };
}

/** Plain async functions, for any number of children. */
export function asyncChildren(children: number): Work {
  let done = 0;
  async function waiting() {
    await undefined;
    done++;
  }
  return {
    ops: children,
    async run() {
      done = 0;
      const promises: Promise<void>[] = [];
      for (let index = 0; index < children; index++) promises.push(waiting());
      await Promise.all(promises);
      return done;
    },
  };
}

function sides(waits: boolean): Sides {
  return {
    broomio: (lib) => ourChildren(lib, 100_000, waits),
    async: () => waits ? asyncChildren(100_000) : laterChildren(100_000, "async"),
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
    bars: { async: 2 },
    needs: ["Loop", "Nursery"],
    sides: sides(false),
  },
  {
    ...head,
    id: "children-idle-callback",
    title: "  the same, against callbacks",
    bars: {},
    needs: ["Loop", "Nursery"],
    sides: {
      broomio: (lib) => ourChildren(lib, 100_000, false),
      async: () => laterChildren(100_000, "callback"),
    },
  },
];
