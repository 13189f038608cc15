/**
 * checkpoint: lets other tasks run. Stateless, so one operation serves all: it tells "begin" from
 * "resumed" by what it is sent.
 */
import { type Operation, RESUMED, type Trap } from "./coroutine.ts";
import type { YieldObserver } from "./command.ts";
import { deliver } from "./cancel_delivery.ts";
import type { TaskCore } from "./task.ts";

/**
 * The trap of `checkpoint()`. The scheduler knows it by identity, because it is the one that must
 * cost nothing.
 */
export const RESCHEDULE: Trap = {
  perform(task: TaskCore): boolean {
    if (task.scope.cause !== null) {
      deliver(task);
    } else {
      task.value = RESUMED;
      task.scheduler.ready(task);
    }
    return false;
  },
};

const yielding: IteratorResult<Trap, void> = { done: false, value: RESCHEDULE };
const returning: IteratorResult<Trap, void> = { done: true, value: undefined };

const iterator: Iterator<Trap, void, unknown> = {
  next(sent?: unknown): IteratorResult<Trap, void> {
    return sent === undefined ? yielding : returning;
  },
  throw(error: unknown): IteratorResult<Trap, void> {
    throw error;
  },
};

const begin = (): Iterator<Trap, void, unknown> => iterator;

/**
 * Not its own iterator, as every other operation is: what is, may be given to a loop once (see
 * `toIterator`).
 */
const operation: Operation<void> = { [Symbol.iterator]: begin };

/**
 * As `observeYields`, for checkpoints. The operation itself is changed: a look for an observer
 * would cost each switch.
 */
export function observeCheckpoints(observer: YieldObserver | null): void {
  operation[Symbol.iterator] = observer === null ? begin : function observed() {
    observer(observed);
    return iterator;
  };
}

/**
 * Lets the other ready tasks run, and takes note of a cancel. The cheapest checkpoint: for long
 * computations.
 *
 * @example
 * ```ts
 * import { checkpoint, Loop } from "jsr:@broomio/core";
 *
 * function* sum(numbers: number[]) {
 *   let total = 0;
 *   for (const [i, number] of numbers.entries()) {
 *     if (i % 1000 === 0) yield* checkpoint();
 *     total += number;
 *   }
 *   return total;
 * }
 * console.log(await new Loop().run(sum([1, 2, 3]))); // 6
 * ```
 */
export function checkpoint(): Operation<void> {
  return operation;
}
