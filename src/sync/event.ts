/**
 * Event: something that happens once, and that any number of tasks can wait for.
 *
 * Invariant: once it has happened nobody waits, and it has happened for good.
 */
import type { Operation } from "../kernel/coroutine.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { LineWait, type ParkingLotStatistics } from "./parking_lot.ts";
import { type SyncOptions, titleOf } from "./title.ts";

class EventWait extends LineWait {
  declare protected readonly line: WaitList<EventWait>;
  declare private readonly event: Event;
  declare private readonly title: string;

  constructor(event: Event, line: WaitList<EventWait>, title: string) {
    super();
    this.event = event;
    this.line = line;
    this.title = title;
  }

  protected arm(): void {
    if (this.event.isSet) this.settle();
    else this.line.push(this);
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
  readonly #line = new WaitList<EventWait>();
  readonly #title: string;
  #set = false;

  /** Makes an event that has not happened. */
  constructor(options: SyncOptions = {}) {
    this.#title = titleOf("event", options);
  }

  /** Whether it has happened. */
  get isSet(): boolean {
    return this.#set;
  }

  /**
   * Makes it happen: wakes all who wait, in order of arrival. Once more is no error. Never waits.
   * May be called from anywhere; where only code outside the loop does, `loop.hold()` tells the loop that the wait is no deadlock.
   */
  set(): void {
    this.#set = true;
    for (let wait = this.#line.shift(); wait !== null; wait = this.#line.shift()) wait.settle();
  }

  /** Waits until it has happened. A checkpoint, also where it has. */
  wait(): Operation<void> {
    return new EventWait(this, this.#line, this.#title);
  }

  /** How many tasks wait. */
  statistics(): ParkingLotStatistics {
    return { tasksWaiting: this.#line.size };
  }
}
