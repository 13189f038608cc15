/**
 * GoneWatch: listens for clients that go, but only for requests that have taken a while.
 *
 * To read `request.signal` costs an asynchronous operation on Deno, and more than half of the
 * throughput; nearly all requests are answered before anybody could go. So a request is listened to
 * when it is 20 to 40 ms old: one timer for all, and none while there are none.
 *
 * Invariants: a watched request is either in the list, oldest first, or listened to; `end` takes it
 * out of both. Independent of: what a request is. The timer is one of the loop.
 */
import type { Scheduler } from "../kernel/scheduler.ts";
import type { Timed } from "../kernel/timers.ts";

/** How old a request is before it is listened to, in seconds. */
const YOUNG = 0.02;

/** What is watched: the base of a request. */
export interface Watched {
  older: Watched | null;
  newer: Watched | null;
  /** The round in which it came; -1 where it is not in the list. */
  round: number;
  /** It is not young any more. */
  listen(): void;
}

/** See above. */
export class GoneWatch implements Timed {
  generation = 0;
  #scheduler: Scheduler | null = null;
  #oldest: Watched | null = null;
  #newest: Watched | null = null;
  #round = 0;

  /** Begins to watch. */
  begin(entry: Watched, scheduler: Scheduler): void {
    entry.round = this.#round;
    entry.older = this.#newest;
    if (this.#newest === null) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    if (this.generation === 0) {
      this.#scheduler = scheduler;
      this.#arm();
    }
  }

  /** Ends it; nothing where it is not in the list. */
  end(entry: Watched): void {
    if (entry.round < 0) return;
    const { older, newer } = entry;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    entry.older = entry.newer = null;
    entry.round = -1;
  }

  /** Those that were here when the last round ended are old by now. */
  expire(): void {
    const round = this.#round++;
    for (let entry = this.#oldest; entry !== null && entry.round < round; entry = this.#oldest) {
      this.end(entry);
      entry.listen();
    }
    if (this.#oldest !== null) this.#arm();
  }

  #arm(): void {
    const scheduler = this.#scheduler!;
    scheduler.addTimer(scheduler.host.now() + YOUNG, this);
  }
}
