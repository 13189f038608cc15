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
  ClosedResourceError,
  DeadlockError,
  EndOfChannel,
  TaskCancelledError,
  TimeoutError,
} from "./src/kernel/errors.ts";
export { NurseryError } from "./src/kernel/nursery_error.ts";
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
export { checkpoint } from "./src/kernel/checkpoint.ts";
export { call } from "./src/operations/call.ts";
export { currentLoop, currentTask } from "./src/operations/current.ts";
export { ensure } from "./src/operations/ensure.ts";
export { sleep, sleepForever, sleepUntil } from "./src/operations/sleep.ts";
export { failAfter, failAt, moveOnAfter, moveOnAt } from "./src/operations/timeout.ts";
export { all, race, type Results } from "./src/operations/combine.ts";
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
export { suspend, type SuspendStart } from "./src/interop/suspend.ts";
export { until } from "./src/interop/until.ts";
export { abortSignal } from "./src/interop/abort_signal.ts";
export type { Visitor } from "./src/operations/for_each.ts";
export { each } from "./src/interop/each.ts";
export {
  type ClosableAsyncIterator,
  toAsyncIterable,
  type ValueReceiver,
} from "./src/interop/async_iterable.ts";
export { fromEvent } from "./src/interop/from_event.ts";
export { fromReadableStream, toReadableStream } from "./src/interop/web_stream.ts";
export type { Source } from "./src/interop/source.ts";
