/**
 * One run of a loop that has next to nothing to do: what `run` itself costs, on a loop that is reused and on a new one.
 *
 * - ours: a coroutine that returns at once.
 * - base: the same of an older version, given with `--old`; the bars are against commit 79d34ce.
 */

import type { Broomio } from "../lib.ts";
import type { TimeRow, Work } from "../row.ts";

const runs = 2_000;

function work({ Loop }: Broomio, reused: boolean): Work {
  // deno-lint-ignore require-yield -- a run that does nothing is the point
  function* main() {
    return 1;
  }
  return {
    ops: runs,
    async run() {
      let done = 0;
      const loop = new Loop();
      for (let time = 0; time < runs; time++) {
        done += await (reused ? loop : new Loop()).run(main());
      }
      return done;
    },
  };
}

function row(reused: boolean, bar: number): TimeRow {
  return {
    kind: "time",
    id: reused ? "run-reused" : "run-new",
    title: reused ? "loop.run, against 79d34ce" : "new Loop().run, against 79d34ce",
    per: "run",
    clock: "wall",
    bars: { base: bar },
    needs: ["Loop"],
    sides: {
      broomio: (lib) => work(lib, reused),
      base: (_, old) => old && work(old, reused),
    },
  };
}

export const runRows: readonly TimeRow[] = [row(true, 0.25), row(false, 0.3)];
