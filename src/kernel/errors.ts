/**
 * Every error class of the core but `NurseryError`, which has a file of its own.
 *
 * Invariant: names live on the prototypes, so that printing an error shows its message and not its
 * fields, and survive minifying. Independent of: the classes that throw them.
 */
import { show } from "../check.ts";
import type { CancelScope } from "./cancel_scope.ts";
import type { Task } from "./task.ts";

/**
 * Thrown into a coroutine at the wait where it was cancelled. Let it pass, or rethrow it: the
 * cancelled scope stops it. One instance serves all tasks that one cancel reaches; its stack shows
 * who cancelled.
 *
 * @example
 * ```ts
 * import { Cancelled, Loop, moveOnAfter, sleepForever } from "jsr:@broomio/core";
 *
 * function* patient() {
 *   try {
 *     yield* sleepForever();
 *   } catch (error) {
 *     if (error instanceof Cancelled) console.log("told to stop");
 *     throw error;
 *   }
 * }
 * await new Loop().run(moveOnAfter(0.01, patient()));
 * ```
 */
export class Cancelled extends Error {
  /** What was given to `cancel()`, or a {@linkcode TimeoutError} where a deadline passed. */
  readonly reason: unknown;
  /** What cancelled. */
  readonly source: CancelSource;
  /**
   * Where the cancel came from: the task that called `cancel()`, the task that failed, or the scope
   * whose deadline has passed. Undefined where code outside of any task cancelled.
   */
  readonly origin: Task | CancelScope | undefined;

  /** Made by the loop; rarely by hand. */
  constructor(
    reason?: unknown,
    options: { source?: CancelSource; origin?: Task | CancelScope } = {},
  ) {
    const { source = "explicit", origin } = options;
    super(describeCancel("Cancelled", reason, source, origin));
    this.reason = reason;
    this.source = source;
    this.origin = origin;
    hide(this, "origin");
  }
  static {
    this.prototype.name = "Cancelled";
  }
}

/**
 * What cancelled: a deadline that has passed; a call of `cancel()` on a scope, nursery or task; the
 * failure of a task or body in the same nursery; the loop, by `loop.cancel()`, a deadlock or its
 * own failure; or a signal from outside (an `AbortSignal`, a signal of the operating system).
 *
 * @example
 * ```ts
 * import { Cancelled, type CancelSource, Loop, moveOnAfter, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * let source: CancelSource | undefined;
 * await new Loop().run(moveOnAfter(0.01, function* () {
 *   try {
 *     yield* sleep(60);
 *   } catch (error) {
 *     if (error instanceof Cancelled) source = error.source;
 *     throw error;
 *   }
 * }));
 * assertEquals(source, "deadline");
 * ```
 */
export type CancelSource = "deadline" | "explicit" | "sibling failed" | "loop" | "signal";

function describeCancel(
  what: string,
  reason: unknown,
  source: CancelSource,
  origin: Task | CancelScope | undefined,
): string {
  const task = origin !== undefined && "join" in origin ? `task ${origin.name}` : "";
  let text = what;
  if (source === "explicit" && task !== "") text += ` by ${task}`;
  else if (source === "sibling failed") text += ` because ${task || "its nursery"} failed`;
  else if (source === "loop") text += " with the loop";
  else if (source === "signal") text += " by a signal";
  return reason === undefined ? text : `${text}: ${describeReason(reason)}`;
}

function describeReason(reason: unknown): string {
  if (isError(reason)) return firstLine(messageOf(reason));
  return typeof reason === "string" ? reason : typeof reason;
}

/**
 * Whether `error` is a Cancelled. Of anything that was thrown: `instanceof` throws for a revoked
 * proxy.
 */
export function isCancelled(error: unknown): error is Cancelled {
  try {
    return error instanceof Cancelled;
  } catch {
    return false;
  }
}

/** Whether something that was thrown is an error. */
export function isError(error: unknown): error is Error {
  try {
    return error instanceof Error;
  } catch {
    return false;
  }
}

/** Anything that was thrown in one short line, such as "RangeError: boom". */
export function brief(error: unknown): string {
  return shorten(firstLine(isError(error) ? headOf(error) : textOf(error)), 160);
}

/** "RangeError: boom", whatever name and message are. */
export function headOf(error: Error): string {
  const message = messageOf(error);
  return message === "" ? classOf(error) : `${classOf(error)}: ${message}`;
}

/** The name of an error; of one whose class has no name of its own, that of its class. */
export function classOf(error: Error): string {
  try {
    const { name } = error;
    const made = error.constructor?.name;
    if (typeof name !== "string") return typeof made === "string" ? made : "Error";
    const inherited = !Object.hasOwn(error, "name") &&
      !Object.hasOwn(Object.getPrototypeOf(error), "name");
    return inherited && typeof made === "string" && made !== "" ? made : name;
  } catch {
    return "Error";
  }
}

function messageOf(error: Error): string {
  try {
    return typeof error.message === "string" ? error.message : textOf(error.message);
  } catch {
    return "(its message cannot be read)";
  }
}

/** Any value as text. */
function textOf(value: unknown): string {
  try {
    return typeof value === "string" ? value : String(value);
  } catch {
    return show(value);
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0];
}

/** Cuts a text. */
export function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}

/**
 * Thrown by `failAfter` and `failAt` when their time is over, and the reason of a cancel that a
 * deadline made.
 *
 * @example
 * ```ts
 * import { failAfter, Loop, sleep, TimeoutError } from "jsr:@broomio/core";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * await assertRejects(() => new Loop().run(failAfter(0.01, sleep(60))), TimeoutError);
 * ```
 */
export class TimeoutError extends Error {
  static {
    this.prototype.name = "TimeoutError";
  }
}

/**
 * Thrown by `task.join()` and by `task.promise()` where the task was cancelled.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, sleepForever, TaskCancelledError } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const task = nursery.startSoon(sleepForever());
 *   task.cancel("not needed");
 *   try {
 *     yield* task.join();
 *   } catch (error) {
 *     if (!(error instanceof TaskCancelledError)) throw error;
 *     assertEquals([error.source, error.reason], ["explicit", "not needed"]);
 *   }
 * }));
 * ```
 */
export class TaskCancelledError extends Error {
  /** The task that was cancelled. */
  readonly task: Task;
  /** What was given to `cancel()`, or a {@linkcode TimeoutError} where a deadline passed. */
  readonly reason: unknown;
  /** What cancelled the task. */
  readonly source: CancelSource;

  /** Made by the loop. */
  constructor(task: Task, cancelled?: Cancelled) {
    const { reason, source = "explicit", origin } = cancelled ?? {};
    super(describeCancel(`Task ${task.name} was cancelled`, reason, source, origin));
    this.task = task;
    this.reason = reason;
    this.source = source;
    hide(this, "task");
  }
  static {
    this.prototype.name = "TaskCancelledError";
  }
}

/**
 * `run()` rejects with it when nothing can ever wake the tasks that are left. The message is the
 * tree of those tasks.
 *
 * @example
 * ```ts
 * import { DeadlockError, Event, Loop } from "jsr:@broomio/core";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const never = new Event({ name: "door open" });
 * const error = await assertRejects(() => new Loop().run(never.wait()), DeadlockError);
 * console.log(error.message); // the tree of tasks: main waits for "door open"
 * ```
 */
export class DeadlockError extends Error {
  /** The tasks that were left when the deadlock was found. */
  readonly tasks: readonly Task[];

  /** Made by the loop. */
  constructor(message: string, tasks: readonly Task[], options?: ErrorOptions) {
    super(message, options);
    this.tasks = tasks;
    hide(this, "tasks");
  }
  static {
    this.prototype.name = "DeadlockError";
  }
}

/**
 * Something that is shared is of no use any more, and never will be: the task that owned a lock has
 * ended, the other end is gone.
 *
 * @example
 * ```ts
 * import { BrokenResourceError, Loop, openChannel } from "jsr:@broomio/core";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const { sender, receiver } = openChannel<string>(1);
 * receiver.close(); // nobody can receive any more
 * await assertRejects(() => new Loop().run(sender.send("hello")), BrokenResourceError);
 * ```
 */
export class BrokenResourceError extends Error {
  static {
    this.prototype.name = "BrokenResourceError";
  }
}

/**
 * Thrown where something is used, or waited for, that this side has closed.
 *
 * @example
 * ```ts
 * import { ClosedResourceError, Loop, openChannel } from "jsr:@broomio/core";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const { sender } = openChannel<string>(1);
 * sender.close();
 * await assertRejects(() => new Loop().run(sender.send("hello")), ClosedResourceError);
 * ```
 */
export class ClosedResourceError extends Error {
  static {
    this.prototype.name = "ClosedResourceError";
  }
}

/**
 * Thrown where two tasks do at once what only one at a time can do.
 *
 * @example
 * ```ts
 * import { all, BusyResourceError, Loop } from "jsr:@broomio/core";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const [stream] = memoryStreamPair();
 * const twoReaders = all([stream.recv(), stream.recv()]); // a stream has one at a time
 * await assertRejects(() => new Loop().run(twoReaders), BusyResourceError);
 * ```
 */
export class BusyResourceError extends Error {
  static {
    this.prototype.name = "BusyResourceError";
  }
}

/**
 * Thrown where the other end sends more than it was allowed to.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { BufferedReader, LimitError } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 * import { assertEquals, assertRejects } from "jsr:@std/assert";
 *
 * const [client, server] = memoryStreamPair();
 * await new Loop().run(client.send(new TextEncoder().encode("a line that has no end")));
 * const reader = new BufferedReader(server, { limit: 10 }); // bytes
 * const error = await assertRejects(() => new Loop().run(reader.readLine()), LimitError);
 * assertEquals(error.limit, 10);
 * ```
 */
export class LimitError extends Error {
  /** The most that was allowed, in bytes. */
  readonly limit: number;

  /** Made where something is read with a limit. */
  constructor(what: string, limit: number) {
    super(`Too long: a ${what} may have ${limit} bytes`);
    this.limit = limit;
  }
  static {
    this.prototype.name = "LimitError";
  }
}

/**
 * Thrown to a receiver when everything was received and no sender is left.
 *
 * @example
 * ```ts
 * import { EndOfChannel, Loop, openChannel } from "jsr:@broomio/core";
 * import { assertEquals, assertRejects } from "jsr:@std/assert";
 *
 * const { sender, receiver } = openChannel<string>(1);
 * sender.trySend("last");
 * sender.close();
 * assertEquals(await new Loop().run(receiver.receive()), "last");
 * await assertRejects(() => new Loop().run(receiver.receive()), EndOfChannel);
 * ```
 */
export class EndOfChannel extends Error {
  static {
    this.prototype.name = "EndOfChannel";
  }
}

/** Keeps a property out of what runtimes print for an uncaught error. */
export function hide(target: object, key: string): void {
  Object.defineProperty(target, key, { enumerable: false });
}
