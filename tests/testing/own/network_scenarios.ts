/** Listeners and sockets, over the network in memory: every connection is served or closed, whoever is cancelled. */
import {
  BrokenResourceError,
  checkpoint,
  type Coroutine,
  currentLoop,
  moveOnAfter,
  Nursery,
  select,
  settle,
  sleep,
} from "../../../mod.ts";
import {
  BufferedReader,
  sendFrame,
  SocketError,
  TcpClientSocket,
  TcpListenSocket,
  useNetwork,
} from "../../../src/net/mod.ts";
import { MemoryListener, memoryNetwork, memoryStreamPair } from "../../../src/testing/mod.ts";
import { same, type Scenario } from "./scenario.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Errors of connections that were cut are no failure here. */
function* forgiving(body: () => Coroutine): Coroutine {
  try {
    yield* body();
  } catch (error) {
    if (!(error instanceof SocketError || error instanceof BrokenResourceError)) throw error;
  }
}

export const networkScenarios: readonly Scenario[] = [
  {
    name: "accept and connect: each connection has two ends, and none is left open",
    slow: true,
    program: () => {
      let open = 0;
      return {
        main: function* () {
          useNetwork(yield* currentLoop(), memoryNetwork());
          using listener = yield* TcpListenSocket.listen({ port: 25 });
          yield* Nursery.open(function* (nursery) {
            for (const patience of [1, 0, Infinity]) {
              nursery.startSoon(forgiving(function* () {
                yield* moveOnAfter(patience, function* () {
                  using client = yield* TcpClientSocket.connect({ port: 25 });
                  open++;
                  try {
                    const got = yield* client.recv();
                    same(got === null || got.length === 2, true, "what came");
                  } finally {
                    open--;
                  }
                });
              }));
            }
            for (let i = 0; i < 3; i++) {
              yield* moveOnAfter(1, function* () {
                using stream = yield* listener.accept();
                yield* forgiving(() => stream.send(bytes("hi")) as Coroutine);
              });
            }
            listener.close();
          });
        },
        check: () => same(open, 0, "clients left"),
      };
    },
  },
  {
    name: "serve: no more connections at a time than allowed, each with its answer or its end",
    slow: true,
    program: () => {
      let inside = 0;
      let most = 0;
      const answers: (string | null)[] = [];
      return {
        main: Nursery.open(function* (nursery) {
          using listener = new MemoryListener();
          const serve = listener.serve(function* (stream) {
            most = Math.max(most, ++inside);
            try {
              const reader = new BufferedReader(stream);
              const line = yield* reader.readLine();
              if (line !== null) yield* stream.send(bytes(`${line}!`));
            } finally {
              inside--;
            }
          }, { maxConnections: 1 });
          const serving = nursery.startSoon(function* (): Coroutine {
            try {
              yield* serve;
            } finally {
              listener.close(); // where it is cancelled, nobody would accept who connects
            }
          }());
          yield* Nursery.open(function* (clients) {
            for (const name of ["a", "b"]) {
              clients.startSoon(forgiving(function* () {
                using stream = yield* listener.connect();
                yield* stream.send(bytes(`${name}\n`));
                const got = yield* stream.recv();
                answers.push(got && new TextDecoder().decode(got));
              }));
            }
          });
          listener.close();
          yield* settle(serving.join());
        }),
        check({ cancelled }) {
          same([inside, most <= 1], [0, true], "handlers");
          if (!cancelled) same([...answers].sort(), ["a!", "b!"], "the answers");
        },
      };
    },
  },
  {
    name: "frames, with a select that may take another arm: none is lost",
    slow: true,
    program: () => {
      const [here, there] = memoryStreamPair({ capacity: 3 });
      const got: string[] = [];
      let sent = 0;
      return {
        main: Nursery.open(function* (nursery) {
          nursery.startSoon(forgiving(function* () {
            try {
              for (const text of ["a", "bc", ""]) {
                yield* sendFrame(here, bytes(text));
                sent++;
              }
              yield* here.shutdown();
            } finally {
              here.close();
            }
          }));
          const reader = new BufferedReader(there);
          try {
            for (;;) {
              const { arm, value } = yield* select({ frame: reader.readFrame(), late: sleep(0.5) });
              if (arm === "late") {
                yield* checkpoint();
                continue;
              }
              if (value === null) break;
              got.push(new TextDecoder().decode(value));
            }
          } catch (error) {
            // The sender was cancelled in a frame.
            const cut = error instanceof SocketError || error instanceof BrokenResourceError;
            if (!cut) throw error;
          } finally {
            there.close();
          }
        }, { exceptionPolicy: "ignore" }),
        check({ cancelled }) {
          same(got, ["a", "bc", ""].slice(0, got.length), "the frames");
          if (!cancelled) same(got.length, sent, "how many");
        },
      };
    },
  },
];
