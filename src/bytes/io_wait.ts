/**
 * IoWait: a wait for a backend. It is an external wait, unless what answers is a task of the same
 * loop, as with streams in memory: then a virtual clock may jump meanwhile, and a deadlock is
 * found.
 *
 * Independent of: what is waited for.
 */
import type { TaskCore } from "../kernel/task.ts";
import { Wait } from "../kernel/wait.ts";

/** Waits for what a raw stream or listener answers. */
export abstract class IoWait<T> extends Wait<T> {
  static {
    this.prototype.external = true;
  }

  /** The raw stream or listener that answers. */
  protected abstract get source(): { readonly isInLoop?: boolean };

  override perform(task: TaskCore): boolean {
    if (this.source.isInLoop === true) this.external = false;
    return super.perform(task);
  }

  override enlist(task: TaskCore): void {
    if (this.source.isInLoop === true) this.external = false;
    super.enlist(task);
  }
}
