/**
 * The network that fails by a plan: each call fails as it is told, once, and what was opened is
 * counted.
 */
import { assert, assertEquals } from "@std/assert";
import { all, checkpoint, type Coroutine, Loop } from "jsr:@broomio/core";
import {
  runtimeNetwork,
  SocketError,
  TcpClientSocket,
  TcpListenSocket,
  useNetwork,
} from "../../src/net/mod.ts";
import { errorOf } from "../stream/conformance.ts";
import {
  denoErrors,
  failOnce,
  type FaultCall,
  FaultNetwork,
  type FaultPlan,
  nodeErrors,
} from "./fault_network.ts";

const bytes = (...values: number[]) => new Uint8Array(values);
const reset = Object.assign(new Error("Connection reset by peer"), { code: "ECONNRESET" });

/** Runs a body on a network with faults; afterwards everything is closed. */
function withFaults(
  name: string,
  plan: FaultPlan,
  body: (network: FaultNetwork) => Coroutine<unknown>,
): void {
  Deno.test(name, async () => {
    const loop = new Loop();
    const network = new FaultNetwork(runtimeNetwork(), plan);
    useNetwork(loop, network);
    await loop.run(body(network));
    assertEquals(network.left, []);
  });
}

function* pair(): Coroutine<[TcpClientSocket, TcpClientSocket]> {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
  return yield* all([TcpClientSocket.connect(listener.localAddr), listener.accept()]);
}

function* codeOf(operation: Parameters<typeof errorOf>[0]): Coroutine<string> {
  const error = yield* errorOf(operation);
  assert(error instanceof SocketError, String(error));
  assert(error.cause === reset);
  return error.code;
}

const calls: FaultCall[] = [];
withFaults("A plan is asked of every call, and what meets no fault works", (call) => {
  calls.push(call);
  return null;
}, function* (network) {
  const [client, server] = yield* pair();
  assertEquals(network.left, ["client connection 0", "server connection 0"]);
  yield* client.send(bytes(1));
  assertEquals(yield* server.recv(), bytes(1));
  client.keepAlive = true;
  yield* client.shutdown();
  assertEquals(yield* server.recv(), null);
  client.close();
  server.close();
  const points = calls.map(({ side, point, count }) => `${side} ${point} ${count}`);
  for (
    const point of [
      "server listen 0",
      "server accept 0",
      "client connect 0",
      "client setNoDelay 0",
      "client send 0",
      "client setKeepAlive 0",
      "client finish 0",
      "client close 0",
      "server receive 0",
      "server receive 1",
      "server closeListener 0",
    ]
  ) assert(points.includes(point), `${point} is not among ${points}`);
});

for (const how of ["later", "at once"] as const) {
  const fault = { error: reset, how };

  withFaults(
    `A receive that fails ${how} leaves a broken connection`,
    failOnce("receive", fault),
    function* (network) {
      const [client, server] = yield* pair();
      assertEquals(yield* codeOf(server.recv()), "ECONNRESET");
      yield* server.send(bytes(1));
      yield* checkpoint();
      assertEquals(yield* codeOf(server.shutdown()), "ECONNRESET");
      client.close();
      server.close();
      assertEquals(network.faults, 1);
    },
  );

  withFaults(
    `A listen that fails ${how} is an error of listen`,
    failOnce("listen", fault),
    function* () {
      assertEquals(yield* codeOf(TcpListenSocket.listen({ hostname: "127.0.0.1" })), "ECONNRESET");
    },
  );

  withFaults(
    `A connect that fails ${how} is an error of connect`,
    failOnce("connect", fault, "client"),
    function* () {
      assertEquals(yield* codeOf(TcpClientSocket.connect({ port: 1 })), "ECONNRESET");
    },
  );
}

withFaults(
  "What has no answer throws, and a socket takes that for a broken connection and goes on",
  failOnce("setKeepAlive", { error: reset, how: "later" }),
  function* (network) {
    const [client, server] = yield* pair();
    server.keepAlive = true; // does not throw
    assertEquals([network.faults, server.keepAlive], [1, true]);
    client.close();
    server.close();
  },
);

Deno.test("The lists of errors name each kind once", () => {
  for (const errors of [denoErrors(), nodeErrors()]) {
    const kinds = errors.map((error) => `${error.name} ${(error as { code?: string }).code}`);
    assert(kinds.length > 25);
    const rest = kinds.filter((kind, index) => kinds.indexOf(kind) !== index);
    assertEquals(rest.filter((kind) => !kind.startsWith("NotConnected")), []);
  }
});
