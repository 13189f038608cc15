/**
 * use: a resource for the rest of the surrounding scope.
 *
 * Invariant: what is disposable and was handed out is disposed: at the end of the scope, or, where
 * it came after a cancel, at once.
 */
import { addCleanup } from "../kernel/cancel_scope.ts";
import { wrongKind } from "../check.ts";

import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import type { TaskCore } from "../kernel/task.ts";
import { Call } from "./call.ts";
import { currentTask } from "./current.ts";
import {
  type AnyDisposable,
  disposeDropped,
  disposerOf,
  disposeWith,
  isThenable,
} from "./dispose.ts";
import { PromiseWait } from "./promise_wait.ts";

const WHAT = "something with Symbol.dispose or Symbol.asyncDispose, or a promise of it";

/** Waits for a resource that is on its way. One that comes after a cancel is disposed. */
class ResourceWait<R> extends PromiseWait<R> {
  constructor(promise: PromiseLike<R>) {
    super(promise, "waiting for a resource");
  }

  protected override get wantsLate(): boolean {
    return true;
  }

  protected override late(value: R, task: TaskCore | null): void {
    if (task === null) return void disposerOf(value)?.();
    const rest = disposeDropped([value], "use", task);
    if (rest !== null) task.scheduler.loop.startSoon(rest, { name: "use" });
  }
}

function* useResource<R>(resource: R | PromiseLike<R>): Coroutine<R> {
  const task = (yield* currentTask()) as TaskCore;
  const value = isThenable(resource) ? yield* new ResourceWait(resource) : resource;
  // No operation from here on: a cancel could land there, and nobody would dispose the resource.
  const disposer = disposerOf(value);
  if (disposer === null) throw wrongKind(WHAT, value, "use()");
  addCleanup(task, () => disposeWith(disposer));
  return value;
}

/**
 * Takes a resource for the rest of the surrounding scope, nursery or task, and gives it. It is
 * disposed when that ends, however it ends: shielded, so that it may take time, last taken first
 * disposed. For a promise of a resource it waits; where it is cancelled meanwhile, the resource is
 * disposed when it comes. A checkpoint only where it waits.
 *
 * @param resource Something with `Symbol.dispose` or `Symbol.asyncDispose` (which comes first), or
 * a promise of it.
 * @throws {TypeError} If it is neither.
 * @example
 * ```ts
 * import { Loop, use } from "jsr:@broomio/core";
 *
 * const open = () => Promise.resolve({
 *   read: () => "text",
 *   [Symbol.asyncDispose]: () => Promise.resolve(console.log("closed")),
 * });
 * await new Loop().run(function* () {
 *   const file = yield* use(open());
 *   console.log(file.read()); // text, closed
 * }());
 * ```
 */
export function use<R extends AnyDisposable>(resource: R | PromiseLike<R>): Operation<R> {
  if (!isThenable(resource) && disposerOf(resource) === null) {
    throw wrongKind(WHAT, resource, "use()");
  }
  return new Call(() => useResource(resource), "use");
}
