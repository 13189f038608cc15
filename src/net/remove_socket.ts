/**
 * Removing the path of a socket that nobody listens to any more.
 */
import { Command } from "../kernel/coroutine.ts";
import type { TaskCore } from "../kernel/task.ts";
import { networkOf } from "./backend.ts";

class RemoveSocket extends Command<boolean> {
  readonly #path: string;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  perform(task: TaskCore): boolean {
    this.begin();
    task.value = networkOf(task.scheduler.loop).removeSocket(this.#path);
    return true;
  }

  describe(): string {
    return "remove socket";
  }
}

/** Removes a path if it is a socket; says whether it was one. Not a checkpoint. */
export function removeSocket(path: string): Command<boolean> {
  return new RemoveSocket(path);
}
