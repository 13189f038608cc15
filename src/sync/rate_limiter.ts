/**
 * RateLimiter: so many acquires in a period of time.
 *
 * Invariants
 * - A bucket holds at most `burst` tokens, is full at first, and gets `limit` tokens in each
 *   `period`, evenly.
 * - The state is the time at which the bucket was last full, `base`, and how many tokens were taken
 *   since. So the time of the nth token is computed and not added up, and nothing drifts.
 * - While tasks wait no token is free: one that becomes free goes to the first waiter (R29). One
 *   timer is in force, that of the first waiter. A token given to a waiter whose task is then
 *   cancelled was used (R18); one cancelled before takes none (R30).
 *
 * Independent of: what is done with the tokens.
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkBody, checkInteger, checkOptions, wrongValue } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import type { Body, Operation } from "../kernel/coroutine.ts";
import { runningTask } from "../kernel/scheduler.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import type { TaskCore } from "../kernel/task.ts";
import type { Timed } from "../kernel/timers.ts";
import { titleOf } from "../kernel/title.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { WithCommand } from "../operations/guard.ts";
import { type Acquirable, AcquireWait } from "./acquire_wait.ts";

/**
 * Options of a {@linkcode RateLimiter}.
 *
 * @example
 * ```ts
 * import { Loop, RateLimiter, type RateLimiterOptions } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: RateLimiterOptions = { limit: 60, period: { minutes: 1 }, burst: 1 };
 * const limiter = new RateLimiter(options); // one a second
 * const loop = new Loop({ host: new VirtualClock() });
 * await loop.run(function* () {
 *   for (let i = 0; i < 4; i++) yield* limiter.acquire();
 * }());
 * assertEquals(loop.now, 3); // seconds
 * ```
 */
export interface RateLimiterOptions {
  /** How many acquires each period allows: an integer of at least 1. */
  limit: number;
  /**
   * The period: seconds, or an object such as `{ minutes: 1 }`; more than 0. By default a second.
   */
  period?: Duration;
  /**
   * How many may come at once after a pause: an integer of at least 1. By default `limit`; with 1
   * they are spread evenly.
   */
  burst?: number;
  /** For messages and deadlock reports. */
  name?: string;
}

/**
 * What a rate limiter is doing.
 *
 * @example
 * ```ts
 * import { Loop, RateLimiter, type RateLimiterStatistics } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const limiter = new RateLimiter({ limit: 10 });
 * await new Loop({ host: new VirtualClock() }).run(function* () {
 *   yield* limiter.acquire();
 *   const { available, tasksWaiting }: RateLimiterStatistics = limiter.statistics();
 *   assertEquals([available, tasksWaiting], [9, 0]);
 * }());
 * ```
 */
export interface RateLimiterStatistics {
  /** How many could acquire now without waiting. */
  readonly available: number;
  /** The number of tasks that wait. */
  readonly tasksWaiting: number;
}

/** The bucket and who waits. */
class Bucket implements Acquirable, Timed {
  readonly acquired: string;
  readonly waiters: WaitList<AcquireWait> = new WaitList();
  generation: number = 0;
  readonly #limit: number;
  readonly #period: number;
  readonly #burst: number;
  /** The loop by whose clock it goes: that of the first who asked. */
  #scheduler: Scheduler | null = null;
  #base = 0;
  #taken = 0;

  constructor(title: string, limit: number, period: number, burst: number) {
    this.acquired = title;
    this.#limit = limit;
    this.#period = period;
    this.#burst = burst;
  }

  tryAcquire(task: TaskCore): boolean {
    const { scheduler } = task;
    if (this.#scheduler === null || (this.waiters.size === 0 && this.#isFull(scheduler))) {
      this.#scheduler = scheduler;
    } else if (this.#scheduler.host !== scheduler.host) {
      throw new Error(`${this.acquired} is in use in a loop with another clock`);
    }
    return this.waiters.size === 0 && this.#take(scheduler.host.now());
  }

  /** A bucket that is full says nothing of times past, so another loop may use it from now on. */
  #isFull(scheduler: Scheduler): boolean {
    return this.#taken === 0 || scheduler.host === this.#scheduler!.host;
  }

  /** The time from which on one more token can be taken. */
  #timeOfNext(): number {
    const missing = this.#taken + 1 - this.#burst;
    return missing <= 0 ? -Infinity : this.#base + (missing * this.#period) / this.#limit;
  }

  #take(now: number): boolean {
    this.#refill(now);
    if (now < this.#timeOfNext()) return false;
    if (this.#taken === 0) this.#base = now;
    this.#taken++;
    return true;
  }

  /**
   * Forgets what was taken if the bucket has been full for a while. At the very moment when it gets
   * full it goes on counting.
   */
  #refill(now: number): void {
    if (this.#taken > 0 && now > this.#base + (this.#taken * this.#period) / this.#limit) {
      this.#taken = 0;
    }
  }

  available(): number {
    if (this.#scheduler === null) return this.#burst;
    const now = this.#scheduler.host.now();
    this.#refill(now);
    if (this.#taken === 0) return this.#burst;
    const refilled = Math.floor(((now - this.#base) * this.#limit) / this.#period);
    return Math.max(0, Math.min(this.#burst, this.#burst - this.#taken + refilled));
  }

  /** Called when the first waiter has changed. */
  setTimer(): void {
    const scheduler = this.#scheduler!;
    scheduler.timers.cancel(this);
    if (this.waiters.size > 0) scheduler.addTimer(this.#timeOfNext(), this);
  }

  /** The time has come for the first waiter. */
  expire(): void {
    const now = this.#scheduler!.host.now();
    while (this.waiters.first !== null && this.#take(now)) this.waiters.shift()!.handedOver();
    this.setTimer();
  }

  holders(): readonly [] {
    return [];
  }
}

class RateWait extends AcquireWait<Bucket> {
  protected override arm(task: TaskCore): void {
    super.arm(task);
    if (this.core.waiters.first === this) this.core.setTimer();
  }

  protected override disarm(): void {
    const first = this.core.waiters.first === this;
    super.disarm();
    if (first) this.core.setTimer();
  }
}

const KNOWN = ["limit", "period", "burst", "name"] as const;

/**
 * So many acquires in a period, and no more: for services that allow 10 requests a second. Those
 * who wait are served in order of arrival. It goes by the clock of the loop that uses it.
 *
 * It is a limiter for `mapConcurrent` too: `{ concurrency: new RateLimiter({ limit: 10 }) }` starts
 * 10 a second.
 *
 * @example
 * ```ts
 * import { Loop, RateLimiter } from "jsr:@broomio/core";
 *
 * const limiter = new RateLimiter({ limit: 2, period: { milliseconds: 20 } });
 * function* request(id: number) {
 *   yield* limiter.acquire();
 *   console.log(`request ${id}`);
 * }
 * const loop = new Loop();
 * for (const id of [1, 2, 3, 4]) loop.startSoon(request(id)); // 1, 2 at once; 3, 4 after 10, 20 ms
 * await loop.run();
 * ```
 */
export class RateLimiter {
  readonly #bucket: Bucket;

  /**
   * Makes a limiter whose bucket is full.
   *
   * @throws {TypeError} If an option is of the wrong kind, or unknown.
   * @throws {RangeError} If `limit` or `burst` is not an integer of at least 1, or the period not
   * more than 0 and finite.
   */
  constructor(options: RateLimiterOptions) {
    const { limit, period = 1, burst = limit, name } = checkOptions(options, "RateLimiter", KNOWN);
    checkInteger(limit, "limit of RateLimiter", 1);
    checkInteger(burst, "burst of RateLimiter", 1);
    const seconds = toSeconds(period, "period of RateLimiter");
    if (seconds === 0 || seconds === Infinity) {
      throw wrongValue("a period of more than 0 seconds, and finite", seconds, "RateLimiter");
    }
    this.#bucket = new Bucket(titleOf("rate limiter", name), limit, seconds, burst);
  }

  /** Waits until the rate allows one more. A checkpoint, also if that is now. */
  acquire(): Selectable<void> {
    return new RateWait(this.#bucket);
  }

  /**
   * Takes one if the rate allows it now; false if not, or if others wait. Never waits.
   *
   * @throws {Error} If no task is running: only a loop has a clock.
   */
  tryAcquire(): boolean {
    const task = runningTask();
    if (task === null) {
      throw new Error(`tryAcquire() of ${this.#bucket.acquired} outside of any task`);
    }
    return this.#bucket.tryAcquire(task);
  }

  /**
   * Does nothing: what was acquired is used up. It is there so that a rate limiter can be used as
   * other limiters are.
   */
  release(): void {}

  /**
   * Runs `body` once the rate allows it, and gives its value. A checkpoint.
   *
   * @throws {TypeError} If the body is no coroutine, no operation and no function.
   */
  with<T>(body: Body<T>): Operation<T> {
    return new WithCommand(this, checkBody(body, "with"));
  }

  /** How many could acquire now, and how many wait. */
  statistics(): RateLimiterStatistics {
    const bucket = this.#bucket;
    return { available: bucket.available(), tasksWaiting: bucket.waiters.size };
  }
}
