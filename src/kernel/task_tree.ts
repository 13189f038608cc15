/**
 * The tree of tasks: which there are, what each waits for, since when, and who holds that. What
 * deadlock reports, timeouts and the task tree of `trace` are made of.
 *
 * Invariant: looking changes nothing, at any moment; no recursion, because nurseries nest thousands
 * deep. Independent of: loops and runs.
 */
import type { ScopeCore } from "./cancel_scope.ts";
import type { Scheduler } from "./scheduler.ts";
import type { TaskCore, TaskState } from "./task.ts";

/**
 * One task, as it is at this moment.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, sleep } from "jsr:@broomio/core";
 * import { VirtualClock } from "jsr:@broomio/core/testing";
 * import { type TaskNode, taskTree } from "jsr:@broomio/core/trace";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const show = ({ name, state }: TaskNode) => `${name} is ${state}`;
 *
 * const loop = new Loop({ host: new VirtualClock() });
 * await loop.run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(sleep(2), { name: "worker" });
 *   yield* sleep(1);
 *   assertEquals(taskTree(loop).tasks.map(show), ["main is running", "worker is waiting"]);
 * }));
 * ```
 */
export interface TaskNode {
  /** Unique within the loop. */
  readonly id: number;
  /** The name given when it was started, or `#` and the id. */
  readonly name: string;
  /** What it is doing. */
  readonly state: TaskState;
  /** How many tasks are around it, within what was asked for. */
  readonly depth: number;
  /** What it waits for, such as "acquiring lock db"; undefined where it does not wait. */
  readonly waitsFor: string | undefined;
  /**
   * For how long, in seconds; 0 where it does not wait. In debug mode exact; else counted from the
   * last look at the clock before it began to wait, which is too long by what its step took.
   */
  readonly seconds: number;
  /** The tasks that hold what it waits for. */
  readonly holders: readonly string[];
  /** Whether there is a shield around it: cancels from beyond that do not reach it. */
  readonly shielded: boolean;
  /** Whether a cancel is in force where it is. */
  readonly cancelled: boolean;
  /**
   * The earliest deadline that will cancel it: seconds on the loop's clock, or Infinity. Not that
   * of a scope that was cancelled already, nor one from beyond a shield.
   */
  readonly deadline: number;
  /** Where it waits or will go on, as a line of a stack; known in debug mode. */
  readonly where: string;
}

const MAX_HOLDERS = 3;
const MAX_INDENT = 20;

/** Calls `visit` for every live task in `scope`, parents first, until it returns false. */
export function walkTasks(
  scope: ScopeCore,
  visit: (task: TaskCore, depth: number) => boolean | void,
): void {
  const pending: { task: TaskCore; depth: number }[] = [];
  const push = (scope: ScopeCore, depth: number): void => {
    for (let child = scope.lastChild; child !== null; child = child.previous) {
      pending.push({ task: child, depth });
    }
  };
  const pushAll = (scope: ScopeCore | null, depth: number): void => {
    for (let inner = scope; inner !== null; inner = inner.inner) push(inner, depth);
  };
  pushAll(scope, 0);
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    if (visit(entry.task, entry.depth) === false) return;
    pushAll(entry.task.outermost, entry.depth + 1);
  }
}

/** Every live task in a scope, parents first. */
export function tasksIn(scope: ScopeCore): TaskCore[] {
  const tasks: TaskCore[] = [];
  walkTasks(scope, (task) => {
    tasks.push(task);
  });
  return tasks;
}

/** Reads tasks as data, all as of one moment. */
export class TaskReader {
  readonly #tick: number;
  /** What was found out about scopes: a thousand tasks may be inside each other. */
  readonly #surroundings: Map<ScopeCore, Surroundings> = new Map();

  constructor(scheduler: Scheduler) {
    this.#tick = scheduler.tickNow();
  }

  /** One task; `depth` is how many are around it. */
  nodeOf(task: TaskCore, depth: number): TaskNode {
    const { wait, scope, state } = task;
    return {
      id: task.id,
      name: task.name,
      state,
      depth,
      waitsFor: wait?.describe(),
      seconds: wait === null ? 0 : Math.max(0, this.#tick - task.since) / 1000,
      holders: (wait?.holders?.() ?? []).map((holder) => holder.name),
      cancelled: scope.cause !== null,
      ...this.#surroundingsOf(scope),
      where: state === "running" ? "" : placeOf(task),
    };
  }

  /** What holds in a scope: of its own, and of those around it. */
  #surroundingsOf(scope: ScopeCore): Surroundings {
    const inside: ScopeCore[] = [];
    let found: Surroundings | undefined;
    for (let each: ScopeCore | null = scope; each !== null; each = each.parent) {
      found = this.#surroundings.get(each);
      if (found !== undefined) break;
      inside.push(each);
    }
    found ??= { shielded: false, deadline: Infinity };
    for (const each of inside.reverse()) {
      const own = each.cancelCalled ? Infinity : each.deadline;
      found = {
        shielded: each.shield || found.shielded,
        deadline: each.shield ? own : Math.min(own, found.deadline),
      };
      this.#surroundings.set(each, found);
    }
    return found;
  }
}

type Surroundings = Pick<TaskNode, "shielded" | "deadline">;

/** Where a task waits; "" where that is not kept up to date (see `stepObserved`). */
function placeOf(task: TaskCore): string {
  const known = task.scheduler.debug || task.deliveries > 0;
  return known ? task.extras?.position.split("\n", 1)[0].trim() ?? "" : "";
}

/** A node as lines of text, indented below the first. */
export function linesOf(node: TaskNode): string[] {
  const { depth, waitsFor, holders, shielded, where } = node;
  const indent = "  ".repeat(Math.min(depth, MAX_INDENT) + 1);
  const since = waitsFor === undefined ? "" : `, for ${formatSeconds(node.seconds)}`;
  const what = waitsFor ?? node.state;
  const line = `${indent}${node.name}: ${what}${heldBy(holders)}${
    shielded ? ", shielded" : ""
  }${since}`;
  return where === "" ? [line] : [line, `${indent}    ${where}`];
}

function heldBy(holders: readonly string[]): string {
  if (holders.length === 0) return "";
  const more = holders.length - MAX_HOLDERS;
  return `, held by ${holders.slice(0, MAX_HOLDERS).join(", ")}${
    more > 0 ? ` and ${more} more` : ""
  }`;
}

function formatSeconds(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/**
 * What the tasks in a scope wait for, its owner first, in at most `max` lines and some; "" where
 * there is none.
 */
export function reportScope(scope: ScopeCore, max: number): string {
  const lines: string[] = [];
  const reader = new TaskReader(scope.scheduler);
  let more = false;
  const { owner } = scope;
  if (owner !== null) lines.push(...linesOf(reader.nodeOf(owner, 0)));
  walkTasks(scope, (task, depth) => {
    more = lines.length >= max;
    if (more) return false;
    lines.push(...linesOf(reader.nodeOf(task, depth + 1)));
  });
  if (more) lines.push("  ... and more");
  return lines.join("\n");
}
