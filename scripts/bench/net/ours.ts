/**
 * Ours: the server that a reader of the README would write, a coroutine for each connection.
 */

import type * as core from "../../../mod.ts";
import type * as net from "../../../src/net/mod.ts";
import { reply, RequestCounter, type Service } from "./wire.ts";

type Stream = net.TcpClientSocket;

function* replyEach(stream: Stream): core.Coroutine {
  const requests = new RequestCounter();
  for (let bytes; (bytes = yield* stream.recvView()) !== null;) {
    for (let left = requests.feed(bytes); left > 0; left--) yield* stream.send(reply);
  }
}

function* echo(stream: Stream): core.Coroutine {
  for (let bytes; (bytes = yield* stream.recvView()) !== null;) yield* stream.send(bytes);
}

/** Starts the server; the port once it listens. */
export async function broomio(service: Service): Promise<number> {
  const { Loop } = await import("../../../mod.ts");
  const { TcpListenSocket } = await import("../../../src/net/mod.ts");
  return await new Promise((resolve, reject) => {
    new Loop().run((function* () {
      const listener = yield* TcpListenSocket.listen({
        hostname: "127.0.0.1",
        port: 0,
        backlog: 8192,
      });
      resolve(listener.localAddr.port);
      yield* listener.serve(service === "echo" ? echo : replyEach, { onError: () => {} });
    })()).catch(reject);
  });
}
