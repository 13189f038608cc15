/** What instruments are told (R58), and that none of them can harm its loop (R33b). */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  type Coroutine,
  DeadlockError,
  ensure,
  Event,
  type ExecutionOrder,
  type Instrument,
  Lock,
  Loop,
  type LoopWarning,
  moveOnAfter,
  Nursery,
  openChannel,
  Portal,
  race,
  type ScopeView,
  select,
  Semaphore,
  shield,
  sleep,
  sleepForever,
  suspend,
  type Task,
  type TaskWake,
} from "../../mod.ts";
import type { ScopeCore } from "../../src/kernel/cancel_scope.ts";
import { seededRandom } from "../../src/kernel/ready_queue.ts";
import { VirtualClock, waitAllBlocked } from "../../src/testing/mod.ts";
import { EventStream } from "../support/event_stream.ts";
import { programs, runProgram } from "../support/programs.ts";
import { leftovers, NOTHING_LEFT, rejection, World } from "../support/world.ts";

const HOOKS: readonly (keyof Instrument)[] = [
  "taskStarted",
  "taskWaiting",
  "taskWoken",
  "beforeStep",
  "afterStep",
  "taskEnded",
  "scopeOpened",
  "scopeCancelled",
  "scopeClosed",
  "warned",
];

/** Writes down all that it is told, in words. */
class Transcript implements Required<Instrument> {
  readonly log: string[] = [];

  taskStarted(task: Task, by: Task | null): void {
    this.log.push(`${task.name} started by ${by?.name ?? "outside"}`);
  }
  taskWaiting(task: Task, wait: { describe(): string }): void {
    this.log.push(`${task.name} waits: ${wait.describe()}`);
  }
  taskWoken(task: Task, wake: TaskWake): void {
    const by = wake.by === "task"
      ? wake.task.name
      : wake.by === "cancel"
      ? `cancel of ${wake.scope.name || wake.scope.kind}`
      : wake.by;
    this.log.push(`${task.name} woken by ${by}`);
  }
  beforeStep(task: Task): void {
    this.log.push(`${task.name} >`);
  }
  afterStep(task: Task): void {
    this.log.push(`${task.name} < ${task.state}`);
  }
  taskEnded(task: Task, outcome: Parameters<Required<Instrument>["taskEnded"]>[1]): void {
    const how = outcome.state === "succeeded"
      ? outcome.value
      : outcome.state === "failed"
      ? outcome.error
      : outcome.cancelled?.reason ?? "";
    this.log.push(`${task.name} ${outcome.state} ${how}`.trimEnd());
  }
  scopeOpened(scope: ScopeView): void {
    this.log.push(`${scope.owner!.name} opened ${scope.kind} ${scope.name}`.trimEnd());
  }
  scopeCancelled(scope: ScopeView, { source, message }: Cancelled): void {
    this.log.push(`${scope.kind} ${scope.name} cancelled (${source}): ${message}`);
  }
  scopeClosed(scope: ScopeView): void {
    this.log.push(`${scope.owner!.name} closed ${scope.kind} ${scope.name}`.trimEnd());
  }
  warned({ message }: LoopWarning): void {
    this.log.push(`warning: ${message}`);
  }

  /** The lines that `pattern` matches. */
  lines(pattern: RegExp): string[] {
    return this.log.filter((line) => pattern.test(line));
  }
}

/** Runs something in a loop with a transcript. */
async function transcriptOf(
  main: (loop: Loop) => Coroutine<unknown>,
): Promise<Transcript & { failure: unknown }> {
  const transcript = new Transcript();
  const world = new World({ instruments: [transcript] });
  let failure: unknown;
  await world.loop.run(main(world.loop)).catch((error) => failure = error);
  assertEquals(leftovers(world.loop), NOTHING_LEFT);
  return Object.assign(transcript, { failure });
}

Deno.test("R58: all that happens, from a task's start to its end, in order", async () => {
  const { log } = await transcriptOf(() =>
    function* () {
      return yield* Nursery.open(function* (nursery) {
        const done = new Event({ name: "done" });
        nursery.startSoon(
          function* () {
            yield* checkpoint();
            yield* sleep(1);
            done.set();
            return "worked";
          }(),
          { name: "worker" },
        );
        yield* done.wait();
        return "all done";
      }, { name: "group" });
    }()
  );
  assertEquals(log, [
    "main started by outside",
    "main >",
    "main opened nursery group",
    "worker started by main",
    'main waits: waiting for event "done"',
    "main < waiting",
    "worker >",
    "worker < ready",
    "worker >",
    "worker waits: sleeping for 1 s",
    "worker < waiting",
    "worker woken by timer",
    "worker >",
    "main woken by worker",
    "worker succeeded worked",
    "worker < succeeded",
    "main >",
    "main closed nursery group",
    "main succeeded all done",
    "main < succeeded",
  ]);
});

Deno.test("R58: started by a task, by a delayed start, by a callback and by a portal's caller", async () => {
  const transcript = await transcriptOf((loop) =>
    Nursery.open(function* (nursery) {
      nursery.startLater(checkpoint(), 1, { name: "late" });
      nursery.startLater(checkpoint(), 9, { name: "never" });
      nursery.startSoon(
        suspend<void>((resume) => {
          loop.startSoon(checkpoint(), { name: "sibling" });
          queueMicrotask(() => {
            loop.startSoon(checkpoint(), { name: "from callback" });
            resume();
          });
        }),
        { name: "waiter" },
      );
      yield* sleep(2);
      nursery.cancel();
    }) as Coroutine<unknown>
  );
  assertEquals(transcript.lines(/started by/), [
    "main started by outside",
    "late started by main",
    "never started by main",
    "waiter started by main",
    "sibling started by waiter",
    "from callback started by outside",
  ]);
  assertEquals(transcript.lines(/^(late|never|waiter) (?!started)/), [
    "late waits: waiting to be started",
    "never waits: waiting to be started",
    "waiter >",
    "waiter waits: suspended until a callback",
    "waiter < waiting",
    "waiter woken by outside",
    "waiter >",
    "waiter succeeded undefined",
    "waiter < succeeded",
    "late woken by timer",
    "late >",
    "late < ready",
    "late >",
    "late succeeded undefined",
    "late < succeeded",
    "never woken by cancel of nursery",
    "never >",
    "never cancelled",
    "never < cancelled",
  ]);

  const seen = new Transcript();
  const portal = new Portal({ host: new VirtualClock(), instruments: [seen] });
  await portal.run(
    function* () {
      void portal.run(checkpoint(), { name: "inner" });
      yield* sleep(1);
    }(),
    { name: "outer" },
  );
  await portal.close();
  assertEquals(seen.lines(/started by|>/), [
    "outer started by outside",
    "outer >",
    "inner started by outer",
    "inner >",
    "inner >",
    "outer >",
  ]);
});

Deno.test("R58: woken by the task that sends, releases, ends, or sets; by a timer; by what is outside", async () => {
  const transcript = await transcriptOf(() =>
    Nursery.open(function* (nursery) {
      const lock = new Lock({ name: "db" });
      const { sender, receiver } = openChannel<number>(0);
      nursery.startSoon(lock.with(sleep(1)), { name: "holder" });
      nursery.startSoon(lock.with(checkpoint()), { name: "locker" });
      nursery.startSoon(receiver.receive(), { name: "receiver" });
      yield* waitAllBlocked();
      yield* sender.send(1);
      const holder = nursery.startSoon(sleep(2), { name: "joined" });
      nursery.startSoon(holder.join(), { name: "joiner" });
      nursery.startSoon(select({ a: sleep(4), b: sleepForever() }), { name: "chooser" });
      nursery.startSoon(
        nursery.start(function* (started) {
          yield* sleep(1);
          started(1);
        }, { name: "service" }),
        { name: "starter" },
      );
    }) as Coroutine<unknown>
  );
  assertEquals(
    Object.fromEntries(transcript.lines(/woken/).map((line) => line.split(" woken by "))),
    {
      main: "chooser", // the last child
      holder: "timer",
      locker: "holder",
      receiver: "main",
      joined: "timer",
      joiner: "joined",
      chooser: "timer",
      service: "timer",
      starter: "service",
    },
  );
});

Deno.test("R58: what a task waits for and who holds that", async () => {
  const waits: string[] = [];
  const loop = new Loop({
    host: new VirtualClock(),
    instruments: [{
      taskWaiting(task, wait) {
        const holders = wait.holders?.().map(({ name }) => name) ?? [];
        waits.push(`${task.name}: ${wait.describe()} [${holders}]`);
      },
    }],
  });
  const lock = new Lock({ name: "db" });
  loop.startSoon(lock.with(sleep(1)), { name: "owner" });
  loop.startSoon(lock.with(checkpoint()), { name: "other" });
  await loop.run();
  assertEquals(waits, ['other: acquiring lock "db" [owner]', "owner: sleeping for 1 s []"]);
});

Deno.test("R58: scopes are opened, cancelled by whom and why, and closed; tasks woken by that", async () => {
  const transcript = await transcriptOf(() =>
    function* () {
      yield* moveOnAfter(1, sleepForever());
      yield* CancelScope.open(function* (scope) {
        scope.cancel("changed my mind");
        yield* sleepForever();
      }, { name: "plan" });
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(sleepForever(), { name: "sleeper" });
        nursery.startSoon(
          function* (): Coroutine {
            yield* sleep(1);
            throw new RangeError("disk full");
          }(),
          { name: "writer" },
        );
      }, { exceptionPolicy: "abort", name: "pair" }) as Coroutine<unknown>;
    }()
  );
  assertMatch(String(transcript.failure), /disk full/);
  const told = transcript.lines(/opened|closed|^(block|nursery|task|loop) |woken/);
  assertEquals(told, [
    "main opened block moveOnAfter",
    "block moveOnAfter cancelled (deadline): Cancelled: The deadline of moveOnAfter has passed",
    "main woken by cancel of moveOnAfter",
    "main closed block moveOnAfter",
    "main opened block plan",
    "block plan cancelled (explicit): Cancelled by task main: changed my mind",
    "main closed block plan",
    "main opened nursery pair",
    "writer woken by timer",
    "nursery pair cancelled (sibling failed): Cancelled because task writer failed: disk full",
    "sleeper woken by cancel of pair",
    "main woken by sleeper",
    "main closed nursery pair",
  ]);
});

Deno.test("R58: the cancel of a whole task and of the loop; an expired block in a shield; a deadlock", async () => {
  const transcript = await transcriptOf((loop) =>
    function* () {
      const task = loop.startSoon(sleepForever(), { name: "victim" });
      yield* sleep(1);
      task.cancel("not wanted");
      yield* checkpoint();
      loop.cancel("enough");
      yield* shield(moveOnAfter(1, sleepForever()));
      yield* checkpoint();
    }()
  );
  assertEquals(transcript.lines(/opened|closed|^(block|nursery|task|loop) |woken|cancelled/), [
    "main woken by timer",
    "task task victim cancelled (explicit): Cancelled by task main: not wanted",
    "victim woken by cancel of task victim",
    "victim cancelled not wanted",
    "victim < cancelled",
    "loop the loop cancelled (loop): Cancelled with the loop: enough",
    "main opened block shield",
    "main opened block moveOnAfter",
    "block moveOnAfter cancelled (deadline): Cancelled: The deadline of moveOnAfter has passed",
    "main woken by cancel of moveOnAfter",
    "main closed block moveOnAfter",
    "main closed block shield",
    "main cancelled enough",
    "main < cancelled",
  ]);

  const dead = await transcriptOf((loop) =>
    function* () {
      loop.startSoon(shield(sleepForever()), { name: "stubborn" });
      yield* sleepForever();
    }()
  );
  assert(dead.failure instanceof DeadlockError);
  assertMatch(
    dead.lines(/^loop /).join(),
    /^loop the loop cancelled \(loop\): Cancelled with the loop: Deadlock: 2 tasks are left/,
  );
  const short = dead.lines(/^main (woken|cancelled)|^stubborn (?!<|>)/).map((line) =>
    line.split(":", 2).join(":").split("\n", 1)[0]
  );
  assertEquals(short, [
    "stubborn started by main",
    "stubborn opened block shield",
    "stubborn waits: sleeping forever",
    "main woken by cancel of the loop",
    "main cancelled DeadlockError: Deadlock",
    "stubborn closed block shield", // dropped: nothing could reach it
    "stubborn failed DeadlockError: Deadlock",
  ]);
});

Deno.test("R58: a scope that is cancelled before it is entered is opened first", async () => {
  const transcript = await transcriptOf(() =>
    CancelScope.open((scope) => {
      scope.cancel("early");
      return sleep(1);
    }, { name: "early bird" }) as Coroutine<unknown>
  );
  assertEquals(transcript.lines(/block/), [
    "main opened block early bird",
    "block early bird cancelled (explicit): Cancelled by task main: early",
    "main closed block early bird",
  ]);
});

Deno.test("R58: a wait that settles at once is no wait; a wait refused under a cancel neither", async () => {
  const transcript = await transcriptOf(() =>
    function* () {
      // deno-lint-ignore broomio/no-sleep-zero -- a wait that settles at once is wanted
      yield* sleep(0);
      yield* new Lock().acquire();
      yield* CancelScope.open(function* (scope) {
        scope.cancel();
        yield* sleep(1);
      });
    }()
  );
  assertEquals(transcript.lines(/waits|woken/), []);
});

Deno.test("R58: warnings are told, after onWarning", async () => {
  const transcript = new Transcript();
  const log: string[] = [];
  const loop = new Loop({
    host: new VirtualClock(),
    onWarning: ({ message }) => log.push(message),
    instruments: [transcript],
  });
  await loop.run(moveOnAfter(1, function* () {
    for (let i = 0; i < 3; i++) {
      try {
        yield* sleep(5);
        // deno-lint-ignore broomio/no-swallowed-cancelled -- the warning for that is wanted here
      } catch {
        // swallowed
      }
    }
  }));
  assertEquals(transcript.lines(/^warning/), log.map((message) => `warning: ${message}`));
  assertMatch(log[0], /^Task main was cancelled, and waits again/);
});

Deno.test("R58: an instrument is told nothing more once it was dropped, and the loop is as fast as without", async () => {
  let calls = 0;
  const world = new World({
    instruments: [{
      taskStarted() {
        calls++;
        throw new Error("broken");
      },
      beforeStep: () => void calls++,
      taskEnded: () => void calls++,
    }],
  });
  await world.loop.run(world.sleeper("a", 1));
  assertEquals(calls, 1);
  assertEquals(world.warnings.map(({ task }) => task.name), ["main"]);
});

/** A program in which each hook is called. */
function* everything(): Coroutine {
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(sleep(1), { name: "sleeper" });
    nursery.startSoon(
      moveOnAfter(2, function* () {
        for (let i = 0; i < 3; i++) {
          try {
            yield* sleep(5);
            // deno-lint-ignore broomio/no-swallowed-cancelled -- makes the loop warn
          } catch {
            // swallowed
          }
        }
      }),
      { name: "swallower" },
    );
  });
}

const revoked = Proxy.revocable({}, {});
revoked.revoke();
const THROWABLES: [name: string, value: unknown][] = [
  ["an error", new Error("broken instrument")],
  ["undefined", undefined],
  ["null", null],
  ["an object without prototype", Object.create(null)],
  ["a revoked proxy", revoked.proxy],
  ["a Cancelled", new Cancelled("not really")],
  ["an error whose message throws", {
    __proto__: Error.prototype,
    get message() {
      throw new Error("again");
    },
  }],
];

for (const hook of HOOKS) {
  Deno.test(`R33b: an instrument that throws in ${hook}, whatever that is, is dropped with a warning, and harms nobody`, async () => {
    for (const [name, value] of THROWABLES) {
      let calls = 0;
      const broken: Instrument = {
        [hook]() {
          calls++;
          throw value;
        },
      };
      const stream = new EventStream();
      const world = new World({ instruments: [stream, broken, new EventStream()] });
      await world.loop.run(everything());
      assertEquals([name, calls, stream.finish()], [name, 1, []]);
      const [first] = world.warnings.filter(({ message }) => message.startsWith("An instrument"));
      assertMatch(first.message, new RegExp(`^An instrument failed in ${hook} and is dropped`));
      assert(typeof first.task.name === "string");
      assertEquals(world.warnings.length, 2); // and that of the swallower
      assertEquals(leftovers(world.loop), NOTHING_LEFT);
    }
  });

  Deno.test(`R33b: an async instrument that rejects in ${hook} is dropped with a warning`, async () => {
    const broken: Instrument = {
      async [hook]() {
        await undefined;
        throw new Error("broken later");
      },
    };
    const world = new World({ instruments: [broken] });
    await world.loop.run(everything());
    await undefined;
    const told = world.warnings.filter(({ message }) => message.startsWith("An instrument"));
    assertEquals(told.map(({ message }) => message), [
      `An instrument failed in ${hook} and is dropped: Error: broken later`,
    ]);
  });

  Deno.test(`R58: an instrument that starts tasks, cancels and uses primitives in ${hook} does not break the loop`, async () => {
    for (const act of ["start", "cancel task", "cancel scope", "cancel loop", "primitives"]) {
      const stream = [new EventStream(), new EventStream()];
      let left = 10;
      const event = new Event();
      const semaphore = new Semaphore(0);
      const { sender } = openChannel<number>(2);
      const acting: Instrument = {
        [hook](about: Task | ScopeView | LoopWarning) {
          if (--left < 0) return;
          const task = "task" in about
            ? about.task
            : "owner" in about
            ? about.owner
            : about as Task | null;
          const scope = "owner" in about ? about : null;
          if (act === "start") world.loop.startSoon(sleep(1), { name: "extra" });
          else if (act === "cancel task") task?.cancel("by an instrument");
          else if (act === "cancel scope") scope?.cancel("by an instrument");
          else if (act === "cancel loop") world.loop.cancel("by an instrument");
          else {
            event.set();
            sender.trySend(1);
            semaphore.release();
          }
        },
      };
      const world = new World({ instruments: [stream[0], acting, stream[1]] });
      world.loop.startSoon(event.wait(), { name: "waiter" });
      world.loop.startSoon(race([semaphore.acquire(), sleep(2)]), { name: "acquirer" });
      world.loop.startSoon(sleep(3));
      world.loop.startSoon(function* () {
        yield* sleep(1.5);
        event.set();
      }());
      await rejection(world.loop.run(everything()).then(() => Promise.reject(undefined)));
      assertEquals([act, ...stream[0].finish(), ...stream[1].finish()], [act]);
      const messages = world.warnings.map(({ message }) => message.split(",")[0]);
      assertEquals(messages.filter((each) => each !== "Task swallower was cancelled"), []);
      assertEquals(leftovers(world.loop), NOTHING_LEFT);
    }
  });
}

Deno.test("R58: an instrument that starts a task for each task that is started is dropped; others go on", async () => {
  const stream = new EventStream();
  const endless: Instrument = {
    taskStarted: () => void world.loop.startSoon(sleep(1)),
  };
  const world = new World({ instruments: [endless, stream] });
  await world.loop.run(world.sleeper("a", 2));
  assertEquals(world.log, ["2 a slept"]);
  assertEquals(world.warnings.map(({ message }) => message), [
    "An instrument causes more and more events and is dropped",
  ]);
  assertEquals(stream.finish(), []);
  assert(stream.counts.taskStarted < 50);
});

Deno.test("R58: a hook that moves a shield while its scope is cancelled leaves no task waiting", async () => {
  const world = new World({
    instruments: [{
      scopeCancelled(scope) {
        (scope as CancelScope).shield = true;
        (scope as CancelScope).shield = false;
      },
    }],
  });
  const value = await world.loop.run(moveOnAfter(1, sleepForever()));
  assertEquals([value, world.loop.now], [undefined, 1]);
});

Deno.test("R21: cleanups run, all of them, though an instrument takes their shields away and they swallow the cancel", async () => {
  const log: string[] = [];
  const world = new World({
    instruments: [{
      scopeOpened(scope) {
        if (scope.name === "ensure") (scope as CancelScope).shield = false;
      },
    }],
  });
  await world.loop.run(moveOnAfter(1, function* () {
    for (const name of ["first", "second", "third"]) {
      yield* ensure(function* () {
        log.push(name);
        try {
          yield* checkpoint();
        } catch (error) {
          log.push((error as Error).name);
        }
        yield* checkpoint();
        log.push("not reached");
      });
    }
    yield* sleepForever();
  }));
  assertEquals(log, ["third", "Cancelled", "second", "Cancelled", "first", "Cancelled"]);
  assertEquals(world.loop.now, 1);
});

Deno.test("R58: hooks are called in the order of events, one at a time, and not inside the operation that woke a task", async () => {
  const log: string[] = [];
  let inside = 0;
  const note = (hook: string) => (task: Task) => {
    assertEquals(inside++, 0);
    if (hook === "taskEnded" && task.name === "setter") loop.startSoon(checkpoint());
    log.push(`${hook} ${task.name}`);
    inside--;
  };
  const loop = new Loop({
    host: new VirtualClock(),
    instruments: [{
      taskStarted: note("taskStarted"),
      taskWoken: note("taskWoken"),
      taskEnded: note("taskEnded"),
    }],
  });
  const event = new Event();
  loop.startSoon(event.wait(), { name: "one" });
  loop.startSoon(event.wait(), { name: "other" });
  loop.startSoon(
    function* (): Coroutine {
      event.set();
      log.push("set");
      yield* checkpoint();
    }(),
    { name: "setter" },
  );
  await loop.run();
  assertEquals(log.slice(3), [
    "set",
    "taskWoken one",
    "taskWoken other",
    "taskEnded one",
    "taskEnded other",
    "taskEnded setter",
    "taskStarted #4",
    "taskEnded #4",
  ]);
});

Deno.test("R58: what is no instrument is refused where it is given", () => {
  for (const hook of HOOKS) {
    assertThrows(
      () => new Loop({ instruments: [{ [hook]: 5 } as Instrument] }),
      TypeError,
      `${hook} of an instrument`,
    );
  }
  new Loop({ instruments: [Object.create({ taskStarted() {} }), { taskEnded: undefined }] });
});

Deno.test("R58: hooks are called with their instrument as this, inherited ones too", async () => {
  class Counter implements Instrument {
    ended = 0;
    taskEnded(): void {
      this.ended++;
    }
  }
  const counter = new (class extends Counter {})();
  await new Loop({ instruments: [counter] }).run(checkpoint());
  assertEquals(counter.ended, 1);
});

const numRuns = Number(Deno.env.get("BROOMIO_RUNS") ?? 200);

for (const order of ["fifo", "lifo", "random"] as ExecutionOrder[]) {
  Deno.test(`R58: random programs under ${order}: the events make sense, and change nothing`, async () => {
    const counts: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(programs, fc.integer(), async (program, seed) => {
        const stream = new EventStream();
        const watched = await runProgram(program, order, seed, () => [stream]);
        assertEquals([...watched.problems, ...stream.finish()], []);
        const { log } = await runProgram(program, order, seed);
        assertEquals(watched.log, log);
        for (const [what, count] of Object.entries(stream.counts)) {
          counts[what] = (counts[what] ?? 0) + count;
        }
      }),
      { numRuns, endOnFailure: false },
    );
    const seen = Object.keys(counts);
    for (const what of ["task", "timer", "outside", "cancel"]) {
      assert(seen.includes(`woken by ${what}`));
    }
    for (const kind of ["block", "nursery", "task", "loop"]) {
      assert(seen.includes(`cancelled ${kind}`));
    }
  });
}

/** Does something at one event in five, whatever comes of it. */
function meddler(loop: () => Loop, seed: number): Instrument {
  const random = seededRandom(seed);
  let left = 25;
  const scopes: ScopeCore[] = [];
  const meddle = (about: Task | ScopeView | LoopWarning) => {
    if ("kind" in about) scopes.push(about as ScopeCore);
    if (random() > 0.2 || --left < 0) return;
    const scope = scopes[Math.floor(random() * scopes.length)];
    const [task] = loop().tasks;
    const acts = [
      () => void loop().startSoon(sleep(1)),
      () => void loop().startSoon(Nursery.open((nursery) => nursery.startSoon(sleep(2)).join())),
      () => "cancel" in about && about.cancel("meddled"),
      () => scope?.cancel("meddled"),
      () => task?.cancel("meddled"),
      () => scope && (scope.shield = !scope.shield),
      () => scope && (scope.deadline = loop().now + Math.floor(random() * 3)),
      () => random() < 0.1 && loop().cancel("meddled"),
    ];
    acts[Math.floor(random() * acts.length)]();
  };
  return Object.fromEntries(HOOKS.map((hook) => [hook, (first: Task) => meddle(first)]));
}

/** What must hold even where the errors of a program are not what it expects. */
const SOUND = /never ended|left behind|ended twice|has ended and|outlives/;

for (const order of ["fifo", "random"] as ExecutionOrder[]) {
  Deno.test(`R58: random programs under ${order}, with an instrument that meddles: the loop stays sound, and others see it whole`, async () => {
    await fc.assert(
      fc.asyncProperty(programs, fc.integer(), async (program, seed) => {
        const [before, after] = [new EventStream(), new EventStream()];
        const { problems } = await runProgram(program, order, seed, (loop) => [
          ...[before, meddler(loop, seed), after],
        ]);
        const unsound = problems.filter((problem) => SOUND.test(problem));
        assertEquals([...unsound, ...before.finish(), ...after.finish()], []);
        assertEquals(before.counts, after.counts);
      }),
      { numRuns, endOnFailure: false },
    );
  });
}
