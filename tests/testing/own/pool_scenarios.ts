/** Pools, over fake workers: no call is lost or run twice, and no worker is left, whoever is cancelled. */
import {
  type Coroutine,
  currentLoop,
  type Loop,
  moveOnAfter,
  Nursery,
  shield,
  sleep,
} from "../../../mod.ts";
import { openWith, type Pool } from "../../../src/pool/pool.ts";
import type { PoolSettings } from "../../../src/pool/settings.ts";
import { WorkerError } from "../../../src/pool/worker_error.ts";
import { type After, type FakeCall, FakeWorkers } from "../../pool/fake_workers.ts";
import { same, type Scenario } from "./scenario.ts";

type Fakes = { call(call: FakeCall): string };

const SETTINGS: PoolSettings = {
  module: "fake:module",
  size: 2,
  warm: 1,
  concurrency: 1,
  maxWaiting: Infinity,
  idleTimeout: 2,
  cancelGrace: 1,
  startTimeout: Infinity, // else time may pass before a worker has started
};

/** What workers do happens on the clock of the loop, and goes on when tasks of it are cancelled. */
function inLoop(loop: Loop): After {
  return (seconds, action) =>
    loop.startSoon(shield(function* () {
      yield* sleep(seconds);
      action();
    }));
}

function scenario(
  name: string,
  settings: Partial<PoolSettings>,
  failsToStart: (index: number) => boolean,
  use: (pool: Pool<Fakes>, call: (call: FakeCall, patience: number) => Coroutine) => Coroutine,
): Scenario {
  return {
    name,
    autojump: "always",
    program: () => {
      let fakes: FakeWorkers | undefined;
      let pool: Pool<Fakes> | undefined;
      const complete = { ...SETTINGS, ...settings };
      function* call(what: FakeCall, patience: number): Coroutine {
        yield* moveOnAfter(patience, function* () {
          try {
            same(yield* pool!.execute("call", what), `done ${what.token}`, "the result");
            same(what.ends, "done", "how it ended");
          } catch (error) {
            if (!(error instanceof WorkerError) && error !== `failed ${what.token}`) throw error;
          }
        });
      }
      return {
        main: function* () {
          fakes = new FakeWorkers(inLoop(yield* currentLoop()), 0.1, complete, failsToStart);
          yield* Nursery.open(function* () {
            pool = yield* openWith<Fakes>(fakes!, complete);
            yield* use(pool, call);
          });
          same(fakes.workers.every(({ ended }) => ended), true, "workers that have ended");
        },
        check() {
          if (fakes === undefined) return;
          same(fakes.complaints, [], "broken promises of the pool");
          same(fakes.workers.every(({ ended }) => ended), true, "workers that have ended");
          if (pool === undefined) return;
          const { waiting, running, starting, workers } = pool.statistics();
          same([waiting, running, starting, workers], [0, 0, 0, 0], "what the pool still has");
        },
      };
    },
  };
}

const call = (token: number, ends: FakeCall["ends"], takes = 1): FakeCall => ({
  token,
  takes,
  ends,
  cancelTakes: token % 2 === 0 ? 0.5 : null,
});

export const poolScenarios: readonly Scenario[] = [
  scenario("Pool: calls that end, fail and are given up", {}, () => false, function* (_, run) {
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(run(call(0, "done"), Infinity));
      nursery.startSoon(run(call(1, "failed"), Infinity));
      nursery.startSoon(run(call(2, "done", 2), 1));
      nursery.startSoon(run(call(3, "deaf"), 1.5));
    });
    yield* run(call(4, "done", 0), Infinity);
  }),
  scenario(
    "Pool: workers that die and fail to start",
    { size: 2, warm: 0 },
    (n) => n === 1,
    function* (
      _,
      run,
    ) {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(run(call(0, "dies"), Infinity));
        nursery.startSoon(run(call(1, "done"), 1));
        nursery.startSoon(run(call(2, "done"), Infinity));
      });
    },
  ),
  scenario(
    "Pool: several calls in one worker, and one that is ended",
    { size: 2, concurrency: 2, cancelGrace: 0.5 },
    () => false,
    function* (_, run) {
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(run(call(1, "deaf"), 1));
        nursery.startSoon(run(call(2, "done", 3), Infinity));
        nursery.startSoon(run(call(4, "done"), 0.5));
        yield* sleep(1);
        nursery.startSoon(run(call(6, "done"), Infinity));
      });
    },
  ),
  scenario("Pool: map gives results in order", { size: 2, warm: 2 }, () => false, function* (pool) {
    const calls = [0, 2, 4].map((token) => call(token, "done", (token + 1) % 2));
    const results = yield* moveOnAfter(5, pool.map(calls, "call", { inFlight: 2 }));
    if (results !== undefined) same(results, ["done 0", "done 2", "done 4"], "the results");
  }),
];
