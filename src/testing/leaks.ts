/**
 * Leaks: what a test has left behind, each named (R55).
 */
import type { LeakWatch } from "../kernel/leak_watch.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import type { Task } from "../kernel/task.ts";
import { internalsOf, type Loop } from "../loop.ts";

/** Watches one loop for what is not given back. */
export class Leaks implements LeakWatch {
  readonly #open = new Map<object, string>();
  readonly #abandoned: string[] = [];
  readonly #loop: Loop;

  /** From now on; until `end`. */
  constructor(loop: Loop) {
    this.#loop = loop;
    internalsOf(loop).scheduler.leakWatch = this;
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

  /** The tasks that are left besides `main`, which is about to end. */
  tasksBeside(main: Task): string[] {
    return [...this.#loop.tasks]
      .filter((task) => task !== main)
      .map((task) => `task ${task.name}, ${task.state}`);
  }

  /** What is left when all tasks have ended. */
  rest(): string[] {
    const left = leftIn(internalsOf(this.#loop).scheduler);
    return [...this.#abandoned, ...this.#open.values(), ...left];
  }

  /** Watches no more. */
  end(): void {
    internalsOf(this.#loop).scheduler.leakWatch = null;
  }
}

/** What a scheduler still has when its tasks have ended, in words. */
export function leftIn({ timers, externals }: Scheduler): string[] {
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
