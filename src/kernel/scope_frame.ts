/**
 * ScopeFrame: the frame of a scope's body, and what the scope makes of how that ends (R19, R25).
 *
 * Invariant: the scope is the innermost one of the task exactly while the frame is on top or what
 * it called is. Independent of: how a cancel spreads.
 */
import type { ScopeCore } from "./cancel_scope.ts";
import type { TimeoutError } from "./errors.ts";
import { CONTINUE, Frame, isCancellation, NEXT, POP, THROW, type Verdict } from "./frame.ts";
import { noteThrown } from "./stack.ts";
import type { TaskCore } from "./task.ts";

/**
 * What a scope makes of its own cancel: `open` gives undefined, `move` the value of a body that
 * swallowed it, `fail` throws.
 */
export type ScopeStyle = "open" | "move" | "fail";

/** What the frame needs of the operation that opened the scope. */
export interface ScopeOpener {
  readonly style: ScopeStyle;
  /** Says that the time is over, and what time that was. */
  limit(): string;
}

/** The frame of a scope's body. */
export class ScopeFrame extends Frame {
  readonly scope: ScopeCore;
  readonly #opener: ScopeOpener;
  /**
   * What `task.deliveries` was outside: the way of delivering belongs to the scope that was
   * cancelled (R20). -1 where that is outside too: then they are counted on, or a loop around a
   * scope could swallow for ever.
   */
  readonly #deliveries: number;

  constructor(iterator: Frame["iterator"], task: TaskCore, scope: ScopeCore, opener: ScopeOpener) {
    super(iterator, task.frame);
    this.scope = scope;
    this.#opener = opener;
    this.#deliveries = -1;
    if (scope.shield || task.scope.cause === null) {
      this.#deliveries = task.deliveries;
      task.deliveries = 0;
    }
    task.frame = this;
  }

  override exit(task: TaskCore): Verdict {
    if (this.scope.cleanUp(this, task)) return CONTINUE;
    this.close(task);
    return POP;
  }

  /** Leaves the scope, and turns how the body ended into how the operation ends. */
  protected close(task: TaskCore): void {
    const { scope } = this;
    const cancelled = isCancellation(task);
    const caught = cancelled && scope.stops;
    scope.leave(task);
    if (cancelled && !caught) {
      if (this.#deliveries > task.deliveries) task.deliveries = this.#deliveries;
      const { cause } = scope.parent!;
      if (cause !== null && scope.threw(task.value)) task.value = cause.cancelled;
      return;
    }
    if (this.#deliveries >= 0) task.deliveries = this.#deliveries;
    if (caught) {
      scope.cancelledCaught = scope.delivered = true;
      task.mode = NEXT;
      task.value = undefined;
    }
    if (task.mode !== NEXT || !scope.delivered) return;
    const { style } = this.#opener;
    if (style === "open") task.value = undefined;
    if (style === "fail" && scope.expired) {
      const error = scope.reason as TimeoutError;
      error.message = error.message.replace(/^.*/, () => this.#opener.limit());
      noteThrown(error);
      task.mode = THROW;
      task.value = error;
    }
  }
}
