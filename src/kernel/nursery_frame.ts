/**
 * NurseryFrame: the frame of a nursery's body, which afterwards waits for the children, and what
 * comes of how they all ended.
 *
 * Invariant: it is popped only when the body has ended and the nursery is empty (R9).
 * Independent of: how children are started, and what becomes of their errors until then.
 */
import { applyCancel } from "./cancel_delivery.ts";
import type { ScopeCore } from "./cancel_scope.ts";
import type { Cancelled } from "./errors.ts";
import { CONTINUE, ENDED, isCancellation, type Mode, NEXT, POP, SUSPEND, THROW } from "./frame.ts";
import type { Verdict } from "./frame.ts";
import type { NurseryCore } from "./nursery.ts";
import { NurseryError } from "./nursery_error.ts";
import { ScopeFrame, type ScopeOpener } from "./scope_frame.ts";
import { noteThrown } from "./stack.ts";
import type { TaskCore } from "./task.ts";
import { DEFERRED, type Interruption, type Parking } from "./wait.ts";

/** What the frame of a scope asks; a nursery's timeout is no error, so `limit` is not called. */
const OPENER: ScopeOpener = { style: "open", limit: () => "" };

/** The frame of a nursery's body, which afterwards waits for the children. */
export class NurseryFrame extends ScopeFrame implements Parking {
  readonly #nursery: NurseryCore;
  #bodyEnded = false;
  #result: unknown = undefined;
  /** How the body was cancelled: what goes on outwards where this nursery does not stop it. */
  #cancellation: { mode: Mode; value: unknown } | null = null;
  /** A cancel arrived while it waited for the children. */
  #interrupted = false;

  constructor(task: TaskCore, scope: ScopeCore, nursery: NurseryCore) {
    super(ENDED, task, scope, OPENER);
    this.#nursery = nursery;
  }

  /**
   * Called when the body has ended, whenever the nursery was found empty, and when the cleanups
   * have run.
   */
  override exit(task: TaskCore): Verdict {
    const nursery = this.#nursery;
    if (!nursery.ended) {
      if (!this.#bodyEnded) this.#endBody(task);
      if (nursery.size > 0) return this.#waitForChildren(task);
      nursery.ended = true;
      task.mode = NEXT;
    }
    if (this.scope.cleanUp(this, task)) return CONTINUE;
    if (task.mode !== NEXT) nursery.addError(task.value, task);
    this.#conclude(task);
    this.close(task);
    return POP;
  }

  #endBody(task: TaskCore): void {
    this.#bodyEnded = true;
    this.iterator = ENDED;
    if (task.mode === NEXT) {
      this.#result = task.value;
    } else if (isCancellation(task)) {
      this.#cancellation = { mode: task.mode, value: task.value };
      if (this.scope.cause === null) {
        const { source, origin, reason } = task.value as Cancelled; // rethrown out of place
        this.scope.cancelFrom(source, origin, reason);
      }
    } else {
      this.#nursery.addError(task.value, task);
      this.scope.cancelFrom("sibling failed", task, task.value);
    }
  }

  #waitForChildren(task: TaskCore): Verdict {
    task.mode = NEXT;
    task.value = undefined;
    task.wait = this;
    task.since = task.scheduler.tick;
    this.#nursery.whenEmpty = () => {
      this.#nursery.whenEmpty = null;
      task.wait = null;
      task.scheduler.ready(task);
    };
    if (this.scope.cause !== null) this.interrupt();
    return SUSPEND;
  }

  /**
   * A wait like any other, but one that cannot be left before the children: the cancel lands after
   * them.
   */
  interrupt(): Interruption {
    this.#interrupted = true;
    this.scope.cause!.delivered = true;
    return DEFERRED;
  }

  #conclude(task: TaskCore): void {
    const { errors, tasks } = this.#nursery;
    task.mode = NEXT;
    task.value = this.#result;
    if (errors.length > 0) {
      task.mode = THROW;
      task.value = new NurseryError(errors, tasks);
      noteThrown(task.value);
    } else if (this.#cancellation !== null) {
      task.mode = this.#cancellation.mode;
      task.value = this.#cancellation.value;
    } else if (this.#interrupted && this.scope.cause !== null) {
      applyCancel(task);
    }
  }

  awaited(): readonly TaskCore[] {
    return this.#nursery.tasksLeft();
  }

  describe(): string {
    const { size, scope } = this.#nursery;
    return `waiting for ${size} ${size === 1 ? "child" : "children"}${
      scope.name && ` of ${scope.name}`
    }`;
  }
}
