/**
 * with: runs a body between `acquire` and `release`, however the body ends.
 *
 * Invariant: released exactly when it was acquired. A frame on the task's stack and not a generator
 * with `finally`: it releases also where a body that swallowed its cancellation is unwound by
 * `return()`, of which generators lose some (R20). Independent of: what is acquired.
 */
import {
  type Body,
  bodyIterator,
  Command,
  coroutineStack,
  type Operation,
  toIterator,
} from "../kernel/coroutine.ts";
import { bothErrors, setStack } from "../kernel/errors.ts";
import {
  CONTINUE,
  Frame,
  isCancellation,
  NEXT,
  POP,
  type TaskCore,
  THROW,
} from "../kernel/task.ts";
import type { Verdict } from "../kernel/task.ts";

/** What `with` needs of a primitive. */
export interface Guard {
  acquire(): Operation<unknown>;
  release(): void;
}

/** The operation behind every `with(body)`. */
export class WithCommand<T> extends Command<T> {
  readonly #guard: Guard;
  readonly #body: Body<T>;
  #frame: GuardFrame<T> | null = null;

  constructor(guard: Guard, body: Body<T>) {
    super();
    this.#guard = guard;
    this.#body = body;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    task.frame = this.#frame = new GuardFrame(this.#guard, this.#body, task.frame);
    return true;
  }

  protected override explain(error: unknown): void {
    // Made by the primitive, and thrown into a frame in which no coroutine stands.
    if (error instanceof Error && error === this.#frame?.refusal) {
      setStack(error, coroutineStack(this.throw));
    }
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
  /** Why it could not be acquired, or released. */
  refusal: unknown = undefined;

  constructor(guard: Guard, body: Body<T>, below: Frame) {
    super(toIterator(guard.acquire(), "with"), below);
    this.#guard = guard;
    this.#body = body;
  }

  override exit(task: TaskCore): Verdict {
    if (!this.#acquired) {
      if (task.mode !== NEXT) {
        if (!isCancellation(task)) this.refusal = task.value;
        return POP;
      }
      this.#acquired = true;
      this.iterator = bodyIterator(this.#body, "with");
      task.value = undefined;
      return CONTINUE;
    }
    try {
      this.#guard.release();
    } catch (error) {
      this.refusal = error;
      const failed = task.mode === THROW && !isCancellation(task);
      task.value = failed ? bothErrors(task.value, error) : error;
      task.mode = THROW;
    }
    return POP;
  }
}
