/**
 * select: waits for several things at once, and exactly one of them happens.
 *
 * Invariant: an arm is enlisted (see `Wait.enlist`) exactly while the task is parked here; the arm
 * that settles first takes the others out before anything else runs, so no second one can happen,
 * and none leaves a trace. Independent of: what the arms are.
 *
 * Why the arms are operations and not coroutines: a coroutine would have to be run to its wait, and
 * what it did on the way could not be taken back. An operation that is one wait does nothing before
 * `arm`, and `disarm` undoes that.
 */
import { checkObject } from "../check.ts";
import { interrupt } from "../kernel/cancel_delivery.ts";
import type { Operation, Trap } from "../kernel/coroutine.ts";
import { noteThrown } from "../kernel/stack.ts";
import { runningTask } from "../kernel/scheduler.ts";
import type { TaskCore } from "../kernel/task.ts";
import {
  type Choice,
  DEFERRED,
  type Interruption,
  type Parking,
  type Selectable,
  Wait,
} from "../kernel/wait.ts";

/**
 * The operations that {@linkcode select} chooses from, by name.
 *
 * @example
 * ```ts
 * import { type Arms, Event, Loop, openChannel, select, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const { receiver } = openChannel<string>(0);
 * const stop = new Event();
 * const arms = {
 *   message: receiver.receive(),
 *   stop: stop.wait(),
 *   late: sleep(0.01),
 * } satisfies Arms;
 * const { arm } = await new Loop().run(select(arms));
 * assertEquals(arm, "late");
 * ```
 */
export type Arms = Readonly<Record<string, Selectable<unknown>>>;

/**
 * What {@linkcode select} gives: the name of the arm that happened, and its value.
 *
 * @example
 * ```ts
 * import { Loop, openChannel, select, type Selected, sleep } from "jsr:@broomio/core";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const { sender, receiver } = openChannel<string>(1);
 * const arms = () => ({ message: receiver.receive(), late: sleep(1) });
 *
 * // `arm` says which of the types `value` has.
 * function describe(chosen: Selected<ReturnType<typeof arms>>): string {
 *   return chosen.arm === "message" ? chosen.value : "nothing came";
 * }
 * sender.trySend("hello");
 * assertEquals(describe(await new Loop().run(select(arms()))), "hello");
 * ```
 */
export type Selected<A extends Arms> = {
  [K in keyof A & string]: {
    /** The name of the arm that happened. */
    arm: K;
    /** What its operation gave. */
    value: A[K] extends Operation<infer T> ? T : never;
  };
}[keyof A & string];

/** A wait that has something to let go where it never begins: `until` has its promise. */
interface Skippable {
  /** Called where it never began; or later, where it does nothing. */
  skip?(task: TaskCore | null): void;
}

class Select extends Wait<unknown> implements Choice {
  static {
    this.prototype.withdrawable = false; // while its arms are tried, a cancel waits
  }

  readonly #names: string[];
  readonly #waits: Wait<unknown>[];
  /**
   * The arms are being tried: a cancel that comes of that waits until it is known whether one of
   * them has happened.
   */
  #trying = false;

  constructor(arms: Arms) {
    super();
    this.#names = Object.keys(arms);
    if (this.#names.length === 0) {
      throw new RangeError("select() of nothing would never end: give it an arm");
    }
    this.#waits = this.#names.map((name) => toWait(name, arms[name]));
  }

  protected override refuse(task: TaskCore): false {
    this.#skipAll(task);
    return super.refuse(task);
  }

  override throw(error: unknown): IteratorResult<Trap, unknown> {
    this.#skipAll(runningTask());
    return super.throw(error);
  }

  /** Tells arms that have not begun that they never will. */
  #skipAll(task: TaskCore | null): void {
    for (const wait of this.#waits) (wait as Skippable).skip?.(task);
  }

  /**
   * Tries the arms in an order drawn anew each time, so that of several that are ready each has the
   * same chance.
   */
  protected arm(task: TaskCore): void {
    const waits = this.#waits.slice();
    for (const wait of waits) wait.markUsed();
    this.#trying = true;
    this.#tryAll(waits, task);
    this.#trying = false;
    if (this.task !== null) interrupt(task);
  }

  #tryAll(waits: Wait<unknown>[], task: TaskCore): void {
    const { random } = task.scheduler;
    for (let left = waits.length; left > 0; left--) {
      const i = left === 1 ? 0 : Math.floor(random() * left);
      const wait = waits[i];
      waits[i] = waits[left - 1];
      try {
        wait.enlist(task);
      } catch (error) {
        if (this.task === null) return; // settled first, so the error came too late to matter
        noteThrown(error);
        this.failWith(wait, error);
      }
      if (this.task === null) return;
    }
  }

  override interrupt(): Interruption {
    return this.#trying ? DEFERRED : super.interrupt();
  }

  protected disarm(): void {
    const failures = this.#withdrawAll(null);
    if (failures !== null) throw failures[0].error;
  }

  settleWith(winner: Wait<unknown>, value: unknown): void {
    const task = this.task!;
    const failures = this.#end(winner);
    this.settle({ arm: this.#names[this.#waits.indexOf(winner)], value });
    if (failures !== null) warnOf(failures, task);
  }

  failWith(loser: Wait<unknown>, error: unknown): void {
    const task = this.task!;
    const failures = this.#end(loser);
    this.failAs(error);
    if (failures !== null) warnOf(failures, task);
  }

  /** Takes every arm out; only then is the choice itself over. */
  #end(decided: Wait<unknown>): Failure[] | null {
    const task = this.task!;
    const failures = this.#withdrawAll(decided);
    task.wait = this;
    return failures;
  }

  /** Takes every arm out, whatever the undo of one throws; gives that, if any did. */
  #withdrawAll(decided: Wait<unknown> | null): Failure[] | null {
    let failures: Failure[] | null = null;
    for (let i = 0; i < this.#waits.length; i++) {
      const wait = this.#waits[i];
      try {
        wait.withdraw(wait === decided);
      } catch (error) {
        (failures ??= []).push({ arm: this.#names[i], error });
      }
    }
    return failures;
  }

  describe(): string {
    return `selecting: ${
      this.#waits.map((wait, i) => `${this.#names[i]} (${wait.describe()})`).join(", ")
    }`;
  }

  holders(): readonly TaskCore[] {
    return this.#waits.flatMap((wait) => (wait as Parking).holders?.() ?? []);
  }

  awaited(): readonly TaskCore[] {
    return this.#waits.flatMap((wait) => (wait as Parking).awaited?.() ?? []);
  }
}

/** What the undo of an arm threw. */
interface Failure {
  arm: string;
  error: unknown;
}

/** Tells of undos that failed where another arm has happened: that must arrive all the same. */
function warnOf(failures: Failure[], task: TaskCore): void {
  for (const { arm, error } of failures) {
    const text = error instanceof Error ? error.stack : error;
    task.scheduler.warn({ message: `The undo of a select's arm ${arm} failed: ${text}`, task });
  }
}

/** An arm as a wait that can be taken back at any moment. */
function toWait(name: string, operation: Operation<unknown>): Wait<unknown> {
  if (operation instanceof Wait && operation.withdrawable) return operation;
  throw new TypeError(
    `select() cannot take back its arm ${
      JSON.stringify(name)
    }: an arm is one fresh wait, such as receiver.receive() or sleep(1); ` +
      "for anything else there is race()",
  );
}

/**
 * Waits for the first of several operations to happen, and gives its name and value. Exactly one
 * happens, and the others leave no trace: no value is taken, sent or lost. Where several are ready,
 * each has the same chance, so none starves. A checkpoint.
 *
 * What an arm throws comes out of `select`, and the others did not happen. `receiver.next()` says
 * "closed" by its value instead.
 *
 * @param arms Operations that wait for one thing, not begun: `receive()`, `next()`, `send(value)`
 * of channels, `event.wait()`, `lock.acquire()`, `task.join()`, `sleep(1)` as a timeout,
 * `until(promise)`. (A promise cannot be taken back: not chosen, its result is let go.)
 * @throws {TypeError} If an arm is a coroutine or was used already.
 * @throws {RangeError} If there is no arm.
 * @example
 * ```ts
 * import { Loop, openChannel, select, sleep } from "jsr:@broomio/core";
 *
 * await new Loop().run(function* () {
 *   const { sender, receiver } = openChannel<string>(1);
 *   sender.trySend("hello");
 *   const chosen = yield* select({ message: receiver.receive(), late: sleep(1) });
 *   if (chosen.arm === "message") console.log(chosen.value.toUpperCase()); // HELLO
 * }());
 * ```
 */
export function select<const A extends Arms>(arms: A): Operation<Selected<A>> {
  checkObject(arms, "select()", "a record of operations, as in { message: receive() }");
  return new Select(arms) as Operation<unknown> as Operation<Selected<A>>;
}
