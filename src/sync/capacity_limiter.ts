/**
 * CapacityLimiter: so many at a time, each by name.
 *
 * Invariants
 * - A borrower has at most one token. `tokens` knows every borrower: those with a token, and those in line for one.
 * - While somebody is in line, no token is free: one that becomes free, or is added, goes to the first in line at once (R29), and is
 *   the property of that borrower whether its wait is cancelled before its turn or not (R18, R30).
 *
 * A token of a task that ended goes back: unlike a lock it protects nothing that could have been left half done.
 */
import type { Body, Operation } from "../kernel/coroutine.ts";
import { OwnedResource } from "../kernel/ownership.ts";
import { runningTask } from "../kernel/scheduler.ts";
import type { TaskCore } from "../kernel/task.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { WithCommand } from "./guard.ts";
import { LineWait } from "./parking_lot.ts";
import { type SyncOptions, titleOf } from "./title.ts";

/** What a limiter is doing, as in Trio. */
export interface CapacityLimiterStatistics {
  /** The number of tokens there are. */
  readonly total: number;
  /** The number of tokens that are borrowed. */
  readonly borrowed: number;
  /** Who has them: tasks, or what was given to `acquireOnBehalfOf`. */
  readonly borrowers: readonly object[];
  /** The number of tasks that wait for one. */
  readonly tasksWaiting: number;
}

/** One borrowed token. */
class Token extends OwnedResource {
  readonly #core: LimiterCore;

  /** With an owner, the token goes back when that ends. */
  constructor(core: LimiterCore, owner: TaskCore | null) {
    super();
    this.#core = core;
    if (owner !== null) this.take(owner);
  }

  /** Called when the token goes back. */
  end(): void {
    if (this.holder !== null) this.giveBack();
  }

  protected override ownerEnded(task: TaskCore): void {
    this.#core.tokens.delete(task);
    this.#core.serve();
  }
}

/** The tokens and who waits for them. */
class LimiterCore {
  readonly title: string;
  readonly line: WaitList<TokenWait> = new WaitList();
  /** By borrower: the token it has, or null while it is in line. */
  readonly tokens: Map<object, Token | null> = new Map();
  total: number;

  constructor(title: string, total: number) {
    this.title = title;
    this.total = total;
  }

  get borrowed(): number {
    return this.tokens.size - this.line.size;
  }

  /** The borrowers that have a token. */
  get borrowers(): object[] {
    return [...this.tokens].filter(([, token]) => token !== null).map(([borrower]) => borrower);
  }

  /** Gives `borrower` a token where one is free; false where it would have to wait. */
  admit(borrower: object, owner: TaskCore | null): boolean {
    const token = this.tokens.get(borrower);
    if (token !== undefined) {
      throw new Error(
        `${nameOf(owner)} ${token === null ? "waits for" : "has"} a token of ${this.title} ` +
          "already: one for each, or acquireOnBehalfOf() something else",
      );
    }
    if (this.borrowed >= this.total) return false;
    this.tokens.set(borrower, new Token(this, owner));
    return true;
  }

  release(borrower: object, owner: TaskCore | null): void {
    const token = this.tokens.get(borrower);
    if (!token) {
      throw new Error(`${nameOf(owner)} cannot release a token of ${this.title}: it has none`);
    }
    token.end();
    this.tokens.delete(borrower);
    this.serve();
  }

  /** Gives what is free to those in line. */
  serve(): void {
    while (this.borrowed < this.total) {
      const wait = this.line.shift();
      if (wait === null) return;
      this.tokens.set(wait.borrower!, new Token(this, wait.owner));
      wait.settle();
    }
  }

  /** The running task; a token needs an owner. */
  runningTask(by: string): TaskCore {
    const task = runningTask();
    if (task === null) {
      throw new Error(`${by}() of ${this.title} outside of any task: use ${by}OnBehalfOf()`);
    }
    return task;
  }
}

function nameOf(owner: TaskCore | null): string {
  return owner === null ? "The borrower" : `Task ${owner.name}`;
}

class TokenWait extends LineWait {
  declare private readonly core: LimiterCore;
  /** For whom: null until the task is known that waits for itself. */
  declare borrower: object | null;
  /** The task, where it waits for itself. */
  declare owner: TaskCore | null;

  constructor(core: LimiterCore, borrower: object | null) {
    super();
    this.core = core;
    this.borrower = borrower;
    this.owner = null;
  }

  protected get line(): WaitList<TokenWait> {
    return this.core.line;
  }

  protected arm(task: TaskCore): void {
    const core = this.core;
    if (this.borrower === null) this.borrower = this.owner = task;
    if (core.admit(this.borrower, this.owner)) return this.settle();
    core.tokens.set(this.borrower, null);
    core.line.push(this);
  }

  protected override disarm(): void {
    super.disarm();
    this.core.tokens.delete(this.borrower!);
  }

  describe(): string {
    return `acquiring a token of ${this.core.title}`;
  }

  holders(): readonly TaskCore[] {
    return [...this.core.tokens.values()].flatMap((token) => token?.holder ?? []);
  }
}

/**
 * So many at a time: like a semaphore whose permits know who has them, and whose number can be changed while it is in use. A borrower
 * has one token at most. A token of a task goes back when that task ends, at the latest.
 *
 * @example
 * ```ts
 * import { CapacityLimiter, Loop, sleep } from "jsr:@broomio/core";
 *
 * const limiter = new CapacityLimiter(2);
 * function* job(id: number) {
 *   yield* limiter.with(sleep(0.01)); // two at a time
 *   console.log(`job ${id} done`);
 * }
 * const loop = new Loop();
 * for (const id of [1, 2, 3, 4]) loop.startSoon(job(id));
 * limiter.total = 3; // from now on three
 * await loop.run();
 * ```
 */
export class CapacityLimiter {
  readonly #core: LimiterCore;

  /**
   * Makes a limiter.
   *
   * @param total How many tokens there are; with 0 everyone waits until there are more.
   * @throws {RangeError} If `total` is not a whole number of at least 0, or Infinity.
   */
  constructor(total: number, options: SyncOptions = {}) {
    this.#core = new LimiterCore(titleOf("capacity limiter", options), checkTotal(total));
  }

  /**
   * How many tokens there are. More serve those in line at once; fewer take from nobody: new borrowers wait until enough have come back.
   */
  get total(): number {
    return this.#core.total;
  }

  /**
   * Changes how many tokens there are. Never waits; may be done from anywhere.
   *
   * @throws {RangeError} If it is not a whole number of at least 0, or Infinity.
   */
  set total(total: number) {
    this.#core.total = checkTotal(total);
    this.#core.serve();
  }

  /** How many tokens are borrowed. */
  get borrowed(): number {
    return this.#core.borrowed;
  }

  /** How many tokens are free. */
  get available(): number {
    return Math.max(0, this.#core.total - this.#core.borrowed);
  }

  /**
   * Waits until this task has a token. A checkpoint, also where one is free.
   *
   * @throws {Error} If this task has one already.
   */
  acquire(): Operation<void> {
    return new TokenWait(this.#core, null);
  }

  /**
   * Gives the running task a token where one is free; false where none is. Never waits.
   *
   * @throws {Error} If the running task has one already, or none is running.
   */
  tryAcquire(): boolean {
    const task = this.#core.runningTask("tryAcquire");
    return this.#core.admit(task, task);
  }

  /**
   * Gives the running task's token back; it goes to the first in line. Never waits.
   *
   * @throws {Error} If the running task has none.
   */
  release(): void {
    const task = this.#core.runningTask("release");
    this.#core.release(task, task);
  }

  /**
   * Waits until `borrower` has a token: for a token that outlives this task or that another gives back. A checkpoint, also where one is free.
   *
   * @param borrower Any object that stands for who has the token.
   * @throws {TypeError} If it is no object.
   * @throws {Error} If it has one already, or another task waits for one on its behalf.
   */
  acquireOnBehalfOf(borrower: object): Operation<void> {
    return new TokenWait(this.#core, checkBorrower(borrower));
  }

  /**
   * Gives `borrower` a token where one is free; false where none is. Never waits; may be called from anywhere.
   *
   * @throws {TypeError} If it is no object.
   * @throws {Error} If it has one already, or a task waits for one on its behalf.
   */
  tryAcquireOnBehalfOf(borrower: object): boolean {
    return this.#core.admit(checkBorrower(borrower), null);
  }

  /**
   * Gives the token of `borrower` back; it goes to the first in line. Never waits; may be called from anywhere.
   *
   * @throws {TypeError} If it is no object.
   * @throws {Error} If it has none.
   */
  releaseOnBehalfOf(borrower: object): void {
    this.#core.release(checkBorrower(borrower), null);
  }

  /**
   * Runs `body` while this task has a token, and releases that however the body ends. Gives the body's value. A checkpoint.
   *
   * @throws {Error} If this task has a token already, or the body has released it.
   */
  with<T>(body: Body<T>): Operation<T> {
    return new WithCommand(this, body);
  }

  /** Who has tokens, and how many wait. */
  statistics(): CapacityLimiterStatistics {
    const { total, borrowed, borrowers, line } = this.#core;
    return { total, borrowed, borrowers, tasksWaiting: line.size };
  }
}

function checkTotal(total: number): number {
  if (total !== Infinity && !(Number.isSafeInteger(total) && total >= 0)) {
    throw new RangeError(`total is a whole number of at least 0, or Infinity, not ${total}`);
  }
  return total;
}

function checkBorrower(borrower: object): object {
  if (typeof borrower === "function" || (typeof borrower === "object" && borrower !== null)) {
    return borrower;
  }
  throw new TypeError(
    `A borrower is an object, told apart by identity, not ${
      borrower === null ? "null" : typeof borrower
    }`,
  );
}
