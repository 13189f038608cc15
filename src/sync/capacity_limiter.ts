/**
 * CapacityLimiter: a number of tokens, of which each is known to belong to somebody.
 *
 * Invariants
 * - A borrower has at most one token. `tokens` knows every borrower: those with a token, and those
 *   for which a task waits.
 * - While somebody waits, no token is free: one that becomes free, or is added, goes to the first
 *   waiter at once (R29), and belongs to that borrower whether its wait is cancelled before its
 *   turn or not (R18, R30).
 *
 * A token of a task that ended goes back: unlike a lock it protects nothing that could have been
 * left half done.
 */
import type { Selectable } from "../kernel/wait.ts";
import { checkBody, checkInteger, wrongKind } from "../check.ts";
import type { Body, Operation } from "../kernel/coroutine.ts";
import { OwnedResource } from "../kernel/ownership.ts";
import { runningTask } from "../kernel/scheduler.ts";
import type { TaskCore } from "../kernel/task.ts";
import { WaitList } from "../kernel/wait_list.ts";
import { type Acquirable, AcquireWait } from "./acquire_wait.ts";
import { WithCommand } from "../operations/guard.ts";
import { type SyncOptions, titleFrom } from "./sync_options.ts";

/**
 * What a limiter is doing, as in Trio.
 *
 * @example
 * ```ts
 * import { CapacityLimiter, type CapacityLimiterStatistics, Loop } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const load = ({ borrowed, total }: CapacityLimiterStatistics) => borrowed / total;
 *
 * const limiter = new CapacityLimiter(4);
 * await new Loop().run(limiter.with(function* () {
 *   assertEquals(load(limiter.statistics()), 0.25);
 * }));
 * ```
 */
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

  get acquired(): string {
    return this.#core.acquired;
  }

  /** Called when the token goes back. */
  release(): void {
    if (this.holder !== null) this.giveBack();
  }

  protected override ownerEnded(task: TaskCore): void {
    this.#core.tokens.delete(task);
    this.#core.handOff();
  }
}

/** The tokens and who waits for them. */
class LimiterCore implements Acquirable {
  readonly title: string;
  readonly waiters: WaitList<TokenWait> = new WaitList();
  /** By borrower: the token it has, or null while a task waits for one for it. */
  readonly tokens: Map<object, Token | null> = new Map();
  total: number;

  constructor(title: string, total: number) {
    this.title = title;
    this.total = total;
  }

  get acquired(): string {
    return `a token of ${this.title}`;
  }

  get borrowed(): number {
    return this.tokens.size - this.waiters.size;
  }

  /** The borrowers that have a token. */
  get borrowers(): object[] {
    return [...this.tokens].filter(([, token]) => token !== null).map(([borrower]) => borrower);
  }

  tryAcquire(task: TaskCore): boolean {
    return this.tryAcquireFor(task, task);
  }

  /** Gives `borrower` a token if one is free; false where it would have to wait. */
  tryAcquireFor(borrower: object, owner: TaskCore | null): boolean {
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

  releaseFor(borrower: object, owner: TaskCore | null): void {
    const token = this.tokens.get(borrower);
    if (!token) {
      throw new Error(`${nameOf(owner)} cannot release a token of ${this.title}: it has none`);
    }
    token.release();
    this.tokens.delete(borrower);
    this.handOff();
  }

  /** Gives what is free to those that wait. */
  handOff(): void {
    while (this.borrowed < this.total) {
      const wait = this.waiters.shift();
      if (wait === null) return;
      this.tokens.set(wait.borrower!, new Token(this, wait.owner));
      wait.handedOver();
    }
  }

  holders(): readonly TaskCore[] {
    return [...this.tokens.values()].flatMap((token) => token?.holder ?? []);
  }

  /** The running task: a token needs an owner. */
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

class TokenWait extends AcquireWait<LimiterCore> {
  /** For whom: null until the task is known that waits for itself. */
  declare borrower: object | null;
  /** The task, where it waits for itself. */
  declare owner: TaskCore | null;

  constructor(core: LimiterCore, borrower: object | null) {
    super(core);
    this.borrower = borrower;
    this.owner = null;
  }

  protected override arm(task: TaskCore): void {
    const { core } = this;
    if (this.borrower === null) this.borrower = this.owner = task;
    if (core.tryAcquireFor(this.borrower, this.owner)) return this.settle();
    core.tokens.set(this.borrower, null);
    core.waiters.push(this);
  }

  protected override disarm(): void {
    super.disarm();
    this.core.tokens.delete(this.borrower!);
  }
}

/**
 * So many at a time: like a semaphore whose permits know who has them, and whose number can be
 * changed while it is in use. A borrower has one token at most. A token of a task goes back when
 * that task ends, at the latest.
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
   * @throws {TypeError} If an argument is of the wrong kind, or an option unknown.
   * @throws {RangeError} If `total` is not an integer of at least 0, or Infinity.
   */
  constructor(total: number, options?: SyncOptions) {
    const title = titleFrom("capacity limiter", "CapacityLimiter", options);
    this.#core = new LimiterCore(title, checkTotal(total));
  }

  /**
   * How many tokens there are. More serve those that wait at once; fewer take from nobody: new
   * borrowers wait until enough have come back.
   */
  get total(): number {
    return this.#core.total;
  }

  /**
   * Changes how many tokens there are. Never waits; may be done from anywhere.
   *
   * @throws {TypeError} If it is not a number.
   * @throws {RangeError} If it is not an integer of at least 0, or Infinity.
   */
  set total(total: number) {
    this.#core.total = checkTotal(total);
    this.#core.handOff();
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
  acquire(): Selectable<void> {
    return new TokenWait(this.#core, null);
  }

  /**
   * Gives the running task a token where one is free; false where none is. Never waits.
   *
   * @throws {Error} If the running task has one already, or none is running.
   */
  tryAcquire(): boolean {
    const task = this.#core.runningTask("tryAcquire");
    return this.#core.tryAcquire(task);
  }

  /**
   * Gives the running task's token back; it goes to the first waiter. Never waits.
   *
   * @throws {Error} If the running task has none.
   */
  release(): void {
    const task = this.#core.runningTask("release");
    this.#core.releaseFor(task, task);
  }

  /**
   * Waits until `borrower` has a token: for a token that outlives this task or that another gives
   * back. A checkpoint, also where one is free.
   *
   * @param borrower Any object that stands for who has the token.
   * @throws {TypeError} If it is no object.
   * @throws {Error} If it has one already, or another task waits for one on its behalf.
   */
  acquireOnBehalfOf(borrower: object): Selectable<void> {
    return new TokenWait(this.#core, checkBorrower(borrower));
  }

  /**
   * Gives `borrower` a token where one is free; false where none is. Never waits; may be called
   * from anywhere.
   *
   * @throws {TypeError} If it is no object.
   * @throws {Error} If it has one already, or a task waits for one on its behalf.
   */
  tryAcquireOnBehalfOf(borrower: object): boolean {
    return this.#core.tryAcquireFor(checkBorrower(borrower), null);
  }

  /**
   * Gives the token of `borrower` back; it goes to the first waiter. Never waits; may be called
   * from anywhere.
   *
   * @throws {TypeError} If it is no object.
   * @throws {Error} If it has none.
   */
  releaseOnBehalfOf(borrower: object): void {
    this.#core.releaseFor(checkBorrower(borrower), null);
  }

  /**
   * Runs `body` while this task has a token, and releases that however the body ends. Gives the
   * body's value. A checkpoint.
   *
   * @throws {Error} If this task has a token already, or the body has released it.
   */
  with<T>(body: Body<T>): Operation<T> {
    return new WithCommand(this, checkBody(body, "with"));
  }

  /** Who has tokens, and how many wait. */
  statistics(): CapacityLimiterStatistics {
    const { total, borrowed, borrowers, waiters } = this.#core;
    return { total, borrowed, borrowers, tasksWaiting: waiters.size };
  }
}

function checkTotal(total: number): number {
  return checkInteger(total, "total of CapacityLimiter", 0, Infinity, true);
}

function checkBorrower(borrower: object): object {
  if (typeof borrower === "function" || (typeof borrower === "object" && borrower !== null)) {
    return borrower;
  }
  throw wrongKind("an object that stands for who has the token", borrower, "borrower");
}
