/**
 * Structured concurrency for TypeScript: loops, tasks, nurseries, cancel scopes and time.
 *
 * @example
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
export type { Instrument, LoopWarning } from "./src/kernel/scheduler.ts";
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
