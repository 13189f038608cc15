/**
 * Instruments: calls the hooks of a loop's instruments, one event after the other.
 *
 * Invariants
 * - Events are told in the order of `note` and `tell`, each to all instruments before the next. An
 *   event that a hook causes is told after the one that this hook is called for.
 * - No hook can harm the loop: what it throws is caught, and drops its instrument.
 *
 * Independent of: what the events mean.
 */
import { brief } from "./errors.ts";
import { HOOKS, type Instrument } from "./instrument.ts";

type Hook = (first: unknown, second: unknown) => unknown;

/**
 * The events, as places in `HOOKS`: a number finds its listeners in a nanosecond, a name in ten,
 * and two events are told for each step.
 */
export const TASK_STARTED = 0;
export const TASK_WAITING = 1;
export const TASK_WOKEN = 2;
export const BEFORE_STEP = 3;
export const AFTER_STEP = 4;
export const TASK_ENDED = 5;
export const SCOPE_OPENED = 6;
export const SCOPE_CANCELLED = 7;
export const SCOPE_CLOSED = 8;
export const WARNED = 9;

/** An instrument, and whether it is still told anything. */
interface Entry {
  readonly instrument: Instrument;
  dropped: boolean;
}

interface Listener {
  readonly entry: Entry;
  readonly hook: Hook;
}

/** An event that is told later. */
interface Event {
  readonly kind: number;
  readonly first: unknown;
  readonly second: unknown;
  /** The instrument whose hook caused it; null where it was no hook. */
  readonly culprit: Entry | null;
  /** How many hooks were called because of each other until this event. */
  readonly depth: number;
}

/**
 * So many hooks may be called because of each other. More come of a hook that starts a task
 * whenever a task was started, and would never end.
 */
const MAX_DEPTH = 16;

/** The instruments of one loop. */
export class Instruments {
  /** By the kind of event. */
  readonly #listeners: Listener[][];
  readonly #onDropped: (message: string, about: unknown) => void;
  readonly #events: Event[] = [];
  #size: number;
  #telling = false;
  /** Whose hook is being called, and how deep it is in hooks that were called because of others. */
  #current: Entry | null = null;
  #depth = 0;

  /** `onDropped` is told why an instrument was dropped, and what the event was about. */
  constructor(
    instruments: readonly Instrument[],
    onDropped: (message: string, about: unknown) => void,
  ) {
    this.#onDropped = onDropped;
    this.#size = instruments.length;
    const entries = instruments.map((instrument) => ({ instrument, dropped: false }));
    this.#listeners = HOOKS.map((name) =>
      entries.flatMap((entry) => {
        const hook = entry.instrument[name] as Hook | undefined;
        return hook === undefined ? [] : [{ entry, hook }];
      })
    );
  }

  /** How many were not dropped. */
  get size(): number {
    return this.#size;
  }

  /** Whether anybody listens to events of this kind. */
  has(kind: number): boolean {
    return this.#listeners[kind].length > 0;
  }

  /** Has an event told before the next one, or by `flush`. */
  note(kind: number, first: unknown, second?: unknown): void {
    const depth = this.#telling ? this.#depth + 1 : 0;
    this.#events.push({ kind, first, second, culprit: this.#current, depth });
  }

  /** Tells an event, after those that were noted. */
  tell(kind: number, first: unknown, second?: unknown): void {
    if (this.#telling || this.#events.length > 0) {
      if (this.has(kind)) this.note(kind, first, second);
      if (!this.#telling) this.flush();
      return;
    }
    const listeners = this.#listeners[kind];
    if (listeners.length === 0) return;
    this.#telling = true;
    try {
      this.#callAll(listeners, kind, first, second);
    } finally {
      this.#telling = false; // also where the stack overflows
    }
    if (this.#events.length > 0) this.flush();
  }

  /** Tells what was noted. Within a hook that is done afterwards. */
  flush(): void {
    const events = this.#events;
    if (this.#telling || events.length === 0) return;
    this.#telling = true;
    try {
      for (let i = 0; i < events.length; i++) {
        const { kind, first, second, culprit, depth } = events[i];
        this.#depth = depth;
        if (depth > MAX_DEPTH) {
          this.#depth = 0;
          if (culprit !== null) this.#drop(culprit, "causes more and more events", first);
        }
        this.#callAll(this.#listeners[kind], kind, first, second);
      }
    } finally {
      events.length = 0;
      this.#depth = 0;
      this.#telling = false;
    }
  }

  #callAll(listeners: Listener[], kind: number, first: unknown, second: unknown): void {
    for (let i = 0; i < listeners.length; i++) {
      const { entry, hook } = listeners[i];
      if (entry.dropped) continue;
      this.#current = entry;
      try {
        const result = hook.call(entry.instrument, first, second);
        if (result !== undefined) this.#dropIfRejected(result, entry, kind, first);
      } catch (error) {
        this.#drop(entry, `failed in ${HOOKS[kind]}`, first, error);
      }
    }
    this.#current = null;
  }

  /** An async hook: what it throws must not be an unhandled rejection, which ends the program. */
  #dropIfRejected(result: unknown, entry: Entry, kind: number, about: unknown): void {
    if (typeof result !== "object" || result === null) return;
    const { then } = result as { then?: unknown };
    if (typeof then !== "function") return;
    then.call(result, undefined, (error: unknown) => {
      this.#drop(entry, `failed in ${HOOKS[kind]}`, about, error);
    });
  }

  #drop(entry: Entry, what: string, about: unknown, ...errors: unknown[]): void {
    if (entry.dropped) return;
    entry.dropped = true;
    this.#size--;
    for (let kind = 0; kind < HOOKS.length; kind++) {
      this.#listeners[kind] = this.#listeners[kind].filter((each) => each.entry !== entry);
    }
    const why = errors.map((error) => `: ${brief(error)}`).join("");
    this.#onDropped(`An instrument ${what} and is dropped${why}`, about);
  }
}
