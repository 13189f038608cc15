/**
 * Effect 4: its platform's socket server, as its documentation says to use it. On node:net, in either runtime.
 */

import { Effect } from "effect";
import * as NodeSocketServer from "@effect/platform-node-shared/NodeSocketServer";
import { reply, RequestCounter, type Service } from "./wire.ts";

export function effectSocket(service: Service): Promise<number> {
  return new Promise((resolve, reject) => {
    const program = Effect.gen(function* () {
      const server = yield* NodeSocketServer.make({
        host: "127.0.0.1",
        port: 0,
        backlog: 8192,
        noDelay: true,
      });
      const { address } = server;
      if (!("port" in address)) throw new Error("Effect listens at no port");
      resolve(address.port as number);
      yield* server.run((socket) =>
        Effect.scoped(Effect.gen(function* () {
          const { pull } = yield* socket.reader;
          const { write } = yield* socket.writer;
          const requests = new RequestCounter();
          for (;;) {
            for (const bytes of yield* pull) {
              if (typeof bytes === "string") continue;
              if (service === "echo") yield* write(bytes);
              else for (let left = requests.feed(bytes); left > 0; left--) yield* write(reply);
            }
          }
        })).pipe(Effect.ignore)
      );
    });
    Effect.runPromise(Effect.scoped(program)).catch(reject);
  });
}
