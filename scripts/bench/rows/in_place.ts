/**
 * Bodies written in place, the idiom of every example: `moveOnAfter(1, function* () { ... })`. Ours against ours: the
 * other side gives the same operation a generator function that was made once.
 *
 * V8 gives each generator function an object shape for its generators, at the function's first call. A function that is
 * written in place is a new one each time it is reached, so each call of it makes a shape: about a microsecond, before
 * this library does anything. What it adds to that, by looking at the generator, is what the bar of 3x bounds.
 *
 * Each body waits once, as bodies do; the tasks of a loop take turns.
 */

import { runMany, runOn } from "../lib.ts";
import type { Broomio, Coroutine, Nursery, Operation } from "../lib.ts";
import type { TimeRow, Work } from "../row.ts";

const tasks = 10;
const times = 2_000;

/** Does `operation` again and again in each of ten tasks. It counts itself by calling `count`. */
function repeated(
  lib: Broomio,
  operation: (count: () => void) => () => Operation<unknown>,
): Work {
  return {
    ops: tasks * times,
    async run() {
      let done = 0;
      const once = operation(() => void done++);
      await runMany(lib, tasks, function* () {
        for (let time = 0; time < times; time++) yield* once();
      });
      return done;
    },
  };
}

/** One operation with a body, and both ways to write it. */
interface Idiom {
  readonly id: string;
  readonly title: string;
  readonly needs: readonly (keyof Broomio)[];
  readonly inPlace: (lib: Broomio, count: () => void) => () => Operation<unknown>;
  readonly shared: (lib: Broomio, count: () => void) => () => Operation<unknown>;
}

/** A body that waits once. */
function sharedBody({ checkpoint }: Broomio, count: () => void): () => Coroutine {
  return function* () {
    yield* checkpoint();
    count();
  };
}

const idioms: readonly Idiom[] = [
  {
    id: "move-on",
    title: "moveOnAfter",
    needs: ["moveOnAfter"],
    inPlace: ({ moveOnAfter, checkpoint }, count) => () =>
      moveOnAfter(1, function* () {
        yield* checkpoint();
        count();
      }),
    shared: (lib, count) => {
      const body = sharedBody(lib, count);
      return () => lib.moveOnAfter(1, body);
    },
  },
  {
    id: "nursery",
    title: "Nursery.open",
    needs: ["Nursery"],
    inPlace: ({ Nursery, checkpoint }, count) => () =>
      Nursery.open(function* () {
        yield* checkpoint();
        count();
      }),
    shared: (lib, count) => {
      const body = sharedBody(lib, count);
      return () => lib.Nursery.open(body);
    },
  },
  {
    id: "lock-with",
    title: "lock.with",
    needs: ["Lock"],
    inPlace: ({ Lock, checkpoint }, count) => {
      const lock = new Lock();
      return () =>
        lock.with(function* () {
          yield* checkpoint();
          count();
        });
    },
    shared: (lib, count) => {
      const lock = new lib.Lock();
      const body = sharedBody(lib, count);
      return () => lock.with(body);
    },
  },
  {
    id: "retry",
    title: "retry",
    needs: ["retry"],
    inPlace: ({ retry, checkpoint }, count) => () =>
      retry(function* () {
        yield* checkpoint();
        count();
      }),
    shared: (lib, count) => {
      const body = sharedBody(lib, count);
      return () => lib.retry(body);
    },
  },
];

/** `nursery.startSoon(function* () { ... }())`: 100 at a time. */
function children(lib: Broomio, shared: boolean): Work {
  const { checkpoint, Nursery } = lib;
  const batches = 200;
  const size = 100;
  return {
    ops: batches * size,
    async run() {
      let done = 0;
      const child = sharedBody(lib, () => void done++);
      const start = shared
        ? (nursery: Nursery) => void nursery.startSoon(child())
        : (nursery: Nursery) =>
          void nursery.startSoon(function* () {
            yield* checkpoint();
            done++;
          }());
      function* body(nursery: Nursery): Coroutine {
        for (let index = 0; index < size; index++) start(nursery);
      }
      await runOn(lib, function* () {
        for (let batch = 0; batch < batches; batch++) yield* Nursery.open(body);
      });
      return done;
    },
  };
}

const head = { kind: "time", per: "body", clock: "wall", bars: { base: 3 } } as const;

export const inPlaceRows: readonly TimeRow[] = [
  ...idioms.map(({ id, title, needs, inPlace, shared }): TimeRow => ({
    ...head,
    id: `in-place-${id}`,
    title: `${title}, in place / shared`,
    needs: ["Loop", "Nursery", "checkpoint", ...needs],
    sides: {
      broomio: (lib) => repeated(lib, (count) => inPlace(lib, count)),
      base: (lib) => repeated(lib, (count) => shared(lib, count)),
    },
  })),
  {
    ...head,
    id: "in-place-child",
    title: "startSoon, in place / shared",
    needs: ["Loop", "Nursery", "checkpoint"],
    sides: {
      broomio: (lib) => children(lib, false),
      base: (lib) => children(lib, true),
    },
  },
];
