/**
 * retry: runs a body again until it succeeds.
 *
 * Invariants
 * - A cancel of a scope around it is never an attempt that failed; the time limit of an attempt is
 *   one.
 * - The delays follow from the seed of the loop, so that a test can be replayed.
 */
import { checkFunction, checkInteger, checkNumber, checkOptions, wrongKind } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import { Command } from "../kernel/command.ts";
import { bodyIterator, type Operation, toIterator } from "../kernel/coroutine.ts";
import { CONTINUE, Frame, isCancellation, NEXT, POP, type Verdict } from "../kernel/frame.ts";
import { seededRandom } from "../kernel/ready_queue.ts";
import { noteThrown } from "../kernel/stack.ts";
import type { TaskCore } from "../kernel/task.ts";
import type { Loop } from "../loop.ts";
import { describeError } from "./dispose.ts";
import { sleep } from "./sleep.ts";
import { failAfter } from "./timeout.ts";

/**
 * Options of {@linkcode retry}.
 *
 * @example
 * ```ts
 * import { Loop, retry, type RetryOptions } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const patient: RetryOptions = {
 *   maxAttempts: 10,
 *   minTimeout: 1, // seconds: then 2, 4, 8, ...
 *   maxTimeout: { minutes: 1 },
 *   jitter: 0, // exactly that
 *   timeout: 5, // for each attempt
 *   isRetriable: (error) => error instanceof Error && error.message === "busy",
 * };
 * function* fetchPage(attempt: number) {
 *   if (attempt < 4) throw new Error("busy");
 *   return "page";
 * }
 * const loop = new Loop({ host: new VirtualClock() });
 * assertEquals(await loop.run(retry(fetchPage, patient)), "page");
 * assertEquals(loop.now, 1 + 2 + 4);
 * ```
 */
export interface RetryOptions {
  /** How often the body is run at most: an integer of at least 1, or Infinity. By default 5. */
  maxAttempts?: number;
  /** The delay after the first failure, by default a second. */
  minTimeout?: Duration;
  /** The longest delay, by default a minute. */
  maxTimeout?: Duration;
  /** What the delay is multiplied by after each failure, at least 1. By default 2. */
  multiplier?: number;
  /**
   * How much of a delay is left to chance, from 0 to 1: with 0.5 it is between half of it and all
   * of it. By default 1.
   */
  jitter?: number;
  /**
   * A time limit for each attempt; one that takes longer has failed with a `TimeoutError`. By
   * default there is none.
   */
  timeout?: Duration;
  /** Whether an error is worth another attempt; by default every error is. */
  isRetriable?: (error: unknown) => boolean;
  /** Called before each delay. */
  onRetry?: (error: unknown, info: RetryInfo) => void;
}

/**
 * What `onRetry` is told.
 *
 * @example
 * ```ts
 * import { Loop, retry, type RetryInfo } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const log: string[] = [];
 * function onRetry(error: unknown, { attempt, delay }: RetryInfo) {
 *   log.push(`attempt ${attempt}: ${error}, again in ${delay} s`);
 * }
 * function* fetchPage(attempt: number) {
 *   if (attempt === 1) throw new Error("busy");
 * }
 * await new Loop().run(retry(fetchPage, { minTimeout: 0.01, jitter: 0, onRetry }));
 * assertEquals(log, ["attempt 1: Error: busy, again in 0.01 s"]);
 * ```
 */
export interface RetryInfo {
  /** The number of the attempt that failed, counted from 1. */
  readonly attempt: number;
  /** How long it waits before the next one, in seconds. */
  readonly delay: number;
}

/**
 * What comes out of {@linkcode retry} when all attempts have failed. `errors` has the error of
 * each, in order; the last is the `cause`.
 *
 * @example
 * ```ts
 * import { Loop, retry, RetryError } from "jsr:@broomio/core";
 *
 * function* broken() {
 *   throw new Error("out of order");
 * }
 * const operation = retry(broken, { maxAttempts: 2, minTimeout: 0.01 });
 * await new Loop().run(function* () {
 *   try {
 *     yield* operation;
 *   } catch (error) {
 *     if (error instanceof RetryError) console.log(error.attempts); // 2
 *   }
 * }());
 * ```
 */
export class RetryError extends AggregateError {
  /** How many attempts were made. */
  readonly attempts: number;

  /** Made by `retry` of the error of each attempt. */
  constructor(errors: readonly unknown[]) {
    const count = errors.length;
    const last = errors[count - 1];
    const text = describeError(last).split("\n", 1)[0].slice(0, 200);
    super(errors, `${count} ${count === 1 ? "attempt" : "attempts"} failed; the last: ${text}`, {
      cause: last,
    });
    this.attempts = count;
    Object.defineProperty(this, "attempts", { enumerable: false });
  }

  static {
    this.prototype.name = "RetryError";
  }
}

const KNOWN = [
  "maxAttempts",
  "minTimeout",
  "maxTimeout",
  "multiplier",
  "jitter",
  "timeout",
  "isRetriable",
  "onRetry",
] as const;

interface Settings {
  maxAttempts: number;
  minTimeout: number;
  maxTimeout: number;
  multiplier: number;
  jitter: number;
  timeout: Duration | undefined;
  isRetriable: ((error: unknown) => boolean) | undefined;
  onRetry: ((error: unknown, info: RetryInfo) => void) | undefined;
}

function toSettings(options: RetryOptions | undefined): Settings {
  const given = checkOptions(options, "retry", KNOWN);
  const { maxAttempts = 5, multiplier = 2, jitter = 1, timeout, isRetriable, onRetry } = given;
  const minTimeout = toSeconds(
    given.minTimeout === undefined ? 1 : given.minTimeout,
    "minTimeout of retry()",
  );
  const maxTimeout = toSeconds(
    given.maxTimeout === undefined ? Math.max(60, minTimeout) : given.maxTimeout,
    "maxTimeout of retry()",
  );
  if (maxTimeout < minTimeout) {
    throw new RangeError(
      `Expected a maxTimeout of at least minTimeout, ${minTimeout} s, got ${maxTimeout} s (retry())`,
    );
  }
  if (timeout !== undefined) toSeconds(timeout, "timeout of retry()");
  if (isRetriable !== undefined) checkFunction(isRetriable, "isRetriable of retry()");
  if (onRetry !== undefined) checkFunction(onRetry, "onRetry of retry()");
  return {
    maxAttempts: checkInteger(maxAttempts, "maxAttempts of retry()", 1, Infinity, true),
    minTimeout,
    maxTimeout,
    multiplier: checkNumber(multiplier, "multiplier of retry()", 1),
    jitter: checkNumber(jitter, "jitter of retry()", 0, 1),
    timeout,
    isRetriable,
    onRetry,
  };
}

/**
 * What the jitter of each loop is drawn from. Not `scheduler.random`, which is the same in every
 * process.
 */
const jitters = new WeakMap<Loop, () => number>();

function jitterOf(loop: Loop): () => number {
  let random = jitters.get(loop);
  if (random === undefined) jitters.set(loop, random = seededRandom(loop.seed));
  return random;
}

/** The settings of `retry(body)` without options. */
const DEFAULTS = toSettings({});

/** The body, and the delays between its attempts. */
class Retry<T> extends Command<T> {
  readonly #body: (attempt: number) => Operation<T>;
  readonly #settings: Settings;

  constructor(body: (attempt: number) => Operation<T>, settings: Settings) {
    super();
    this.#body = body;
    this.#settings = settings;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    task.frame = new RetryFrame(this.#body, this.#settings, task.frame);
    return true;
  }

  describe(): string {
    return "retry";
  }
}

/**
 * Runs an attempt, or sleeps before the next one. A frame and no generator: an attempt that
 * succeeds costs little more than a `call`.
 */
class RetryFrame<T> extends Frame {
  readonly #body: (attempt: number) => Operation<T>;
  readonly #settings: Settings;
  #attempt = 1;
  #delay: number;
  #sleeping = false;
  #errors: unknown[] = [];

  constructor(body: (attempt: number) => Operation<T>, settings: Settings, below: Frame) {
    super(attempt(body, settings, 1), below);
    this.#body = body;
    this.#settings = settings;
    this.#delay = settings.minTimeout;
  }

  override exit(task: TaskCore): Verdict {
    if (this.#sleeping) {
      if (task.mode !== NEXT) return POP;
      this.#sleeping = false;
      this.iterator = attempt(this.#body, this.#settings, ++this.#attempt);
    } else {
      if (task.mode === NEXT || isCancellation(task)) return POP;
      // Under a cancel that was delivered this is an error of the cleanup. One that was not yet
      // delivered lands in the sleep.
      if (task.scope.cause !== null && task.deliveries > 0) return POP;
      try {
        this.iterator = toIterator(sleep(this.#failed(task.value, task)), "retry");
      } catch (error) {
        task.value = error;
        return POP;
      }
      this.#sleeping = true;
    }
    task.mode = NEXT;
    task.value = undefined;
    return CONTINUE;
  }

  /** An attempt has failed: gives how long to sleep, or throws what comes out. */
  #failed(error: unknown, task: TaskCore): number {
    if (task.scope.cause !== null) return 0;
    const { maxAttempts, maxTimeout, multiplier, jitter, isRetriable, onRetry } = this.#settings;
    if (isRetriable !== undefined && !askWhether(isRetriable, error)) throw error;
    if (maxAttempts !== Infinity) this.#errors.push(error);
    if (this.#attempt === maxAttempts) throw failed(this.#errors);
    const delay = this.#delay * (1 - jitter * jitterOf(task.scheduler.loop)());
    this.#delay = Math.min(maxTimeout, this.#delay * multiplier);
    onRetry?.(error, { attempt: this.#attempt, delay });
    return delay;
  }
}

/** The coroutine of one attempt. */
function attempt<T>(
  body: (attempt: number) => Operation<T>,
  { timeout }: Settings,
  count: number,
): Frame["iterator"] {
  if (timeout !== undefined) return toIterator(failAfter(timeout, () => body(count)), "retry");
  return bodyIterator(body, "retry", count);
}

/**
 * The error is made where no frame of the user is on the stack: it gets those of the coroutine
 * (R36).
 */
function failed(errors: readonly unknown[]): RetryError {
  const error = new RetryError(errors);
  noteThrown(error);
  return error;
}

function askWhether(ask: (error: unknown) => boolean, error: unknown): boolean {
  const answer: unknown = ask(error);
  if (typeof answer === "boolean") return answer;
  throw wrongKind("true or false from isRetriable", answer, "retry()");
}

/**
 * Runs `body` until it succeeds, with growing delays between the attempts, and gives its value. A
 * cancel from outside ends it at once: it is never tried again. A checkpoint only where it waits.
 *
 * @param body A function that makes a coroutine: a new one for each attempt. It is given the number
 * of the attempt, from 1.
 * @throws {RetryError} If every attempt failed, also where there was only one.
 * @throws {unknown} The error itself, if `isRetriable` refuses it.
 * @throws {TypeError} If an argument is of the wrong kind, or an option unknown.
 * @throws {RangeError} If an option has no valid value.
 * @example
 * ```ts
 * import { Loop, retry, sleep } from "jsr:@broomio/core";
 *
 * function* fetchPage(attempt: number) {
 *   yield* sleep(0.01);
 *   if (attempt < 3) throw new Error("busy");
 *   return "page";
 * }
 * console.log(await new Loop().run(retry(fetchPage, { minTimeout: 0.01 }))); // page
 * ```
 */
export function retry<T>(
  body: (attempt: number) => Operation<T>,
  options?: RetryOptions,
): Operation<T> {
  const what = "a function* that makes a coroutine for each attempt";
  checkFunction(body, "body of retry()", what);
  return new Retry(body, options === undefined ? DEFAULTS : toSettings(options));
}
