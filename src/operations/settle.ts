/**
 * settle: how a body ended, as a value.
 *
 * Invariant: a cancel passes through; it is never a result.
 */
import { Command } from "../kernel/command.ts";
import { Frame, isCancellation, NEXT, POP, THROW, type Verdict } from "../kernel/frame.ts";
import { checkBody } from "../check.ts";
import { type Body, bodyIterator, type Operation } from "../kernel/coroutine.ts";
import { type TaskCore } from "../kernel/task.ts";

/**
 * How something ended: with a value or with an error.
 *
 * @example
 * ```ts
 * import { Loop, settle, type Settled } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function textOf(result: Settled<number>): string {
 *   return result.ok ? `got ${result.value}` : `failed: ${result.error}`;
 * }
 * function* parse(text: string) {
 *   return JSON.parse(text) as number;
 * }
 * assertEquals(textOf(await new Loop().run(settle(parse("7")))), "got 7");
 * ```
 */
export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

class Settle<T> extends Command<Settled<T>> {
  readonly #body: Body<T>;

  constructor(body: Body<T>) {
    super();
    this.#body = body;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    task.frame = new SettleFrame(bodyIterator(this.#body, "settle"), task.frame);
    return true;
  }

  describe(): string {
    return "settle";
  }
}

class SettleFrame extends Frame {
  override exit(task: TaskCore): Verdict {
    if (task.mode === NEXT) task.value = { ok: true, value: task.value };
    else if (task.mode === THROW && !isCancellation(task)) {
      task.mode = NEXT;
      task.value = { ok: false, error: task.value };
    }
    return POP;
  }
}

/**
 * Runs `body` and gives how it ended: `{ ok: true, value }` or `{ ok: false, error }`. A cancel
 * from outside is neither: it passes through, as it must. Not a checkpoint in itself.
 *
 * @throws {TypeError} If the body is no coroutine, no operation and no function.
 * @example
 * ```ts
 * import { Loop, settle } from "jsr:@broomio/core";
 *
 * await new Loop().run(function* () {
 *   const result = yield* settle(function* () {
 *     return JSON.parse("{");
 *   });
 *   if (!result.ok) console.log((result.error as Error).name); // SyntaxError
 * }());
 * ```
 */
export function settle<T>(body: Body<T>): Operation<Settled<T>> {
  return new Settle(checkBody(body, "settle"));
}
