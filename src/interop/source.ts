/**
 * Source: values that come from outside the loop, one after the other: what `fromEvent` and
 * `fromReadableStream` give.
 *
 * Invariant: values that arrived wait in a buffer only while no task waits for one. A value goes to
 * a task that waits, or stays in the buffer for the next: a cancelled wait takes none with it
 * (R18). Independent of: where the values come from.
 */
import type { Selectable } from "../kernel/wait.ts";
import { CancelScope } from "../kernel/cancel_scope.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { ensure } from "../operations/ensure.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import { RingBuffer } from "../kernel/ring_buffer.ts";
import type { TaskCore } from "../kernel/task.ts";
import { checkOptions } from "../check.ts";
import { checkConcurrency, type Concurrency } from "../operations/concurrent.ts";
import {
  FOR_EACH_OPTIONS,
  ForEachConcurrent,
  type ForEachOptions,
} from "../operations/for_each_concurrent.ts";
import { checkVisitor, forEachOf, type Visitor } from "../operations/for_each.ts";
import { ListedWait, WaitList } from "../kernel/wait_list.ts";
import { until } from "./until.ts";

/**
 * Values that come from outside the loop. Close it, or let `forEach` do so.
 *
 * @example
 * ```ts
 * import { fromEvent, Loop, type Source } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const target = new EventTarget();
 * const messages: Source<MessageEvent<string>> = fromEvent(target, "message");
 * for (const data of ["a", "b", "end"]) {
 *   target.dispatchEvent(new MessageEvent("message", { data }));
 * }
 * const log: string[] = [];
 * await new Loop().run(messages.forEach(({ data }) => {
 *   if (data === "end") return false; // closes the source: nobody listens any more
 *   log.push(data);
 * }));
 * assertEquals(log, ["a", "b"]);
 * ```
 */
export interface Source<T> extends Disposable {
  /**
   * Waits for a value and gives it as iterators do: `{ done: false, value }`, or `{ done: true }`
   * at the end. A checkpoint. Cancelled, no value is lost: the next one who asks gets it.
   *
   * @throws {ClosedResourceError} If the source was closed, also while it waits.
   */
  next(): Selectable<IteratorResult<T, undefined>>;

  /**
   * Runs `body` for each value, one after the other, to the end of the source or until `body`
   * returns `false`; then closes the source, however the loop ended. A checkpoint.
   *
   * @throws {ClosedResourceError} If the source was closed, also while it waits.
   */
  forEach(body: Visitor<T>, options?: ForEachOptions): Operation<void>;

  /**
   * Closes the source; those who wait get a {@linkcode ClosedResourceError}. Never waits; a second
   * time it does nothing.
   */
  close(): void;
}

/** How a source ended by itself. */
export type Completion = { failed: false } | { failed: true; error: unknown };

/** What sources share. */
export abstract class BufferedSource<T> implements Source<T> {
  readonly #title: string;
  readonly #values = new RingBuffer<T>();
  readonly #waits = new WaitList<SourceWait<T>>();
  #closed = false;
  /** How it ended by itself, once it has. */
  #completion: Completion | null = null;

  constructor(title: string) {
    this.#title = title;
  }

  /** Called when a task waits: time to ask for a value, where values have to be asked for. */
  protected abstract wanted(): void;

  /**
   * Stops the values; called once, unless the source ended by itself. May give a promise that it is
   * done.
   */
  protected abstract stop(): PromiseLike<unknown> | void;

  /** Whether any task waits for a value. */
  protected get hasWaiters(): boolean {
    return this.#waits.size > 0;
  }

  /** A value has come. */
  protected arrived(value: T): void {
    if (this.#closed) return;
    const wait = this.#waits.shift();
    if (wait === null) this.#values.push(value);
    else wait.settle({ done: false, value });
  }

  /** The source has ended by itself. */
  protected ended(completion: Completion): void {
    if (this.#closed) return;
    this.#completion = completion;
    for (let wait = this.#waits.shift(); wait !== null; wait = this.#waits.shift()) {
      finish(wait, completion);
    }
  }

  next(): Selectable<IteratorResult<T, undefined>> {
    return new SourceWait(this);
  }

  /** Called by a wait that begins. */
  add(wait: SourceWait<T>): void {
    if (this.#closed) throw this.#closedError();
    if (this.#values.length > 0) {
      wait.settle({ done: false, value: this.#values.shift() as T });
    } else if (this.#completion !== null) finish(wait, this.#completion);
    else {
      this.#waits.push(wait);
      this.wanted();
    }
  }

  /** Called by a wait that is cancelled. */
  remove(wait: SourceWait<T>): void {
    this.#waits.remove(wait);
  }

  forEach(body: Visitor<T>, options?: ForEachOptions): Operation<void> {
    checkVisitor(body, "forEach");
    const { concurrency = 1 } = checkOptions(options, "forEach", FOR_EACH_OPTIONS);
    checkConcurrency(concurrency, "forEach");
    return CancelScope.open(() => this.#iterate(body, concurrency), { name: "forEach" });
  }

  *#iterate(body: Visitor<T>, concurrency: Concurrency): Coroutine {
    yield* ensure(() => this.#closeAndWait());
    if (concurrency === 1) yield* forEachOf(this, body);
    else yield* new ForEachConcurrent(this, body, concurrency);
  }

  *#closeAndWait(): Coroutine {
    const stopped = this.#shut();
    if (stopped) yield* until(stopped);
  }

  close(): void {
    const stopped = this.#shut();
    if (stopped) Promise.resolve(stopped).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What it is, for messages. */
  get title(): string {
    return this.#title;
  }

  #shut(): PromiseLike<unknown> | void {
    if (this.#closed) return;
    this.#closed = true;
    for (let wait = this.#waits.shift(); wait !== null; wait = this.#waits.shift()) {
      wait.fail(this.#closedError());
    }
    if (this.#completion === null) return this.stop();
  }

  #closedError(): Error {
    return new ClosedResourceError(`Cannot receive from ${this.#title}: it was closed`);
  }
}

function finish<T>(wait: SourceWait<T>, completion: Completion): void {
  if (completion.failed) wait.fail(completion.error);
  else wait.settle({ done: true, value: undefined });
}

class SourceWait<T> extends ListedWait<IteratorResult<T, undefined>> {
  static {
    this.prototype.external = true;
  }

  readonly #source: BufferedSource<T>;

  constructor(source: BufferedSource<T>) {
    super();
    this.#source = source;
  }

  protected arm(_task: TaskCore): void {
    this.#source.add(this);
  }

  protected disarm(): void {
    this.#source.remove(this);
  }

  describe(): string {
    return `waiting for ${this.#source.title}`;
  }
}
