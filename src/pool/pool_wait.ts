/**
 * PoolWait: waits until something is true of the workers of a pool: that they have started, or
 * ended.
 *
 * Invariant: it is in the set of its pool exactly while its task is parked.
 */
import { Wait } from "../kernel/wait.ts";

/** The wait; `check` is called again whenever workers have come or gone. */
export class PoolWait extends Wait<void> {
  static {
    this.prototype.external = true;
  }

  readonly #what: string;
  readonly #waits: Set<PoolWait>;
  readonly #isTrue: () => boolean;
  readonly #begin: () => void;

  /**
   * `begin` is called once, when the wait begins; what `isTrue` throws ends the wait with that
   * error.
   */
  constructor(what: string, waits: Set<PoolWait>, isTrue: () => boolean, begin: () => void) {
    super();
    this.#what = what;
    this.#waits = waits;
    this.#isTrue = isTrue;
    this.#begin = begin;
  }

  protected arm(): void {
    this.#waits.add(this);
    this.#begin();
    this.check();
  }

  protected disarm(): void {
    this.#waits.delete(this);
  }

  /** Ends the wait where what it waits for is true now. */
  check(): void {
    try {
      if (!this.#isTrue()) return;
      this.settle();
    } catch (error) {
      this.fail(error);
    }
    this.#waits.delete(this);
  }

  describe(): string {
    return `waiting for workers that are ${this.#what}`;
  }
}
