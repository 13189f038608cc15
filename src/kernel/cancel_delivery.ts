/**
 * How a cancel spreads over scopes, is delivered to tasks, counted, and forced on those that
 * swallow it.
 *
 * Invariants
 * - `scope.cause` is the scope whose cancel is in force in `scope`, or null: the one question that
 *   a wait asks. `spread` and `refresh` alone change it after a scope was entered.
 * - A task meets a cancel at a wait and nowhere else: one that is ready or running meets it at its
 *   next wait (R18).
 * - `task.deliveries` counts how often a cancel was delivered since the scope in which it is in
 *   force was entered (R20).
 *
 * Independent of: what tasks wait for, and the policies of nurseries.
 *
 * How a cancel spreads. Scopes form a tree: the scopes that one task has open are a chain, and a
 * nursery's scope has its tasks as children. Cancelling a scope puts it in force as the `cause` of
 * itself and of everything below, and stops at scopes that have a cause already or are shielded. So
 * however often the ancestors of a scope are cancelled, it is visited once, and a wait finds out in
 * one comparison whether it may wait. A shield that is taken away works the cause out anew below
 * (`refresh`). Rejected: to ask all ancestors at each wait (a wait under 100 scopes would cost 100
 * steps), and to count cancels instead of keeping the cause (the error to throw would have to be
 * searched).
 *
 * What a swallow does. `catch` in JavaScript catches everything, a `Cancelled` too, so a coroutine
 * may go on by accident.
 * 1. The first delivery throws the `Cancelled` at the wait: users see an error, can clean up, and
 *    rethrow it. It must be a throw. A native generator loses a `return()` when a `finally` below a
 *    `yield*` waits, and then runs the code after that `yield*`.
 * 2. The coroutine waits again in the cancelled scope: it swallowed the error, or its cleanup waits
 *    without a shield. The loop warns, once for a task, and from now on delivers with the
 *    generator's `return()`, which runs `finally` blocks and which no `catch` sees: `while (true) {
 *    try { ... } catch (error) { log(error) } }` ends.
 * 3. After `MAX_DELIVERIES` even a `finally` that waits in a loop is given up: the iterator of the
 *    innermost frame is replaced by one that throws an error naming the task, and at each further
 *    delivery that of one more frame below, up to the cancelled scope.
 * The count belongs to the cancelled scope: entering a scope in which no cancel is in force begins
 * at 0 (see `ScopeFrame`), and leaving it puts the count from before back.
 */
import { failing } from "./coroutine.ts";
import type { Cancelled } from "./errors.ts";
import { type Frame, NEXT, RETURN, THROW } from "./frame.ts";
import type { ScopeCore } from "./cancel_scope.ts";
import type { TaskCore } from "./task.ts";

/** What became of a wait that was interrupted. */
export type Interruption = typeof WITHDRAWN | typeof DEFERRED;
/** It is over and undone; the caller delivers the cancel. */
export const WITHDRAWN = 0;
/** It goes on, and ends later by itself. */
export const DEFERRED = 1;

/** After this many deliveries a coroutine that goes on all the same is dropped (R20). */
const MAX_DELIVERIES = 1000;

/**
 * Puts `cause` in force in `top` and in all below it that is neither shielded nor cancelled
 * already, and delivers it to the tasks that wait there. A list of work instead of recursion:
 * nurseries nest thousands deep.
 */
export function spread(top: ScopeCore, cause: ScopeCore): void {
  const pending: ScopeCore[] = [top];
  const watched: ScopeCore[] = [];
  for (let start = pending.pop(); start !== undefined; start = pending.pop()) {
    for (let scope: ScopeCore | null = start; scope !== null; scope = scope.inner) {
      if (scope !== top && (scope.shield || scope.cause !== null)) break;
      scope.cause = cause;
      if (scope.watchers !== null) watched.push(scope);
      for (let child = scope.firstChild; child !== null; child = child.next) {
        if (child.outermost !== null) pending.push(child.outermost);
        else interrupt(child);
      }
      if (scope.inner === null && scope.owner !== null) interrupt(scope.owner);
    }
  }
  // Last, because these call code of the user's, which may cancel more.
  if (watched.length > 0) notify(watched, cause.cancelled);
}

/** Works out `cause` anew, in `top` and below, after the shield of `top` has changed. */
export function refresh(top: ScopeCore): void {
  const outer = top.shield ? null : top.parent!.cause;
  if (outer !== null && top.cause === null) return spread(top, outer);
  const pending: ScopeCore[] = [top];
  for (let scope = pending.pop(); scope !== undefined; scope = pending.pop()) {
    const cause = (scope.shield ? null : scope.parent!.cause) ??
      (scope.cancelCalled ? scope : null);
    if (cause === scope.cause) continue;
    scope.cause = cause;
    if (scope.inner !== null) pending.push(scope.inner);
    for (let child = scope.firstChild; child !== null; child = child.next) {
      if (child.outermost !== null) pending.push(child.outermost);
    }
  }
}

/** Tells those who watch scopes: with the error of a cancel, or without one when the scope ends. */
export function notify(scopes: ScopeCore[], cancelled?: Cancelled): void {
  for (const scope of scopes) {
    const { watchers } = scope;
    scope.watchers = null;
    if (watchers !== null) { for (const watcher of watchers) watcher(cancelled); }
  }
}

/** Takes a task that waits out of its wait if a cancel is in force there. */
export function interrupt(task: TaskCore): void {
  const { wait } = task;
  const { cause } = task.scope;
  if (wait === null || cause === null) return;
  try {
    if (wait.interrupt() === DEFERRED) return;
  } catch (error) {
    task.wait = null;
    task.resumeWithError(error);
    return;
  }
  task.wait = null;
  // Also where the undo, which is code of the user's, has set a shield meanwhile.
  deliver(task, cause);
}

/** Makes a task ready that is to meet the cancel in force where it stands. */
export function deliver(task: TaskCore, cause: ScopeCore = task.scope.cause!): void {
  applyCancel(task, cause);
  task.scheduler.ready(task, cause);
}

/** Sets how a task meets the cancel in force, and counts that. */
export function applyCancel(task: TaskCore, cause: ScopeCore = task.scope.cause!): void {
  cause.delivered = true;
  const count = ++task.deliveries;
  if (count === 1) {
    task.mode = THROW;
    task.value = cause.cancelled;
    return;
  }
  if (count === 2) warnOfSwallow(task);
  task.mode = RETURN;
  if (count > MAX_DELIVERIES) drop(task, cause, count - MAX_DELIVERIES);
}

/** Puts an error in the place of the `depth` innermost coroutines, as far as the scope `cause`. */
function drop(task: TaskCore, cause: ScopeCore, depth: number): void {
  let frame: Frame & { scope?: ScopeCore } | null = task.frame;
  for (; frame !== null && depth > 0; depth--) {
    frame.iterator = failing(
      new Error(
        `Task ${task.name} was cancelled ${MAX_DELIVERIES} times and went on: its coroutine is dropped`,
      ),
    );
    frame = frame.scope === cause ? null : frame.below;
  }
  task.mode = NEXT;
  task.renewTop();
}

function warnOfSwallow(task: TaskCore): void {
  const extras = task.ensureExtras();
  if (extras.warned) return;
  extras.warned = true;
  const { position } = extras;
  const where = position ? `\n${position.split("\n", 1)[0]}` : "";
  task.scheduler.warn({
    message:
      `Task ${task.name} was cancelled, and waits again before it has left the cancelled scope. ` +
      `If a catch swallowed the Cancelled, rethrow it: if (error instanceof Cancelled) throw error. ` +
      `If this is cleanup, shield it: yield* shield(...) or yield* ensure(...).${where}`,
    task,
  });
}
