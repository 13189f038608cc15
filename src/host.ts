/**
 * Host: where a loop's time, timers and wake-ups come from, and the default one, on the globals that the web and
 * the server runtimes share.
 *
 * Invariants of the default host: one host timer however many tasks sleep; a turn never runs inside another; a turn always runs in
 * the async context of `run()`, whoever woke it (R35); however busy the loop is, the host's own work gets its chance (R5).
 * Must never know: tasks.
 */

/**
 * The port through which a {@linkcode Loop} sees the world's time. Give one with `new Loop({ host })`: the `VirtualClock` of
 * `@broomio/core/testing` is one.
 */
export interface Host {
  /** The time now: seconds, monotonic, from any origin. */
  now(): number;
  /** Ties a loop to the host for one run. The host calls `turn`, never from inside `turn`, when the session asks for it. */
  attach(turn: () => void): HostSession;
  /** Gives a function that runs another in the async context (`AsyncLocalStorage`) of this call. Absent where there is none. */
  captureContext?(): (run: () => void) => void;
  /** Shows a warning for which the loop has no `onWarning`. */
  warn(message: string): void;
}

/** One run of a loop, as its host sees it. After each turn the loop calls one of `yield`, `idle` and `close`. */
export interface HostSession {
  /** Tasks are ready: call `turn` again once timers, messages and I/O had their chance. */
  yield(): void;
  /**
   * No task is ready: call `turn` at `deadline` (the host's seconds, or Infinity), or after `wake`.
   * `external` tells whether something outside the loop may call `wake`.
   */
  idle(deadline: number, external: boolean): void;
  /**
   * While idle: a task became ready, call `turn` soon. With `soon`, more tasks are likely to become ready before this round of the host's
   * own loop ends: it may wait for that.
   */
  wake(soon?: boolean): void;
  /** The run is over; no turn follows. */
  close(): void;
}

/** What we look at of the global object; none of it is needed but `performance`, `setTimeout` and promises. */
interface Globals {
  setImmediate?(callback: () => void): unknown;
  clearImmediate?(handle: unknown): void;
  navigator?: { userAgent?: string };
  process?: { getBuiltinModule?(name: string): unknown };
}
const globals = globalThis as unknown as Globals;

/** How long turns may be started by microtasks alone before the host is checked to turn at all, in seconds. */
const MICROTASK_LIMIT = 0.005;

/** The longest delay that `setTimeout` takes before it fires at once, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** When a loop last looked at the clock, in seconds. */
let lastLook = 0;

/** The default host. */
export const webHost: Host = {
  now: () => lastLook = performance.now() / 1000,
  attach: (turn) => new WebSession(turn),
  captureContext: findContextCapture(),
  warn: (message) => console.warn(message),
};

class WebSession implements HostSession {
  readonly #turn: () => void;
  readonly #macrotask: Macrotask = createMacrotask(() => this.#afterMacrotask());
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the host timer fires, in seconds; Infinity exactly when there is none. */
  #alarm = Infinity;
  readonly #gate: Gate = new Gate(() => this.#throughGate());
  readonly #openGate: () => void = () => this.#gate.open();
  /** When the host was last known to turn. */
  #lastMacrotask = performance.now() / 1000;
  #marker: unknown = null;
  #markerSince = 0;
  #closed = false;

  constructor(turn: () => void) {
    this.#turn = turn;
    this.#gate.shut();
    this.#gate.open();
  }

  yield(): void {
    this.#macrotask.post();
  }

  idle(deadline: number, _external: boolean): void {
    // A timer that fires too early costs one empty turn, one that is set anew for each deadline 300 to 1,400 ns.
    if (deadline < this.#alarm) this.#setAlarm(deadline);
    this.#gate.shut();
  }

  wake(soon = false): void {
    if (soon && callsOneByOne) globals.setImmediate!(this.#openGate);
    else this.#gate.open();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#alarm = Infinity;
    this.#macrotask.cancel();
    if (this.#marker !== null) globals.clearImmediate?.(this.#marker);
  }

  #setAlarm(deadline: number): void {
    clearTimeout(this.#timer);
    this.#alarm = deadline;
    const delay = Math.ceil(Math.max(0, deadline * 1000 - performance.now()));
    this.#timer = setTimeout(() => {
      this.#alarm = Infinity;
      this.#lastMacrotask = performance.now() / 1000;
      this.wake();
    }, Math.min(delay, LONGEST_TIMER));
  }

  #afterMacrotask(): void {
    if (this.#closed) return;
    this.#lastMacrotask = performance.now() / 1000;
    this.#turn();
  }

  #throughGate(): void {
    if (this.#closed) return;
    if (this.#starves()) this.#macrotask.post();
    else this.#turn();
  }

  /**
   * Whether turns have followed each other through microtasks for so long that the host got no turn of its own. A wake that comes from
   * I/O looks the same as one from a promise that was settled already; so after a while a marker is posted, which
   * costs nothing to wait for, and only where it has not come back after as long again is a turn put off. The last look at the clock, in the
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
 * What an idle loop waits behind. Shut in the context of `run()`, it calls back, soon after it was opened, in that same
 * context, and not in that of whoever opened it: a reaction to a promise runs where it was registered (R35).
 */
export class Gate {
  readonly #callback: () => void;
  #resolve: (() => void) | null = null;
  /** Made once, for a gate is shut after each turn. */
  readonly #keep = (resolve: () => void): void => {
    this.#resolve = resolve;
  };

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  /** Makes the gate wait. */
  shut(): void {
    new Promise<void>(this.#keep).then(this.#callback);
  }

  /** Calls back in a microtask; does nothing where the gate is open already. */
  open(): void {
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve?.();
  }
}

/**
 * Whether microtasks run between the callbacks of one round of I/O, in Node and all that is built like it: a turn for each, where one at
 * the end of the round could serve them all, for a sixth less processor time a request, and more where it makes requests come in batches.
 */
const callsOneByOne: boolean = globals.setImmediate !== undefined &&
  !globals.navigator?.userAgent?.startsWith("Deno/");

function postMarker(callback: () => void): unknown {
  return globals.setImmediate === undefined
    ? setTimeout(callback, 0)
    : globals.setImmediate(callback);
}

/**
 * While Deno has anything to do at once, it looks at its sockets and timers only every 61st time around. So that is how often
 * we go around, at 1 to 2 us each. Rejected: an operation that ends on another thread (the digest of nothing, 46 us), for which
 * it has to wait, and then it looks: on busy cores that has often ended before the wait began, and timers came a second late.
 */
const DENO_TURNS = 61;

/** Calls back once the host has looked at its timers, messages and I/O. One call is under way at most. */
export interface Macrotask {
  /** Asks for the call. */
  post(): void;
  /** Takes that back, and frees what the asking needs. */
  cancel(): void;
}

/** The way of this runtime to let the host do its own work first. */
export function createMacrotask(callback: () => void): Macrotask {
  const { setImmediate, clearImmediate } = globals;
  if (setImmediate !== undefined) {
    const turns = globals.navigator?.userAgent?.startsWith("Deno/") ? DENO_TURNS : 1;
    let left = 0;
    let handle: unknown;
    const step = (): void => {
      if (--left === 0) callback();
      else handle = setImmediate(step);
    };
    return {
      post() {
        left = turns;
        handle = setImmediate(step);
      },
      cancel: () => clearImmediate?.(handle),
    };
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = callback;
  return {
    post: () => port2.postMessage(null),
    cancel: () => {
      port1.close();
      port2.close();
    },
  };
}

/** `AsyncLocalStorage.snapshot`, where the runtime has it; asked for when a loop is made with `asyncContext: true`. */
function findContextCapture(): Host["captureContext"] {
  const getBuiltinModule = globals.process?.getBuiltinModule;
  if (getBuiltinModule === undefined) return undefined;
  return () => {
    const hooks = getBuiltinModule("node:async_hooks") as {
      AsyncLocalStorage: { snapshot(): (run: () => void) => void };
    };
    return hooks.AsyncLocalStorage.snapshot();
  };
}
