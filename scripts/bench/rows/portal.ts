/**
 * A call from async code: 100 at once, each of which waits once, as requests come to a server.
 *
 * - ours: `portal.run` of a coroutine with one `checkpoint()`, in the caller's async context, without it, and with a signal.
 * - async: an async function with one `await`, within the same `AsyncLocalStorage` store; with a signal, one that listens to it.
 *
 * The bar for Node is wider where a context is noted: that costs more there.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { setMaxListeners } from "node:events";
import type { Broomio } from "../lib.ts";
import type { Sides, TimeRow, Work } from "../row.ts";

const storage = new AsyncLocalStorage<object>();
const batches = 1_000;
const size = 100;

function work(call: () => Promise<number>): Work {
  return {
    ops: batches * size,
    run: () =>
      storage.run({ request: 1 }, async () => {
        let done = 0;
        for (let batch = 0; batch < batches; batch++) {
          for (const each of await Promise.all(Array.from({ length: size }, call))) done += each;
        }
        return done;
      }),
  };
}

function ours(lib: Broomio, asyncContext: boolean, signal?: AbortSignal): Work {
  const portal = new lib.Portal({ asyncContext });
  function* one() {
    yield* lib.checkpoint();
    return 1;
  }
  const options = signal === undefined ? undefined : { signal };
  return work(() => portal.run(one, options));
}

async function plain(): Promise<number> {
  await undefined;
  return 1;
}

function listening(signal: AbortSignal): () => Promise<number> {
  return async () => {
    let aborted = 0;
    const abort = () => void aborted++;
    signal.addEventListener("abort", abort);
    await undefined;
    signal.removeEventListener("abort", abort);
    return 1 - aborted;
  };
}

/** A signal that 100 calls listen to at once. */
function sharedSignal(): AbortSignal {
  const { signal } = new AbortController();
  setMaxListeners(0, signal); // else Node warns
  return signal;
}

function row(
  id: string,
  title: string,
  bars: readonly [deno: number, node: number],
  sides: Sides,
): TimeRow {
  return {
    kind: "time",
    id,
    title,
    per: "call",
    clock: "wall",
    bars: { async: bars[0] },
    nodeBars: { async: bars[1] },
    needs: ["Portal", "checkpoint"],
    sides,
  };
}

export const portalRows: readonly TimeRow[] = [
  row("portal", "portal.run, caller's context", [2.5, 6], {
    broomio: (lib) => ours(lib, true),
    async: () => work(plain),
  }),
  row("portal-plain", "portal.run, no context", [2, 2], {
    broomio: (lib) => ours(lib, false),
    async: () => work(plain),
  }),
  row("portal-signal", "portal.run, with a signal", [2.5, 6], {
    broomio: (lib) => ours(lib, true, sharedSignal()),
    async: () => work(listening(sharedSignal())),
  }),
  row("portal-signal-plain", "portal.run, with a signal, no context", [2, 2], {
    broomio: (lib) => ours(lib, false, sharedSignal()),
    async: () => work(listening(sharedSignal())),
  }),
];
