/**
 * EventStream: checks, event by event, that what instruments are told makes sense (R58).
 *
 * Of each task: it is started once and first, and ends once; it is woken exactly where it waited,
 * before it is resumed; steps do not overlap; it ends before its parent. Of each scope: it is opened once, within those that
 * its task has open, cancelled at most once and only while open, and closed once, the innermost
 * first.
 */
import type { Instrument, ScopeView, Task } from "../../mod.ts";

type Phase = "ready" | "running" | "waiting" | "ended";

/** An instrument that notes what must not be. */
export class EventStream implements Required<Instrument> {
  readonly problems: string[] = [];
  /** How many events of each kind there were. */
  readonly counts: Record<string, number> = {};
  readonly #phases = new Map<Task, Phase>();
  readonly #open = new Map<Task, ScopeView[]>();
  readonly #cancelled = new Set<ScopeView>();
  #running: Task | null = null;

  taskStarted(task: Task, by: Task | null): void {
    this.#count("taskStarted");
    this.#check(!this.#phases.has(task), "started twice", task);
    this.#check(by === null || this.#phases.get(by) !== undefined, "started by a stranger", task);
    this.#phases.set(task, "ready");
    this.#open.set(task, []);
  }

  taskWaiting(task: Task, wait: { describe(): string }): void {
    this.#count("taskWaiting");
    const phase = this.#phases.get(task);
    this.#check(phase === "running" || phase === "ready", `waits while ${phase}`, task);
    this.#check(wait.describe() !== "", "waits for nothing", task);
    this.#phases.set(task, "waiting");
  }

  taskWoken(task: Task, wake: Parameters<Required<Instrument>["taskWoken"]>[1]): void {
    this.#count(`woken by ${wake.by}`);
    this.#expect(task, "waiting", "is woken");
    if (wake.by === "task") {
      this.#check(this.#phases.has(wake.task), "woken by a stranger", task);
      this.#check(wake.task !== task, "woke itself", task);
    }
    if (wake.by === "cancel") {
      this.#check(this.#cancelled.has(wake.scope), "met a cancel that was not told", task);
    }
    this.#phases.set(task, "ready");
  }

  beforeStep(task: Task): void {
    this.#count("beforeStep");
    this.#expect(task, "ready", "is resumed");
    this.#check(this.#running === null, "is resumed within a step", task);
    this.#running = task;
    this.#phases.set(task, "running");
  }

  afterStep(task: Task): void {
    this.#count("afterStep");
    this.#check(this.#running === task, "stops and was not running", task);
    this.#running = null;
    if (this.#phases.get(task) === "running") this.#phases.set(task, "ready");
  }

  taskEnded(task: Task, outcome: Parameters<Required<Instrument>["taskEnded"]>[1]): void {
    this.#count(`ended ${outcome.state}`);
    const phase = this.#phases.get(task);
    this.#check(phase !== undefined && phase !== "ended", `ends while ${phase}`, task);
    this.#check(outcome.state === task.state, `ended ${outcome.state}, but is ${task.state}`, task);
    this.#check(this.#open.get(task)?.length === 0, "has ended with open scopes", task);
    for (const [other, found] of this.#phases) {
      this.#check(other.parent !== task || found === "ended", "outlives its parent", other);
    }
    this.#phases.set(task, "ended");
  }

  scopeOpened(scope: ScopeView): void {
    this.#count("scopeOpened");
    const { owner } = scope;
    this.#check(owner !== null && this.#running === owner, "opened by another", scope);
    const stack = this.#open.get(owner!)!;
    const around = stack.at(-1);
    this.#check(around === undefined || scope.parent === around, "is not inside", scope);
    this.#check(!stack.includes(scope), "opened twice", scope);
    stack.push(scope);
  }

  scopeCancelled(scope: ScopeView, cancelled: unknown): void {
    this.#count(`cancelled ${scope.kind}`);
    this.#check(!this.#cancelled.has(scope), "cancelled twice", scope);
    this.#check(scope.cancelCalled && cancelled instanceof Error, "not cancelled", scope);
    this.#cancelled.add(scope);
    if (scope.kind === "loop") return;
    if (scope.kind === "task") {
      this.#check(this.#phases.get(scope.owner!) !== "ended", "late", scope);
    } else this.#check(this.#open.get(scope.owner!)!.includes(scope), "cancelled, not open", scope);
  }

  scopeClosed(scope: ScopeView): void {
    this.#count("scopeClosed");
    this.#check(this.#open.get(scope.owner!)?.pop() === scope, "not the innermost", scope);
  }

  warned(): void {
    this.#count("warned");
  }

  /** After the run: what is missing. */
  finish(): string[] {
    for (const [task, phase] of this.#phases) {
      this.#check(phase === "ended", `did not end: ${phase}`, task);
    }
    this.#check(this.#running === null, "still running", this.#running!);
    return this.problems;
  }

  #expect(task: Task, phase: Phase, what: string): void {
    const found = this.#phases.get(task);
    this.#check(found === phase, `${what} while ${found}`, task);
  }

  #check(holds: boolean, problem: string, about: Task | ScopeView): void {
    if (holds) return;
    const kind = "kind" in about ? `scope (${about.kind})` : "task";
    this.problems.push(`${kind} ${about?.name}: ${problem}`);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
