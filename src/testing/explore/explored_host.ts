/**
 * ExploredHost: a host that is driven by a plain loop of calls, without promises, microtasks or
 * timers of the runtime.
 *
 * Invariant: `time` moves only here and forwards: to the next deadline where no task is ready and
 * nothing outside is awaited, or where a strategy says so.
 */
import { checkNumber } from "../../check.ts";
import type { Host, HostSession } from "../../host.ts";

/** Time and turns of an explored loop. */
export class ExploredHost implements Host {
  time: number = 0;
  session: ExploredSession | null = null;
  /** Whether `jump` is to be called while something outside is awaited. */
  jumps: boolean = false;
  readonly warnings: string[] = [];
  /** Told when time has moved on because nothing else could. */
  onJump: ((now: number) => void) | null = null;

  now(): number {
    return this.time;
  }

  attach(turn: () => void): HostSession {
    return this.session = new ExploredSession(this, turn);
  }

  warn(message: string): void {
    this.warnings.push(message);
  }

  /** Moves time on to a deadline that lies ahead; gives the time. */
  passTo(deadline: number): number {
    if (deadline > this.time) this.time = deadline;
    return this.time;
  }

  /** Moves time on by hand: what is due runs in the next turn. */
  advance(seconds: number): void {
    this.time += checkNumber(seconds, "seconds", 0, Number.MAX_VALUE);
    if (this.session !== null) this.session.wanted = true;
  }

  /** Makes it as new, for the next run. */
  reset(): void {
    this.time = 0;
    this.session = null;
    if (this.warnings.length > 0) this.warnings.length = 0; // to set it costs, also to what it is
  }
}

/** One run. */
export class ExploredSession implements HostSession {
  /** The loop wants a turn. */
  wanted: boolean = true;
  isOpen: boolean = true;
  /** Called when something outside has made a task ready. */
  onWake: (() => void) | null = null;
  readonly turn: () => void;
  readonly #host: ExploredHost;
  #deadline = Infinity;

  constructor(host: ExploredHost, turn: () => void) {
    this.#host = host;
    this.turn = turn;
  }

  yield(): void {
    this.wanted = true;
  }

  idle(deadline: number, external: boolean): void {
    this.#deadline = deadline;
    // What comes from outside comes first: a real deadline would not have passed yet.
    if (!external) this.jump();
  }

  /** Moves time on to the next deadline of the idle loop, if there is one, and wants a turn. */
  jump(): void {
    const deadline = this.#deadline;
    if (deadline === Infinity) return;
    this.wanted = true;
    if (deadline <= this.#host.time) return;
    this.#host.passTo(deadline);
    this.#host.onJump?.(deadline);
  }

  wake(): void {
    this.wanted = true;
    this.onWake?.();
  }

  close(): void {
    this.isOpen = false;
  }
}
