/**
 * Ours: the server that a reader of the README would write, a coroutine for each connection.
 */

import type * as core from "../../../mod.ts";
import type * as net from "../../../src/net/mod.ts";
import { type BenchIdentity, lastReply, reply, RequestCounter, type Service } from "./wire.ts";

type Stream = net.TcpClientSocket;

function* replyEach(stream: Stream): core.Coroutine {
  const requests = new RequestCounter();
  for (let bytes; (bytes = yield* stream.recvView()) !== null;) {
    for (let left = requests.feed(bytes); left > 0; left--) yield* stream.send(reply);
  }
}

function* replyOnce(stream: Stream): core.Coroutine {
  const requests = new RequestCounter();
  for (let bytes; (bytes = yield* stream.recvView()) !== null;) {
    if (requests.feed(bytes) > 0) return yield* stream.send(lastReply);
  }
}

function* echo(stream: Stream): core.Coroutine {
  for (let bytes; (bytes = yield* stream.recvView()) !== null;) yield* stream.send(bytes);
}

/** Starts the server; the port once it listens. */
export async function broomio(
  service: Service,
  identity: BenchIdentity | undefined,
): Promise<number> {
  const { TcpListenSocket, TlsListenSocket } = await import("../../../src/net/mod.ts");
  const options = { hostname: "127.0.0.1", port: 0, backlog: 8192 };
  return await serve(
    service,
    () =>
      identity === undefined
        ? TcpListenSocket.listen(options)
        : TlsListenSocket.listen({ ...options, ...identity }),
  );
}

/** The same over Deno's own TLS, adopted. */
export async function adopted(service: Service, identity: BenchIdentity): Promise<number> {
  const { fromDeno } = await import("../../../src/net/mod.ts");
  const listener = Deno.listenTls({
    ...{ hostname: "127.0.0.1", port: 0, tcpBacklog: 8192 },
    ...identity,
  });
  return await serve(service, function* () {
    return fromDeno(listener) as net.TcpListenSocket;
  });
}

async function serve(
  service: Service,
  listen: () => core.Operation<net.TcpListenSocket | net.TlsListenSocket>,
): Promise<number> {
  const { Loop } = await import("../../../mod.ts");
  return await new Promise((resolve, reject) => {
    new Loop().run((function* () {
      const listener = yield* listen();
      resolve(listener.localAddr.port);
      const handler = service.endsWith("echo")
        ? echo
        : service.endsWith("once")
        ? replyOnce
        : replyEach;
      yield* listener.serve(handler, { onError: () => {} });
    })()).catch(reject);
  });
}
