/**
 * TaskLocal: a value that a task, and every task it starts, sees without passing it along.
 *
 * Invariant: bindings form an immutable list, innermost first, so a child shares its parent's list
 * as of when it was started.
 */
import { checkBody, checkString } from "../check.ts";
import { type Body, bodyIterator, type Operation } from "../kernel/coroutine.ts";
import { Command } from "../kernel/command.ts";
import { Frame, POP, type Verdict } from "../kernel/frame.ts";
import type { Binding, TaskCore } from "../kernel/task.ts";

/**
 * A value for a task and the tasks it starts: a request id, a user, a logger.
 *
 * @example
 * ```ts
 * import { Loop, TaskLocal } from "jsr:@broomio/core";
 *
 * const requestId = new TaskLocal("requestId", "none");
 * function* log(text: string) {
 *   console.log(`[${yield* requestId.get()}] ${text}`);
 * }
 * await new Loop().run(requestId.with("r7", log("hello"))); // [r7] hello
 * ```
 */
export class TaskLocal<T> {
  /** For messages. */
  readonly name: string;
  readonly #defaultValue: T | undefined;
  readonly #hasDefault: boolean;

  /**
   * Makes a local; without a default, `get` outside of any `with` is an error.
   *
   * @throws {TypeError} If the name is not a string.
   */
  constructor(name: string, ...defaultValue: [defaultValue?: T]) {
    this.name = checkString(name, "name of TaskLocal");
    this.#defaultValue = defaultValue[0];
    this.#hasDefault = defaultValue.length > 0;
  }

  /**
   * The value in force. Not a checkpoint.
   *
   * @throws {ReferenceError} If no value is in force and there is no default.
   */
  get(): Operation<T> {
    return new GetLocal<T>(this as TaskLocal<unknown>, () => {
      if (!this.#hasDefault) {
        throw new ReferenceError(
          `TaskLocal ${this.name} has no value here: set one with yield* local.with(value, body)`,
        );
      }
      return this.#defaultValue as T;
    });
  }

  /**
   * Runs `body` with this value in force, for it and for the tasks it starts. Not a checkpoint in
   * itself.
   *
   * @throws {TypeError} If the body is no coroutine, no operation and no function.
   */
  with<R>(value: T, body: Body<R>): Operation<R> {
    return new WithLocal(this as TaskLocal<unknown>, value, checkBody(body, "with"));
  }
}

class GetLocal<T> extends Command<T> {
  readonly #local: TaskLocal<unknown>;
  readonly #fallback: () => T;

  constructor(local: TaskLocal<unknown>, fallback: () => T) {
    super();
    this.#local = local;
    this.#fallback = fallback;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    let binding = task.extras?.locals ?? null;
    while (binding !== null && binding.local !== this.#local) binding = binding.outer;
    task.value = binding === null ? this.#fallback() : binding.value;
    return true;
  }

  describe(): string {
    return "task local";
  }
}

class WithLocal<R> extends Command<R> {
  readonly #local: TaskLocal<unknown>;
  readonly #value: unknown;
  readonly #body: Body<R>;

  constructor(local: TaskLocal<unknown>, value: unknown, body: Body<R>) {
    super();
    this.#local = local;
    this.#value = value;
    this.#body = body;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    const extras = task.ensureExtras();
    const outer = extras.locals;
    extras.locals = { local: this.#local, value: this.#value, outer };
    task.frame = new LocalFrame(bodyIterator(this.#body, "with"), task.frame, outer);
    return true;
  }

  describe(): string {
    return "task local";
  }
}

/** Puts the outer bindings back when the body ends. */
class LocalFrame extends Frame {
  readonly #outer: Binding | null;

  constructor(iterator: Frame["iterator"], below: Frame, outer: Binding | null) {
    super(iterator, below);
    this.#outer = outer;
  }

  override exit(task: TaskCore): Verdict {
    task.ensureExtras().locals = this.#outer;
    return POP;
  }
}
