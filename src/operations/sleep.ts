/**
 * Waiting for time, in seconds on the loop's clock.
 */
import { type Duration, toDeadline, toSeconds } from "../duration.ts";
import type { TaskCore } from "../kernel/task.ts";
import type { Timed } from "../kernel/timers.ts";
import { type Selectable, Wait } from "../kernel/wait.ts";

/** Parked until a time; in the timer queue exactly while it is parked and the time is finite. */
class Sleep extends Wait<void> implements Timed {
  generation: number = 0;
  readonly #time: number;
  readonly #relative: boolean;

  constructor(time: number, relative: boolean) {
    super();
    this.#time = time;
    this.#relative = relative;
  }

  protected arm({ scheduler }: TaskCore): void {
    const time = this.#time;
    if (time === Infinity) return;
    if (this.#relative && time > 0) scheduler.addTimer(scheduler.host.now() + time, this);
    else if (!this.#relative && time > scheduler.host.now()) scheduler.addTimer(time, this);
    else this.settle();
  }

  protected disarm({ scheduler }: TaskCore): void {
    scheduler.timers.cancel(this);
  }

  expire(): void {
    this.settle();
  }

  describe(): string {
    if (this.#time === Infinity) return "sleeping forever";
    return this.#relative ? `sleeping for ${this.#time} s` : `sleeping until ${this.#time} s`;
  }
}

/**
 * Waits for a length of time; `sleep(0)` lets the other tasks run. A checkpoint.
 *
 * @param duration Seconds, or an object such as `{ milliseconds: 250 }`.
 * @throws {RangeError} If the duration is NaN or negative.
 * @throws {TypeError} If it is no duration.
 * @example
 * ```ts
 * import { Loop, sleep } from "jsr:@broomio/core";
 *
 * await new Loop().run(sleep({ milliseconds: 20 }));
 * ```
 */
export function sleep(duration: Duration): Selectable<void> {
  return new Sleep(toSeconds(duration), true);
}

/**
 * Waits until a time on the loop's clock (`loop.now`). A checkpoint, also where the time has
 * passed.
 *
 * @param deadline Seconds.
 * @throws {RangeError} If the deadline is NaN.
 * @example
 * ```ts
 * import { Loop, sleepUntil } from "jsr:@broomio/core";
 *
 * const loop = new Loop();
 * await loop.run(sleepUntil(loop.now + 0.01));
 * ```
 */
export function sleepUntil(deadline: number): Selectable<void> {
  return new Sleep(toDeadline(deadline), false);
}

/**
 * Waits until it is cancelled. A checkpoint.
 *
 * @example
 * ```ts
 * import { Loop, moveOnAfter, sleepForever } from "jsr:@broomio/core";
 *
 * await new Loop().run(moveOnAfter(0.01, sleepForever()));
 * ```
 */
export function sleepForever(): Selectable<never> {
  return new Sleep(Infinity, true) as Selectable<unknown> as Selectable<never>;
}
