/**
 * WaitersModel: what a lock, semaphore, limiter, parking lot or condition should do, written as
 * plainly as possible.
 *
 * It is told of every act at the moment of the act, so that after each its state must equal that of
 * the real primitive.
 */
import { assert, assertEquals } from "@std/assert";

/** What becomes of a task's wait, as far as the model knows. */
export type Fate = "none" | "waiting" | "granted" | "cancelled" | "broken";

/** The state of one primitive whose users are numbered. */
export class WaitersModel {
  readonly holders: Set<number> = new Set();
  /** Who waits for what is held, first come first. */
  waiters: number[] = [];
  /** Who waits to be notified, or unparked. */
  parked: number[] = [];
  broken: boolean = false;
  readonly fates: Map<number, Fate> = new Map();
  /** Who waits to end its wait with a cancel. */
  readonly #returning: Set<number> = new Set();
  /** Who waits and was notified: no cancel reaches it there. */
  readonly #notified: Set<number> = new Set();
  total: number;

  constructor(total: number) {
    this.total = total;
  }

  /** Asks for one, and waits where none is free. */
  want(user: number): void {
    assertEquals(this.fateOf(user), "none");
    if (this.broken) return void this.fates.set(user, "broken");
    this.#queue(user);
    this.#serve();
  }

  /** Asks for one and does not wait. */
  tryWant(user: number): boolean {
    if (this.holders.size >= this.total) return false;
    this.holders.add(user);
    return true;
  }

  release(user: number): void {
    assert(this.holders.delete(user));
    this.#serve();
  }

  setTotal(total: number): void {
    this.total = total;
    this.#serve();
  }

  /** The owner ends and with it the lock. */
  breakBy(user: number): void {
    assert(this.holders.delete(user));
    this.broken = true;
    for (const waiting of [...this.waiters, ...this.parked]) this.fates.set(waiting, "broken");
    this.waiters = [];
    this.parked = [];
  }

  /** Waits to be woken; a condition gives the lock away for it. */
  park(user: number, givesAway: boolean): void {
    this.fates.set(user, "waiting");
    this.parked.push(user);
    if (givesAway) this.release(user);
  }

  /** Wakes the first: they go on at once, or wait for the lock. */
  wake(count: number, intoLine: boolean): number {
    const woken = this.parked.splice(0, count);
    for (const user of woken) {
      if (!intoLine) {
        this.fates.set(user, "granted");
      } else {
        this.#notified.add(user);
        this.waiters.push(user);
      }
    }
    if (intoLine) this.#serve();
    return woken.length;
  }

  /**
   * A cancel reaches a user, wherever it is; `takesBack` where a wait that was parked must have the
   * lock first.
   */
  cancel(user: number, takesBack: boolean): void {
    if (this.parked.includes(user)) {
      this.parked = this.parked.filter((each) => each !== user);
      if (!takesBack) return void this.fates.set(user, "cancelled");
      this.#returning.add(user);
      this.waiters.push(user);
      this.#serve();
    } else if (
      this.waiters.includes(user) && !this.#returning.has(user) && !this.#notified.has(user)
    ) {
      this.waiters = this.waiters.filter((each) => each !== user);
      this.fates.set(user, "cancelled");
    }
  }

  /** The wait of `user` has ended, in reality; gives what the model says of it. */
  ended(user: number): Fate {
    const fate = this.fateOf(user);
    this.fates.delete(user);
    this.#returning.delete(user);
    this.#notified.delete(user);
    return fate;
  }

  fateOf(user: number): Fate {
    return this.fates.get(user) ?? "none";
  }

  #queue(user: number): void {
    this.fates.set(user, "waiting");
    this.waiters.push(user);
  }

  #serve(): void {
    while (this.waiters.length > 0 && this.holders.size < this.total) {
      const user = this.waiters.shift()!;
      this.holders.add(user);
      this.fates.set(user, this.#returning.has(user) ? "cancelled" : "granted");
    }
  }
}
