/**
 * The deadlock report: the tree of the tasks that are left, what each waits for, and since when (R7).
 */
import type { NurseryCore } from "./nursery.ts";
import type { TaskCore } from "./task.ts";

/** The report is cut here: nobody reads further. */
const MAX_LINES = 60;
const MAX_CYCLES = 3;
const MAX_HOLDERS = 3;

/** Every live task of a nursery and of the nurseries in it, parents first. */
export function liveTasks(root: NurseryCore): TaskCore[] {
  const tasks: TaskCore[] = [];
  walk(root, (task) => tasks.push(task));
  return tasks;
}

/** The text of a `DeadlockError`. */
export function deadlockReport(root: NurseryCore, now: number): string {
  const lines: string[] = [];
  let count = 0;
  walk(root, (task, depth) => {
    if (++count > MAX_LINES) return;
    const { wait } = task;
    const what = wait === null ? task.state : wait.describe();
    const since = wait === null ? "" : `, for ${formatSeconds(now - task.since)}`;
    const shielded = task.scope.shield ? ", shielded" : "";
    const held = heldBy(wait?.holders?.() ?? []);
    lines.push(
      `${"  ".repeat(Math.min(depth, 20) + 1)}${task.name}: ${what}${held}${shielded}${since}`,
    );
    const place = task.extras?.position.split("\n", 1)[0].trim();
    if (place) lines.push(`${"  ".repeat(Math.min(depth, 20) + 3)}${place}`);
  });
  if (count > MAX_LINES) lines.push(`  ... and ${count - MAX_LINES} more`);
  const cycles = findCycles(root);
  for (const cycle of cycles.slice(0, MAX_CYCLES)) {
    lines.push(
      `  A cycle: ${cycle.map((task) => task.name).join(" waits for ")} waits for ${cycle[0].name}`,
    );
  }
  if (cycles.length > MAX_CYCLES) lines.push(`  ... and ${cycles.length - MAX_CYCLES} more`);
  const tasks = count === 1
    ? "1 task is left, and nothing"
    : `${count} tasks are left, and nothing`;
  return `Deadlock: ${tasks} can wake ${count === 1 ? "it" : "them"}\n${lines.join("\n")}`;
}

function heldBy(holders: readonly TaskCore[]): string {
  if (holders.length === 0) return "";
  const names = holders.slice(0, MAX_HOLDERS).map((holder) => holder.name).join(", ");
  const more = holders.length - MAX_HOLDERS;
  return `, held by ${names}${more > 0 ? ` and ${more} more` : ""}`;
}

function formatSeconds(milliseconds: number): string {
  return milliseconds < 1000
    ? `${Math.max(0, milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Visits the tasks depth first, without recursion: nurseries nest thousands deep. */
function walk(root: NurseryCore, visit: (task: TaskCore, depth: number) => void): void {
  const pending: { task: TaskCore; depth: number }[] = [];
  const push = (scope: NurseryCore["scope"], depth: number): void => {
    for (let child = scope.lastChild; child !== null; child = child.previous) {
      pending.push({ task: child, depth });
    }
  };
  push(root.scope, 0);
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    visit(entry.task, entry.depth);
    for (let scope = entry.task.outermost; scope !== null; scope = scope.inner) {
      push(scope, entry.depth + 1);
    }
  }
}

/** The tasks that `task` waits for. */
function waitsFor({ wait }: TaskCore): readonly TaskCore[] {
  return [...wait?.holders?.() ?? [], ...wait?.awaited?.() ?? []];
}

/** Cycles in "waits for". Depth first, without recursion: what leads back to the path that led here closes a cycle. */
function findCycles(root: NurseryCore): TaskCore[][] {
  const cycles: TaskCore[][] = [];
  const seen = new Set<TaskCore>();
  for (const start of liveTasks(root)) {
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
