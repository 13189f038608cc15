/**
 * Ours: the server that a reader of the README would write, a coroutine for each connection.
 */

import type * as core from "../../../mod.ts";
import type * as net from "../../../src/net/mod.ts";
import { bufferSize, reply, RequestCounter, type Service } from "./wire.ts";

type Stream = net.TcpClientSocket;

function* replyEach(stream: Stream): core.Coroutine {
  const buffer = new Uint8Array(bufferSize);
  const requests = new RequestCounter();
  for (;;) {
    const count = yield* stream.recvInto(buffer);
    if (count === null) return;
    for (let left = requests.feed(buffer.subarray(0, count)); left > 0; left--) {
      yield* stream.send(reply);
    }
  }
}

function* echo(stream: Stream): core.Coroutine {
  const buffer = new Uint8Array(bufferSize);
  for (;;) {
    const count = yield* stream.recvInto(buffer);
    if (count === null) return;
    yield* stream.send(buffer.subarray(0, count));
  }
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
