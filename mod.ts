/**
 * Structured concurrency for TypeScript: loops, tasks, nurseries, cancel scopes and time.
 *
 * A coroutine is a generator: calling a `function*` creates it, nothing runs until a loop starts
 * it, and `yield*` is its `await`. There is no default loop: a program makes a {@linkcode Loop} and
 * runs it, async code uses a {@linkcode Portal}, and whole programs `main` of `@broomio/core/os`.
 *
 * ```ts
 * import { Loop, sleep } from "jsr:@broomio/core";
 *
 * function* test(index: number) {
 *   console.log(`${index} started`);
 *   yield* sleep(0.02); // seconds
 *   console.log(`${index} stopped`);
 * }
 *
 * const loop = new Loop();
 * loop.startSoon(test(1));
 * loop.startSoon(test(2));
 * loop.startSoon(test(3));
 * await loop.run();
 * ```
 *
 * Contents: nurseries; cancellation and time limits; cleanup; deadlocks; waiting for each other;
 * channels; everyday operations; promises, callbacks and signals; async programs; limits.
 *
 * ## Nurseries
 *
 * A {@linkcode Nursery} is a block that ends only after every task that was started in it has
 * ended. So no task is forgotten, and an error has somewhere to go: by default the first one
 * cancels the body and the other children, and comes out when all have cleaned up, as one
 * {@linkcode NurseryError} with every error in it.
 *
 * ```ts
 * import { Loop, Nursery, NurseryError, sleep } from "jsr:@broomio/core";
 *
 * function* broken() {
 *   yield* sleep(0.01);
 *   throw new RangeError("the disk is full");
 * }
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(sleep(60)); // cancelled after 0.01 s
 *   nursery.startSoon(broken(), { name: "broken" });
 * })).catch((error: NurseryError) => {
 *   console.log(error.message); // 1 error, in task broken: RangeError: the disk is full
 *   console.log(error.find(RangeError) !== undefined, error.flatten().length); // true 1
 * });
 * ```
 *
 * - `exceptionPolicy`: `"abort"` as above; `"accumulate"` lets every child run to its end and
 *   reports all errors; `"ignore"` drops the errors of children. An error of the body always
 *   cancels the children.
 * - `startSoon` never runs the child at once. `startLater(coroutine, delay)` runs it later.
 *   `yield* nursery.start(body)` waits until the child calls `started(value)`: until a server
 *   listens, say.
 * - `timeout` is no error: `open` gives `undefined`, and `nursery.timedOut` is true.
 * - A {@linkcode Task} is a handle: `yield* task.join()`, `task.cancel()`, and `task.promise()` for
 *   code outside. For results use {@linkcode all} and {@linkcode race}.
 * - {@linkcode call} runs a coroutine on the task's own stack: its recursion may be a million deep.
 *
 * ## Cancellation and time limits
 *
 * Any part of a coroutine can be cancelled as a whole: by a deadline, by `scope.cancel()` from
 * anywhere, by a nursery. The cancel lands where a task waits, as a {@linkcode Cancelled} error
 * thrown there, inner blocks and children first; the scope that was cancelled stops it. Time limits
 * compose: the earliest one wins, and the code inside does not have to know.
 *
 * ```ts
 * import { failAfter, Loop, moveOnAfter, sleep, TimeoutError } from "jsr:@broomio/core";
 *
 * function* search(hosts: string[]) {
 *   for (const host of hosts) {
 *     try {
 *       yield* failAfter(0.02, sleep(5)); // each attempt: TimeoutError after 0.02 s
 *       return host;
 *     } catch (error) {
 *       if (!(error instanceof TimeoutError)) throw error;
 *     }
 *   }
 * }
 *
 * // The whole search:
 * const found = await new Loop().run(moveOnAfter(0.05, search(["a", "b", "c", "d"])));
 * console.log(found); // undefined, after 0.05 s
 * ```
 *
 * - Cancelled means that it did not happen. A wait that was settled first delivers its value, and
 *   the cancel lands at the next wait. No message, permit or connection is lost.
 * - It is level triggered: in a cancelled scope no wait completes until the scope is left.
 * - {@linkcode CancelScope}`.open(body, { timeout, deadline, shield })` gives the scope itself,
 *   whose `deadline` and `shield` can be changed while it is open. {@linkcode moveOnAfter} and
 *   {@linkcode moveOnAt} give `undefined` when time runs out, {@linkcode failAfter} and
 *   {@linkcode failAt} throw. A `TimeoutError` says what was waited for when time ran out.
 *
 * ## Cleanup
 *
 * `finally` always runs. Cleanup that does not wait needs no care: `close()`, `release()`,
 * `cancel()`. Cleanup that waits must be shielded from the cancel that caused it:
 *
 * ```ts
 * import { ensure, Loop, moveOnAfter, shield, sleep, sleepForever } from "jsr:@broomio/core";
 *
 * function* session() {
 *   yield* ensure(function* () { // runs, shielded, when the surrounding scope or task ends
 *     yield* sleep(0.01);
 *     console.log("logged out");
 *   });
 *   try {
 *     yield* sleepForever();
 *   } finally {
 *     yield* shield(sleep(0.01), { timeout: 1 }); // by hand, for at most a second
 *     console.log("said goodbye");
 *   }
 * }
 *
 * await new Loop().run(moveOnAfter(0.01, session()));
 * ```
 *
 * - `catch` in JavaScript catches everything. In a coroutine that can be cancelled, rethrow:
 *   `if (error instanceof Cancelled) throw error`. Where one swallows it all the same, the loop
 *   warns once, names the task and the line, and then unwinds that scope in a way that no `catch`
 *   sees: `while (true) { try { ... } catch {} }` ends.
 * - An error that is in flight while a `finally` waits unshielded, and is cancelled there, is
 *   replaced by the `Cancelled`. The lint rules of `@broomio/core/lint` find such waits.
 *
 * ## Deadlocks
 *
 * A silent hang is never an answer. When nothing can ever wake the tasks that are left, they are
 * cancelled, so that their cleanup runs, and `run()` rejects with a {@linkcode DeadlockError} that
 * shows the tree of tasks and what each waits for:
 *
 * ```text
 * Deadlock: 2 tasks are left, and nothing can wake them
 *   Plato: acquiring lock "right", held by Kant, for 12 ms
 *   Kant: acquiring lock "left", held by Plato, for 12 ms
 *   A cycle: Plato waits for Kant waits for Plato
 * ```
 *
 * Where something outside is going to start or wake a task, say so with `loop.hold()`. `new Loop({
 * debug: true })` adds the line at which each task waits and where it was started, and warns of
 * operations that were made and never begun.
 *
 * ## Waiting for each other
 *
 * | primitive                   | what it is                                                   |
 * | --------------------------- | ------------------------------------------------------------ |
 * | {@linkcode Event}           | happens once: `set()`, `wait()`                              |
 * | {@linkcode Lock}            | one task at a time, which owns it                            |
 * | {@linkcode Semaphore}       | permits, which belong to nobody                              |
 * | {@linkcode CapacityLimiter} | tokens, which belong to tasks; `total` can change at any time |
 * | {@linkcode Condition}       | `wait()` under a lock until another task calls `notify()`    |
 * | {@linkcode RateLimiter}     | at most so many in a period                                  |
 * | {@linkcode ParkingLot}      | the fair line that the others are made of                    |
 *
 * First come, first served, and handed over: what is released belongs to the first in line at once.
 * One who is cancelled in line leaves no trace. Only its owner releases a lock; a task that ends
 * while it owns one breaks it, and the others get a {@linkcode BrokenResourceError} instead of
 * hanging. A time limit goes around `acquire()` in the same task:
 *
 * ```ts
 * import { Lock, Loop, moveOnAfter, sleep } from "jsr:@broomio/core";
 *
 * const lock = new Lock({ name: "printer" });
 *
 * function* print(page: number) {
 *   yield* sleep(0.04);
 *   return `page ${page} printed`;
 * }
 *
 * function* queueUp(page: number) {
 *   const result = yield* moveOnAfter(0.1, lock.with(print(page)));
 *   console.log(result ?? `page ${page} given up`);
 * }
 *
 * const loop = new Loop();
 * for (const page of [1, 2, 3]) loop.startSoon(queueUp(page));
 * await loop.run(); // page 3 is given up
 * ```
 *
 * ## Channels
 *
 * Values pass between tasks through a channel: `send` waits while the buffer is full, `receive`
 * while it is empty, first come, first served. With capacity 0 a send waits until its value was
 * taken; with `Infinity` it never waits. Both ends can be cloned, and are closed by hand or by
 * `using`. When the last sender is closed, receivers get what is left and then the end; when the
 * last receiver is closed, senders get a {@linkcode BrokenResourceError}. Cancelling loses no
 * value: either it was handed over, or it was not sent.
 *
 * ```ts
 * import { Loop, Nursery, openChannel, select, sleep } from "jsr:@broomio/core";
 *
 * const { sender, receiver } = openChannel<string>(8);
 *
 * function* produce() {
 *   using _ = sender; // closes it at the end
 *   yield* sender.send("hello");
 *   yield* sleep(0.05);
 *   yield* sender.send("world");
 * }
 *
 * function* consume() {
 *   for (;;) {
 *     const chosen = yield* select({ next: receiver.next(), late: sleep(0.03) });
 *     if (chosen.arm === "late") console.log("still waiting");
 *     else if (chosen.value.done) return;
 *     else console.log(chosen.value.value);
 *   }
 * }
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(produce());
 *   nursery.startSoon(consume());
 * }));
 * ```
 *
 * - {@linkcode select} waits for the first of several operations: receives, sends, `event.wait()`,
 *   `lock.acquire()`, `task.join()`, sleeps. Exactly one happens and the others leave no trace,
 *   which `race` cannot promise. Of several that are ready, each has the same chance.
 * - `trySend` and `tryReceive` never wait. `trySend` may be called from any callback outside the
 *   loop: hold the loop meanwhile with `loop.hold()`.
 * - `receiver.forEach(body)` runs to the end of the channel, or until the body returns `false`.
 * - {@linkcode Broadcast} sends every value to every subscriber; for slow ones it waits, or drops
 *   their oldest or the newest value. {@linkcode Watch} holds a value that changes: slow readers
 *   see the newest.
 *
 * ## Everyday operations
 *
 * {@linkcode mapConcurrent}, {@linkcode asCompleted}, {@linkcode retry}, {@linkcode every},
 * {@linkcode settle}, {@linkcode allSettled}, {@linkcode any}, {@linkcode use}, {@linkcode lazy},
 * {@linkcode ResourcePool}. None of them swallows a cancel, and each can be cancelled at any
 * moment: what waits is gone at once, what runs is stopped with its cleanup. `mapConcurrent` takes
 * iterables, async iterables and receivers, pulls an item only when a slot is free, and closes what
 * it did not read to the end.
 *
 * ```ts
 * import { Loop, mapConcurrent, retry, sleep } from "jsr:@broomio/core";
 *
 * function* load(id: number) {
 *   yield* sleep(0.01);
 *   return `item ${id}`;
 * }
 *
 * const loadAgain = (id: number) => retry(() => load(id), { maxAttempts: 3 });
 * const items = await new Loop().run(mapConcurrent([1, 2, 3], loadAgain, { concurrency: 2 }));
 * console.log(items.join(", ")); // item 1, item 2, item 3
 * ```
 *
 * ## Promises, callbacks and signals
 *
 * ```ts
 * import { abortSignal, Loop, moveOnAfter, suspend, until } from "jsr:@broomio/core";
 *
 * function* main() {
 *   // A promise. Given as a function, it gets a signal that aborts when the wait is cancelled.
 *   const page = yield* until((signal) => fetch("data:,hello", { signal }));
 *   // A callback. What it returns undoes it, when the wait is cancelled.
 *   yield* suspend<void>((resume) => {
 *     const timer = setTimeout(resume, 10);
 *     return () => clearTimeout(timer);
 *   });
 *   // The surrounding scope as an AbortSignal: it aborts when that is cancelled or left.
 *   return yield* moveOnAfter(5, function* () {
 *     const signal = yield* abortSignal();
 *     return signal.aborted ? undefined : yield* until(page.text());
 *   });
 * }
 *
 * console.log(await new Loop().run(main())); // hello
 * ```
 *
 * {@linkcode each}, {@linkcode fromReadableStream} and {@linkcode fromEvent} bring values in,
 * {@linkcode toAsyncIterable} and {@linkcode toReadableStream} take them out. Leaving early, by an
 * error, a cancel or `false`, closes the source. From async code into a loop: {@linkcode Portal}.
 *
 * ## Limits
 *
 * - Deno, Node 20 and later, Bun, and browsers: this door needs only the language and web-standard
 *   globals. `using` in JavaScript needs Deno, Node 24 or Bun; TypeScript compiles it for others.
 * - Import the npm package, or require it, but not both in one program: each has classes of its
 *   own.
 * - A coroutine that never waits blocks its loop, as an async function blocks its thread.
 * - A chain of `yield*` over generators costs more the deeper it is, and some thousands of them
 *   overflow the engine's stack. `call` has neither limit.
 *
 * @module
 */
export type { Body, Coroutine, Operation, Trap } from "./src/kernel/coroutine.ts";
export {
  BrokenResourceError,
  BusyResourceError,
  Cancelled,
  type CancelSource,
  ClosedResourceError,
  DeadlockError,
  EndOfChannel,
  TaskCancelledError,
  TimeoutError,
} from "./src/kernel/errors.ts";
export { findError, NurseryError } from "./src/kernel/nursery_error.ts";
export type { Duration, DurationLike } from "./src/duration.ts";
export type { Host, HostSession } from "./src/host.ts";
export type { ExecutionOrder } from "./src/kernel/ready_queue.ts";
export type { Task, TaskState } from "./src/kernel/task.ts";
export type {
  Instrument,
  LoopWarning,
  ScopeKind,
  ScopeView,
  TaskOutcome,
  TaskWait,
  TaskWake,
} from "./src/kernel/instrument.ts";
export { CancelScope, type CancelScopeOptions } from "./src/kernel/cancel_scope.ts";
export { shield, type ShieldOptions } from "./src/operations/shield.ts";
export {
  Nursery,
  NurseryExceptionPolicy,
  type NurseryOptions,
  type TaskOptions,
} from "./src/kernel/nursery.ts";
export { Loop, type LoopOptions } from "./src/loop.ts";
export type { Selectable } from "./src/kernel/wait.ts";
export { checkpoint } from "./src/kernel/checkpoint.ts";
export { call } from "./src/operations/call.ts";
export { currentLoop, currentTask } from "./src/operations/current.ts";
export { ensure } from "./src/operations/ensure.ts";
export { sleep, sleepForever, sleepUntil } from "./src/operations/sleep.ts";
export { failAfter, failAt, moveOnAfter, moveOnAt } from "./src/operations/timeout.ts";
export {
  all,
  allSettled,
  any,
  type OneOf,
  race,
  type Results,
  type SettledResults,
} from "./src/operations/combine.ts";
export type { Bodies, BodyLike, Coroutines, Given } from "./src/operations/collection.ts";
export { settle, type Settled } from "./src/operations/settle.ts";
export {
  asCompleted,
  type CompletedResults,
  mapConcurrent,
  type MapConcurrentOptions,
  type Mapper,
  type ResultVisitor,
} from "./src/operations/map_concurrent.ts";
export type { Concurrency, Limiter } from "./src/operations/concurrent.ts";
export type { Items, Receivable } from "./src/operations/items.ts";
export type { ForEachOptions } from "./src/operations/for_each_concurrent.ts";
export { retry, RetryError, type RetryInfo, type RetryOptions } from "./src/operations/retry.ts";
export { every, type EveryOptions } from "./src/operations/every.ts";
export { use } from "./src/operations/use.ts";
export type { AnyDisposable } from "./src/operations/dispose.ts";
export { type Lazy, lazy } from "./src/operations/lazy.ts";
export { type Arms, select, type Selected } from "./src/operations/select.ts";
export {
  type Channel,
  type ChannelOptions,
  type ChannelStatistics,
  openChannel,
  type Receiver,
  type Sender,
} from "./src/channel/channel.ts";
export {
  Broadcast,
  type BroadcastOptions,
  type BroadcastStatistics,
  type SlowPolicy,
  type Subscription,
} from "./src/channel/broadcast.ts";
export { TaskLocal } from "./src/operations/local.ts";
export type { SyncOptions } from "./src/sync/sync_options.ts";
export { ParkingLot, type ParkingLotStatistics } from "./src/sync/parking_lot.ts";
export { Event } from "./src/sync/event.ts";
export { Lock, type LockStatistics } from "./src/sync/lock.ts";
export {
  Semaphore,
  type SemaphoreOptions,
  type SemaphoreStatistics,
} from "./src/sync/semaphore.ts";
export { CapacityLimiter, type CapacityLimiterStatistics } from "./src/sync/capacity_limiter.ts";
export { Condition, type ConditionStatistics } from "./src/sync/condition.ts";
export {
  RateLimiter,
  type RateLimiterOptions,
  type RateLimiterStatistics,
} from "./src/sync/rate_limiter.ts";
export {
  ResourcePool,
  type ResourcePoolOptions,
  type ResourcePoolStatistics,
} from "./src/sync/resource_pool.ts";
export {
  type Changes,
  Watch,
  type WatchOptions,
  type WatchStatistics,
} from "./src/channel/watch.ts";
export { suspend, type SuspendStart } from "./src/interop/suspend.ts";
export { until, type UntilOptions, type UntilSource } from "./src/interop/until.ts";
export { abortSignal } from "./src/interop/abort_signal.ts";
export type { Visitor } from "./src/operations/for_each.ts";
export { each } from "./src/interop/each.ts";
export {
  type ClosableAsyncIterator,
  toAsyncIterable,
  type ValueReceiver,
} from "./src/interop/async_iterable.ts";
export {
  Portal,
  type PortalCloseOptions,
  type PortalOptions,
  type PortalRunOptions,
} from "./src/interop/portal.ts";
export { type EmitterLike, fromEvent } from "./src/interop/from_event.ts";
export { fromReadableStream, toReadableStream } from "./src/interop/web_stream.ts";
export type { Source } from "./src/interop/source.ts";
