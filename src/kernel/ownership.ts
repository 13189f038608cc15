/**
 * OwnedResource: what a task owns until it gives it back, and what becomes of it where the task
 * ends first (R31).
 *
 * Invariant: a holding is in the list of its holder, headed by `task.extras.held`, exactly while
 * `holder` is set. The holding itself is the node, so that taking and giving back, which locks do
 * all the time, allocate nothing. Rejected: a watcher on the end of the task for each lock it
 * takes, which costs a set entry and a closure each time. Independent of: what is owned.
 */
import type { TaskCore } from "./task.ts";

/** Something that one task at a time owns. */
export abstract class OwnedResource {
  /** What it is, for messages: `lock "db"`. */
  abstract readonly acquired: string;
  /** The task that owns it now. */
  holder: TaskCore | null = null;
  private newer: OwnedResource | null = null;
  /** What the same task owned before; null for the first, and where it has no owner. */
  older: OwnedResource | null = null;

  /** Makes `task` the owner; there is none before. */
  protected take(task: TaskCore): void {
    const extras = task.extras ?? task.ensureExtras();
    const older = extras.held;
    this.holder = task;
    this.older = older;
    if (older !== null) older.newer = this;
    extras.held = this;
  }

  /** Ends the ownership. */
  protected giveBack(): void {
    const { newer, older } = this;
    if (newer === null) this.holder!.extras!.held = older;
    else newer.older = older;
    if (older !== null) older.newer = newer;
    this.holder = this.newer = this.older = null;
  }

  /** Called when the owner has ended without giving it back. */
  forsake(): void {
    const task = this.holder!;
    task.scheduler.leakWatch?.abandoned(this.acquired, task);
    this.giveBack();
    this.ownerEnded(task);
  }

  /** `task` has ended and was the owner until now. */
  protected abstract ownerEnded(task: TaskCore): void;
}
