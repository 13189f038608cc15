/** The everyday operations: so many at a time, each item once, and what waits for whom. */
import {
  abortSignal,
  allSettled,
  any,
  asCompleted,
  BrokenResourceError,
  CancelScope,
  checkpoint,
  type Coroutine,
  currentLoop,
  EndOfChannel,
  every,
  fromEvent,
  mapConcurrent,
  moveOnAfter,
  moveOnAt,
  Nursery,
  openChannel,
  retry,
  RetryError,
  select,
  settle,
  shield,
  sleep,
  sleepUntil,
  suspend,
  TaskCancelledError,
  until,
} from "../../../mod.ts";
import { Sequencer, sometimes, waitAllBlocked } from "../../../src/testing/mod.ts";
import { same, type Scenario } from "./scenario.ts";
import { children } from "./sync_scenarios.ts";

/** Counts what is under way. */
class Meter {
  inside = 0;
  most = 0;

  *run<T>(body: () => Coroutine<T>): Coroutine<T> {
    this.most = Math.max(this.most, ++this.inside);
    try {
      return yield* body();
    } finally {
      yield* shield(checkpoint()); // cleanup is waited for
      this.inside--;
    }
  }
}

/** A sequence that notes how far it was read, and whether it was closed. */
function counting(count: number) {
  const state = { pulled: 0, closed: 0 };
  return {
    state,
    items: {
      [Symbol.iterator]: () => ({
        next: (): IteratorResult<number, undefined> =>
          state.pulled < count
            ? { done: false, value: state.pulled++ }
            : { done: true, value: undefined },
        return(): IteratorResult<number, undefined> {
          state.closed++;
          return { done: true, value: undefined };
        },
      }),
    },
  };
}

export const everydayScenarios: readonly Scenario[] = [
  {
    name: "mapConcurrent: so many at a time, results in order, and nothing goes on after its end",
    program: () => {
      const meter = new Meter();
      const { items, state } = counting(5);
      let pulled = -1;
      return {
        main: Nursery.open(function* () {
          const mapped = mapConcurrent(items, (item) =>
            meter.run(function* () {
              yield* sleep(item % 2);
              if (item === 3) throw new RangeError("3");
              return item * 10;
            }), { concurrency: 2 });
          const result = yield* settle(moveOnAfter(3, mapped));
          pulled = state.pulled;
          same(meter.inside, 0, "mappers left when it had ended");
          const { error } = { error: undefined, ...result };
          // The exploration can cancel a task that nobody else can reach.
          const known = error instanceof RangeError || error instanceof TaskCancelledError;
          same(result.ok || known, true, "how it ended");
          const good = mapConcurrent([1, 2, 3], (item) =>
            meter.run(function* () {
              yield* checkpoint();
              return item;
            }), { concurrency: 2 });
          same(yield* good, [1, 2, 3], "the results");
        }),
        check() {
          same([meter.inside, meter.most <= 2], [0, true], "mappers");
          same(pulled === -1 || pulled === state.pulled, true, "pulled later");
          same(state.closed <= 1, true, "how often it was closed");
        },
      };
    },
  },
  {
    name: "asCompleted: each result once, and a slot until it is taken",
    program: () => {
      const meter = new Meter();
      const got: number[] = [];
      const completed = asCompleted([2, 0, 1, 0], (item, index) =>
        meter.run(function* () {
          yield* sleep(item);
          return index;
        }), { concurrency: 2 });
      return {
        main: moveOnAfter(
          4,
          completed.forEach(function* (index) {
            got.push(index);
            yield* checkpoint();
          }),
        ),
        check({ cancelled }) {
          same(new Set(got).size, got.length, "results that came twice");
          same([meter.inside, meter.most <= 2], [0, true], "mappers");
          same(cancelled || got.length <= 4, true, "results");
        },
      };
    },
  },
  {
    name: "receiver.forEach with concurrency: each value once or still there, so many at a time",
    program: () => {
      const meter = new Meter();
      const { sender, receiver } = openChannel<number>(1);
      const begun: number[] = [];
      let sent = 0;
      return {
        main: children(
          moveOnAfter(
            2,
            receiver.forEach((value) =>
              meter.run(function* () {
                begun.push(value);
                yield* sleep(value % 2);
              }), { concurrency: 2 }),
          ),
          function* () {
            try {
              for (let tries = 0; tries < 6 && sent < 4; tries++) {
                yield* moveOnAfter(3, function* () {
                  yield* sender.send(sent);
                  sent++;
                });
              }
            } finally {
              sender.close();
            }
          }(),
        ),
        check() {
          same(begun, begun.map((_, i) => i), "the values, in order, once");
          const { buffered, waitingReceivers } = receiver.statistics();
          same(waitingReceivers, 0, "receivers that wait");
          same([meter.inside, meter.most <= 2, buffered <= 1], [0, true, true], "at a time");
        },
      };
    },
  },
  {
    name: "sender.fail: what was sent before comes first, then the error",
    program: () => {
      const { sender, receiver } = openChannel<number>(2);
      const got: number[] = [];
      let sent = 0;
      const boom = new RangeError("boom");
      return {
        main: children(
          function* () {
            try {
              for (; sent < 3; sent++) yield* sender.send(sent);
              sender.fail(boom);
            } catch (error) {
              if (!(error instanceof BrokenResourceError)) throw error; // the receiver was cancelled
            } finally {
              sender.close();
            }
          }(),
          function* () {
            try {
              for (;;) got.push(yield* receiver.receive());
            } catch (error) {
              if (error !== boom && !(error instanceof EndOfChannel)) throw error;
              same(got.length, sent, "what came before the error");
            } finally {
              receiver.close();
            }
          }(),
        ),
        check: ({ cancelled }) => same(cancelled || got.length === 3, true, "the values"),
      };
    },
  },
  {
    name: "select on both sides: what one has sent the other has received",
    program: () => {
      const [a, b] = [openChannel<number>(0), openChannel<number>(0)];
      let sent = 0;
      let got = 0;
      function* side(mine: typeof a, other: typeof a, count: number): Coroutine {
        for (let i = 0; i < count; i++) {
          const { arm } = yield* select({
            send: mine.sender.send(i),
            receive: other.receiver.receive(),
            late: sleep(1),
          });
          if (arm === "send") sent++;
          if (arm === "receive") got++;
        }
      }
      return {
        main: children(side(a, b, 2), side(b, a, 2), moveOnAfter(0.5, side(a, b, 1))),
        check({ cancelled }) {
          if (!cancelled) same(sent, got, "values");
          for (const { receiver } of [a, b]) {
            const { waitingSenders, waitingReceivers } = receiver.statistics();
            same([waitingSenders, waitingReceivers], [0, 0], "who waits");
          }
        },
      };
    },
  },
  {
    name: "retry: one attempt at a time, no more than so many, none after a cancel",
    program: () => {
      const meter = new Meter();
      let attempts = 0;
      let cancelled = false;
      const trying = retry(() =>
        meter.run(function* () {
          attempts++;
          same(cancelled, false, "tried again under a cancel");
          yield* sleep(attempts === 1 ? 2 : 0.2);
          throw new RangeError("no");
        }), { maxAttempts: 3, minTimeout: 0.5, timeout: 1, jitter: 0 });
      return {
        main: children(
          function* () {
            yield* CancelScope.open(function* (scope) {
              yield* Nursery.open(function* (nursery) {
                nursery.startLater(
                  function* () {
                    scope.cancel();
                    cancelled = true;
                  }(),
                  2,
                );
                try {
                  yield* trying;
                } catch (error) {
                  if (error instanceof RetryError) {
                    sometimes(true, "all attempts failed");
                    same(error.attempts, 3, "attempts");
                    nursery.cancel();
                  } else throw error;
                }
              });
            });
          }(),
          checkpoint(),
        ),
        check: () =>
          same([meter.inside, meter.most <= 1, attempts <= 3], [0, true, true], "attempts"),
      };
    },
  },
  ...(["skip", "queue"] as const).map((overlap): Scenario => ({
    name: `every, which ${overlap}s times that overlap: one at a time, its numbers going up`,
    program: () => {
      const meter = new Meter();
      const ticks: number[] = [];
      return {
        main: moveOnAfter(
          6,
          every(1, (tick) =>
            meter.run(function* () {
              ticks.push(tick);
              yield* sleep(tick === 2 ? 1.5 : 0.1);
              return tick < 4 ? undefined : false;
            }), { overlap, immediate: true }),
        ),
        check() {
          same(ticks, [...new Set(ticks)].sort((a, b) => a - b), "the ticks");
          if (overlap === "queue") same(ticks, ticks.map((_, i) => i), "none left out");
          same([meter.inside, meter.most <= 1], [0, true], "at a time");
        },
      };
    },
  })),
  {
    name: "settle, any, allSettled: errors are values, a cancel is none, and all have ended",
    program: () => {
      const meter = new Meter();
      const arm = (seconds: number, fails: boolean) => () =>
        meter.run(function* () {
          yield* sleep(seconds);
          if (fails) throw new RangeError(`after ${seconds} s`);
          return seconds;
        });
      return {
        main: Nursery.open(function* () {
          same((yield* settle(arm(1, true))).ok, false, "settle");
          const first = yield* any([arm(1, true), arm(2, false), arm(3, false)]);
          same(first === 2 || first === 3, true, "any");
          same(meter.inside, 0, "arms of any that are left");
          const [bad, good] = yield* allSettled([arm(1, true), arm(2, false)]);
          same(bad.ok, false, "the arm that fails");
          same(good.ok || good.error instanceof TaskCancelledError, true, "the other arm");
          const late = yield* moveOnAfter(0.5, allSettled([arm(1, false), arm(0, true)]));
          same(late === undefined || late.length === 2, true, "allSettled under a time limit");
        }),
        check: () => same(meter.inside, 0, "arms left"),
      };
    },
  },
  {
    name: "suspend: settles once, and is undone exactly where it did not",
    program: () => {
      let settled = 0;
      let undone = 0;
      let begun = 0;
      let resumeIt: ((value: number) => void) | undefined;
      function* waiter(): Coroutine {
        const value = yield* suspend<number>((resume) => {
          begun++;
          resumeIt = resume;
          return () => undone++;
        });
        settled++;
        same(value, 1, "the value");
      }
      return {
        main: Nursery.open(function* (nursery) {
          nursery.startSoon(waiter());
          nursery.startSoon(function* () {
            try {
              for (let i = 0; i < 2; i++) yield* checkpoint();
            } finally {
              resumeIt?.(1);
              resumeIt?.(2);
            }
          }());
          yield* shield(checkpoint());
          yield* shield(checkpoint());
          nursery.cancel();
        }),
        check: () => same(settled + undone <= begun, true, "settled and undone"),
      };
    },
  },
  {
    name: "abortSignal: aborts with its scope, at the latest when that is left",
    program: () => {
      const signals: AbortSignal[] = [];
      let late = 0;
      function* user(): Coroutine {
        yield* CancelScope.open(function* (scope) {
          const signal = yield* abortSignal();
          signals.push(signal);
          // Under a cancel it is aborted already.
          if (signal.aborted) late++;
          else signal.addEventListener("abort", () => late++);
          yield* checkpoint();
          scope.cancel();
          same(signal.aborted, true, "aborted by the cancel");
          yield* checkpoint();
        });
      }
      return {
        main: children(user(), moveOnAfter(0, user())),
        check() {
          same(signals.every(({ aborted }) => aborted), true, "aborted");
          same(late, signals.length, "events");
        },
      };
    },
  },
  {
    name: "fromEvent: every event once, in order, and no listener is left",
    program: () => {
      const listeners = new Set<(value: number) => void>();
      const emitter = {
        on: (_: string, listener: (value: number) => void) => listeners.add(listener),
        off: (_: string, listener: (value: number) => void) => listeners.delete(listener),
      };
      const got: number[] = [];
      return {
        main: Nursery.open(function* (nursery) {
          using events = fromEvent<[number]>(emitter, "value");
          nursery.startSoon(function* () {
            try {
              for (let i = 0; i < 2; i++) {
                for (const listener of [...listeners]) listener(i);
                yield* checkpoint();
              }
            } finally {
              for (const listener of [...listeners]) listener(9);
            }
          }());
          yield* events.forEach(function* ([value]) {
            got.push(value);
            yield* checkpoint();
            return value === 9 ? false : undefined;
          });
        }),
        check() {
          same(got, [...got].sort(), "the order");
          same(listeners.size, 0, "listeners");
        },
      };
    },
  },
  {
    name: "sleepUntil, moveOnAt, startLater: nobody goes on before its time",
    program: () => {
      const early: string[] = [];
      function* wakes(at: number): Coroutine {
        yield* sleepUntil(at);
        const { now } = yield* currentLoop();
        if (now < at) early.push(`${now} instead of ${at}`);
      }
      return {
        main: Nursery.open(function* (nursery) {
          nursery.startLater(wakes(1), 1);
          nursery.startSoon(wakes(1));
          nursery.startSoon(moveOnAt(1.5, wakes(2)));
          yield* wakes(0.5);
        }),
        check: () => same(early, [], "too early"),
      };
    },
  },
  {
    name: "Sequencer: positions in order, and nobody hangs where one is cancelled",
    program: () => {
      const sequencer = new Sequencer();
      const log: number[] = [];
      function* step(position: number): Coroutine {
        try {
          yield* sequencer.step(position, function* () {
            yield* checkpoint();
            log.push(position);
          });
        } catch (error) {
          if (!(error instanceof BrokenResourceError)) throw error;
        }
      }
      return {
        main: children(step(2), step(0), step(1)),
        check: () => same(log, log.map((_, i) => i), "the order"),
      };
    },
  },
  {
    name: "waitAllBlocked: goes on when all others wait, and not before",
    program: () => {
      const { sender, receiver } = openChannel<number>(0);
      let steps = 0;
      let ended = false;
      return {
        main: moveOnAfter(
          5,
          children(
            function* () {
              try {
                for (; steps < 3; steps++) yield* checkpoint();
                yield* receiver.receive();
              } finally {
                ended = true;
              }
            }(),
            function* () {
              yield* waitAllBlocked();
              same(ended || steps === 3, true, "it blocks or has ended");
              yield* sender.send(1);
            }(),
          ),
        ),
        check() {},
      };
    },
  },
  {
    name: "until: what comes late goes to `late`, once",
    slow: true,
    program: () => {
      let made = 0;
      let got = 0;
      let late = 0;
      function* user(seconds: number): Coroutine {
        const value = yield* moveOnAfter(
          seconds,
          until(
            () => {
              made++;
              return Promise.resolve().then(() => 5);
            },
            { late: () => void late++ },
          ),
        );
        if (value === 5) got++;
      }
      return {
        main: Nursery.open(function* (nursery) {
          nursery.startSoon(user(1));
          nursery.startSoon(user(0));
          yield* checkpoint();
        }),
        check: () => same(got + late <= made, true, "results"),
      };
    },
  },
];
