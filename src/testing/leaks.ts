/**
 * Leaks: what a test has left behind, each named (R55).
 */
import type { LeakWatch } from "../kernel/leak_watch.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import type { Task } from "../kernel/task.ts";
import type { Loop } from "../loop.ts";

/** Watches one loop at a time for what is not given back. */
export class Leaks implements LeakWatch {
  readonly #open = new Map<object, string>();
  readonly #abandoned: string[] = [];
  #scheduler: Scheduler | null = null;

  /** Begins anew, with the loop of this scheduler; until `end`, or until another one watches it. */
  watch(scheduler: Scheduler): void {
    if (this.#open.size > 0) this.#open.clear();
    if (this.#abandoned.length > 0) this.#abandoned.length = 0;
    this.#scheduler = scheduler;
    scheduler.leakWatch = this;
  }

  /** Whether anything is left. */
  get some(): boolean {
    const { timers, externals } = this.#scheduler!;
    return timers.size > 0 || externals > 0 || this.#open.size > 0 || this.#abandoned.length > 0;
  }

  abandoned(what: string, owner: Task): void {
    this.#abandoned.push(`${what}, which ${owner.name} owned when it ended`);
  }

  opened(resource: object, what: string): void {
    this.#open.set(resource, what);
  }

  closed(resource: object): void {
    this.#open.delete(resource);
  }

  /** What is left when all tasks have ended. */
  rest(): string[] {
    return [...this.#abandoned, ...this.#open.values(), ...leftIn(this.#scheduler!)];
  }

  /** Watches no more. */
  end(): void {
    if (this.#scheduler!.leakWatch === this) this.#scheduler!.leakWatch = null;
  }
}

/** The tasks that are left besides `main`, which is about to end. */
export function tasksBeside(main: Task, loop: Loop): string[] {
  return [...loop.tasks]
    .filter((task) => task !== main)
    .map((task) => `task ${task.name}, ${task.state}`);
}

/** What a scheduler still has when its tasks have ended, in words. */
function leftIn({ timers, externals }: Scheduler): string[] {
  const left: string[] = [];
  if (timers.size > 0) left.push(timers.size === 1 ? "a timer" : `${timers.size} timers`);
  if (externals > 0) {
    left.push(
      externals === 1
        ? "a wait for something outside, or a hold of the loop"
        : `${externals} waits for something outside, or holds of the loop`,
    );
  }
  return left;
}
