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
export type { Body, Coroutine, Operation, Trap } from "./src/coroutine.ts";
export {
  BrokenResourceError,
  BusyResourceError,
  Cancelled,
  ClosedResourceError,
  DeadlockError,
  EndOfChannel,
  NurseryError,
  TaskCancelledError,
  TimeoutError,
} from "./src/errors.ts";
export type { Duration, DurationLike } from "./src/duration.ts";
export type { Host, HostSession } from "./src/host.ts";
export type { ExecutionOrder } from "./src/queue.ts";
export type { Task, TaskState } from "./src/task.ts";
export type { Instrument, LoopWarning } from "./src/scheduler.ts";
export { CancelScope, type CancelScopeOptions } from "./src/cancel_scope.ts";
export { shield, type ShieldOptions } from "./src/shield.ts";
export {
  Nursery,
  NurseryExceptionPolicy,
  type NurseryOptions,
  type TaskOptions,
} from "./src/nursery.ts";
export { Loop, type LoopOptions } from "./src/loop.ts";
export { checkpoint } from "./src/checkpoint.ts";
export { call } from "./src/call.ts";
export { currentLoop, currentTask } from "./src/current.ts";
export { ensure } from "./src/ensure.ts";
export {
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  sleep,
  sleepForever,
  sleepUntil,
} from "./src/time.ts";
export { all, race, type Results } from "./src/combine.ts";
export { type Arms, select, type Selected } from "./src/select.ts";
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
export { TaskLocal } from "./src/local.ts";
export type { SyncOptions } from "./src/sync/title.ts";
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
export { suspend, type SuspendStart } from "./src/interop/suspend.ts";
export { until } from "./src/interop/until.ts";
export { abortSignal } from "./src/interop/abort_signal.ts";
export type { Visitor } from "./src/visit.ts";
export { each } from "./src/interop/each.ts";
export {
  type ClosableAsyncIterator,
  toAsyncIterable,
  type ValueReceiver,
} from "./src/interop/async_iterable.ts";
export { fromEvent } from "./src/interop/from_event.ts";
export { fromReadableStream, toReadableStream } from "./src/interop/web_stream.ts";
export type { Source } from "./src/interop/source.ts";
