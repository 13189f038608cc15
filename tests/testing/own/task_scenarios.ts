/** Nurseries, scopes, joins, cleanup: what must hold of the structure of tasks. */
import {
  all,
  call,
  Cancelled,
  CancelScope,
  checkpoint,
  type Coroutine,
  currentLoop,
  ensure,
  Event,
  failAfter,
  moveOnAfter,
  Nursery,
  NurseryError,
  race,
  shield,
  sleep,
  sleepForever,
  TaskCancelledError,
  TaskLocal,
  TimeoutError,
} from "../../../mod.ts";
import { same, type Scenario } from "./scenario.ts";
import { children } from "./sync_scenarios.ts";

export const taskScenarios: readonly Scenario[] = [
  {
    name: "Nursery: no child outlives it, whatever its policy",
    program: () => {
      let alive = 0;
      let outlived = 0;
      function* child(fails: boolean): Coroutine {
        alive++;
        try {
          yield* sleep(1);
          if (fails) throw new Error("child");
          yield* sleep(1);
        } finally {
          yield* shield(checkpoint());
          alive--;
        }
      }
      function* open(exceptionPolicy: "abort" | "accumulate" | "ignore"): Coroutine {
        const before = alive;
        try {
          yield* Nursery.open(function* (nursery) {
            nursery.startSoon(child(true));
            nursery.startSoon(child(false));
            nursery.startLater(child(false), 1);
          }, { exceptionPolicy });
        } catch (error) {
          if (!(error instanceof NurseryError)) throw error;
        } finally {
          if (alive !== before) outlived++;
        }
      }
      return {
        main: call(function* () {
          for (const policy of ["abort", "accumulate", "ignore"] as const) yield* open(policy);
        }()),
        check: () => same([alive, outlived], [0, 0], "children"),
      };
    },
  },
  {
    name: "start: the value comes, or the child is gone",
    program: () => {
      let alive = 0;
      function* service(started: (value: number) => void): Coroutine {
        alive++;
        try {
          yield* checkpoint();
          started(7);
          yield* checkpoint();
        } finally {
          alive--;
        }
      }
      return {
        main: Nursery.open(function* (nursery) {
          const value = yield* moveOnAfter(1, nursery.start(service));
          same(value === undefined || value === 7, true, "the value");
          yield* nursery.start(service);
        }),
        check: () => same(alive, 0, "services alive"),
      };
    },
  },
  {
    name: "join: gives the value, or says that the task was cancelled",
    program: () => {
      return Nursery.open(function* (nursery) {
        const task = nursery.startSoon(function* (): Coroutine<number> {
          yield* checkpoint();
          yield* sleep(1);
          return 5;
        }());
        for (let i = 0; i < 2; i++) {
          nursery.startSoon(function* (): Coroutine {
            try {
              const value = yield* moveOnAfter(1, task.join());
              same(value === undefined || value === 5, true, "the value");
            } catch (error) {
              if (!(error instanceof TaskCancelledError)) throw error;
            }
          }());
        }
        yield* checkpoint();
      });
    },
  },
  {
    name: "failAfter: a time that is over is told, and nobody else's",
    program: () => {
      const event = new Event();
      function* waits(seconds: number): Coroutine {
        try {
          yield* failAfter(seconds, event.wait());
        } catch (error) {
          if (!(error instanceof TimeoutError)) throw error;
        }
      }
      return children(
        waits(1),
        waits(2),
        moveOnAfter(3, waits(5)),
        function* () {
          yield* sleep(1.5);
          event.set();
        }(),
      );
    },
  },
  {
    name: "shield and ensure: cleanup runs to its end, once, last registered first",
    program: () => {
      const log: string[] = [];
      let registered = 0;
      function* note(text: string): Coroutine {
        yield* checkpoint();
        yield* checkpoint();
        log.push(text);
      }
      return {
        main: CancelScope.open(function* (scope) {
          yield* ensure(() => note("first"));
          registered = 1;
          yield* checkpoint();
          yield* ensure(() => note("second"));
          registered = 2;
          scope.cancel();
          yield* sleepForever();
        }),
        check() {
          same(log, ["second", "first"].slice(2 - registered), "cleanup");
        },
      };
    },
  },
  {
    name: "cancel scopes: each stops its own cancel, and lets that of others pass",
    program: () => {
      let wrong = 0;
      function* body(): Coroutine {
        yield* CancelScope.open(function* (outer) {
          yield* CancelScope.open(function* (inner) {
            inner.cancel("inner");
            try {
              yield* checkpoint();
            } catch (error) {
              if (!(error instanceof Cancelled)) wrong++;
              throw error;
            }
          });
          outer.deadline = (yield* currentLoop()).now + 1;
          yield* moveOnAfter(2, sleepForever());
          wrong++; // the outer one is over by now
        });
        yield* checkpoint();
      }
      return { main: children(body(), body()), check: () => same(wrong, 0, "wrong turns") };
    },
  },
  {
    name: "all and race: they end after their arms",
    program: () => {
      let alive = 0;
      function* arm(seconds: number): Coroutine<number> {
        alive++;
        try {
          yield* sleep(seconds);
          return seconds;
        } finally {
          yield* shield(checkpoint());
          alive--;
        }
      }
      return {
        main: call(function* (): Coroutine {
          same(yield* all([arm(1), arm(2)]), [1, 2], "the results of all");
          same([1, 2].includes(yield* race([arm(2), arm(1)])), true, "the winner");
          yield* moveOnAfter(1, race([arm(1), arm(3)]));
        }()),
        check: () => same(alive, 0, "arms alive"),
      };
    },
  },
  {
    name: "TaskLocal: each task sees its own value",
    program: () => {
      const user = new TaskLocal("user", "nobody");
      function* asks(expected: string): Coroutine {
        for (let i = 0; i < 2; i++) {
          same(yield* user.get(), expected, "the value");
          yield* checkpoint();
        }
      }
      return Nursery.open(function* (nursery) {
        nursery.startSoon(asks("nobody"));
        yield* user.with("ann", function* () {
          nursery.startSoon(asks("ann"));
          yield* asks("ann");
        });
        yield* asks("nobody");
      });
    },
  },
];
