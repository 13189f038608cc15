/**
 * Portal: the way from async code into a loop. A coroutine in, a promise out.
 *
 * Invariants
 * - The promise of a run settles once, when the coroutine and all of its cleanup have ended. Its
 *   error goes there and nowhere else.
 * - The loop runs from the first run until the portal is closed. Between, it sleeps, with nothing
 *   that keeps the process alive.
 * - What the loop was given by other means is told to `onError` where it fails, and is cancelled by
 *   `close` like the rest.
 *
 * Independent of: who calls it; HTTP is one.
 *
 * A coroutine runs to its first wait at once, as an async function does: to wake the loop costs
 * most of what a run costs, and its async context has to be noted only where it waits.
 */
import { checkBoolean, checkFunction, checkOptions, checkString, wrongKind } from "../check.ts";
import { type Body, bodyIterator, toIterator } from "../kernel/coroutine.ts";
import type { Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import type { Task, TaskCore } from "../kernel/task.ts";
import { type Duration, toSeconds } from "../duration.ts";
import { type Loop, type LoopOptions, type PortalLoop, portalLoop } from "../loop.ts";
import { webHost } from "../runtime/web_host.ts";
import { type Entrance, OutsideRun, type OutsideRunOptions } from "./outside_run.ts";

/**
 * Options of a {@linkcode Portal}: those of its loop, and what becomes of errors that nobody
 * awaits.
 *
 * @example
 * ```ts
 * import { currentLoop, Portal, type PortalOptions, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const lost: string[] = [];
 * const options: PortalOptions = { onError: (error, task) => lost.push(`${task.name}: ${error}`) };
 * await using portal = new Portal(options);
 * function* broken() {
 *   throw new Error("no space left");
 * }
 * await portal.run(function* () {
 *   (yield* currentLoop()).startSoon(broken(), { name: "backup" }); // nobody awaits it
 *   yield* sleep(0.01);
 * });
 * assertEquals(lost, ["backup: Error: no space left"]);
 * ```
 */
export interface PortalOptions extends LoopOptions {
  /**
   * Told of a task that failed and that nobody awaits, because it was started with
   * `loop.startSoon`: by default it is an unhandled rejection. What `onError` throws is a warning.
   */
  onError?: (error: unknown, task: Task) => void;
  /**
   * Each run sees the `AsyncLocalStorage` store of its caller: true by default, wherever the host
   * knows such stores.
   */
  asyncContext?: boolean;
}

const PORTAL_OPTIONS = [
  "onError",
  "asyncContext",
  "executionOrder",
  "seed",
  "host",
  "instruments",
  "onWarning",
  "debug",
] as const;

/**
 * Options of {@linkcode Portal.run}.
 *
 * @example
 * ```ts
 * import { Portal, type PortalRunOptions, sleep } from "jsr:@broomio/core";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * await using portal = new Portal();
 * const controller = new AbortController();
 * const options: PortalRunOptions = { signal: controller.signal, timeout: 5, name: "lookup" };
 * const result = portal.run(sleep(60), options);
 * controller.abort(new Error("the client has gone"));
 * await assertRejects(() => result, Error, "the client has gone");
 * ```
 */
export interface PortalRunOptions {
  /**
   * Cancels the coroutine. Its cleanup runs first, then the promise rejects with the signal's
   * reason, as that of `fetch` does.
   */
  signal?: AbortSignal | undefined;
  /**
   * Cancels the coroutine so long after the call: the promise rejects with a {@linkcode
   * TimeoutError}.
   */
  timeout?: Duration | undefined;
  /** For messages. */
  name?: string | undefined;
}

/**
 * Options of {@linkcode Portal.close}.
 *
 * @example
 * ```ts
 * import { Portal, type PortalCloseOptions, sleep } from "jsr:@broomio/core";
 * import { assertRejects } from "jsr:@std/assert";
 *
 * const portal = new Portal();
 * const rejected = assertRejects(() => portal.run(sleep(60)), Error, "shutting down");
 * const options: PortalCloseOptions = { grace: 0.01, reason: new Error("shutting down") };
 * await portal.close(options); // waits 10 ms, then cancels what still runs
 * await rejected;
 * ```
 */
export interface PortalCloseOptions {
  /**
   * How long to wait for what runs before it is cancelled. By default no time; `Infinity` cancels
   * nothing.
   */
  grace?: Duration;
  /**
   * What the promise of a cancelled run rejects with: by default a {@linkcode ClosedResourceError}.
   */
  reason?: unknown;
}

/** The entrance of each portal's loop. */
const entrances = new WeakMap<Loop, Entrance>();

/** The entrance of a portal, for what runs coroutines through it. */
export let entranceOf: (portal: Portal) => Entrance;

/** The entrance of the portal whose loop this is; undefined where it is no portal's. */
export function entranceOfLoop(loop: Loop): Entrance | undefined {
  return entrances.get(loop);
}

/**
 * Lets async code run coroutines: in a program that has a loop of its own in one corner only, or
 * none at all.
 *
 * Each `run` stands for itself, as each call of an async function does: where one fails, its
 * promise rejects, with its own error, and the others go on. Make one portal for the program, or
 * for a server, and close it at the end.
 *
 * At its border a run behaves as `fetch` does. What is aborted, rejected or thrown, and where:
 *
 * | what happens | in the coroutine, at its wait | outside |
 * | --- | --- | --- |
 * | the `signal` of `run` aborts | `Cancelled`; cleanup runs | then `run` rejects with its reason |
 * | the `timeout` of `run` passes | `Cancelled`; cleanup runs | then it rejects, `TimeoutError` |
 * | `close`, after its grace | `Cancelled`; cleanup runs | then it rejects with the `reason` |
 * | something else cancels its task | `Cancelled` | `TaskCancelledError` |
 * | the time of `moveOnAfter` passes | `Cancelled` inside its body | `undefined`; it goes on |
 * | the time of `failAfter` passes | `Cancelled` inside its body | it throws `TimeoutError` |
 * | `until((signal) => ...)` is hit | `Cancelled` | its signal aborts: the `fetch` ends |
 * | it throws | | `run` rejects with that very error |
 *
 * @example
 * ```ts
 * import { all, Portal, sleep } from "jsr:@broomio/core";
 *
 * await using portal = new Portal();
 *
 * function* half(n: number) {
 *   yield* sleep(0.01);
 *   return n / 2;
 * }
 * async function handler(n: number): Promise<string> { // any async code
 *   const [a, b] = await portal.run(all([half(n), half(n + 2)]), { timeout: 5 });
 *   return `${a} ${b}`;
 * }
 * console.log(await handler(4)); // 2 3
 * ```
 */
export class Portal implements AsyncDisposable {
  static {
    entranceOf = (portal) => portal.#entrance;
  }

  readonly #port: PortalLoop;
  readonly #entrance: Entrance;
  #closing: Promise<void> | null = null;

  /**
   * Makes a portal with a loop of its own. Nothing runs, and nothing is kept alive, before the
   * first `run`.
   *
   * @throws {RangeError} If an option has no valid value.
   * @throws {TypeError} If an option is of the wrong kind, or not known.
   */
  constructor(options: PortalOptions = {}) {
    checkOptions(options, "Portal", PORTAL_OPTIONS);
    const { onError, asyncContext = true, host = webHost, ...rest } = options;
    if (onError !== undefined) checkFunction(onError, "onError");
    checkBoolean(asyncContext, "asyncContext");
    const known = asyncContext && host.captureContext !== undefined;
    this.#port = portalLoop(
      { ...rest, host, asyncContext: known },
      onError === undefined
        ? (error) => void Promise.reject(error)
        : (error, task) => tellStray(onError, error, task as TaskCore),
    );
    this.#entrance = {
      active: 0,
      enter: () => this.#closing === null ? this.#port.enter() : null,
    };
    entrances.set(this.#port.loop, this.#entrance);
  }

  /** How many runs have not ended. */
  get active(): number {
    return this.#entrance.active;
  }

  /**
   * Runs a coroutine, and gives a promise of its value. Called from async code, the coroutine runs
   * to its first wait at once; called from a coroutine, in its turn. Never throws: what is wrong
   * rejects the promise.
   *
   * The promise rejects with the error of the coroutine itself; with the signal's reason or a
   * {@linkcode TimeoutError} where that cancelled it, after its cleanup; with `ClosedResourceError`
   * where the portal is closed; with `TaskCancelledError` where something else cancelled it; with
   * `TypeError` where it was given no coroutine.
   *
   * @param body A coroutine, or a function that returns one; with an aborted signal it is not even
   * called.
   * @example
   * ```ts
   * import { Portal, sleep } from "jsr:@broomio/core";
   *
   * const portal = new Portal();
   * function* greet(name: string) {
   *   yield* sleep(0.01);
   *   return `hello ${name}`;
   * }
   * console.log(await portal.run(greet("world"))); // hello world
   * ```
   */
  run<T>(body: Body<T>, options?: PortalRunOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closing !== null) {
        refuse(body);
        throw new ClosedResourceError("This portal is closed: it runs nothing more");
      }
      const checked = options === undefined ? undefined : readOptions(options);
      if (checked?.signal?.aborted) {
        refuse(body);
        throw checked.signal.reason;
      }
      const iterator = typeof body === "function"
        ? bodyIterator(body, "portal.run")
        : toIterator(body, "portal.run");
      new PortalRun<T>(this.#entrance, resolve, reject)
        .start(this.#port.enter(), iterator, checked);
    });
  }

  /**
   * An async function that runs what `body` makes of its arguments, for whoever wants one: a
   * router, an event, a test. It keeps the name, the number of parameters and `this` of `body`.
   *
   * @throws {TypeError} If `body` is not a function.
   * @example
   * ```ts
   * import { Portal, sleep } from "jsr:@broomio/core";
   *
   * const portal = new Portal();
   * const add = portal.wrap(function* (a: number, b: number) {
   *   yield* sleep(0.01);
   *   return a + b;
   * });
   * console.log(await add(1, 2)); // 3
   * ```
   */
  wrap<A extends unknown[], T, This = unknown>(
    body: (this: This, ...args: A) => Operation<T>,
  ): (this: This, ...args: A) => Promise<T> {
    checkFunction(body, "portal.wrap()", "a function*");
    // deno-lint-ignore no-this-alias
    const portal = this;
    const wrapped = function (this: This, ...args: A): Promise<T> {
      return portal.run(() => body.apply(this, args));
    };
    // Express tells a handler of errors by its four parameters.
    Object.defineProperties(wrapped, {
      name: { value: body.name, configurable: true },
      length: { value: body.length, configurable: true },
    });
    return wrapped;
  }

  /**
   * Closes the portal: it runs nothing more, waits for `grace`, then cancels what is left, whoever
   * started it, and resolves when all cleanup is done. Called again it gives the same promise and
   * changes nothing.
   *
   * Rejects with a `DeadlockError` where cleanup waits for something that can never come, as
   * `loop.run()` does.
   *
   * @throws {TypeError | RangeError} If `grace` is no length of time.
   */
  close(options: PortalCloseOptions = {}): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    checkOptions(options, "portal.close", ["grace", "reason"]);
    const { grace = 0, reason = new ClosedResourceError("The portal was closed") } = options;
    return this.#closing = this.#port.close(toSeconds(grace, "grace"), reason);
  }

  /** Closes the portal without grace: the end of `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function tellStray(
  onError: (error: unknown, task: Task) => void,
  error: unknown,
  task: TaskCore,
): void {
  try {
    onError(error, task);
  } catch (failure) {
    const message = `onError of a portal failed, told of task ${task.name}: ${failure}`;
    task.scheduler.warn({ message, task });
  }
}

/** A run, and what settles its promise. */
class PortalRun<T> extends OutsideRun<T> {
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(entrance: Entrance, resolve: (value: T) => void, reject: (error: unknown) => void) {
    super(entrance);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  override resolve(value: T): void {
    (0, this.#resolve)(value);
  }

  override reject(error: unknown): void {
    (0, this.#reject)(error);
  }
}

const RUN_OPTIONS = ["signal", "timeout", "name"] as const;

/** Checks the options of a run, and gives the timeout in seconds. */
function readOptions(options: PortalRunOptions): OutsideRunOptions {
  checkOptions(options, "portal.run", RUN_OPTIONS);
  const { signal, timeout, name } = options;
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw wrongKind("an AbortSignal", signal, "signal");
  }
  if (name !== undefined) checkString(name, "name");
  return { signal, name, timeout: timeout === undefined ? undefined : toSeconds(timeout) };
}

/**
 * Uses up a body that will not run. An operation is thrown into before it has begun, as where a
 * task never ran: so the rejection of an `until(promise)` counts as handled.
 */
function refuse(body: Body<unknown>): void {
  if (typeof body === "function") return;
  try {
    toIterator(body, "portal.run").throw?.(new ClosedResourceError("Never started"));
  } catch {
    // What was thrown in, or that it was no coroutine: the caller is told of something else.
  }
}
