/**
 * ParkingLot: a place to wait, first come, first served, and the waits of all primitives that are no more than that.
 *
 * Invariant: a wait is in the line exactly while its task is parked here (R30); the line is in order of arrival (R29).
 * Must never know: what the tasks wait for.
 */
import type { Operation } from "../kernel/coroutine.ts";
import { ListedWait, WaitList } from "../kernel/wait_list.ts";
import { type SyncOptions, titleOf } from "./title.ts";

/** How many tasks wait, as in Trio. */
export interface ParkingLotStatistics {
  /** The number of tasks that wait. */
  readonly tasksWaiting: number;
}

/** A wait in a line that someone else takes it out of, to settle or to fail it. */
export abstract class LineWait<T = void> extends ListedWait<T> {
  /** Where it waits. */
  protected abstract readonly line: WaitList<LineWait<T>>;

  protected disarm(): void {
    this.line.remove(this);
  }
}

class ParkWait extends LineWait {
  declare protected readonly line: WaitList<ParkWait>;
  declare private readonly title: string;

  constructor(line: WaitList<ParkWait>, title: string) {
    super();
    this.line = line;
    this.title = title;
  }

  protected arm(): void {
    this.line.push(this);
  }

  describe(): string {
    return `parked in ${this.title}`;
  }
}

/**
 * A place where tasks wait until they are woken, in order of arrival: what other primitives are made of. It remembers nothing:
 * a task that parks after `unpark` waits for the next one.
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
  readonly #line = new WaitList<ParkWait>();
  readonly #title: string;

  /** Makes an empty lot. */
  constructor(options: SyncOptions = {}) {
    this.#title = titleOf("parking lot", options);
  }

  /** Waits until this task is woken. A checkpoint. */
  park(): Operation<void> {
    return new ParkWait(this.#line, this.#title);
  }

  /**
   * Wakes the tasks that came first; gives how many that were. Never waits; may be called from anywhere.
   *
   * @param count How many at most; 1 by default.
   * @throws {RangeError} If `count` is not a whole number of at least 0.
   */
  unpark(count = 1): number {
    checkCount("unpark", count);
    let woken = 0;
    for (; woken < count; woken++) {
      const wait = this.#line.shift();
      if (wait === null) break;
      wait.settle();
    }
    return woken;
  }

  /** Wakes every task that waits; gives how many that were. Never waits; may be called from anywhere. */
  unparkAll(): number {
    return this.unpark(this.#line.size);
  }

  /** How many tasks wait. */
  statistics(): ParkingLotStatistics {
    return { tasksWaiting: this.#line.size };
  }
}

/** Refuses what is no number of tasks. */
export function checkCount(by: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`${by}() takes a whole number of tasks of at least 0, not ${count}`);
  }
}
