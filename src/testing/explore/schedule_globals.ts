/**
 * What a program can read besides its own state, made part of the schedule: `Math.random`, `Date`,
 * `performance.now`; and stacks, which are switched off.
 *
 * Invariant: they are replaced only while schedules run one after the other without giving way to
 * the runtime; so nothing else in the process ever sees them.
 */
import { seededRandom } from "../../kernel/ready_queue.ts";

/**
 * Seconds from 1970 to where the clock of a schedule begins: 2020-01-01. A time that looks like
 * one.
 */
const EPOCH = 1_577_836_800;

const performanceNow = performance.now.bind(performance);

/** The real time, in seconds, also while the globals are replaced. */
export function realSeconds(): number {
  return performanceNow() / 1000;
}

/** The random numbers and the time of a schedule. */
export class ScheduleGlobals {
  /**
   * Whether errors get stacks. Before something has failed they are not wanted, and cost more than
   * most runs.
   */
  stacks: boolean = false;
  readonly #now: () => number;
  #seed = 0;
  /** Made when it is first needed: most programs draw nothing. */
  #draw: (() => number) | null = null;
  #restore: (() => void) | null = null;

  /** `now` gives the seconds on the clock of the schedule. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A number in [0, 1), for the program and for the lots of the loop itself. */
  readonly random = (): number => (this.#draw ??= seededRandom(this.#seed))();

  /** Begins the numbers anew, for the next run. */
  reseed(seed: number): void {
    this.#seed = seed;
    this.#draw = null;
  }

  /** Replaces the globals; nothing where they are already. */
  replace(): void {
    if (this.#restore !== null) return;
    const milliseconds = () => Math.round((EPOCH + this.#now()) * 1000);
    const { random } = Math;
    const RealDate = globalThis.Date;
    const realNow = performance.now;
    const errors = Error as { stackTraceLimit?: number };
    const { stackTraceLimit } = errors;
    // A function and no class: `Date()` without `new` gives a text.
    function ScheduleDate(...parts: unknown[]): Date | string {
      if (new.target === undefined) return new RealDate(milliseconds()).toString();
      const given = parts.length === 0 ? [milliseconds()] : parts;
      return Reflect.construct(RealDate, given, new.target);
    }
    ScheduleDate.prototype = RealDate.prototype;
    ScheduleDate.now = milliseconds;
    Object.setPrototypeOf(ScheduleDate, RealDate);
    Math.random = this.random;
    globalThis.Date = ScheduleDate as unknown as DateConstructor;
    performance.now = () => this.#now() * 1000;
    if (!this.stacks) errors.stackTraceLimit = 0;
    this.#restore = () => {
      Math.random = random;
      globalThis.Date = RealDate;
      performance.now = realNow;
      errors.stackTraceLimit = stackTraceLimit;
    };
  }

  /** Puts back what was there. */
  restore(): void {
    this.#restore?.();
    this.#restore = null;
  }
}
