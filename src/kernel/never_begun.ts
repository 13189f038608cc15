/**
 * Operations that are made in debug mode and never begun: the forgotten `yield*`, as it is seen at
 * run time.
 *
 * Best effort: the engine tells when it has collected such an operation, which may be late, or
 * never before the program ends. Seen is every `Command` that a task of a debug loop makes. Not
 * seen is what a `function*` makes, for no library sees that; the lint rules find both before the
 * program runs.
 *
 * Invariant: outside of debug mode nothing is kept, and all it costs is one comparison with `null`
 * for each operation.
 * Independent of: when tasks run.
 */
import { Command, watchMaking } from "./command.ts";
import { coroutineStack } from "./stack.ts";
import type { TaskCore } from "./task.ts";

/** What is left of an operation when it is collected. Nothing here may refer to the operation. */
interface Made {
  begun: boolean;
  readonly frames: string;
  readonly task: TaskCore;
}

let registry: FinalizationRegistry<Made> | undefined;

/** The task that is stepped, where its loop is in debug mode. */
let watched: TaskCore | null = null;

/** Watches what is made while `task`, of a debug loop, is stepped; with null nothing. */
export function watchTask(task: TaskCore | null): void {
  watched = task;
  watchMaking(task === null ? null : watchCommand);
}

function watchCommand(command: object): void {
  // As text at once: a stack that was only captured holds the operation, whose constructor is in
  // it.
  const made: Made = { begun: false, frames: coroutineStack(Command as never), task: watched! };
  Object.defineProperty(command, "stage", stageOf(made));
  registry ??= new FinalizationRegistry(report);
  registry.register(command, made);
}

/** The `stage` of a command, kept outside of it: how far it came is known when it is gone. */
function stageOf(made: Made): PropertyDescriptor {
  let stage = 0;
  return {
    get: () => stage,
    set(next: number) {
      stage = next;
      if (next !== 0) made.begun = true; // for good: its maker may make it fresh again
    },
  };
}

function report({ begun, frames, task }: Made): void {
  if (begun) return;
  const message =
    `Task ${task.name} made an operation that was never begun: write yield* before it, or start it. It was made`;
  task.scheduler.warn({ message: `${message}\n${frames}`, task });
}
