/**
 * Watch: a value that changes, of which everybody sees the newest.
 *
 * Invariant: `version` counts the changes. A reader waits exactly while it has seen the newest; a
 * change wakes all that wait, and a slow reader misses what was replaced before it asked, never the
 * newest. Independent of: what the value is; two that are equal are two changes.
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkFunction, checkOptions } from "../check.ts";
import type { Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import { titleOf } from "../kernel/title.ts";
import { ListedWait, WaitList } from "../kernel/wait_list.ts";
import { Call } from "../operations/call.ts";
import { checkVisitor, forEachOf, type Visitor } from "../operations/for_each.ts";

/**
 * Options of a {@linkcode Watch}.
 *
 * @example
 * ```ts
 * import { Loop, Watch, type WatchOptions } from "jsr:@broomio/core";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const options: WatchOptions = { name: "log level" };
 * const level = new Watch("info", options);
 * // The name is in the report of the deadlock: nobody is going to change it.
 * await assertRejects(() => new Loop().run(level.changes().next()), Error, "log level");
 * ```
 */
export interface WatchOptions {
  /** For messages and deadlock reports. */
  name?: string;
}

/**
 * What a watch is doing.
 *
 * @example
 * ```ts
 * import { Watch, type WatchStatistics } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const level = new Watch("info");
 * level.set("debug");
 * const { version, tasksWaiting }: WatchStatistics = level.statistics();
 * assertEquals([version, tasksWaiting], [1, 0]);
 * ```
 */
export interface WatchStatistics {
  /** How often the value was set. */
  readonly version: number;
  /** The number of tasks that wait for a change. */
  readonly tasksWaiting: number;
}

/**
 * The changes of a {@linkcode Watch} as one reader sees them, from where it began.
 *
 * @example
 * ```ts
 * import { type Changes, Loop, Watch } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const level = new Watch("info");
 * using changes: Changes<string> = level.changes(); // begins with the next value
 * level.set("debug");
 * level.set("error"); // replaces it
 * const { value } = await new Loop().run(changes.next());
 * assertEquals(value, "error"); // the newest
 * ```
 */
export interface Changes<T> extends Disposable {
  /**
   * Waits for a value that is newer than what this reader has seen, and gives the newest as
   * iterators do: `{ done: false, value }`, or `{ done: true }` when the watch was closed. A
   * checkpoint. Cancelled, the reader has seen nothing more.
   *
   * @throws {ClosedResourceError} If this reader was closed.
   */
  next(): Selectable<IteratorResult<T, undefined>>;

  /**
   * Runs `body` for each change, one after the other, until the watch is closed or `body` gives
   * `false`. What changes meanwhile is one change: the newest. A checkpoint.
   *
   * @throws {TypeError} If the body is no function.
   * @throws {ClosedResourceError} If this reader was closed.
   */
  forEach(body: Visitor<T>): Operation<void>;

  /**
   * Ends the reading; those who wait get a {@linkcode ClosedResourceError}. Never waits; a second
   * time it does nothing.
   */
  close(): void;
}

/** The value and who waits for another. */
class WatchCore<T> {
  readonly title: string;
  readonly waiters: WaitList<ChangeWait<T>> = new WaitList();
  value: T;
  version: number = 0;
  closed: boolean = false;

  constructor(title: string, value: T) {
    this.title = title;
    this.value = value;
  }

  /** Wakes all who wait: there is a newer value, or none will come. */
  wakeAll(): void {
    for (let count = this.waiters.size; count > 0; count--) {
      // Waking one may remove others: the arms of its `select`.
      const wait = this.waiters.shift();
      if (wait === null) return;
      wait.finish();
    }
  }
}

class ChangeWait<T> extends ListedWait<IteratorResult<T, undefined>> {
  readonly #reader: Reader<T>;

  constructor(reader: Reader<T>) {
    super();
    this.#reader = reader;
  }

  get reader(): Reader<T> {
    return this.#reader;
  }

  protected arm(): void {
    const reader = this.#reader;
    const { core } = reader;
    if (reader.closed) throw closedError(core);
    if (reader.seen < core.version || core.closed) this.finish();
    else core.waiters.push(this);
  }

  protected disarm(): void {
    this.#reader.core.waiters.remove(this);
  }

  /** Ends the wait with the newest value, if it is new to this reader, or the end. */
  finish(): void {
    const reader = this.#reader;
    const { core } = reader;
    if (reader.seen < core.version) {
      reader.seen = core.version;
      this.settle({ done: false, value: core.value });
    } else this.settle({ done: true, value: undefined });
  }

  describe(): string {
    return `waiting for a change of ${this.#reader.core.title}`;
  }
}

function closedError({ title }: WatchCore<unknown>): Error {
  return new ClosedResourceError(`Cannot wait for a change of ${title}: this reader was closed`);
}

class Reader<T> implements Changes<T> {
  readonly core: WatchCore<T>;
  seen: number;
  closed: boolean = false;

  constructor(core: WatchCore<T>) {
    this.core = core;
    this.seen = core.version;
  }

  next(): Selectable<IteratorResult<T, undefined>> {
    return new ChangeWait(this);
  }

  forEach(body: Visitor<T>): Operation<void> {
    checkVisitor(body, "forEach");
    return new Call(() => forEachOf(this, body), "forEach") as Operation<unknown> as Operation<
      void
    >;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { waiters } = this.core;
    for (let wait = waiters.first; wait !== null;) {
      const next = wait.behind as ChangeWait<T> | null;
      if (wait.reader === this) {
        waiters.remove(wait);
        wait.fail(closedError(this.core));
      }
      wait = next;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const KNOWN = ["name"] as const;

/**
 * A value that changes, such as a configuration or a state: anybody can read the newest at any
 * time, and wait for the next. Readers that are slow see the newest and miss what was between;
 * whoever sets it never waits.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, sleep, Watch } from "jsr:@broomio/core";
 *
 * const level = new Watch("info");
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(level.changes().forEach((value) => console.log(value))); // debug, error
 *   level.set("debug");
 *   yield* sleep(0.01);
 *   level.set("warning"); // replaced before anybody saw it
 *   level.set("error");
 *   yield* sleep(0.01);
 *   level.close();
 * }));
 * ```
 */
export class Watch<T> implements Disposable {
  readonly #core: WatchCore<T>;

  /**
   * Makes a watch with its first value.
   *
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   */
  constructor(value: T, options?: WatchOptions) {
    const { name } = checkOptions(options, "Watch", KNOWN);
    this.#core = new WatchCore(titleOf("watch", name), value);
  }

  /** The newest value. */
  get value(): T {
    return this.#core.value;
  }

  /**
   * Changes the value and wakes all who wait for that; also for an equal one. Never waits; may be
   * called from anywhere. If only code outside the loop does, `loop.hold()` tells the loop that
   * waiting for it is no deadlock.
   *
   * @throws {ClosedResourceError} If the watch was closed.
   */
  set(value: T): void {
    const core = this.#core;
    if (core.closed) throw new ClosedResourceError(`Cannot set ${core.title}: it was closed`);
    core.value = value;
    core.version++;
    core.wakeAll();
  }

  /**
   * Changes the value to what `change` makes of it, and gives that.
   *
   * @throws {TypeError} If `change` is no function.
   * @throws {ClosedResourceError} If the watch was closed.
   */
  update(change: (value: T) => T): T {
    checkFunction(change, "change of update()");
    this.set(change(this.#core.value));
    return this.#core.value;
  }

  /**
   * The changes from now on, for one reader. It begins with the next value; the one of now is
   * `value`.
   */
  changes(): Changes<T> {
    return new Reader(this.#core);
  }

  /**
   * Says that no more changes come: readers get what they have not seen, and then the end. Never
   * waits; once more does nothing.
   */
  close(): void {
    if (this.#core.closed) return;
    this.#core.closed = true;
    this.#core.wakeAll();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** How often it was set, and how many wait. */
  statistics(): WatchStatistics {
    return { version: this.#core.version, tasksWaiting: this.#core.waiters.size };
  }
}
