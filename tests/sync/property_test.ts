/**
 * Random programs of acquirers, releasers and cancellers over each primitive, in every order,
 * against `WaitersModel`: nothing is lost, duplicated, leaked or served out of turn. A failure
 * prints fast-check's seed, and the program with the loop's seed.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  BrokenResourceError,
  Cancelled,
  CancelScope,
  CapacityLimiter,
  Condition,
  type Coroutine,
  type ExecutionOrder,
  Lock,
  Nursery,
  type Operation,
  ParkingLot,
  Semaphore,
  sleep,
  type Task,
} from "../../mod.ts";
import { leftovers, NOTHING_LEFT, World } from "../support/world.ts";
import { WaitersModel } from "./waiters_model.ts";

// Programs

/** One act of a user: it waits a while first, so that the times of different users often meet. */
interface Act {
  readonly pause: number;
  /**
   * `use` waits for it, `try` does not, `wait` parks or waits on the condition, `wake` wakes,
   * `quit` ends without giving back.
   */
  readonly kind: "use" | "try" | "wait" | "wake" | "quit";
  /** How long it is held, or how many are woken. */
  readonly amount: number;
}

interface Program {
  readonly order: ExecutionOrder;
  readonly seed: number;
  readonly total: number;
  readonly users: readonly (readonly Act[])[];
  readonly cancels: readonly { readonly at: number; readonly user: number }[];
  readonly totals: readonly { readonly at: number; readonly total: number }[];
}

function programs(kinds: readonly Act["kind"][]): fc.Arbitrary<Program> {
  const time = fc.integer({ min: 0, max: 8 });
  const act = fc.record({
    pause: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom(...kinds),
    amount: fc.integer({ min: 0, max: 3 }),
  });
  return fc.record({
    order: fc.constantFrom<ExecutionOrder>("fifo", "lifo", "random"),
    seed: fc.integer({ min: 0, max: 1_000_000 }),
    total: fc.integer({ min: 1, max: 3 }),
    users: fc.array(fc.array(act, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 6 }),
    cancels: fc.array(fc.record({ at: time, user: fc.integer({ min: 0, max: 5 }) }), {
      maxLength: 8,
    }),
    totals: fc.array(fc.record({ at: time, total: fc.integer({ min: 0, max: 4 }) }), {
      maxLength: 4,
    }),
  });
}

// What the programs are run on

/** A primitive, and how it differs from the others. */
interface Subject {
  acquire?(): Operation<void>;
  tryAcquire?(): boolean;
  release?(): void;
  wait?(): Operation<void>;
  wake?(count: number): number;
  setTotal?(total: number): void;
  /** What becomes of it when a task ends that holds it. */
  quit?: "breaks" | "gives back";
  /** Compares it with the model. */
  compare(model: WaitersModel, taskOf: (user: number) => Task): void;
}

/** Runs a program; the model is told of each act and compared after each. */
async function run(program: Program, total: number, subject: Subject): Promise<void> {
  const { loop } = new World({ executionOrder: program.order, seed: program.seed });
  const model = new WaitersModel(total);
  const tasks: Task[] = [];
  const scopes: (CancelScope | null)[] = program.users.map(() => null);
  let users = program.users.length;
  const compare = () => subject.compare(model, (user) => tasks[user]);
  const conditional = subject.wait !== undefined && subject.acquire !== undefined;

  /** Ends a wait as it ended in reality, and as the model says. */
  function* judged(user: number, wait: Operation<void>): Coroutine<boolean> {
    try {
      yield* wait;
    } catch (error) {
      const fate = model.ended(user);
      if (error instanceof Cancelled) {
        assertEquals(fate, "cancelled");
        throw error;
      }
      assert(error instanceof BrokenResourceError, `${error}`);
      assertEquals(fate, "broken");
      return false;
    }
    assertEquals(model.ended(user), "granted");
    compare();
    return true;
  }

  function* hold(user: number, { kind, amount }: Act): Coroutine {
    try {
      if (kind === "wait") {
        if (scopes[user]!.cancelCalled) model.fates.set(user, "cancelled"); // it does not begin
        else model.park(user, true);
        const got = yield* judged(user, subject.wait!());
        if (!got) return;
      } else if (kind === "wake") {
        assertEquals(subject.wake!(amount), model.wake(amount, true));
      }
      yield* sleep(amount);
    } finally {
      if (!model.broken) {
        model.release(user);
        subject.release!();
        compare();
      }
    }
  }

  /** True where the user ends while it holds what it got. */
  function* perform(user: number, act: Act): Coroutine<boolean> {
    const { kind, amount } = act;
    if (subject.acquire === undefined) {
      if (kind === "wait") {
        model.park(user, false);
        yield* judged(user, subject.wait!());
      } else {
        assertEquals(subject.wake!(amount), model.wake(amount, false));
      }
      return false;
    }
    if (kind === "try") {
      if (model.broken) return false;
      const got = model.tryWant(user);
      assertEquals(subject.tryAcquire!(), got);
      if (got) yield* hold(user, act);
      return false;
    }
    model.want(user);
    if (!(yield* judged(user, subject.acquire()))) return false;
    if (kind === "quit" && subject.quit !== undefined) return true;
    yield* hold(user, act);
    return false;
  }

  function cancel(user: number): void {
    const scope = scopes[user] ?? null;
    if (scope === null || scope.cancelCalled) return;
    model.cancel(user, conditional);
    scope.cancel();
    compare();
  }

  function* live(user: number, acts: readonly Act[]): Coroutine {
    for (const act of acts) {
      yield* sleep(act.pause);
      const quits = yield* CancelScope.open(function* (scope) {
        scopes[user] = scope;
        return yield* perform(user, act);
      });
      scopes[user] = null;
      if (quits === true && model.holders.has(user)) {
        if (subject.quit === "breaks") model.breakBy(user);
        else model.release(user);
        break; // without giving it back; compared by whoever acts next
      }
    }
    users--;
  }

  await loop.run(Nursery.open(function* (nursery) {
    for (const [index, acts] of program.users.entries()) {
      tasks.push(nursery.startSoon(live(index, acts)));
    }
    for (const { at, user } of program.cancels) {
      nursery.startSoon(function* () {
        yield* sleep(at);
        cancel(user);
      }());
    }
    for (const { at, total } of subject.setTotal ? program.totals : []) {
      nursery.startSoon(function* () {
        yield* sleep(at);
        model.setTotal(total);
        subject.setTotal!(total);
        compare();
      }());
    }
    // Those that still wait at the end are released, so that the program ends.
    nursery.startSoon(function* () {
      while (users > 0) {
        yield* sleep(100);
        if (subject.setTotal) {
          model.setTotal(9);
          subject.setTotal(9);
        }
        for (const user of scopes.keys()) cancel(user);
      }
    }());
  }));
  compare();
  assertEquals([model.holders.size, model.waiters, model.parked], [0, [], []]);
  assertEquals([...model.fates], []);
  assertEquals(leftovers(loop), NOTHING_LEFT);
}

/** Registers a property: `make` builds what a program runs on. */
function property(
  name: string,
  kinds: readonly Act["kind"][],
  make: (program: Program) => { total: number; subject: Subject },
): void {
  Deno.test(name, async () => {
    await fc.assert(
      fc.asyncProperty(programs(kinds), async (program) => {
        const { total, subject } = make(program);
        await run(program, total, subject);
      }),
      { numRuns: 400 },
    );
  });
}

// The properties

property("R29-R31: a lock does as the model", ["use", "use", "try", "quit"], () => {
  const lock = new Lock();
  return {
    total: 1,
    subject: {
      acquire: () => lock.acquire(),
      tryAcquire: () => lock.tryAcquire(),
      release: () => lock.release(),
      quit: "breaks",
      compare: (model, taskOf) => compareLock(lock, model, taskOf),
    },
  };
});

property("R29-R30: a semaphore does as the model", ["use", "use", "try"], ({ total }) => {
  const semaphore = new Semaphore(total, { max: total });
  return {
    total,
    subject: {
      acquire: () => semaphore.acquire(),
      tryAcquire: () => semaphore.tryAcquire(),
      release: () => semaphore.release(),
      compare(model) {
        assertEquals(semaphore.statistics(), {
          value: model.total - model.holders.size,
          tasksWaiting: model.waiters.length,
        });
      },
    },
  };
});

property(
  "R29-R31: a capacity limiter does as the model",
  ["use", "use", "try", "quit"],
  ({ total }) => {
    const limiter = new CapacityLimiter(total);
    return {
      total,
      subject: {
        acquire: () => limiter.acquire(),
        tryAcquire: () => limiter.tryAcquire(),
        release: () => limiter.release(),
        setTotal: (total) => limiter.total = total,
        quit: "gives back",
        compare(model, taskOf) {
          const { total, borrowed, borrowers, tasksWaiting } = limiter.statistics();
          assertEquals(
            [total, borrowed, tasksWaiting],
            [model.total, model.holders.size, model.waiters.length],
          );
          assert([...model.holders].every((user) => borrowers.includes(taskOf(user))));
        },
      },
    };
  },
);

property("R29-R30: a parking lot does as the model", ["wait", "wait", "wake"], () => {
  const lot = new ParkingLot();
  return {
    total: 0,
    subject: {
      wait: () => lot.park(),
      wake: (count) => lot.unpark(count),
      compare: (model) => assertEquals(lot.statistics().tasksWaiting, model.parked.length),
    },
  };
});

property(
  "R29-R31: a condition does as the model",
  ["use", "try", "wait", "wait", "wake", "wake", "quit"],
  () => {
    const condition = new Condition();
    return {
      total: 1,
      subject: {
        acquire: () => condition.acquire(),
        tryAcquire: () => condition.tryAcquire(),
        release: () => condition.release(),
        wait: () => condition.wait(),
        wake: (count) => condition.notify(count),
        quit: "breaks",
        compare(model, taskOf) {
          assertEquals(condition.statistics().tasksWaiting, model.parked.length);
          compareLock(condition.lock, model, taskOf);
        },
      },
    };
  },
);

function compareLock(lock: Lock, model: WaitersModel, taskOf: (user: number) => Task): void {
  const { owner, tasksWaiting } = lock.statistics();
  const [holder] = model.holders;
  assertEquals(owner?.id, holder === undefined ? undefined : taskOf(holder).id);
  assertEquals(tasksWaiting, model.waiters.length);
}
