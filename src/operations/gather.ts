/**
 * Gather: what the operations share that run several coroutines in a nursery which users do not
 * see: `all`, `race`, `any`, `allSettled`, `mapConcurrent`.
 *
 * Invariants
 * - One error comes out as itself, several come out as the NurseryError (R3).
 * - A value that nobody gets is disposed if it can be (R33): after every child has ended, shielded,
 *   and before the operation ends, however it ends.
 * - Used once, as every command.
 *
 * A frame and not a generator with `finally`: it cleans up also where a body that swallowed its
 * cancellation is unwound by `return()`, of which generators lose some (R20).
 */
import { Command } from "../kernel/command.ts";
import { bothErrors, NurseryError } from "../kernel/nursery_error.ts";
import {
  CONTINUE,
  Frame,
  isCancellation,
  type Mode,
  NEXT,
  POP,
  THROW,
  type Verdict,
} from "../kernel/frame.ts";
import { shielded } from "../kernel/cancel_scope.ts";
import { type Coroutine, type Operation, toIterator } from "../kernel/coroutine.ts";

import { type TaskCore } from "../kernel/task.ts";
import { noteThrown } from "../kernel/stack.ts";
import { disposeDropped } from "./dispose.ts";

/** An operation over a nursery of its own. */
export abstract class Gather<T> extends Command<T> {
  /** The name of the operation, for messages: "all". */
  protected abstract readonly by: string;

  /** The nursery, and in it the children. */
  protected abstract open(): Operation<unknown>;

  /** What the operation gives when the nursery has ended without an error; or throws. */
  abstract result(): T;

  /** The values that nobody gets; `succeeded` says whether `result` was given. */
  abstract dropped(succeeded: boolean): Iterable<unknown>;

  /** What else is to be done at the end, shielded, or null. Its error counts. */
  cleanUp(): Operation<unknown> | null {
    return null;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    task.frame = new GatherFrame(this, toIterator(this.open(), this.by), task.frame);
    return true;
  }

  describe(): string {
    return this.by;
  }
}

/** An operation, or the body of a nursery, that has nothing to do. */
export const DONE: Coroutine = {
  [Symbol.iterator]: () => ({ next: () => ({ done: true, value: undefined }) }),
} as Operation<void> as Coroutine;

/** How the nursery ended, or is going to. */
interface End {
  mode: Mode;
  value: unknown;
}

/** The frame below the nursery's. */
class GatherFrame<T> extends Frame {
  readonly #gather: Gather<T>;
  /** Set once the nursery has ended, while what is left to be done is done. */
  #end: End | null = null;
  #steps: Operation<unknown>[] = [];

  constructor(gather: Gather<T>, iterator: Frame["iterator"], below: Frame) {
    super(iterator, below);
    this.#gather = gather;
  }

  override exit(task: TaskCore): Verdict {
    if (this.#end === null) this.#nurseryEnded(task);
    else this.#stepEnded(task, this.#end);
    const step = this.#steps.shift();
    if (step === undefined) {
      task.mode = this.#end!.mode;
      task.value = this.#end!.value;
      return POP;
    }
    this.iterator = toIterator(shielded(step, undefined, this.#gather.describe()), "shield");
    task.mode = NEXT;
    task.value = undefined;
    return CONTINUE;
  }

  #nurseryEnded(task: TaskCore): void {
    const end: End = this.#end = { mode: task.mode, value: task.value };
    const gather = this.#gather;
    if (end.mode === NEXT) {
      try {
        end.value = gather.result();
      } catch (error) {
        noteThrown(error);
        end.mode = THROW;
        end.value = error;
      }
    } else if (end.mode === THROW) end.value = lone(end.value);
    const last = gather.cleanUp();
    if (last !== null) this.#steps.push(last);
    const values = gather.dropped(end.mode === NEXT);
    const disposing = disposeDropped(values, gather.describe(), task);
    if (disposing !== null) this.#steps.push(disposing);
  }

  #stepEnded(task: TaskCore, end: End): void {
    if (task.mode !== THROW || isCancellation(task)) return;
    const failed = end.mode === THROW && !isCancellation(end);
    end.value = failed ? bothErrors(end.value, task.value) : task.value;
    end.mode = THROW;
  }
}

/** The one error in a NurseryError, as itself (R3). */
function lone(error: unknown): unknown {
  if (!(error instanceof NurseryError)) return error;
  return error.errors.every((each) => each === error.errors[0]) ? error.errors[0] : error;
}
