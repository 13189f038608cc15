/** Sockets, over memory: no byte is lost or comes twice, and every end is told, whoever is cancelled. */
import { checkpoint, type Coroutine, moveOnAfter, Nursery } from "../../../mod.ts";
import { BufferedReader, SocketError } from "../../../src/net/mod.ts";
import { memoryStreamPair } from "../../../src/testing/mod.ts";
import { same, type Scenario } from "./scenario.ts";
import { children } from "./sync_scenarios.ts";

export const streamScenarios: readonly Scenario[] = [
  {
    name: "a stream: bytes come in order, once, and then the end",
    slow: true,
    program: () => {
      const [here, there] = memoryStreamPair({ capacity: 4 });
      const sent: number[] = [];
      const got: number[] = [];
      let ended = false;
      function* writer(): Coroutine {
        try {
          for (let i = 0; i < 3; i++) {
            sent.push(i);
            yield* here.send(new Uint8Array([i, i, i]));
          }
          yield* here.shutdown();
        } catch (error) {
          if (!(error instanceof SocketError)) throw error; // the reader was cancelled in the middle
        } finally {
          here.close();
        }
      }
      function* reader(): Coroutine {
        try {
          for (;;) {
            const bytes = yield* moveOnAfter(1, function* () {
              const received = yield* there.recv(2);
              if (received === null) ended = true;
              else got.push(...received);
              return received;
            });
            if (bytes === null) return;
            if (bytes === undefined) yield* checkpoint();
          }
        } catch (error) {
          if (!(error instanceof SocketError)) throw error; // the writer was cancelled in the middle
        } finally {
          there.close();
        }
      }
      return {
        main: children(writer(), reader()),
        check({ cancelled }) {
          const all = sent.flatMap((value) => [value, value, value]);
          same(got, all.slice(0, got.length), "the bytes");
          if (!cancelled) same([got.length, ended], [9, true], "how far it came");
        },
      };
    },
  },
  {
    name: "BufferedReader: a line that was not taken is there for the next read",
    slow: true,
    program: () => {
      const [here, there] = memoryStreamPair();
      const lines: string[] = [];
      return {
        main: Nursery.open(function* (nursery) {
          nursery.startSoon(function* () {
            try {
              for (const text of ["one\ntw", "o\nth", "ree\n"]) {
                yield* here.send(new TextEncoder().encode(text));
                yield* checkpoint();
              }
            } finally {
              here.close();
            }
          }());
          const reader = new BufferedReader(there);
          try {
            for (;;) {
              const line = yield* moveOnAfter(1, function* () {
                const read = yield* reader.readLine();
                if (read !== null) lines.push(read);
                return read;
              });
              if (line === null) return;
            }
          } finally {
            there.close();
          }
        }, { exceptionPolicy: "ignore" }),
        check({ cancelled }) {
          const text = lines.join("\n"); // cut anywhere where the writer was cancelled
          same(text, "one\ntwo\nthree".slice(0, text.length), "the lines");
          if (!cancelled) same(lines.length, 3, "how many lines");
        },
      };
    },
  },
];
