/** What crosses the border: async iterables and web streams, read and given; each value once, and all are closed. */
import {
  BrokenResourceError,
  type Coroutine,
  currentLoop,
  each,
  fromReadableStream,
  moveOnAfter,
  Nursery,
  openChannel,
  type Sender,
  shield,
  sleep,
  toAsyncIterable,
  toReadableStream,
  until,
} from "../../../mod.ts";
import { same, type Scenario } from "./scenario.ts";
import { children } from "./sync_scenarios.ts";

/** An async iterable that counts how often it was begun and closed. */
function counted(values: readonly number[]) {
  const state = { begun: 0, closed: 0 };
  async function* iterate() {
    state.begun++;
    try {
      yield* values;
    } finally {
      state.closed++;
    }
  }
  return { state, iterate };
}

/** Sends a few values, and closes. */
function* sends(count: number, sender: Sender<number>): Coroutine {
  using _ = sender;
  try {
    for (let i = 0; i < count; i++) yield* sender.send(i);
  } catch (error) {
    if (!(error instanceof BrokenResourceError)) throw error; // who received was cancelled
  }
}

export const interopScenarios: readonly Scenario[] = [
  {
    name: "each: values in order, and the async iterable is closed once at most",
    slow: true,
    program: () => {
      const { state, iterate } = counted([0, 1, 2]);
      const got: number[] = [];
      return {
        main: children(
          moveOnAfter(
            2,
            each(iterate(), function* (value) {
              got.push(value);
              yield* sleep(1);
            }),
          ),
          each(iterate(), (value) => value < 1 ? undefined : false),
        ),
        check() {
          // Where a cancel comes while it makes a value, the closing is not waited for.
          same(state.closed <= state.begun, true, "closed");
          same(got, got.map((_, i) => i), "the values");
        },
      };
    },
  },
  {
    name: "fromReadableStream: chunks in order, and the stream is cancelled or at its end",
    slow: true,
    program: () => {
      const { state, iterate } = counted([0, 1, 2]);
      const got: number[] = [];
      return {
        main: Nursery.open(function* () {
          using source = fromReadableStream(ReadableStream.from(iterate()));
          yield* moveOnAfter(
            2,
            source.forEach(function* (value: number) {
              got.push(value);
              yield* sleep(1);
            }),
          );
        }),
        check() {
          same(got, got.map((_, i) => i), "the chunks");
          same(state.closed <= state.begun, true, "closed");
        },
      };
    },
  },
  ...(["iterable", "stream"] as const).map((kind): Scenario => ({
    name: `a receiver as ${kind}: code outside gets each value once, in order, and then the end`,
    slow: true,
    program: () => {
      const { sender, receiver } = openChannel<number>(1);
      const got: number[] = [];
      let ended = false;
      return {
        main: Nursery.open(function* (nursery) {
          const loop = yield* currentLoop();
          const values = kind === "iterable"
            ? toAsyncIterable(receiver, loop)
            : toReadableStream(receiver, loop);
          nursery.startSoon(sends(3, sender));
          // To the end also under a cancel, as code outside would.
          yield* shield(until((async () => {
            try {
              for await (const value of values) got.push(value);
              ended = true;
            } catch { // the task that receives for it was cancelled
            }
          })()));
        }),
        check({ cancelled }) {
          same(got, got.map((_, i) => i), "the values");
          if (!cancelled) same([got.length, ended], [3, true], "all, and the end");
        },
      };
    },
  })),
];
