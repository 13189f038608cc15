/** What the corpus is made of: known bugs, written with our primitives and plain variables, each with its correct twin. */
import { checkpoint, type Coroutine, Nursery, type Operation } from "../../../mod.ts";
import type { ExploreOptions, Program } from "../../../src/testing/mod.ts";

/** One bug. */
export interface Bug {
  readonly name: string;
  /** The program; with `correct` it is the twin, in which the bug is mended. */
  readonly program: (correct: boolean) => Program;
  /** What the bug needs to show: a cancel, or that no time passes early. */
  readonly options?: Pick<ExploreOptions, "cancel" | "time" | "maxSteps">;
}

/** Runs the coroutines as children of one nursery. */
export function together(...children: Operation<unknown>[]): Operation<unknown> {
  return Nursery.open(function* (nursery) {
    for (const child of children) nursery.startSoon(child);
  });
}

/** Throws where what must hold does not. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Lets others run, several times. */
export function* pause(times: number): Coroutine {
  for (let i = 0; i < times; i++) yield* checkpoint();
}
