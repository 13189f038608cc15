/**
 * A switch between ready tasks: each task gives way a number of times and nothing else.
 *
 * - ours: `checkpoint()` in the children of a nursery.
 * - async: `await undefined`, one microtask each: the cheapest way for an async function to give way.
 * - Effect: `Effect.yieldNow` in fibers. Its scheduler runs everything that is ready in one `setImmediate` turn, so with
 *   few tasks it is mostly the host's turn that is measured; the row with 1,000 tasks is the one that favours it.
 * - Effection: `sleep(0)`, see `effectionTurn`; its timers too carry all that is ready in one turn.
 *
 * A row with an instrument that counts steps tells what watching costs; it sets no bar.
 *
 * The last row lets both use tricks that starve the host, which ours may not (rule R5): it sets no bar, but tells how
 * much of theirs is the host's turn.
 */

import { Gate } from "../gate.ts";
import { effectionMany, effectionTurn, effectMany } from "../peers.ts";
import { runMany } from "../lib.ts";
import { peerBars, type Sides, type TimeRow } from "../row.ts";

function sides(tasks: number, fastest: boolean, instruments: readonly object[] = []): Sides {
  return {
    broomio(lib) {
      const { checkpoint } = lib;
      const times = 1_000_000 / tasks;
      let done = 0;
      let gate: Gate;
      function* task() {
        gate.begin();
        for (let turn = 0; turn < times; turn++) yield* checkpoint();
        done += times;
        gate.end();
      }
      return {
        ops: tasks * times,
        async run(watch) {
          done = 0;
          gate = new Gate(watch, tasks);
          await runMany(lib, tasks, task, instruments);
          return done;
        },
      };
    },
    async() {
      const times = 1_000_000 / tasks;
      let done = 0;
      let gate: Gate;
      async function task() {
        gate.begin();
        for (let turn = 0; turn < times; turn++) await undefined;
        done += times;
        gate.end();
      }
      return {
        ops: tasks * times,
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
      const times = 50_000 / tasks;
      let done = 0;
      let gate: Gate;
      const task = Effect.gen(function* () {
        gate.begin();
        for (let turn = 0; turn < times; turn++) yield* Effect.yieldNow;
        done += times;
        gate.end();
      });
      return {
        ops: tasks * times,
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
      const times = Math.ceil((fastest ? 100_000 : 20_000) / Math.max(tasks, 100));
      let done = 0;
      let gate: Gate;
      function* task() {
        gate.begin();
        for (let count = 0; count < times; count++) yield* turn;
        done += times;
        gate.end();
      }
      return {
        ops: tasks * times,
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

function row(tasks: number, fastest: boolean): TimeRow {
  const title = `switch, ${tasks.toLocaleString("en")} tasks`;
  const all = sides(tasks, fastest);
  return {
    kind: "time",
    id: `switch-${tasks}${fastest ? "-fastest" : ""}`,
    title: fastest ? `  the same, peers starving the host` : title,
    per: "switch",
    clock: "wall",
    bars: fastest ? {} : { async: 1.0, ...peerBars },
    needs: ["Loop", "Nursery", "checkpoint"],
    sides: fastest ? { ...all, async: undefined } : all,
  };
}

let steps = 0;
const counter = {
  beforeStep: () => void steps++,
  afterStep: () => void steps++,
};

const watched: TimeRow = {
  ...row(10, false),
  id: "switch-10-watched",
  title: "  the same, with an instrument",
  bars: {},
  sides: { ...sides(10, false, [counter]), effect: undefined, effection: undefined },
};

export const switchRows: readonly TimeRow[] = [
  row(10, false),
  watched,
  row(1_000, false),
  row(1_000, true),
];
