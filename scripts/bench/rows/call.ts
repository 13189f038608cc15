/**
 * Depth: a chain of 100 calls in each of 100 tasks. Two rows, and each again with the peers' tricks of
 * `switch.ts`, without a bar.
 *
 * "resume" enters the chain once and then waits many times at its bottom: what one wait deep inside a program costs.
 * "enter and leave" goes down, waits once at the bottom and comes back: what the calls themselves cost.
 *
 * - ours: `yield* call(down(n - 1))` at every level.
 * - async: `await down(n - 1)` at every level; a resume touches the innermost function only.
 * - Effect: nested `Effect.gen`, each level `yield*`s the effect of the next; its own fiber keeps the stack.
 * - Effection: `yield*` of the next generator, as its documentation does; JavaScript passes each resume through the chain.
 *   Entering and leaving costs it next to nothing then, as it would ours without `call`: no bar against it there.
 */

import { Gate } from "../gate.ts";
import { effectionMany, effectionTurn, effectMany } from "../peers.ts";
import { runMany } from "../lib.ts";
import { peerBars, type Sides, type SizedSide, type TimeRow } from "../row.ts";
import type { EffectDoor } from "../peers.ts";

const depth = 100;
const tasks = 100;

/** `waits` at the bottom of each descent, `descents` by each task; counts every wait, or every level of a descent. */
function sides(
  count: "waits" | "levels",
  size: (side: SizedSide) => { waits: number; descents: number },
  fastest: boolean,
): Sides {
  const opsOf = ({ waits, descents }: { waits: number; descents: number }) =>
    tasks * descents * (count === "waits" ? waits : depth);
  return {
    broomio(lib) {
      const { call, checkpoint } = lib;
      const { waits, descents } = size("broomio");
      let done = 0;
      let gate: Gate;
      function* down(level: number): Generator<unknown, void, unknown> {
        if (level > 0) {
          yield* call(down(level - 1));
          if (count === "levels") done++;
          return;
        }
        if (count === "waits") gate.begin();
        for (let wait = 0; wait < waits; wait++) {
          yield* checkpoint();
          if (count === "waits") done++;
        }
        if (count === "waits") gate.end();
      }
      function* task() {
        if (count === "levels") gate.begin();
        for (let descent = 0; descent < descents; descent++) yield* call(down(depth));
        if (count === "levels") gate.end();
      }
      return {
        ops: opsOf({ waits, descents }),
        async run(watch) {
          done = 0;
          gate = new Gate(watch, tasks);
          await runMany(lib, tasks, task);
          return done;
        },
      };
    },
    async() {
      const { waits, descents } = size("async");
      let done = 0;
      let gate: Gate;
      async function down(level: number): Promise<void> {
        if (level > 0) {
          await down(level - 1);
          if (count === "levels") done++;
          return;
        }
        if (count === "waits") gate.begin();
        for (let wait = 0; wait < waits; wait++) {
          await undefined;
          if (count === "waits") done++;
        }
        if (count === "waits") gate.end();
      }
      async function task() {
        if (count === "levels") gate.begin();
        for (let descent = 0; descent < descents; descent++) await down(depth);
        if (count === "levels") gate.end();
      }
      return {
        ops: opsOf({ waits, descents }),
        async run(watch) {
          done = 0;
          gate = new Gate(watch, tasks);
          await Promise.all(Array.from({ length: tasks }, task));
          return done;
        },
      };
    },
    effect(fx) {
      const { Effect } = fx;
      const { waits, descents } = size("effect");
      let done = 0;
      let gate: Gate;
      const down = (level: number): ReturnType<EffectDoor["Effect"]["sleep"]> =>
        Effect.gen(function* () {
          if (level > 0) {
            yield* down(level - 1);
            if (count === "levels") done++;
            return;
          }
          if (count === "waits") gate.begin();
          for (let wait = 0; wait < waits; wait++) {
            yield* Effect.yieldNow;
            if (count === "waits") done++;
          }
          if (count === "waits") gate.end();
        });
      const task = Effect.gen(function* () {
        if (count === "levels") gate.begin();
        for (let descent = 0; descent < descents; descent++) yield* down(depth);
        if (count === "levels") gate.end();
      });
      return {
        ops: opsOf({ waits, descents }),
        async run(watch) {
          done = 0;
          gate = new Gate(watch, tasks);
          await effectMany(fx, tasks, () => task, fastest);
          return done;
        },
      };
    },
    effection(fx) {
      const turn = effectionTurn(fx, fastest);
      const { waits, descents } = size("effection");
      let done = 0;
      let gate: Gate;
      function* down(level: number): ReturnType<typeof task> {
        if (level > 0) {
          yield* down(level - 1);
          if (count === "levels") done++;
          return;
        }
        if (count === "waits") gate.begin();
        for (let wait = 0; wait < waits; wait++) {
          yield* turn;
          if (count === "waits") done++;
        }
        if (count === "waits") gate.end();
      }
      // deno-lint-ignore no-explicit-any -- as Effection types its own operations
      function* task(): Generator<any, void, any> {
        if (count === "levels") gate.begin();
        for (let descent = 0; descent < descents; descent++) yield* down(depth);
        if (count === "levels") gate.end();
      }
      return {
        ops: opsOf({ waits, descents }),
        async run(watch) {
          done = 0;
          gate = new Gate(watch, tasks);
          await effectionMany(fx, tasks, task);
          return done;
        },
      };
    },
  };
}

const waitsOf = { broomio: 10_000, async: 10_000, effect: 500, effection: 50 };
const descentsOf = { broomio: 100, async: 100, effect: 10, effection: 20 };

const bars = { async: 1.2, ...peerBars };

function row(count: "waits" | "levels", fastest: boolean): TimeRow {
  const all = count === "waits"
    ? sides(count, (side) => ({ waits: waitsOf[side], descents: 1 }), fastest)
    : sides(count, (side) => ({ waits: 1, descents: descentsOf[side] }), fastest);
  const title = count === "waits"
    ? `resume under ${depth} calls`
    : `enter and leave ${depth} calls`;
  return {
    kind: "time",
    id: `call-${count === "waits" ? "resume" : "enter"}${fastest ? "-fastest" : ""}`,
    title: fastest ? "  the same, peers starving the host" : title,
    per: count === "waits" ? "resume" : "level",
    clock: "wall",
    bars: fastest ? {} : count === "waits" ? bars : { async: bars.async, effect: bars.effect },
    needs: ["Loop", "Nursery", "checkpoint", "call"],
    sides: fastest ? { ...all, async: undefined } : all,
  };
}

export const callRows: readonly TimeRow[] = [
  row("waits", false),
  row("waits", true),
  row("levels", false),
  row("levels", true),
];
