/**
 * Event: something that happens once, and that any number of tasks can wait for.
 *
 * Invariant: once it has happened nobody waits, and it has happened for good.
 */
import type { Selectable } from "../kernel/wait.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { ListWait } from "./acquire_wait.ts";
import type { ParkingLotStatistics } from "./parking_lot.ts";
import { type SyncOptions, titleFrom } from "./sync_options.ts";

class EventWait extends ListWait {
  declare protected readonly waiters: WaitList<EventWait>;
  declare private readonly event: Event;
  declare private readonly title: string;

  constructor(event: Event, waiters: WaitList<EventWait>, title: string) {
    super();
    this.event = event;
    this.waiters = waiters;
    this.title = title;
  }

  protected arm(): void {
    if (this.event.isSet) this.settle();
    else this.waiters.push(this);
  }

  describe(): string {
    return `waiting for ${this.title}`;
  }
}

/**
 * Something that happens once. It cannot be taken back: for the next time make another.
 *
 * @example
 * ```ts
 * import { Event, Loop, sleep } from "jsr:@broomio/core";
 *
 * const ready = new Event({ name: "ready" });
 * function* server() {
 *   yield* sleep(0.01);
 *   ready.set();
 * }
 * function* client() {
 *   yield* ready.wait();
 *   console.log("connecting");
 * }
 * const loop = new Loop();
 * loop.startSoon(client());
 * loop.startSoon(server());
 * await loop.run();
 * ```
 */
export class Event {
  readonly #waiters = new WaitList<EventWait>();
  readonly #title: string;
  #set = false;

  /**
   * Makes an event that has not happened.
   *
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   */
  constructor(options?: SyncOptions) {
    this.#title = titleFrom("event", "Event", options);
  }

  /** Whether it has happened. */
  get isSet(): boolean {
    return this.#set;
  }

  /**
   * Makes it happen: wakes all who wait, in order of arrival. Once more is no error. Never waits.
   * May be called from anywhere; where only code outside the loop does, `loop.hold()` tells the
   * loop that the wait is no deadlock.
   */
  set(): void {
    this.#set = true;
    for (let wait = this.#waiters.shift(); wait !== null; wait = this.#waiters.shift()) {
      wait.settle();
    }
  }

  /** Waits until it has happened. A checkpoint, also where it has. */
  wait(): Selectable<void> {
    return new EventWait(this, this.#waiters, this.#title);
  }

  /** How many tasks wait. */
  statistics(): ParkingLotStatistics {
    return { tasksWaiting: this.#waiters.size };
  }
}
