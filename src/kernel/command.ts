/**
 * Command: the base of every operation that this package makes.
 *
 * Invariant: a command is used once: begun by `yield*`, performed by the loop, resumed.
 * Independent of: how tasks are queued, and who settles a wait.
 *
 * Why a command is its own iterator. `yield* sleep(1)` asks for an iterator, calls its
 * `next(undefined)`, passes what that yields to whoever drives the coroutine, and calls
 * `next(value)` with what the driver sends. A generator function would need a second generator
 * object for each wait (66 ns a switch where this needs 33). So a command gives itself as the
 * iterator, yields itself as the trap, and reuses one result record for all. The loop reads the
 * record before any other code runs, so sharing it is safe.
 */
import type { Operation, Trap } from "./coroutine.ts";
import { coroutineStack, placeError, setStack } from "./stack.ts";
import type { TaskCore } from "./task.ts";

const FRESH = 0;
const CLAIMED = 1;
const YIELDED = 2;
const PERFORMED = 3;
const FINISHED = 4;

/**
 * Told whenever a coroutine yields a command: how the loop learns where a suspended generator
 * stands.
 */
let observer: YieldObserver | null = null;

/** Called on the coroutine's own stack, above which is the frame of `by`. */
export type YieldObserver = (by: (...args: never[]) => unknown) => void;

/** Sets the observer while a task is stepped whose position will be wanted (see `stepTask`). */
export function observeYields(next: YieldObserver | null): void {
  observer = next;
}

/** Told of each command as it is made, while a task of a debug loop is stepped. */
let witness: ((command: object) => void) | null = null;

/** Sets the witness, or none (see never_begun.ts). */
export function watchMaking(next: ((command: object) => void) | null): void {
  witness = next;
}

/** The base of every operation of this package: its own iterator and its own trap. */
export abstract class Command<T> implements Operation<T>, Iterator<Trap, T, unknown>, Trap {
  /**
   * FRESH until `yield*` begins it (CLAIMED between, where a loop is given it), YIELDED until the
   * loop performs it, PERFORMED until it is resumed, then FINISHED.
   */
  declare private stage: number;

  /**
   * Fields are declared and set here, in every base of an operation: each class with initializers
   * costs 10 ns an object.
   */
  constructor() {
    this.stage = FRESH;
    if (witness !== null) witness(this);
  }

  /**
   * Carries the command out: false where it parked or rescheduled the task, true where the task
   * goes on with `task.value`.
   */
  abstract perform(task: TaskCore): boolean;

  [Symbol.iterator](): Iterator<Trap, T, unknown> {
    if (this.stage !== FRESH) {
      const error = new TypeError(
        `This operation (${this.describe()}) was used already: make a new one for each yield*`,
      );
      setStack(error, coroutineStack(this[Symbol.iterator]));
      throw error;
    }
    return this;
  }

  next(sent?: unknown): IteratorResult<Trap, T> {
    if (this.stage <= CLAIMED) {
      this.stage = YIELDED;
      if (observer !== null) observer(Command.prototype.next);
      yielding.value = this;
      return yielding;
    }
    this.stage = FINISHED;
    returning.value = sent;
    return returning as IteratorReturnResult<T>;
  }

  throw(error: unknown): IteratorResult<Trap, T> {
    this.stage = FINISHED;
    placeError(error, this.throw);
    throw error;
  }

  /**
   * Makes a finished operation fresh, so that its maker can give it out again when nobody else has
   * it. False where it is not finished.
   */
  renew(): boolean {
    if (this.stage !== FINISHED) return false;
    this.stage = FRESH;
    return true;
  }

  /** Keeps it for a task that will begin it later: nobody else can use it from now on. */
  claim(): void {
    this.stage = CLAIMED;
  }

  /** Uses the operation without `yield*`: for one that carries out others, as `select` does. */
  markUsed(): void {
    this[Symbol.iterator]();
    this.stage = PERFORMED;
  }

  /** Whether `yield*` began it: what is yielded without the star was not. */
  get isBegun(): boolean {
    return this.stage !== FRESH;
  }

  /**
   * Called first by `perform`: `yield operation` without the star reaches the loop without having
   * been begun.
   */
  protected begin(): void {
    if (this.stage !== YIELDED) {
      throw new TypeError(
        `Yielded an operation (${this.describe()}): write yield* instead of yield`,
      );
    }
    this.stage = PERFORMED;
  }

  /** What the task does here, for warnings and deadlock reports. */
  abstract describe(): string;
}

const yielding: IteratorYieldResult<Trap> = { done: false, value: undefined as unknown as Trap };
const returning: IteratorReturnResult<unknown> = { done: true, value: undefined };
