/**
 * Pools against a model, in virtual time, with fake workers.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  all,
  Cancelled,
  checkpoint,
  type Coroutine,
  currentLoop,
  Loop,
  moveOnAfter,
  Nursery,
  type Operation,
  sleep,
  sleepUntil,
} from "../../mod.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { openWith } from "../../src/pool/pool.ts";
import type { Pool } from "../../src/pool/pool.ts";
import type { PoolSettings } from "../../src/pool/settings.ts";
import { WorkerError } from "../../src/pool/worker_error.ts";
import { type FakeCall, FakeWorkers, inRealTime, inVirtualTime } from "./fake_workers.ts";

interface Caller extends FakeCall {
  /** When it calls. */
  readonly at: number;
  /** How long after that it is cancelled; Infinity for never. */
  readonly patience: number;
}

interface Outcome {
  readonly token: number;
  readonly result: unknown;
  readonly at: number;
}

type Fakes = { call(call: FakeCall): string };

const base: PoolSettings = {
  module: "fake:module",
  size: 2,
  warm: 1,
  concurrency: 1,
  maxWaiting: Infinity,
  idleTimeout: 5,
  cancelGrace: 1,
  startTimeout: 60,
};

/**
 * Runs callers against a pool of fake workers; gives what each got and when, in the order in which
 * they got it.
 */
async function simulate(
  callers: readonly Caller[],
  settings: PoolSettings,
  startTakes: number,
  failsToStart?: (index: number) => boolean,
) {
  const loop = new Loop({ host: new VirtualClock({ autojump: "always" }) });
  const outcomes: Outcome[] = [];
  /** When each call was made, in that order. */
  const started = new Map<number, number>();
  let pool: Pool<Fakes> | undefined;
  let fakes: FakeWorkers | undefined;

  function* caller({ at, patience, ...call }: Caller): Coroutine {
    yield* sleepUntil(at);
    started.set(call.token, (yield* currentLoop()).now);
    let result: unknown = "cancelled";
    yield* moveOnAfter(patience, function* () {
      try {
        result = yield* pool!.execute("call", call);
      } catch (error) {
        if (error instanceof WorkerError || typeof error === "string") result = error;
        else throw error;
      }
    });
    outcomes.push({ token: call.token, result, at: (yield* currentLoop()).now });
  }

  await loop.run(Nursery.open(function* (world) {
    fakes = new FakeWorkers(inVirtualTime(world), startTakes, settings, failsToStart);
    yield* Nursery.open(function* (nursery) {
      pool = yield* openWith<Fakes>(fakes!, settings);
      for (const each of callers) nursery.startSoon(caller(each));
    });
    // The scope of the pool has ended, and so have its workers.
    assertEquals(fakes.workers.filter((worker) => !worker.ended).length, 0);
  }));
  return { outcomes, started, fakes: fakes!, statistics: pool!.statistics() };
}

const milliseconds = (least: number, most: number) =>
  fc.integer({ min: least, max: most }).map((n) => n / 1000);

const anyCallers: fc.Arbitrary<Caller[]> = fc.array(
  fc.record({
    at: milliseconds(0, 300),
    takes: milliseconds(0, 100),
    ends: fc.constantFrom("done", "done", "done", "failed", "dies", "deaf"),
    cancelTakes: fc.option(milliseconds(0, 80)),
    patience: fc.oneof(fc.constant(Infinity), milliseconds(0, 200)),
  }),
  { maxLength: 40 },
).map((list) =>
  list.map((each, token): Caller => ({
    ...each,
    token,
    ends: each.ends as Caller["ends"],
    // Nobody waits for the deaf for ever.
    patience: each.ends === "deaf" ? Math.min(each.patience, 0.3) : each.patience,
  }))
);

const anySettings: fc.Arbitrary<PoolSettings> = fc.record({
  size: fc.integer({ min: 1, max: 4 }),
  warm: fc.integer({ min: 0, max: 4 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  idleTimeout: fc.oneof(milliseconds(0, 100), fc.constant(Infinity)),
  cancelGrace: milliseconds(0, 60),
}).map((some) => ({ ...base, ...some, warm: Math.min(some.warm, some.size) }));

Deno.test("no call is lost, run twice or answered to another, whatever workers and callers do", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyCallers,
      anySettings,
      milliseconds(0, 40),
      async (callers, settings, startTakes) => {
        const { outcomes, started, fakes, statistics } = await simulate(
          callers,
          settings,
          startTakes,
        );
        assertEquals(fakes.complaints, []);
        assertEquals(outcomes.length, callers.length, "every caller goes on");
        // First come, first served: calls reach workers in the order in which they were made.
        assertEquals(fakes.got, [...started.keys()].filter((token) => fakes.got.includes(token)));
        for (const { token, result, at } of outcomes) {
          const { patience, ends } = callers[token];
          const begun = started.get(token)!;
          if (result === "cancelled") {
            assert(Math.abs(at - begun - patience) < 1e-9, "freed the moment it was cancelled");
          } else if (result instanceof WorkerError) assert(fakes.lost.has(token));
          else assertEquals(result, `${ends} ${token}`);
          if (result !== "cancelled") assert(fakes.got.includes(token));
        }
        // A worker that died failed the calls it held and whose callers were still there, each of
        // them.
        for (const token of fakes.lost) {
          const { result } = outcomes.find((outcome) => outcome.token === token)!;
          assert(result instanceof WorkerError || result === "cancelled", `${token}: ${result}`);
        }
        const { waiting, running, starting, workers } = statistics;
        assertEquals([waiting, running, starting, workers], [0, 0, 0, 0]);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("calls are served like a queue with as many servers as workers", async () => {
  const calm = anyCallers.map((callers) =>
    callers.map((caller): Caller => ({ ...caller, ends: "done", patience: Infinity }))
  );
  await fc.assert(
    fc.asyncProperty(calm, fc.integer({ min: 1, max: 4 }), async (callers, size) => {
      const settings = { ...base, size, warm: size, idleTimeout: Infinity };
      const { outcomes } = await simulate(callers, settings, 0);
      const free: number[] = Array(size).fill(0);
      const expected = new Map<number, number>();
      const inOrder = callers.toSorted((a, b) => a.at - b.at || a.token - b.token);
      for (const { token, at, takes } of inOrder) {
        const server = free.indexOf(Math.min(...free));
        free[server] = Math.max(free[server], at) + takes;
        expected.set(token, free[server]);
      }
      for (const { token, at } of outcomes) {
        assert(Math.abs(at - expected.get(token)!) < 1e-9, `call ${token}: ${at}`);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("starts that fail fail calls, and never leave one waiting", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyCallers,
      anySettings,
      milliseconds(0, 40),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
      async (callers, settings, startTakes, pattern) => {
        const { outcomes, fakes } = await simulate(
          callers,
          { ...settings, warm: 0 },
          startTakes,
          (index) => pattern[index % pattern.length],
        );
        assertEquals(fakes.complaints, []);
        assertEquals(outcomes.length, callers.length);
        for (const { token, result } of outcomes) {
          if (result === "cancelled" || result instanceof WorkerError) continue;
          assertEquals(result, `${callers[token].ends} ${token}`);
        }
        // No more starts than there were reasons for one: a call, or a worker that had died or was
        // ended.
        assert(fakes.workers.length <= callers.length * 2 + 1, `${fakes.workers.length} starts`);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("maxWaiting counts what workers that are yet to come will not take", async () => {
  const loop = new Loop({ host: new VirtualClock({ autojump: "always" }) });
  const log: string[] = [];
  await loop.run(Nursery.open(function* (world) {
    const settings = { ...base, size: 2, warm: 0, maxWaiting: 1 };
    const fakes = new FakeWorkers(inVirtualTime(world), 0.01, settings);
    yield* Nursery.open(function* (nursery) {
      const pool = yield* openWith<Fakes>(fakes, settings);
      for (let token = 0; token < 4; token++) {
        nursery.startSoon((function* () {
          try {
            const call: FakeCall = { token, takes: 1, ends: "done", cancelTakes: null };
            log.push(yield* pool.execute("call", call));
          } catch (error) {
            log.push((error as Error).name);
          }
        })());
      }
      yield* checkpoint();
    });
  }));
  assertEquals(log, ["PoolFullError", "done 0", "done 1", "done 2"]);
});

/** Runs `body` with a pool of fake workers of which the n-th may fail to start. */
async function withFakes(
  settings: Partial<PoolSettings>,
  failsToStart: (index: number) => boolean,
  body: (pool: Pool<Fakes>) => Coroutine,
): Promise<void> {
  const loop = new Loop({ host: new VirtualClock({ autojump: "always" }) });
  const complete = { ...base, ...settings };
  await loop.run(Nursery.open(function* (world) {
    const fakes = new FakeWorkers(inVirtualTime(world), 0.01, complete, failsToStart);
    yield* Nursery.open(function* () {
      yield* body(yield* openWith<Fakes>(fakes, complete));
    });
    assertEquals(fakes.complaints, []);
  }));
}

const call = (token: number, takes: number, ends: FakeCall["ends"] = "done"): FakeCall => ({
  token,
  takes,
  ends,
  cancelTakes: null,
});

Deno.test("a worker that died is replaced at once where it is one of those that stay", async () => {
  await withFakes({ size: 3, warm: 2 }, () => false, function* (pool) {
    assertEquals(pool.statistics().workers, 2);
    let error: unknown;
    try {
      yield* pool.execute("call", call(0, 1, "dies"));
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof WorkerError);
    const { workers, starting, died } = pool.statistics();
    assertEquals([workers, starting, died], [1, 1, 1]);
    yield* sleep(0.02);
    assertEquals(pool.statistics().workers, 2);
  });
});

Deno.test("a start that fails fails no call that another worker will take", async () => {
  await withFakes({ size: 2, warm: 1 }, (index) => index > 0, function* (pool) {
    assertEquals(yield* all([1, 2, 3].map((token) => pool.execute("call", call(token, 1)))), [
      "done 1",
      "done 2",
      "done 3",
    ]);
    assert(pool.statistics().died > 0, "no start failed");
  });
});

/** A call that neither ends nor hears a cancel, given up after `patience` seconds. */
function* givenUp(pool: Pool<Fakes>, token: number, patience: number): Coroutine {
  yield* moveOnAfter(patience, pool.execute("call", call(token, 0, "deaf")));
}

/** What a call gives or throws. */
function* outcomeOf(operation: Operation<string>): Coroutine<unknown> {
  try {
    return yield* operation;
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    return error;
  }
}

Deno.test("a worker that may be ended gets no new call; those in it are told why it was", async () => {
  await withFakes({ size: 2, concurrency: 3 }, () => false, function* (pool) {
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(givenUp(pool, 0, 0.1));
      const neighbour = nursery.startSoon(outcomeOf(pool.execute("call", call(1, 5))));
      yield* sleep(0.5);
      // Worker 1 is waited for: these go to another, which is started for them.
      const later = [2, 3].map((token) => pool.execute("call", call(token, 1)));
      assertEquals(yield* all(later), ["done 2", "done 3"]);
      const error = yield* neighbour.join();
      assert(error instanceof WorkerError);
      assertEquals(
        error.message,
        "Worker 1 of fake:module was ended by the pool while it ran call(): another call in it, " +
          "of call(), was cancelled and went on for more than 1 s (cancelGrace)",
      );
      const { died, overdue, failed, cancelled } = pool.statistics();
      assertEquals([died, overdue, failed, cancelled], [1, 1, 1, 1]);
    });
  });
});

Deno.test("a worker gets calls again once it has answered those that were cancelled", async () => {
  await withFakes({ size: 1, concurrency: 3 }, () => false, function* (pool) {
    const hears = { ...call(0, 60), cancelTakes: 0.2 };
    yield* moveOnAfter(0.1, pool.execute("call", hears));
    yield* Nursery.open(function* (nursery) {
      const next = nursery.startSoon(pool.execute("call", call(1, 1)));
      yield* sleep(0.1);
      assertEquals(pool.statistics().waiting, 1, "it is not given to the worker yet");
      yield* sleep(0.2);
      assertEquals(pool.statistics().waiting, 0);
      assertEquals(yield* next.join(), "done 1");
    });
    assertEquals([pool.statistics().died, pool.statistics().overdue], [0, 0]);
  });
});

Deno.test("with an unlimited cancelGrace no worker is ended, so each gets calls as before", async () => {
  const settings = { ...base, size: 1, concurrency: 2, cancelGrace: Infinity };
  const loop = new Loop({ host: new VirtualClock({ autojump: "always" }) });
  await loop.run(Nursery.open(function* (world) {
    const fakes = new FakeWorkers(inVirtualTime(world), 0.01, settings);
    yield* Nursery.open(function* () {
      const pool = yield* openWith<Fakes>(fakes, settings);
      yield* moveOnAfter(0.1, pool.execute("call", call(0, 3)));
      assertEquals(yield* pool.execute("call", call(1, 1)), "done 1");
      assertEquals(pool.statistics().running, 1, "the cancelled one");
    });
  }));
});

Deno.test("R40c: a worker that does not start in time fails its calls, and another is tried", async () => {
  const loop = new Loop({ host: new VirtualClock({ autojump: "always" }) });
  await loop.run(Nursery.open(function* (world) {
    const settings = { ...base, warm: 0, startTimeout: 0.5 };
    const fakes = new FakeWorkers(inVirtualTime(world), 2, settings); // each takes 2 s
    yield* Nursery.open(function* () {
      const pool = yield* openWith<Fakes>(fakes, settings);
      for (const token of [0, 1]) {
        const begun = (yield* currentLoop()).now;
        const error = yield* outcomeOf(pool.execute("call", call(token, 1)));
        assert(error instanceof WorkerError);
        assertEquals(
          error.message,
          "No worker for fake:module could be started: the module was not loaded within 0.5 s " +
            "(startTimeout)",
        );
        assert(Math.abs((yield* currentLoop()).now - begun - 0.5) < 1e-9);
      }
      const { died, starting, waiting, failed } = pool.statistics();
      assertEquals([died, starting, waiting, failed], [2, 0, 0, 2]);
    });
    assertEquals(fakes.workers.map((worker) => worker.ended), [true, true]);
  }));
});

Deno.test("R30: cancelled at any wait, a pool leaves no worker and no call behind", async () => {
  const waits = await cancelAtEveryWait(() => {
    const settings = { ...base, size: 2, warm: 1 };
    const fakes = new FakeWorkers(inRealTime, 0, settings);
    const results: string[] = [];
    function* victim(): Coroutine {
      const calls = Array.from({ length: 4 }, (_, token): FakeCall => ({
        token,
        takes: 0.001,
        ends: "done",
        cancelTakes: 0,
      }));
      const pool = yield* openWith<Fakes>(fakes, settings);
      results.push(yield* pool.execute("call", calls[0]));
      results.push(...yield* pool.map(calls.slice(1), "call", { inFlight: 2 }));
    }
    return {
      victim: victim(),
      check({ completed, state }) {
        assertEquals(fakes.complaints, []);
        assertEquals(fakes.workers.filter((worker) => !worker.ended).length, 0);
        // Its last wait is for the workers to end, shielded: whoever is cancelled there has all
        // results.
        assertEquals(state === "succeeded", completed || results.length === 4);
        const expected = ["done 0", "done 1", "done 2", "done 3"];
        assertEquals(results, expected.slice(0, results.length));
      },
    };
  }, { seeds: 1 });
  assert(waits >= 4, `only ${waits} waits`);
});
