/**
 * with: runs a body between `acquire` and `release`, however the body ends.
 *
 * Invariant: released exactly when it was acquired. A frame on the task's stack and not a generator
 * with `finally`: it releases also where a body that swallowed its cancellation is unwound by
 * `return()`, of which generators lose some (R20). Independent of: what is acquired.
 */
import { type Body, bodyIterator, type Operation, toIterator } from "../kernel/coroutine.ts";
import { Command } from "../kernel/command.ts";
import { bothErrors } from "../kernel/nursery_error.ts";
import { noteThrown } from "../kernel/stack.ts";
import {
  CONTINUE,
  Frame,
  isCancellation,
  NEXT,
  POP,
  THROW,
  type Verdict,
} from "../kernel/frame.ts";
import type { TaskCore } from "../kernel/task.ts";

/** What `with` needs of a primitive. */
export interface Guard {
  acquire(): Operation<unknown>;
  release(): void;
}

/** The operation behind every `with(body)`. */
export class WithCommand<T> extends Command<T> {
  readonly #guard: Guard;
  readonly #body: Body<T>;

  constructor(guard: Guard, body: Body<T>) {
    super();
    this.#guard = guard;
    this.#body = body;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    task.frame = new GuardFrame(this.#guard, this.#body, task.frame);
    return true;
  }

  describe(): string {
    return "with";
  }
}

/** Acquires first, then runs the body, then releases. */
class GuardFrame<T> extends Frame {
  readonly #guard: Guard;
  readonly #body: Body<T>;
  #acquired = false;

  constructor(guard: Guard, body: Body<T>, below: Frame) {
    super(toIterator(guard.acquire(), "with"), below);
    this.#guard = guard;
    this.#body = body;
  }

  override exit(task: TaskCore): Verdict {
    if (!this.#acquired) {
      if (task.mode !== NEXT) return POP;
      this.#acquired = true;
      this.iterator = bodyIterator(this.#body, "with");
      task.value = undefined;
      return CONTINUE;
    }
    try {
      this.#guard.release();
    } catch (error) {
      noteThrown(error);
      const failed = task.mode === THROW && !isCancellation(task);
      task.value = failed ? bothErrors(task.value, error) : error;
      task.mode = THROW;
    }
    return POP;
  }
}
