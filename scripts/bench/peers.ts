/**
 * The libraries that a reader would otherwise pick, and the idiomatic way to run many tasks in each. The only file that
 * names their packages; they are loaded after the plain side has been measured alone.
 */

import type * as effectModule from "effect";
import type * as effectionModule from "effection";
import type * as pLimitModule from "p-limit";
import type * as pMapModule from "p-map";
import type * as pRetryModule from "p-retry";

export type EffectDoor = typeof effectModule;
export type EffectionDoor = typeof effectionModule;
export type { Subscription } from "effection";

export async function loadEffect(): Promise<EffectDoor> {
  return await import("effect");
}

export async function loadPLimit(): Promise<typeof pLimitModule.default> {
  return (await import("p-limit")).default;
}

export async function loadPMap(): Promise<typeof pMapModule.default> {
  return (await import("p-map")).default;
}

export async function loadPRetry(): Promise<typeof pRetryModule.default> {
  return (await import("p-retry")).default;
}

export async function loadEffection(): Promise<EffectionDoor> {
  return await import("effection");
}

/**
 * Effect: one fiber each under one parent, joined without keeping results: `forEach` with unbounded concurrency is what
 * its documentation recommends; `forkChild` and `Fiber.awaitAll` take the same time, give or take the noise.
 */
export function effectMany(
  { Effect, Scheduler }: EffectDoor,
  count: number,
  child: (index: number) => effectModule.Effect.Effect<unknown>,
  fastest = false,
): Promise<void> {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const all = Effect.forEach(indexes, child, { concurrency: "unbounded", discard: true });
  // Its scheduler turns with `setImmediate`; the same one turning with microtasks never lets the host run.
  return Effect.runPromise(all, fastest ? { scheduler: new Scheduler.MixedScheduler("sync") } : {});
}

/**
 * Effection: one `spawn` each, then a join of every task: what its own `all` does, without the array of results.
 * `before` runs first, in the scope of the parent.
 */
export async function effectionMany(
  { run, spawn }: EffectionDoor,
  count: number,
  child: (index: number) => effectionModule.Operation<unknown>,
  before?: () => effectionModule.Operation<void>,
): Promise<void> {
  await run(function* () {
    if (before !== undefined) yield* before();
    const tasks: effectionModule.Task<unknown>[] = [];
    for (let index = 0; index < count; index++) tasks.push(yield* spawn(() => child(index)));
    for (const task of tasks) yield* task;
  });
}

/**
 * Effection has no checkpoint; what its users and authors write to let others run is `sleep(0)` (as in its issues 323 and
 * 998), a host timer each. `fastest` is a trick instead: an action that settles at once goes only through its scheduler's
 * queue, behind every task that is ready, and never lets the host run.
 */
export function effectionTurn(
  { action, sleep }: EffectionDoor,
  fastest = false,
): effectionModule.Operation<void> {
  if (!fastest) return sleep(0);
  return action<void>((resolve) => {
    resolve();
    return nothing;
  });
}

function nothing(): void {}
