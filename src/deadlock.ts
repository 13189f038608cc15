/**
 * The deadlock report: the tree of the tasks that are left, what each waits for, and since when (R7).
 */
import type { NurseryCore } from "./nursery.ts";
import type { TaskCore } from "./task.ts";

/** The report is cut here: nobody reads further. */
const MOST_LINES = 60;

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
    if (++count > MOST_LINES) return;
    const { wait } = task;
    const what = wait === null ? task.state : wait.describe();
    const since = wait === null ? "" : `, for ${formatSeconds(now - task.since)}`;
    const shielded = task.scope.shield ? ", shielded" : "";
    const holders = wait?.holders?.() ?? [];
    const held = holders.length === 0
      ? ""
      : `, held by ${holders.map((holder) => holder.name).join(", ")}`;
    lines.push(
      `${"  ".repeat(Math.min(depth, 20) + 1)}${task.name}: ${what}${held}${shielded}${since}`,
    );
    const place = task.extras?.position.split("\n", 1)[0].trim();
    if (place) lines.push(`${"  ".repeat(Math.min(depth, 20) + 3)}${place}`);
  });
  if (count > MOST_LINES) lines.push(`  ... and ${count - MOST_LINES} more`);
  for (const cycle of findCycles(root)) {
    lines.push(
      `  A cycle: ${cycle.map((task) => task.name).join(" waits for ")} waits for ${cycle[0].name}`,
    );
  }
  const tasks = count === 1
    ? "1 task is left, and nothing"
    : `${count} tasks are left, and nothing`;
  return `Deadlock: ${tasks} can wake ${count === 1 ? "it" : "them"}\n${lines.join("\n")}`;
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

/** Cycles in "waits for what that task holds". Each task waits for one thing, so following the arrows from each suffices. */
function findCycles(root: NurseryCore): TaskCore[][] {
  const cycles: TaskCore[][] = [];
  const seen = new Map<TaskCore, number>();
  let round = 0;
  for (const start of liveTasks(root)) {
    round++;
    const path: TaskCore[] = [];
    let task: TaskCore | undefined = start;
    while (task !== undefined && !seen.has(task)) {
      seen.set(task, round);
      path.push(task);
      task = task.wait?.holders?.()[0];
    }
    if (task !== undefined && seen.get(task) === round) cycles.push(path.slice(path.indexOf(task)));
  }
  return cycles;
}
