/**
 * Sequencer: puts steps of several tasks into one order.
 *
 * Invariants: the body of a position begins when those of all smaller positions have ended; each
 * position is used once; nobody waits for a position that cannot come any more.
 */
import { checkBody, checkInteger } from "../check.ts";
import type { Body, Coroutine, Operation } from "../kernel/coroutine.ts";
import { BrokenResourceError } from "../kernel/errors.ts";
import { Event } from "../sync/event.ts";

/**
 * Makes tasks take turns in a test: whoever asks for position 1 waits until the body of position 0
 * has ended.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { Sequencer } from "jsr:@broomio/core/testing";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const sequencer = new Sequencer();
 *   nursery.startSoon(function* () {
 *     yield* sequencer.step(1, function* () {
 *       console.log("second");
 *     });
 *   }());
 *   yield* sequencer.step(0, function* () {
 *     console.log("first");
 *   });
 * }));
 * ```
 */
export class Sequencer {
  readonly #used = new Set<number>();
  readonly #waiting = new Map<number, Event>();
  #next = 0;
  #broken = false;

  /**
   * Waits for its turn and runs `body`; then it is the turn of the next position. Gives the body's
   * value. A checkpoint where it has to wait.
   *
   * @param position From 0, without gaps, each used once.
   * @throws {RangeError} If the position is not an integer of at least 0, or was used before.
   * @throws {BrokenResourceError} If an earlier position failed or was cancelled, so that its turn
   * never comes.
   */
  step<T = void>(position: number, body?: Body<T>): Operation<T> {
    checkInteger(position, "position");
    if (body !== undefined) checkBody(body, "step");
    if (this.#used.has(position)) {
      throw new RangeError(`Position ${position} of the sequencer is used twice`);
    }
    this.#used.add(position);
    return this.#step(position, body);
  }

  *#step<T>(position: number, body: Body<T> | undefined): Coroutine<T> {
    let done = false;
    try {
      if (!this.#broken && position > this.#next) {
        const turn = new Event();
        this.#waiting.set(position, turn);
        yield* turn.wait();
      }
      if (this.#broken) {
        throw new BrokenResourceError(
          `The turn of position ${position} cannot come: an earlier one failed or was cancelled`,
        );
      }
      const value = body === undefined
        ? undefined
        : yield* typeof body === "function" ? body() : body;
      done = true;
      return value as T;
    } finally {
      this.#waiting.delete(position);
      if (done) {
        this.#next = position + 1;
        this.#waiting.get(this.#next)?.set();
      } else {
        this.#broken = true;
        for (const turn of this.#waiting.values()) turn.set();
      }
    }
  }
}
