/**
 * ResourcePool: a bounded number of resources, such as database connections, that tasks borrow in
 * turn.
 *
 * Invariants
 * - Borrowed, idle, opening and closing ones together are never more than `max`; each counts as a
 *   slot.
 * - A slot that becomes free goes to the first waiter (R29), with an idle resource, or to open one:
 *   a resource that is opened for a waiter that was cancelled meanwhile becomes idle.
 * - An idle resource has its timer in force exactly while it is idle; the one that was used last is
 *   borrowed first.
 * - Every resource that was opened is closed, once: when its time is up, when it fails its check or
 *   its user says so, or with the pool.
 *
 * Independent of: what a resource is.
 */

import { checkFunction, checkInteger, checkOptions } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import { addCleanup, CancelScope } from "../kernel/cancel_scope.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import type { TaskCore } from "../kernel/task.ts";
import type { Timed } from "../kernel/timers.ts";
import { titleOf } from "../kernel/title.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { Call } from "../operations/call.ts";
import { all } from "../operations/combine.ts";
import { currentTask } from "../operations/current.ts";
import { describeError } from "../operations/dispose.ts";

import { DONE } from "../operations/gather.ts";
import { settle } from "../operations/settle.ts";
import { shield } from "../operations/shield.ts";
import { type Acquirable, AcquireWait, ListWait } from "./acquire_wait.ts";

/**
 * Options of a {@linkcode ResourcePool}.
 *
 * @example
 * ```ts
 * import { Loop, ResourcePool, type ResourcePoolOptions, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * type Connection = { isOpen: boolean };
 * const options: ResourcePoolOptions<Connection> = {
 *   *open() {
 *     yield* sleep(0.01);
 *     return { isOpen: true };
 *   },
 *   close: (connection) => void (connection.isOpen = false),
 *   max: 10,
 *   idleTimeout: { minutes: 5 },
 *   check: (connection) => connection.isOpen,
 *   name: "database",
 * };
 * const pool = new ResourcePool(options);
 * await new Loop().run(function* () {
 *   yield* pool.with(function* (connection) {
 *     assertEquals(connection.isOpen, true);
 *   });
 *   yield* pool.close();
 * }());
 * ```
 */
export interface ResourcePoolOptions<R> {
  /** Opens a resource: a function* that gives it. */
  open: () => Operation<R>;
  /** Closes one. It may wait; it is shielded. */
  close: (resource: R) => Operation<unknown> | void;
  /** How many there are at most: an integer of at least 1. */
  max: number;
  /**
   * How long an idle one is kept: seconds, or an object such as `{ minutes: 1 }`. By default as
   * long as the pool is open.
   */
  idleTimeout?: Duration;
  /**
   * Whether an idle resource still works, asked before it is borrowed again; one that does not, or
   * throws, is closed.
   */
  check?: (resource: R) => Operation<boolean> | boolean;
  /** For messages and deadlock reports. */
  name?: string;
}

/**
 * What a pool is doing.
 *
 * @example
 * ```ts
 * import { Loop, ResourcePool, type ResourcePoolStatistics } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const isIdle = ({ inUse, tasksWaiting }: ResourcePoolStatistics) => inUse + tasksWaiting === 0;
 *
 * const pool = new ResourcePool({
 *   *open() {
 *     return "connection";
 *   },
 *   close: () => {},
 *   max: 1,
 * });
 * await new Loop().run(pool.with(function* () {
 *   assertEquals(isIdle(pool.statistics()), false);
 * }));
 * assertEquals(isIdle(pool.statistics()), true);
 * ```
 */
export interface ResourcePoolStatistics {
  /** How many there may be. */
  readonly max: number;
  /** How many are borrowed, being opened for a borrower, or being closed. */
  readonly inUse: number;
  /** How many are idle. */
  readonly idle: number;
  /** The number of tasks that wait for one. */
  readonly tasksWaiting: number;
}

/** A resource that nobody uses. */
class Idle<R> implements Timed {
  generation: number = 0;
  readonly resource: R;
  readonly #slots: Slots<R>;
  readonly #scheduler: Scheduler;

  constructor(resource: R, slots: Slots<R>, scheduler: Scheduler) {
    this.resource = resource;
    this.#slots = slots;
    this.#scheduler = scheduler;
    if (slots.idleTimeout !== Infinity) {
      scheduler.addTimer(scheduler.host.now() + slots.idleTimeout, this);
    }
  }

  /** Nobody needs its timer any more. */
  stopTimer(): void {
    this.#scheduler.timers.cancel(this);
  }

  expire(): void {
    this.#slots.expired(this, this.#scheduler);
  }
}

/** The slots of a pool, and what is idle. */
class Slots<R> implements Acquirable {
  readonly title: string;
  readonly max: number;
  readonly idleTimeout: number;
  readonly waiters: WaitList<BorrowWait<R>> = new WaitList();
  /** Who waits until no slot is taken. */
  readonly closers: WaitList<CloseWait<R>> = new WaitList();
  /**
   * The slots that are taken; an idle resource takes none, but there are never more of both than
   * `max`.
   */
  inUse: number = 0;
  /** Used last, last. */
  readonly idle: Idle<R>[] = [];
  readonly borrowers: Set<TaskCore> = new Set();
  closed: boolean = false;
  readonly #close: (resource: R) => Operation<unknown> | void;

  constructor(
    title: string,
    max: number,
    idleTimeout: number,
    close: (resource: R) => Operation<unknown> | void,
  ) {
    this.title = title;
    this.max = max;
    this.idleTimeout = idleTimeout;
    this.#close = close;
  }

  get acquired(): string {
    return `a resource of ${this.title}`;
  }

  tryAcquire(): boolean {
    if (this.closed) throw this.closedError();
    if (this.inUse >= this.max) return false;
    this.inUse++;
    return true;
  }

  /** Gives a slot to the first waiter, or frees it. */
  release(): void {
    const wait = this.waiters.shift();
    if (wait !== null) return wait.handedOver();
    this.inUse--;
    if (this.inUse > 0) return;
    for (let closer = this.closers.shift(); closer !== null; closer = this.closers.shift()) {
      closer.settle();
    }
  }

  /** The idle resource that was used last, for a slot that was taken. */
  takeIdle(): Idle<R> | null {
    const idle = this.idle.pop() ?? null;
    idle?.stopTimer();
    return idle;
  }

  /** The time of an idle resource is up. There is a free slot for closing it. */
  expired(idle: Idle<R>, scheduler: Scheduler): void {
    this.idle.splice(this.idle.indexOf(idle), 1);
    this.inUse++;
    scheduler.loop.startSoon(shield(this.closeAndRelease(idle.resource)), { name: "close" });
  }

  *closeAndRelease(resource: R): Coroutine {
    try {
      yield* this.closeOne(resource);
    } finally {
      this.release();
    }
  }

  /** Closes a resource; what goes wrong is a warning, as nobody could do anything about it. */
  *closeOne(resource: R): Coroutine {
    const task = (yield* currentTask()) as TaskCore;
    const result = yield* settle(() => this.#close(resource) ?? DONE);
    if (result.ok) return;
    const message = `Closing a resource of ${this.title} failed: ${describeError(result.error)}`;
    task.scheduler.warn({ message, task });
  }

  /** Closes the pool for new borrowers, and what is idle. */
  *shut(): Coroutine {
    this.closed = true;
    for (let wait = this.waiters.shift(); wait !== null; wait = this.waiters.shift()) {
      wait.fail(this.closedError());
    }
    const idle = this.idle.splice(0);
    this.inUse += idle.length;
    for (const each of idle) each.stopTimer();
    if (idle.length > 0) {
      yield* shield(all(idle.map(({ resource }) => this.closeAndRelease(resource))));
    }
    if (this.inUse > 0) yield* new CloseWait(this);
  }

  closedError(): Error {
    return new ClosedResourceError(`Cannot borrow from ${this.title}: it was closed`);
  }

  holders(): readonly TaskCore[] {
    return [...this.borrowers];
  }
}

/**
 * Waits for a slot, and gives the idle resource that comes with it: taken in the same step, so that
 * its time cannot be up between.
 */
class BorrowWait<R> extends AcquireWait<Slots<R>, Idle<R> | null> {
  protected override granted(): Idle<R> | null {
    return this.core.takeIdle();
  }
}

/** Waits until all resources have come back and are closed. */
class CloseWait<R> extends ListWait {
  readonly #slots: Slots<R>;

  constructor(slots: Slots<R>) {
    super();
    this.#slots = slots;
  }

  protected get waiters(): WaitList<CloseWait<R>> {
    return this.#slots.closers;
  }

  protected arm(): void {
    this.waiters.push(this);
  }

  describe(): string {
    const { title, inUse } = this.#slots;
    return `closing ${title}, of which ${inUse} ${
      inUse === 1 ? "resource is" : "resources are"
    } in use`;
  }

  holders(): readonly TaskCore[] {
    return this.#slots.holders();
  }
}

/** What one `with` has. */
class Lease<R> {
  resource: R | undefined = undefined;
  /** There is a resource: it was borrowed or opened. */
  open: boolean = false;
  discarded: boolean = false;
}

const KNOWN = ["open", "close", "max", "idleTimeout", "check", "name"] as const;

/**
 * A bounded number of resources that tasks borrow, such as database connections: opened when they
 * are needed, kept while they are idle, borrowed in order of arrival.
 *
 * @example
 * ```ts
 * import { all, Loop, ResourcePool, sleep } from "jsr:@broomio/core";
 *
 * let opened = 0;
 * const pool = new ResourcePool({
 *   *open() {
 *     yield* sleep(0.01); // connects
 *     return `connection ${++opened}`;
 *   },
 *   close: (connection) => console.log(`${connection} closed`),
 *   max: 2,
 * });
 * function* query(n: number) {
 *   return yield* pool.with(function* (connection) {
 *     yield* sleep(0.01);
 *     return `${n} on ${connection}`;
 *   });
 * }
 * await new Loop().run(function* () {
 *   console.log(yield* all([query(1), query(2), query(3)])); // on two connections
 *   yield* pool.close();
 * }());
 * ```
 */
export class ResourcePool<R> {
  readonly #slots: Slots<R>;
  readonly #open: () => Operation<R>;
  readonly #check: ((resource: R) => Operation<boolean> | boolean) | undefined;

  /**
   * Makes a pool; nothing is opened before it is needed.
   *
   * @throws {TypeError} If an option is of the wrong kind, or unknown.
   * @throws {RangeError} If `max` is not an integer of at least 1, or `idleTimeout` NaN or
   * negative.
   */
  constructor(options: ResourcePoolOptions<R>) {
    const given = checkOptions(options, "ResourcePool", KNOWN);
    const { open, close, max, idleTimeout = Infinity, check, name } = given;
    this.#open = checkFunction(open, "open of ResourcePool", "a function* that opens a resource");
    checkFunction(close, "close of ResourcePool", "a function that closes a resource");
    if (check !== undefined) checkFunction(check, "check of ResourcePool");
    this.#check = check;
    const seconds = toSeconds(idleTimeout, "idleTimeout of ResourcePool");
    checkInteger(max, "max of ResourcePool", 1);
    this.#slots = new Slots(titleOf("resource pool", name), max, seconds, close);
  }

  /**
   * Runs `body` with a resource that nobody else has meanwhile, and gives its value. Waits for one
   * if all are in use. The resource goes back to the pool however the body ends; a body that knows
   * it to be broken calls `discard`, and it is closed instead. A checkpoint.
   *
   * @param body A function of the resource.
   * @throws {ClosedResourceError} If the pool was closed, also while it waits.
   * @throws {unknown} What `open` throws.
   * @throws {TypeError} If the body is no function.
   */
  with<T>(body: (resource: R, discard: () => void) => Operation<T>): Operation<T> {
    checkFunction(body, "body of with()", "a function* of the resource");
    return CancelScope.open(() => this.#with(body), { name: "with" }) as Operation<T>;
  }

  *#with<T>(body: (resource: R, discard: () => void) => Operation<T>): Coroutine<T> {
    const task = (yield* currentTask()) as TaskCore;
    const slots = this.#slots;
    const lease = new Lease<R>();
    const idle = yield* new BorrowWait(slots);
    // At once, and with no operation before it: a cancel could land there, and nobody would give
    // the slot back.
    addCleanup(task, () => this.#giveBack(lease, task));
    slots.borrowers.add(task);
    if (idle !== null) {
      lease.resource = idle.resource;
      lease.open = true;
      yield* this.#checkIdle(lease);
    }
    if (!lease.open) {
      lease.resource = yield* new Call(() => this.#open(), "open");
      lease.open = true;
    }
    return yield* new Call(() => body(lease.resource as R, () => lease.discarded = true), "with");
  }

  /** Closes idle resources that do not pass their check, until one does or there is none. */
  *#checkIdle(lease: Lease<R>): Coroutine {
    const check = this.#check;
    if (check === undefined) return;
    for (;;) {
      const resource = lease.resource as R;
      lease.discarded = true; // should the check be cancelled
      const works = yield* settle(() => asOperation(check(resource)));
      lease.discarded = false;
      if (works.ok && works.value === true) return;
      lease.open = false;
      yield* shield(this.#slots.closeOne(resource));
      const next = this.#slots.takeIdle();
      if (next === null) return;
      lease.resource = next.resource;
      lease.open = true;
    }
  }

  *#giveBack(lease: Lease<R>, task: TaskCore): Coroutine {
    const slots = this.#slots;
    slots.borrowers.delete(task);
    if (lease.open) {
      if (lease.discarded || slots.closed || slots.idleTimeout === 0) {
        yield* slots.closeOne(lease.resource as R);
      } else slots.idle.push(new Idle(lease.resource as R, slots, task.scheduler));
    }
    slots.release();
  }

  /**
   * Closes the pool: refuses new borrowers, those who wait included, closes what is idle, and waits
   * until what is borrowed has come back and is closed too. A second time it only waits. Not from
   * within `with`: it would wait for itself. A checkpoint only if it waits.
   */
  close(): Operation<void> {
    return new Call(() => this.#slots.shut(), "close");
  }

  /** How many are in use and idle, and how many tasks wait. */
  statistics(): ResourcePoolStatistics {
    const { max, inUse, idle, waiters } = this.#slots;
    return { max, inUse, idle: idle.length, tasksWaiting: waiters.size };
  }
}

function* asOperation(answer: Operation<boolean> | boolean): Coroutine<boolean> {
  return typeof answer === "object" ? yield* answer : answer;
}
