// deno run examples/smallest_loop.ts
// A loop in about 100 lines, to read before src/: tasks, one kind of trap, a queue. It imports
// nothing. The real one does the same, with nurseries, scopes and a host for time; src/README.md
// says where each part is.

/**
 * What a coroutine yields to the loop: "park me". The trap registers the task where somebody will
 * settle it, and returns how to take that back. It is the only thing that coroutines and the loop
 * say to each other.
 */
type Trap = (task: Task, loop: SmallestLoop) => () => void;

type Coroutine<T = void> = Generator<Trap, T, unknown>;

class Cancelled extends Error {}

/** One coroutine on its way. */
class Task {
  /** The next step: `next` with a value, or `throw` with an error. */
  resume: () => IteratorResult<Trap, unknown>;
  /** Set exactly while the task is parked: takes its wait back. */
  undo: (() => void) | null = null;
  state: "live" | "done" | "cancelled" | "failed" = "live";
  result: unknown;
  readonly joiners = new Set<Task>();
  readonly coroutine: Coroutine<unknown>;

  constructor(coroutine: Coroutine<unknown>) {
    this.coroutine = coroutine;
    this.resume = () => coroutine.next();
  }
}

class SmallestLoop {
  now = 0;
  readonly #ready: Task[] = [];
  readonly #timers = new Map<Task, number>();

  /** Queues a new task. Nothing of it runs yet. */
  start(coroutine: Coroutine<unknown>): Task {
    const task = new Task(coroutine);
    this.#ready.push(task);
    return task;
  }

  /**
   * What a parked task waited for has happened: it goes on with `value`. Anyone may call this; the
   * second call does nothing.
   */
  settle(task: Task, value?: unknown): void {
    if (task.undo === null) return;
    task.undo = null;
    task.resume = () => task.coroutine.next(value);
    this.#ready.push(task);
  }

  /**
   * Takes a parked task out of its wait, and throws there. The `finally` blocks of the coroutine
   * run.
   */
  cancel(task: Task): void {
    if (task.undo === null) return;
    task.undo();
    task.undo = null;
    task.resume = () => task.coroutine.throw(new Cancelled());
    this.#ready.push(task);
  }

  /** Settles a task at a time; gives the undo. */
  wakeAt(time: number, task: Task): () => void {
    this.#timers.set(task, time);
    return () => this.#timers.delete(task);
  }

  /**
   * Steps what is ready until nothing is; then lets the next timer expire. Time is virtual: it
   * jumps.
   */
  run(): void {
    for (;;) {
      for (let task = this.#ready.shift(); task !== undefined; task = this.#ready.shift()) {
        this.#step(task);
      }
      const [next] = [...this.#timers].sort((a, b) => a[1] - b[1]);
      if (next === undefined) return; // if tasks are still parked, that is a deadlock
      this.now = next[1];
      this.#timers.delete(next[0]);
      this.settle(next[0]);
    }
  }

  /** Runs a task to its next wait, or its end. */
  #step(task: Task): void {
    try {
      const { done, value } = task.resume();
      if (!done) {
        task.undo = () => {}; // parked from here on, so that the trap may settle it at once
        const undo = value(task, this);
        if (task.undo !== null) task.undo = undo;
        return;
      }
      [task.state, task.result] = ["done", value];
    } catch (error) {
      [task.state, task.result] = [error instanceof Cancelled ? "cancelled" : "failed", error];
    }
    for (const joiner of task.joiners) this.settle(joiner, task.state);
  }
}

// Two operations. `yield*` passes the trap of the innermost coroutine to the loop, and the value
// that it settles with back.

function* sleep(seconds: number): Coroutine {
  yield (task, loop) => loop.wakeAt(loop.now + seconds, task);
}

function* join(target: Task): Coroutine<string> {
  return (yield (task, loop) => {
    if (target.state !== "live") loop.settle(task, target.state);
    else target.joiners.add(task);
    return () => target.joiners.delete(task);
  }) as string;
}

// A program.

const loop = new SmallestLoop();

function* worker(name: string, seconds: number): Coroutine {
  console.log(`${loop.now} s: ${name} starts`);
  try {
    yield* sleep(seconds);
    console.log(`${loop.now} s: ${name} is done`);
  } finally {
    console.log(`${loop.now} s: ${name} cleans up`);
  }
}

loop.start((function* () {
  const quick = loop.start(worker("quick", 1));
  const slow = loop.start(worker("slow", 60));
  const first = yield* join(quick);
  console.log(`${loop.now} s: quick ended: ${first}`);
  loop.cancel(slow);
  const second = yield* join(slow);
  console.log(`${loop.now} s: slow ended: ${second}`);
})());
loop.run();

/* Output:
0 s: quick starts
0 s: slow starts
1 s: quick is done
1 s: quick cleans up
1 s: quick ended: done
1 s: slow cleans up
1 s: slow ended: cancelled
*/
