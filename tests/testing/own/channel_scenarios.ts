/** Channels, broadcasts, select: each value is received once or is still there, whoever is cancelled. */
import {
  Broadcast,
  BrokenResourceError,
  checkpoint,
  ClosedResourceError,
  type Coroutine,
  EndOfChannel,
  Event,
  moveOnAfter,
  openChannel,
  select,
  sleep,
} from "../../../mod.ts";
import { same, type Scenario } from "./scenario.ts";
import { children } from "./sync_scenarios.ts";

/** Runs a body, and takes the end of the other side for no failure. */
function* forgiving(body: () => Coroutine): Coroutine {
  try {
    yield* body();
  } catch (error) {
    const isEnd = error instanceof EndOfChannel || error instanceof BrokenResourceError ||
      error instanceof ClosedResourceError;
    if (!isEnd) throw error;
  }
}

const channels = [0, 1, Infinity].map((capacity): Scenario => ({
  name: `channel of capacity ${capacity}: each value is received once, in order, or is still there`,
  program: () => {
    const { sender, receiver } = openChannel<number>(capacity);
    const [otherSender, otherReceiver] = [sender.clone(), receiver.clone()];
    const sent: number[] = [];
    const lists: number[][] = [[], []];
    function* producer(first: number, mine: typeof sender): Coroutine {
      try {
        for (let value = first; value < first + 2; value++) {
          yield* mine.send(value);
          sent.push(value);
        }
      } finally {
        mine.close();
      }
    }
    function* consumer(got: number[], mine: typeof receiver): Coroutine {
      try {
        for (;;) {
          const value = yield* moveOnAfter(1, function* () {
            const received = yield* mine.receive();
            got.push(received);
            return received;
          });
          if (value === undefined) yield* checkpoint();
          if (got.length > 10) return;
        }
      } finally {
        mine.close();
      }
    }
    return {
      main: children(
        forgiving(() => producer(10, otherSender)),
        forgiving(() => producer(20, sender)),
        forgiving(() => consumer(lists[0], otherReceiver)),
        forgiving(() => consumer(lists[1], receiver)),
      ),
      check({ cancelled }) {
        const got = lists.flat();
        same(new Set(got).size, got.length, "values received twice");
        same(got.every((value) => [10, 11, 20, 21].includes(value)), true, "values not sent");
        for (const list of lists) {
          for (const first of [10, 20]) {
            const mine = list.filter((value) => value >= first && value < first + 10);
            same(mine, [...mine].sort(), "the order of one sender, as one receiver sees it");
          }
        }
        if (!cancelled) same([...got].sort(), [10, 11, 20, 21], "what was received");
      },
    };
  },
}));

export const channelScenarios: readonly Scenario[] = [
  ...channels,
  {
    name: "Broadcast: every subscriber gets every value, and nobody waits for one that is gone",
    program: () => {
      const broadcast = new Broadcast<number>({ capacity: 1 });
      const got: number[][] = [[], []];
      function* listener(index: number): Coroutine {
        const subscription = broadcast.subscribe();
        try {
          yield* subscription.forEach((value) => void got[index].push(value));
        } finally {
          subscription.close();
        }
      }
      return {
        main: children(
          forgiving(() => listener(0)),
          forgiving(() => listener(1)),
          moveOnAfter(
            1,
            forgiving(function* () {
              const subscription = broadcast.subscribe();
              try {
                yield* sleep(2); // never reads
              } finally {
                subscription.close();
              }
            }),
          ),
          forgiving(function* () {
            try {
              yield* checkpoint();
              for (let i = 0; i < 3; i++) yield* broadcast.send(i);
            } finally {
              broadcast.close();
            }
          }),
        ),
        check() {
          for (const values of got) same(values, [...values].sort(), "the order");
          same(broadcast.statistics().waitingSenders, 0, "senders that wait");
        },
      };
    },
  },
  {
    name: "select: exactly one arm happens",
    program: () => {
      const a = openChannel<string>(1);
      const b = openChannel<string>(0);
      const stop = new Event();
      let gotA = 0;
      let sentB = 0;
      let gotB = 0;
      let sentA = 0;
      function* chooser(): Coroutine {
        for (let i = 0; i < 4; i++) {
          const { arm } = yield* select({
            a: a.receiver.receive(),
            b: b.sender.send("x"),
            stop: stop.wait(),
            late: sleep(3),
          });
          if (arm === "a") gotA++;
          if (arm === "b") sentB++;
          if (arm === "stop") return;
        }
      }
      return {
        main: children(
          chooser(),
          moveOnAfter(1, chooser()),
          function* () {
            for (let i = 0; i < 2; i++) {
              const received = yield* moveOnAfter(1, b.receiver.receive());
              if (received !== undefined) gotB++;
              if (a.sender.trySend("y")) sentA++;
            }
            stop.set();
          }(),
        ),
        check({ cancelled }) {
          same(gotA + a.receiver.statistics().buffered, sentA, "values of a");
          // A cancel between the hand-over and the count makes either of them one short.
          if (!cancelled) same(gotB, sentB, "values of b");
          const { waitingSenders, waitingReceivers } = b.receiver.statistics();
          same([waitingSenders, waitingReceivers], [0, 0], "who waits at b");
        },
      };
    },
  },
];
