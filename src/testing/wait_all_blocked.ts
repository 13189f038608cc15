/**
 * waitAllBlocked: for a test that wants everybody to have come to rest first.
 */
import type { Operation } from "../kernel/coroutine.ts";
import type { TaskCore } from "../kernel/task.ts";
import { Wait } from "../kernel/wait.ts";

/** Registered with the scheduler exactly while it is parked. */
class BlockedWait extends Wait<void> {
  readonly #wake = (): void => this.settle();

  protected arm({ scheduler }: TaskCore): void {
    (scheduler.whenBlocked ??= new Set()).add(this.#wake);
  }

  protected disarm({ scheduler }: TaskCore): void {
    scheduler.whenBlocked?.delete(this.#wake);
  }

  describe(): string {
    return "waiting until all tasks are blocked";
  }
}

/**
 * Waits until no other task of the loop can go on without time or something outside: each waits for
 * a time, an event, a lock, a message. A checkpoint. A virtual clock does not jump before that, so
 * what is due later has not happened yet.
 *
 * A task that awaits a promise counts as blocked, also where that is about to settle.
 *
 * @example
 * ```ts
 * import { Event, Loop, Nursery } from "jsr:@broomio/core";
 * import { waitAllBlocked } from "jsr:@broomio/core/testing";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const event = new Event();
 *   const waiter = nursery.startSoon(event.wait());
 *   yield* waitAllBlocked();
 *   console.log(waiter.state); // waiting
 *   event.set();
 * }));
 * ```
 */
export function waitAllBlocked(): Operation<void> {
  return new BlockedWait();
}
