/**
 * The default host, on the globals that browsers and the server runtimes share.
 *
 * Invariants: one host timer however many tasks sleep; a turn never runs inside another; a turn
 * always runs in the async context of `run()`, whoever woke it (R35); however busy the loop is, the
 * host's own work gets its chance (R5). Independent of: tasks.
 */
import type { Host, HostSession } from "../host.ts";
import { findContextCapture } from "./async_context.ts";
import { Gate } from "./gate.ts";
import { globals, isDeno } from "./globals.ts";
import { createMacrotask, type Macrotask } from "./macrotask.ts";

/**
 * How long turns may be started by microtasks alone before the host is checked to turn at all, in
 * seconds.
 */
const MICROTASK_LIMIT = 0.005;

/** The longest delay that `setTimeout` takes before it fires at once, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1;

/** When a loop last looked at the clock, in seconds. */
let lastLook = 0;

/** The default host. */
export const webHost: Host = {
  now: () => lastLook = performance.now() / 1000,
  attach: (turn) => new WebSession(turn),
  captureContext: findContextCapture(),
  warn: (message) => console.warn(message),
  remind(callback, seconds) {
    const timer = setTimeout(callback, seconds * 1000);
    (timer as { unref?(): void }).unref?.();
    return () => clearTimeout(timer);
  },
};

const settled = Promise.resolve();

class WebSession implements HostSession {
  readonly #turn: () => void;
  /** Made when it is first needed: most runs are over before. */
  #macrotask: Macrotask | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the host timer fires, in seconds; Infinity exactly when there is none. */
  #alarm = Infinity;
  /** The timer keeps the process alive. */
  #alive = true;
  readonly #gate: Gate = new Gate(() => this.#throughGate());
  /** Made when it is first needed. */
  #openGate: (() => void) | null = null;
  /** When the host was last known to turn. */
  #lastMacrotask = performance.now() / 1000;
  #marker: unknown = null;
  #markerSince = 0;
  #closed = false;

  constructor(turn: () => void) {
    this.#turn = turn;
    // What an open gate does, for less.
    settled.then(() => this.#throughGate());
  }

  yield(): void {
    this.#post();
  }

  idle(deadline: number, _external: boolean): void {
    // A timer that fires too early costs one empty turn, one that is set anew for each deadline 300
    // to 1,400 ns.
    if (deadline < this.#alarm) this.#setAlarm(deadline);
    else if (this.#alarm !== Infinity) this.#setAlive(deadline !== Infinity);
    this.#gate.shut();
  }

  wake(soon = false): void {
    if (soon && callsOneByOne) globals.setImmediate!(this.#openGate ??= () => this.#gate.open());
    else this.#gate.open();
  }

  close(): void {
    this.#closed = true;
    if (this.#alarm !== Infinity) clearTimeout(this.#timer);
    this.#alarm = Infinity;
    this.#macrotask?.cancel();
    if (this.#marker !== null) globals.clearImmediate?.(this.#marker);
  }

  /**
   * A timer that nobody waits for any more keeps no process alive (R43): to clear it would cost
   * twenty times as much.
   */
  #setAlive(alive: boolean): void {
    if (alive === this.#alive) return;
    this.#alive = alive;
    const timer = this.#timer as { ref?(): void; unref?(): void };
    if (alive) timer.ref?.();
    else timer.unref?.();
  }

  #setAlarm(deadline: number): void {
    clearTimeout(this.#timer);
    this.#alarm = deadline;
    this.#alive = true;
    const delay = Math.ceil(Math.max(0, deadline * 1000 - performance.now()));
    this.#timer = setTimeout(() => {
      this.#alarm = Infinity;
      this.#lastMacrotask = performance.now() / 1000;
      this.wake();
    }, Math.min(delay, MAX_TIMER));
  }

  #afterMacrotask(): void {
    if (this.#closed) return;
    this.#lastMacrotask = performance.now() / 1000;
    this.#turn();
  }

  #throughGate(): void {
    if (this.#closed) return;
    if (this.#starves()) this.#post();
    else this.#turn();
  }

  #post(): void {
    (this.#macrotask ??= createMacrotask(() => this.#afterMacrotask())).post();
  }

  /**
   * Whether turns have followed each other through microtasks for so long that the host got no turn
   * of its own. A wake that comes from I/O looks the same as one from a promise that was settled
   * already; so after a while a marker is posted, which costs nothing to wait for, and only where
   * it has not come back after as long again is a turn put off. The last look at the clock, in the
   * turn before, is new enough for that.
   */
  #starves(): boolean {
    const now = lastLook;
    if (now - this.#lastMacrotask < MICROTASK_LIMIT) return false;
    if (this.#marker === null) {
      this.#markerSince = now;
      this.#marker = postMarker(() => {
        this.#marker = null;
        this.#lastMacrotask = performance.now() / 1000;
      });
      return false;
    }
    return now - this.#markerSince > MICROTASK_LIMIT;
  }
}

/**
 * Whether microtasks run between the callbacks of one round of I/O, in Node and all that is built
 * like it: a turn for each, where one at the end of the round could serve them all, for a sixth
 * less processor time a request, and more where it makes requests come in batches.
 */
const callsOneByOne: boolean = globals.setImmediate !== undefined && !isDeno;

function postMarker(callback: () => void): unknown {
  return globals.setImmediate === undefined
    ? setTimeout(callback, 0)
    : globals.setImmediate(callback);
}
