/**
 * abortSignal: the surrounding scope as an AbortSignal, for functions of the platform that take one.
 */
import { Command, type Operation } from "../coroutine.ts";
import { surroundingScope } from "../ensure.ts";
import type { TaskCore } from "../task.ts";

class ScopeSignal extends Command<AbortSignal> {
  perform(task: TaskCore): boolean {
    this.begin();
    const scope = surroundingScope(task);
    const controller = new AbortController();
    if (scope.cause !== null) controller.abort(scope.cause.cancelled);
    else (scope.watchers ??= new Set()).add((cancelled) => controller.abort(cancelled));
    task.value = controller.signal;
    return true;
  }

  describe(): string {
    return "abort signal";
  }
}

/**
 * A signal that aborts when the surrounding scope, nursery or task is cancelled or left. Not a checkpoint. Its reason is the
 * {@linkcode Cancelled} of that cancel; an `AbortError` where the scope was simply left.
 *
 * @example
 * ```ts
 * import { abortSignal, Loop, moveOnAfter, sleepForever } from "jsr:@broomio/core";
 *
 * await new Loop().run(moveOnAfter(0.01, function* () {
 *   const signal = yield* abortSignal();
 *   signal.addEventListener("abort", () => console.log("stopped"));
 *   yield* sleepForever();
 * }));
 * ```
 */
export function abortSignal(): Operation<AbortSignal> {
  return new ScopeSignal();
}
