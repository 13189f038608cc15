/**
 * ExploredQueue: the ready queue of an explored loop. It asks a strategy which task is next, and
 * keeps what it answered.
 *
 * Invariants
 * - `items[head]` to `items[head + length - 1]` are the ready tasks, in the order in which they
 *   became ready.
 * - Candidate 0 is the task that ran last, where it can go on, else the oldest; the others follow
 *   in order. A task that has run `MAX_STREAK` times in a row is not put first any more: it may
 *   poll, and would keep the others from running for ever.
 * - `choices[0]` to `choices[decisions - 1]` are the answers, one for each moment at which there
 *   was a choice; so the same choices give the same run, and `hash` tells where they did not.
 *
 * This is the hot path of an exploration. So there is one array, no record for each decision, and
 * removing from the middle moves the shorter side.
 */
import { RingBuffer } from "../../kernel/ring_buffer.ts";
import type { Scheduler } from "../../kernel/scheduler.ts";
import type { TaskCore } from "../../kernel/task.ts";
import type { ExploredHost } from "./explored_host.ts";
import type { PlannedCancel } from "./schedule.ts";
import { type Candidates, type Strategy, TIME } from "./strategy.ts";

const MAX_STREAK = 50;
/** FNV-1a, on words instead of bytes. */
const HASH_START = 0x811c9dc5 | 0;
const HASH_FACTOR = 16777619;

/** Told of what an exploration decided, where it is not what an ordinary loop would have done. */
export interface DecisionLog {
  preempted(task: TaskCore): void;
  timePassed(now: number): void;
  cancelled(task: TaskCore): void;
}

/** The ready tasks of an explored loop. */
export class ExploredQueue extends RingBuffer<TaskCore> implements Candidates {
  strategy: Strategy;
  readonly #host: ExploredHost;
  /** Set before the first run: the scheduler is made with the queue. */
  scheduler!: Scheduler;
  /** Whether time may pass while tasks are ready. */
  timeMayPass: boolean = true;
  maxSteps: number = 100_000;
  /** The cancel of this run. */
  cancel: PlannedCancel | null = null;
  /** The task that was cancelled so. */
  victim: TaskCore | null = null;
  /** The run was ended because it took too many steps. */
  stopped: boolean = false;
  steps: number = 0;
  decisions: number = 0;
  readonly choices: number[] = [];
  hash: number = HASH_START;
  /** The log that `hash` is of, where it is to be kept: see `logEntry`. */
  log: number[] | null = null;
  decisionLog: DecisionLog | null = null;

  readonly #items: (TaskCore | undefined)[] = [];
  #head = 0;
  #length = 0;
  #last: TaskCore | null = null;
  #streak = 0;
  /** Where among the ready tasks candidate 0 is. */
  #first = 0;
  #time = false;
  #preempts = false;

  constructor(strategy: Strategy, host: ExploredHost) {
    super();
    this.strategy = strategy;
    this.#host = host;
  }

  /** Makes it as new, for the next run. */
  reset(): void {
    this.#items.fill(undefined, this.#head, this.#head + this.#length);
    this.#length =
      this.#head =
      this.steps =
      this.decisions =
      this.#streak =
        0;
    this.hash = HASH_START;
    this.stopped = false;
    this.cancel = this.victim = this.#last = null;
  }

  get count(): number {
    return this.#length;
  }

  get time(): boolean {
    return this.#time;
  }

  get preempts(): boolean {
    return this.#preempts;
  }

  get oldest(): number {
    return this.#first === 0 ? 0 : 1;
  }

  idOf(candidate: number): number {
    return this.#items[this.#head + this.#placeOf(candidate)]!.id;
  }

  override get length(): number {
    return this.#length;
  }

  override push(task: TaskCore): void {
    if (this.#head >= 64 && this.#head >= this.#length) {
      this.#items.copyWithin(0, this.#head, this.#head + this.#length);
      this.#items.fill(undefined, this.#length, this.#head + this.#length);
      this.#head = 0;
    }
    this.#items[this.#head + this.#length++] = task;
    this.strategy.readied?.(task);
  }

  override shift(): TaskCore | undefined {
    if (this.#length === 0 || this.stopped) return undefined;
    if (++this.steps > this.maxSteps) {
      this.stopped = true;
      return undefined;
    }
    if (this.cancel !== null && this.steps === this.cancel.step) this.#cancelVictim(this.cancel);
    const timers = this.timeMayPass ? this.scheduler.timers : null;
    for (;;) {
      this.#time = timers !== null && timers.size > 0;
      if (this.#length === 1 && !this.#time) {
        this.#first = 0;
        return this.#take(0);
      }
      this.#findFirst();
      const candidate = this.#decide();
      if (candidate !== TIME) return this.#take(this.#placeOf(candidate));
      this.#passTime();
    }
  }

  /** Asks the strategy, and keeps the answer; one that is not possible becomes 0. */
  #decide(): number {
    let candidate = this.strategy.choose(this);
    const possible = candidate === TIME ? this.#time : candidate >= 0 && candidate < this.#length;
    if (!possible) candidate = 0;
    this.choices[this.decisions++] = candidate;
    if (candidate !== 0 && candidate !== TIME && this.#preempts) {
      this.decisionLog?.preempted(this.#last!);
    }
    return candidate;
  }

  /** Finds candidate 0. */
  #findFirst(): void {
    this.#first = 0;
    this.#preempts = false;
    const last = this.#last;
    if (last === null) return;
    // It ran last, so where it is ready again, it is most likely the newest.
    for (let i = this.#length - 1; i >= 0; i--) {
      if (this.#items[this.#head + i] !== last) continue;
      if (this.#streak <= MAX_STREAK) this.#first = i;
      this.#preempts = true;
      return;
    }
  }

  #placeOf(candidate: number): number {
    if (candidate === 0) return this.#first;
    return candidate <= this.#first ? candidate - 1 : candidate;
  }

  #passTime(): void {
    const { scheduler } = this;
    scheduler.running = null;
    const now = this.#host.passTo(scheduler.timers.next);
    this.#note(TIME, this.#length);
    this.decisionLog?.timePassed(now);
    scheduler.fire(now);
  }

  #cancelVictim({ task: id }: PlannedCancel): void {
    this.scheduler.running = null;
    for (const task of this.scheduler.loop.tasks) {
      if (task.id !== id) continue;
      this.victim = task as TaskCore;
      this.decisionLog?.cancelled(this.victim);
      task.cancel(EXPLORED);
      return;
    }
  }

  /** Takes out the task at a place, the one that runs next. */
  #take(place: number): TaskCore {
    const items = this.#items;
    const head = this.#head;
    const length = this.#length;
    const task = items[head + place]!;
    if (place < length >> 1) {
      for (let i = head + place; i > head; i--) items[i] = items[i - 1];
      items[head] = undefined;
      this.#head = head + 1;
    } else {
      for (let i = head + place, end = head + length - 1; i < end; i++) items[i] = items[i + 1];
      items[head + length - 1] = undefined;
    }
    this.#note(task.id, length);
    if (--this.#length === 0) this.#head = 0;
    if (task === this.#last) this.#streak++;
    else {
      this.#streak = 0;
      this.#last = task;
    }
    return task;
  }

  /** Adds to the log: `id` goes on, of `length` ready tasks. */
  #note(id: number, length: number): void {
    const entry = id ^ (length << 16);
    this.hash = Math.imul(this.hash ^ entry, HASH_FACTOR);
    if (this.log !== null) this.log.push(entry);
  }
}

/** The reason of the cancels that an exploration makes. */
export const EXPLORED = "cancelled by explore()";
