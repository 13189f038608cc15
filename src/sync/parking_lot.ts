/**
 * ParkingLot: a place where tasks wait, first come, first served.
 *
 * Invariant: a wait is in `waiters` exactly while its task is parked here (R30), in order of
 * arrival (R29). Independent of: what the tasks wait for.
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkInteger } from "../check.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { ListWait } from "./acquire_wait.ts";
import { type SyncOptions, titleFrom } from "./sync_options.ts";

/**
 * How many tasks wait, as in Trio.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, ParkingLot, type ParkingLotStatistics } from "jsr:@broomio/core";
 * import { waitAllBlocked } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const lot = new ParkingLot();
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   for (let i = 0; i < 3; i++) nursery.startSoon(lot.park());
 *   yield* waitAllBlocked();
 *   const { tasksWaiting }: ParkingLotStatistics = lot.statistics();
 *   assertEquals(tasksWaiting, 3);
 *   lot.unparkAll();
 * }));
 * ```
 */
export interface ParkingLotStatistics {
  /** The number of tasks that wait. */
  readonly tasksWaiting: number;
}

class ParkWait extends ListWait {
  declare protected readonly waiters: WaitList<ParkWait>;
  declare private readonly title: string;

  constructor(waiters: WaitList<ParkWait>, title: string) {
    super();
    this.waiters = waiters;
    this.title = title;
  }

  protected arm(): void {
    this.waiters.push(this);
  }

  describe(): string {
    return `parked in ${this.title}`;
  }
}

/**
 * A place where tasks wait until they are woken, in order of arrival: what other primitives are
 * made of. It remembers nothing: a task that parks after `unpark` waits for the next one.
 *
 * @example
 * ```ts
 * import { checkpoint, Loop, ParkingLot } from "jsr:@broomio/core";
 *
 * const lot = new ParkingLot();
 * function* sleeper(name: string) {
 *   yield* lot.park();
 *   console.log(`${name} is awake`);
 * }
 * function* alarm() {
 *   while (lot.statistics().tasksWaiting < 2) yield* checkpoint();
 *   lot.unpark(); // Ada is awake
 *   lot.unparkAll(); // Bob is awake
 * }
 * const loop = new Loop();
 * loop.startSoon(sleeper("Ada"));
 * loop.startSoon(sleeper("Bob"));
 * await loop.run(alarm());
 * ```
 */
export class ParkingLot {
  readonly #waiters = new WaitList<ParkWait>();
  readonly #title: string;

  /**
   * Makes an empty lot.
   *
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   */
  constructor(options?: SyncOptions) {
    this.#title = titleFrom("parking lot", "ParkingLot", options);
  }

  /** Waits until this task is woken. A checkpoint. */
  park(): Selectable<void> {
    return new ParkWait(this.#waiters, this.#title);
  }

  /**
   * Wakes the tasks that came first; gives how many that were. Never waits; may be called from
   * anywhere.
   *
   * @param count How many at most; 1 by default.
   * @throws {TypeError} If `count` is not a number.
   * @throws {RangeError} If `count` is not an integer of at least 0.
   */
  unpark(count = 1): number {
    checkInteger(count, "count of unpark()");
    let woken = 0;
    for (; woken < count; woken++) {
      const wait = this.#waiters.shift();
      if (wait === null) break;
      wait.settle();
    }
    return woken;
  }

  /**
   * Wakes every task that waits; gives how many that were. Never waits; may be called from
   * anywhere.
   */
  unparkAll(): number {
    return this.unpark(this.#waiters.size);
  }

  /** How many tasks wait. */
  statistics(): ParkingLotStatistics {
    return { tasksWaiting: this.#waiters.size };
  }
}
