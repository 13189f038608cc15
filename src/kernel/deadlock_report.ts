/**
 * The deadlock report: the tree of the tasks that are left, cycles among them, and what to do (R7).
 *
 * Independent of: how a deadlock is found.
 */
import type { ScopeCore } from "./cancel_scope.ts";
import type { TaskCore } from "./task.ts";
import { linesOf, TaskReader, tasksIn, walkTasks } from "./task_tree.ts";

/** The report is cut here: nobody reads further. */
const MAX_TASKS = 60;
const MAX_CYCLES = 3;

/**
 * What to do where it is none: something outside the loop will wake a task, but the loop does not
 * know.
 */
const HINT =
  "  If a callback or async code outside the loop will wake a task, say so: wait with suspend() or until(), keep the loop waiting " +
  "with loop.hold(), or run coroutines through a Portal.";

/** The text of a `DeadlockError`. */
export function deadlockReport(root: ScopeCore): string {
  const lines: string[] = [];
  const reader = new TaskReader(root.scheduler);
  let count = 0;
  walkTasks(root, (task, depth) => {
    if (++count <= MAX_TASKS) lines.push(...linesOf(reader.nodeOf(task, depth)));
  });
  if (count > MAX_TASKS) lines.push(`  ... and ${count - MAX_TASKS} more`);
  const cycles = findCycles(root);
  for (const cycle of cycles.slice(0, MAX_CYCLES)) {
    lines.push(
      `  A cycle: ${cycle.map((task) => task.name).join(" waits for ")} waits for ${cycle[0].name}`,
    );
  }
  if (cycles.length > MAX_CYCLES) lines.push(`  ... and ${cycles.length - MAX_CYCLES} more`);
  if (cycles.length === 0) lines.push(HINT);
  const tasks = count === 1
    ? "1 task is left, and nothing"
    : `${count} tasks are left, and nothing`;
  return `Deadlock: ${tasks} can wake ${count === 1 ? "it" : "them"}\n${lines.join("\n")}`;
}

/** The tasks that `task` waits for. */
function waitsFor({ wait }: TaskCore): readonly TaskCore[] {
  return [...wait?.holders?.() ?? [], ...wait?.awaited?.() ?? []];
}

/**
 * Cycles in "waits for". Depth first, without recursion: what leads back to the path that led here
 * closes a cycle.
 */
function findCycles(root: ScopeCore): TaskCore[][] {
  const cycles: TaskCore[][] = [];
  const seen = new Set<TaskCore>();
  for (const start of tasksIn(root)) {
    const path: TaskCore[] = [];
    const ahead: Iterator<TaskCore>[] = [];
    const places = new Map<TaskCore, number>();
    const enter = (task: TaskCore): void => {
      seen.add(task);
      places.set(task, path.length);
      path.push(task);
      ahead.push(waitsFor(task)[Symbol.iterator]());
    };
    if (!seen.has(start)) enter(start);
    while (path.length > 0) {
      const { done, value: next } = ahead[ahead.length - 1].next();
      if (done) {
        places.delete(path.pop()!);
        ahead.pop();
      } else if (places.has(next)) cycles.push(path.slice(places.get(next)));
      else if (!seen.has(next)) enter(next);
    }
  }
  return cycles;
}
