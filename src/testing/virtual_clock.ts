/**
 * VirtualClock: a Host whose time stands still while tasks run, and jumps to the next deadline when
 * none can.
 *
 * Invariant: time moves only here, forwards, and never past a deadline that some loop on this clock
 * waits for.
 */
import { checkBoolean, checkFinite, checkOptions } from "../check.ts";
import type { Host, HostSession } from "../host.ts";
import { Gate } from "../runtime/gate.ts";
import { createMacrotask, type Macrotask } from "../runtime/macrotask.ts";
import { webHost } from "../runtime/web_host.ts";

/**
 * Options of a {@linkcode VirtualClock}.
 *
 * @example
 * ```ts
 * import { Loop, sleep } from "jsr:@broomio/core";
 * import { VirtualClock, type VirtualClockOptions } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: VirtualClockOptions = { start: 100, autojump: false }; // seconds
 * const clock = new VirtualClock(options);
 * const loop = new Loop({ host: clock });
 * setTimeout(() => clock.advance(10)); // nothing else moves the time
 * await loop.run(sleep(10));
 * assertEquals(loop.now, 110);
 * ```
 */
export interface VirtualClockOptions {
  /** The time it starts at, in seconds; 0 by default. */
  start?: number;
  /**
   * Whether time jumps to the next deadline when no task is ready. By default it does, but not
   * while something outside the loop is awaited (a promise, a callback, I/O); "always" jumps even
   * then; with false only `advance` moves it.
   */
  autojump?: boolean | "always";
}

const KNOWN = ["start", "autojump"] as const;

/**
 * A clock for tests: sleeps take no time at all, and take it in exact order.
 *
 * @example
 * ```ts
 * import { Loop, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 *
 * const loop = new Loop({ host: new VirtualClock() });
 * await loop.run(sleep(3600)); // at once
 * console.log(loop.now); // 3600
 * ```
 */
export class VirtualClock implements Host {
  #now: number;
  readonly #autojump: boolean | "always";
  readonly #sessions = new Set<VirtualSession>();

  /**
   * Makes a clock; several loops can share it.
   *
   * @throws {TypeError | RangeError} If an option is not valid: `start` is a finite number.
   */
  constructor(options?: VirtualClockOptions) {
    const { start = 0, autojump = true } = checkOptions(options, "VirtualClock", KNOWN);
    this.#now = checkFinite(start, "start");
    this.#autojump = autojump === "always" ? autojump : checkBoolean(autojump, "autojump");
  }

  /** The time, in seconds. */
  now(): number {
    return this.#now;
  }

  /**
   * Moves time on by hand, past several deadlines or none. Returns at once: what is due runs soon
   * after.
   *
   * @throws {TypeError} If it is not a number.
   * @throws {RangeError} If it is negative, or not finite.
   */
  advance(seconds: number): void {
    this.#now += checkFinite(seconds, "seconds", 0);
    for (const session of this.#sessions) if (session.deadline <= this.#now) session.wake();
  }

  /** Ties a loop to the clock; called by the loop. */
  attach(turn: () => void): HostSession {
    const session = new VirtualSession(
      turn,
      () => this.#jump(),
      () => this.#sessions.delete(session),
    );
    this.#sessions.add(session);
    session.wake();
    return session;
  }

  /** Prints a warning; called by the loop. */
  warn(message: string): void {
    webHost.warn(message);
  }

  /** Called when a loop has gone idle: jumps where every loop on the clock has. */
  #jump(): void {
    if (this.#autojump === false) return;
    let next = Infinity;
    for (const session of this.#sessions) {
      if (session.busy || (session.external && this.#autojump !== "always")) return;
      next = Math.min(next, session.deadline);
    }
    if (next === Infinity) return;
    this.#now = Math.max(this.#now, next);
    for (const session of this.#sessions) if (session.deadline <= this.#now) session.wake();
  }
}

class VirtualSession implements HostSession {
  /** A turn runs, or is about to. */
  busy = false;
  external = false;
  deadline = Infinity;
  readonly #turn: () => void;
  readonly #idled: () => void;
  readonly #closed: () => void;
  readonly #macrotask: Macrotask = createMacrotask(() => this.#run());
  readonly #gate: Gate = new Gate(() => this.#run());
  #open = true;

  constructor(turn: () => void, idled: () => void, closed: () => void) {
    this.#turn = turn;
    this.#idled = idled;
    this.#closed = closed;
    this.#gate.shut();
  }

  yield(): void {
    this.busy = true;
    this.#macrotask.post(); // real timers and I/O get their chance, as with any host
  }

  idle(deadline: number, external: boolean): void {
    this.busy = false;
    this.deadline = deadline;
    this.external = external;
    this.#gate.shut();
    // Not at once: callbacks that are about to run may yet wake a task at this very time.
    Promise.resolve().then(() => this.#open && !this.busy && this.#idled());
  }

  wake(): void {
    if (this.busy) return;
    this.busy = true;
    this.#gate.open();
  }

  close(): void {
    this.#open = false;
    this.busy = false;
    this.deadline = Infinity;
    this.#macrotask.cancel();
    this.#closed();
  }

  #run(): void {
    if (!this.#open) return;
    this.deadline = Infinity;
    this.#turn();
  }
}
