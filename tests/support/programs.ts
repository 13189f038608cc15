/**
 * Random programs: an arbitrary for fast-check, and an interpreter that runs one and accounts
 * for every error and task.
 *
 * Invariants it checks while it runs, into `problems`: no task outlives its nursery; Cancelled
 * leaves a scope only where one around it is cancelled; `failAfter` gives its body's value or
 * throws. And after the run: every error that was thrown was reported, caught, dropped by Ignore or
 * replaced, once; every `finally` that was entered ran to its end.
 */
import fc from "fast-check";
import {
  all,
  allSettled,
  any,
  call,
  Cancelled,
  CancelScope,
  checkpoint,
  type Coroutine,
  currentTask,
  DeadlockError,
  ensure,
  every,
  type ExecutionOrder,
  failAfter,
  type Instrument,
  lazy,
  Loop,
  mapConcurrent,
  moveOnAfter,
  Nursery,
  type NurseryExceptionPolicy,
  race,
  retry,
  RetryError,
  settle,
  shield,
  sleep,
  suspend,
  type Task,
  until,
  use,
} from "../../mod.ts";
import { inspect, VirtualClock } from "../../src/testing/mod.ts";
import { leftovers } from "./world.ts";

/** A sequence of steps. */
export type Program = Step[];

type Step =
  | { do: "sleep"; seconds: number }
  | { do: "checkpoint" | "throw" | "loop.cancel" | "until" | "until rejected" | "suspend" }
  | {
    do: "nursery";
    policy: NurseryExceptionPolicy;
    timeout: number | null;
    children: { delay: number | null; program: Program }[];
    body: Program;
  }
  | { do: "scope"; timeout: number | null; shield: boolean; body: Program }
  | { do: "shield" | "moveOnAfter" | "failAfter"; timeout: number | null; body: Program }
  | { do: "ensure" | "call" | "inline" | "swallow" | "catch errors"; body: Program }
  | { do: "settle" | "retry" | "every" | "use" | "lazy"; body: Program }
  | { do: "all" | "race" | "any" | "allSettled" | "mapConcurrent"; bodies: Program[] }
  | { do: "finally"; shielded: boolean; body: Program; cleanup: Program }
  | { do: "scope.cancel" | "nursery.cancel" | "task.cancel"; which: number; outside: boolean }
  | { do: "deadline"; which: number; delta: number | null }
  | { do: "set shield"; which: number; shield: boolean }
  | { do: "start into"; which: number; delay: number | null; program: Program }
  | { do: "start"; which: number; before: Program; after: Program; calls: number }
  | { do: "join"; which: number };

const seconds = fc.constantFrom(0, 0, 1, 1, 2, 3, 5);
const timeout = fc.option(fc.constantFrom(0, 1, 2, 3, 4), { freq: 2 });
const which = fc.nat(7);

/** Parts of programs, of every kind. */
const parts: fc.Arbitrary<Program> = fc.letrec<{ program: Program; step: Step }>((tie) => {
  const inner = tie("program");
  return {
    program: fc.array(tie("step"), { maxLength: 4, size: "max" }),
    step: fc.oneof(
      { depthSize: "max", depthIdentifier: "program", maxDepth: 6 },
      { weight: 6, arbitrary: fc.record({ do: fc.constant("sleep" as const), seconds }) },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constantFrom(
            ...([
              "checkpoint",
              "checkpoint",
              "throw",
              "throw",
              "loop.cancel",
              "until",
              "until rejected",
              "suspend",
            ] as const),
          ),
        }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant("nursery" as const),
          policy: fc.constantFrom(...(["abort", "abort", "accumulate", "ignore"] as const)),
          timeout,
          children: fc.array(
            fc.record({ delay: fc.option(seconds, { freq: 3 }), program: inner }),
            { maxLength: 3, size: "max" },
          ),
          body: inner,
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("scope" as const),
          timeout,
          shield: fc.boolean(),
          body: inner,
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constantFrom(...(["shield", "moveOnAfter", "failAfter"] as const)),
          timeout,
          body: inner,
        }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constantFrom(
            ...(["ensure", "call", "inline", "swallow", "catch errors"] as const),
          ),
          body: inner,
        }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constantFrom(...(["settle", "retry", "every", "use", "lazy"] as const)),
          body: inner,
        }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constantFrom(
            ...(["all", "race", "any", "allSettled", "mapConcurrent"] as const),
          ),
          bodies: fc.array(inner, { minLength: 1, maxLength: 2, size: "max" }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("finally" as const),
          shielded: fc.boolean(),
          body: inner,
          cleanup: inner,
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constantFrom(...(["scope.cancel", "nursery.cancel", "task.cancel"] as const)),
          which,
          outside: fc.boolean(),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("deadline" as const),
          which,
          delta: fc.option(fc.constantFrom(-1, 0, 1, 2, 3)),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("set shield" as const),
          which,
          shield: fc.boolean(),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("start into" as const),
          which,
          delay: fc.option(seconds),
          program: inner,
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("start" as const),
          which,
          before: inner,
          after: inner,
          calls: fc.constantFrom(0, 1, 1, 1, 2),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("join" as const), which }) },
    ),
  };
}).program;

/** Programs: some tasks in a nursery, so that there is always another task to interfere with. */
export const programs: fc.Arbitrary<Program> = fc.record({
  do: fc.constant("nursery" as const),
  policy: fc.constantFrom(...(["abort", "accumulate", "accumulate", "ignore"] as const)),
  timeout: fc.constant(null),
  children: fc.array(fc.record({ delay: fc.constant(null), program: parts }), {
    minLength: 2,
    maxLength: 4,
    size: "max",
  }),
  body: parts,
}).map((nursery) => [nursery]);

/** How a run went. */
export interface Report {
  log: string[];
  problems: string[];
}

/** More steps than any of these programs needs: one that takes more never ends. */
const MAX_STEPS = 100_000;

/** Runs a program and checks all that must hold of it; `watch` gives more instruments. */
export async function runProgram(
  program: Program,
  executionOrder: ExecutionOrder,
  seed: number,
  watch: (loop: () => Loop) => Instrument[] = () => [],
): Promise<Report> {
  let steps = 0;
  const problems: string[] = [];
  const ended: Task[] = [];
  const loop: Loop = new Loop({
    host: new VirtualClock(),
    executionOrder,
    seed,
    onWarning: () => {},
    instruments: [{
      beforeStep() {
        if (++steps > MAX_STEPS) throw new Error("it does not end");
      },
      taskEnded(task) {
        ended.push(task);
      },
    }, ...watch(() => loop)],
  });
  const machine = new Machine(loop, problems);
  machine.tasks.push(loop.startSoon(machine.child(program, false), { name: "main" }));
  let failure: Error | null = null;
  try {
    await loop.run();
  } catch (error) {
    failure = error as Error;
  }
  const deadlocked = failure instanceof DeadlockError;
  if (failure !== null) machine.account(deadlocked ? failure.cause : failure, "reported");
  if (steps > MAX_STEPS) problems.push("the program never ended");
  if (!deadlocked) machine.checkBooks();
  for (const [what, count] of Object.entries(leftovers(loop))) {
    if (count !== 0) problems.push(`left behind: ${what} ${count}`);
  }
  if (new Set(ended).size !== ended.length) problems.push("a task ended twice");
  for (const task of ended) {
    const { watchers, waitsFor, heldLocks } = inspect(task);
    if (watchers > 0) problems.push(`task ${task.name} has ended and is watched`);
    if (waitsFor !== undefined) problems.push(`task ${task.name} has ended and waits`);
    if (heldLocks.length > 0) problems.push(`task ${task.name} has ended and owns a lock`);
  }
  machine.note(failure === null ? "ended" : "failed");
  return { log: machine.log, problems };
}

/** The errors that these programs throw, or make the loop throw. */
const KNOWN =
  /^e\d+$|^outside$|^Not done (within|at)|was cancelled|without calling started|called twice|which is closed|cannot join itself/;

class Machine {
  readonly log: string[] = [];
  readonly tasks: Task[] = [];
  readonly #loop: Loop;
  readonly #problems: string[];
  readonly #scopes: CancelScope[] = [];
  readonly #nurseries: { nursery: Nursery; ignores: boolean; tasks: Task[] }[] = [];
  /** What became of each error. */
  readonly #outcomes = new Map<unknown, string[]>();
  #thrown = 0;
  #openFinallys = 0;
  /**
   * Where a shield moved while tasks unwind, it cannot be known from outside which scope stops
   * them.
   */
  #shieldsMoved = false;

  constructor(loop: Loop, problems: string[]) {
    this.#loop = loop;
    this.#problems = problems;
  }

  note(text: string): void {
    this.log.push(`${this.#loop.now} ${text}`);
  }

  /** Notes what became of an error, and of all that it is made of. */
  account(error: unknown, how: string): void {
    if (error === undefined) return;
    if (error instanceof AggregateError) {
      for (const each of error.errors) this.account(each, how);
      return;
    }
    if (error instanceof Cancelled) this.#problems.push(`Cancelled was ${how}`);
    else if (!(error instanceof Error) || !KNOWN.test(error.message)) {
      this.#problems.push(`unexpected: ${error}`);
    }
    const outcomes = this.#outcomes.get(error) ?? [];
    outcomes.push(how);
    this.#outcomes.set(error, outcomes);
  }

  /** An error that was accounted for comes out. */
  #forget(error: unknown): void {
    if (error instanceof AggregateError) { for (const each of error.errors) this.#forget(each); }
    else this.#outcomes.get(error)?.pop();
  }

  /** After the run. */
  checkBooks(): void {
    for (const [error, outcomes] of this.#outcomes) {
      if (outcomes.length !== 1) {
        this.#problems.push(`${error} was ${outcomes.join(" and ") || "lost"}`);
      }
    }
    if (this.#openFinallys !== 0) this.#problems.push(`${this.#openFinallys} finally did not run`);
  }

  /** A task. Where its nursery drops errors, they are accounted for here, cleanup included. */
  *child(program: Program, ignored: boolean): Coroutine<string | undefined> {
    if (!ignored) return yield* this.#run(program);
    try {
      return yield* CancelScope.open(() => this.#run(program));
    } catch (error) {
      if (!(error instanceof Cancelled)) this.account(error, "ignored");
      throw error;
    }
  }

  *#run(program: Program): Coroutine<string> {
    for (const step of program) {
      this.note(step.do);
      yield* this.#step(step);
    }
    return "value";
  }

  *#step(step: Step): Coroutine {
    switch (step.do) {
      case "sleep":
        return yield* sleep(step.seconds);
      case "checkpoint":
        return yield* checkpoint();
      case "until":
        return yield* until(Promise.resolve());
      case "until rejected":
        return yield* until(Promise.reject(new Error("outside")));
      case "suspend":
        return yield* suspend<void>((resume) => queueMicrotask(resume));
      case "throw": {
        const error = new Error(`e${++this.#thrown}`);
        this.#outcomes.set(error, []);
        throw error;
      }
      case "loop.cancel":
        return this.#loop.cancel("the loop");
      case "nursery":
        return yield* this.#nursery(step);
      case "scope":
        return yield* this.#guarded(CancelScope.open((scope) => {
          this.#scopes.push(scope);
          return this.#run(step.body);
        }, { timeout: step.timeout ?? undefined, shield: step.shield }));
      case "shield":
        return yield* this.#guarded(
          shield(() => this.#run(step.body), { timeout: step.timeout ?? undefined }),
        );
      case "moveOnAfter":
        return yield* this.#guarded(moveOnAfter(step.timeout ?? 9, (scope) => {
          this.#scopes.push(scope);
          return this.#run(step.body);
        }));
      case "failAfter": {
        const value = yield* failAfter(step.timeout ?? 9, () => this.#run(step.body));
        if (value !== "value") this.#problems.push(`failAfter gave ${value}`);
        return;
      }
      case "ensure":
        return yield* ensure(() => this.#run(step.body));
      case "call":
        return void (yield* call(this.#run(step.body)));
      case "inline":
        return void (yield* this.#run(step.body));
      case "swallow":
      case "catch errors":
        try {
          yield* this.#run(step.body);
          // deno-lint-ignore broomio/no-swallowed-cancelled -- what the loop does with a swallowed Cancelled is tested here
        } catch (error) {
          this.note(`caught ${(error as Error).name}`);
          if (!(error instanceof Cancelled)) this.account(error, "caught");
          else if (step.do === "catch errors") throw error;
        }
        return;
      case "settle": {
        const result = yield* settle(() => this.#run(step.body));
        if (!result.ok) this.account(result.error, "caught");
        return;
      }
      case "retry": // a failure is accounted for as it happens, and may come out all the same
        try {
          const options = { maxAttempts: 2, minTimeout: 1, jitter: 0 };
          yield* this.#guarded(retry(() => this.child(step.body, true), options));
        } catch (error) {
          if (!(error instanceof RetryError)) {
            this.#forget(error);
            throw error;
          }
          if (error.errors.length !== 2) this.#problems.push(`${error.errors.length} attempts`);
        }
        return;
      case "every": {
        let times = 0;
        const run = (program: Program) => this.#run(program);
        return yield* this.#guarded(every(1, function* () {
          yield* run(step.body);
          if (++times === 2) return false as const;
        }, { immediate: true }));
      }
      case "use":
        return yield* this.#use(step.body);
      case "lazy":
        return yield* this.#lazy(step.body);
      case "all":
        return void (yield* this.#guarded(all(step.bodies.map((each) => this.child(each, false)))));
      case "race":
        return void (yield* this.#guarded(
          race(step.bodies.map((each) => this.child(each, false))),
        ));
      case "any": // drops the errors of all where one succeeds
        try {
          yield* this.#guarded(any(step.bodies.map((each) => this.child(each, true))));
        } catch (error) {
          if (!/^None succeeded/.test((error as Error).message)) throw error;
        }
        return;
      case "allSettled": {
        const results = yield* allSettled(step.bodies.map((each) => this.child(each, true)));
        if (results.length !== step.bodies.length) this.#problems.push("results are missing");
        return;
      }
      case "mapConcurrent": {
        let active = 0;
        const run = (program: Program) => this.#run(program);
        const problems = this.#problems;
        return void (yield* this.#guarded(mapConcurrent(step.bodies, function* (body) {
          if (++active > 2) problems.push("more than the limit at a time");
          try {
            yield* run(body);
          } finally {
            active--;
          }
        }, { concurrency: 2 })));
      }
      case "finally":
        return yield* this.#finally(step);
      case "scope.cancel":
      case "nursery.cancel":
      case "task.cancel": {
        const targets = step.do === "scope.cancel"
          ? this.#scopes
          : step.do === "task.cancel"
          ? this.tasks
          : this.#nurseries.map(({ nursery }) => nursery);
        const target = targets.at(-1 - step.which);
        if (step.outside) queueMicrotask(() => target?.cancel("outside"));
        else target?.cancel("inside");
        return;
      }
      case "deadline": {
        const scope = this.#scopes.at(-1 - step.which);
        if (scope) scope.deadline = this.#loop.now + (step.delta ?? Infinity);
        return;
      }
      case "set shield": {
        const scope = this.#scopes.at(-1 - step.which);
        if (scope === undefined) return;
        this.#shieldsMoved = true;
        scope.shield = step.shield;
        return;
      }
      case "start into": {
        const entry = this.#nurseries.at(-1 - step.which);
        if (entry) this.#startInto(entry, step.program, step.delay);
        return;
      }
      case "start":
        return yield* this.#start(step);
      case "join": {
        const task = this.tasks.at(-1 - step.which);
        try {
          yield* task?.join() ?? checkpoint();
        } catch (error) {
          if (error instanceof Cancelled) throw error;
          this.note("join failed"); // the nursery reports the error too
        }
        return;
      }
    }
  }

  *#nursery(step: Extract<Step, { do: "nursery" }>): Coroutine {
    const tasks: Task[] = [];
    try {
      yield* this.#guarded(Nursery.open((nursery) => {
        const entry = { nursery, ignores: step.policy === "ignore", tasks };
        this.#nurseries.push(entry);
        this.#scopes.push(nursery.scope);
        for (const { delay, program } of step.children) this.#startInto(entry, program, delay);
        return this.#run(step.body);
      }, { exceptionPolicy: step.policy, timeout: step.timeout ?? undefined }));
    } finally {
      for (const task of tasks) {
        if (!["succeeded", "failed", "cancelled"].includes(task.state)) {
          this.#problems.push(`task ${task.name} outlives its nursery: ${task.state}`);
        }
      }
    }
  }

  #startInto(
    { nursery, ignores, tasks }: { nursery: Nursery; ignores: boolean; tasks: Task[] },
    program: Program,
    delay: number | null,
  ): void {
    try {
      const coroutine = this.child(program, ignores);
      const task = delay === null
        ? nursery.startSoon(coroutine)
        : nursery.startLater(coroutine, delay);
      tasks.push(task);
      this.tasks.push(task);
    } catch (error) {
      this.account(error, "caught");
    }
  }

  *#start(step: Extract<Step, { do: "start" }>): Coroutine {
    const entry = this.#nurseries.at(-1 - step.which);
    if (entry === undefined || entry.ignores) return;
    const run = (program: Program) => this.#run(program);
    const value = yield* entry.nursery.start<string>(function* (started) {
      yield* run(step.before);
      for (let i = 0; i < step.calls; i++) started("up");
      yield* run(step.after);
    });
    if (value !== "up") this.#problems.push(`start gave ${value}`);
  }

  *#finally(step: Extract<Step, { do: "finally" }>): Coroutine {
    const run = (program: Program) => this.#run(program);
    let pending: unknown = undefined;
    this.#openFinallys++;
    try {
      yield* run(step.body);
    } catch (error) {
      pending = error;
      throw error;
    } finally {
      let done = false;
      try {
        if (step.shielded) yield* shield(() => run(step.cleanup));
        // deno-lint-ignore broomio/no-unshielded-cleanup -- what a cancel does there is tested here
        else yield* run(step.cleanup);
        done = true;
      } finally {
        this.#openFinallys--;
        if (!done && !(pending instanceof Cancelled)) this.account(pending, "replaced");
      }
    }
  }

  *#use(body: Program): Coroutine {
    const run = () => this.#run(body);
    const open = () => {
      this.#openFinallys++;
      return { [Symbol.dispose]: () => void this.#openFinallys-- };
    };
    yield* this.#guarded(CancelScope.open(function* () {
      yield* use(open());
      yield* run();
    }));
  }

  /** Two wait for one value; one of them for a second only. */
  *#lazy(body: Program): Coroutine {
    let running = 0;
    const compute = () => this.child(body, false);
    const value = lazy(function* () {
      if (++running > 1) throw new Error("it is computed twice at a time");
      try {
        yield* compute();
      } finally {
        running--;
      }
    });
    yield* this.#guarded(all([value(), moveOnAfter(1, value())]));
  }

  /** Lets Cancelled out only where there is a cancel around. */
  *#guarded(operation: Iterable<unknown>): Coroutine {
    try {
      yield* operation as Coroutine<unknown>;
    } catch (error) {
      if (error instanceof Cancelled && !this.#shieldsMoved) {
        const { cancelled } = inspect(yield* currentTask());
        if (!cancelled) this.#problems.push("Cancelled escaped its scope");
      }
      throw error;
    }
  }
}
