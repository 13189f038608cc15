/**
 * abortSignal: the surrounding scope as an AbortSignal, for functions of the platform that take
 * one.
 */
import { Command } from "../kernel/command.ts";
import type { Operation } from "../kernel/coroutine.ts";
import { surroundingScope } from "../kernel/cancel_scope.ts";
import type { ScopeCore } from "../kernel/cancel_scope.ts";
import type { TaskCore } from "../kernel/task.ts";

/** The signal of each scope that was asked for one. */
const signals = new WeakMap<ScopeCore, AbortSignal>();

class ScopeSignal extends Command<AbortSignal> {
  perform(task: TaskCore): boolean {
    this.begin();
    const scope = surroundingScope(task);
    // A scope has one signal, so that asking again and again costs nothing; another after a shield
    // has taken back its cancel.
    let signal = signals.get(scope);
    if (signal === undefined || signal.aborted !== (scope.cause !== null)) {
      signals.set(scope, signal = makeSignal(scope));
    }
    task.value = signal;
    return true;
  }

  describe(): string {
    return "abort signal";
  }
}

function makeSignal(scope: ScopeCore): AbortSignal {
  const controller = new AbortController();
  if (scope.cause !== null) controller.abort(scope.cause.cancelled);
  else (scope.watchers ??= new Set()).add((cancelled) => controller.abort(cancelled));
  return controller.signal;
}

/**
 * A signal that aborts when the surrounding scope, nursery or task is cancelled or left. Not a
 * checkpoint. Its reason is the {@linkcode Cancelled} of that cancel; an `AbortError` where the
 * scope was simply left. Asked again, a scope gives the same signal.
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
