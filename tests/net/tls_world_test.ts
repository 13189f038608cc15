/** TLS servers among clients that mean no good, and runtimes that fail at any call (R40). */
import { connect, type Socket as NodeSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import { assert, assertEquals } from "@std/assert";
import {
  all,
  checkpoint,
  failAfter,
  Loop,
  Nursery,
  type Operation,
  sleep,
  suspend,
} from "jsr:@broomio/core";
import {
  type Network,
  runtimeNetwork,
  TcpClientSocket,
  TlsListenSocket,
  useNetwork,
} from "../../src/net/mod.ts";
import { codeOf } from "../../src/bytes/error_code.ts";
import { nodeNetwork } from "../../src/net/node/network.ts";
import { memoryNetwork } from "../../src/testing/mod.ts";
import { certificates } from "../support/certificates.ts";
import {
  denoErrors,
  type FaultCall,
  FaultNetwork,
  type FaultPoint,
  nodeErrors,
} from "../support/fault_network.ts";
import { tlsLoops } from "./support.ts";
import { answer, assertServed } from "./tls_peers.ts";

const { ca, localhost } = certificates();
const hostname = "127.0.0.1";

/** Where a connection of a server can be met by a fault: its handshake, its first bytes, its end. */
const PLACES: readonly [FaultPoint, number][] = [
  ["setNoDelay", 0],
  ["setNoDelay", 1],
  ["receive", 0],
  ["receive", 1],
  ["receive", 2],
  ["send", 0],
  ["send", 1],
  ["send", 2],
  ["finish", 0],
  ["close", 0],
];

const BACKENDS: readonly [string, Network, Error[]][] = [
  ["TLS", runtimeNetwork(), [...denoErrors(), ...nodeErrors()]],
  ["TLS on node:net", nodeNetwork()!, nodeErrors().slice(0, 4)],
  ["TLS in memory", memoryNetwork(), denoErrors().slice(0, 4)],
];

for (const [name, network, errors] of BACKENDS) {
  Deno.test(`R40: ${name}: whatever error a connection meets, wherever, the others are served`, async () => {
    const loop = new Loop({ onWarning: () => {} });
    let fault: { error: Error; place: FaultPoint; count: number; connection: number } | null = null;
    const plan = ({ point, side, connection, count }: FaultCall) => {
      const isMet = fault !== null && side === "server" && connection === fault.connection &&
        point === fault.place && count === fault.count;
      return isMet ? { error: fault!.error, how: "later" as const } : null;
    };
    const faulty = new FaultNetwork(network, plan, codeOf);
    useNetwork(loop, faulty);
    let connections = 0;
    await loop.run((function* () {
      using listener = yield* TlsListenSocket.listen({ hostname, ...localhost });
      const { port } = listener.localAddr;
      yield* Nursery.open(function* (nursery) {
        const serving = nursery.startSoon(listener.serve(answer, { onError() {} }));
        for (let index = 0; index < errors.length * 3; index++) {
          // Each error at three places, each place by many errors; all of both would take a minute.
          const error = errors[index % errors.length];
          const [place, count] = PLACES[index % PLACES.length];
          fault = { error, place, count, connection: connections++ };
          try {
            yield* assertServed(port);
            // deno-lint-ignore broomio/no-swallowed-cancelled -- nothing is cancelled here
          } catch {
            // It is the one that was met.
          }
          fault = null;
          connections++;
          yield* assertServed(port);
        }
        assertEquals(serving.state, "waiting");
        nursery.cancel();
      });
    })());
    assert(faulty.faults > errors.length * 2, `${faulty.faults} faults`);
  });
}

Deno.test("R40: TLS: a connection that was reset between handshake and accept ends alone", async () => {
  const loop = new Loop();
  // What Deno does on a connection that was reset: the handshake is done, and then this throws.
  const error = Object.assign(new Error("Bad resource ID"), { name: "BadResource" });
  const faulty = new FaultNetwork(
    runtimeNetwork(),
    ({ point, side, connection, count }) =>
      side === "server" && connection === 0 && point === "setNoDelay" && count === 1
        ? { error, how: "throw" }
        : null,
  );
  useNetwork(loop, faulty);
  await loop.run((function* () {
    using listener = yield* TlsListenSocket.listen({ hostname, ...localhost });
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(answer, { onError: "throw" }));
      yield* assertServed(listener.localAddr.port);
      yield* assertServed(listener.localAddr.port);
      nursery.cancel();
    });
  })());
  assertEquals(faulty.faults, 1);
});

/** Opens a TCP connection. */
function dial(port: number): Operation<NodeSocket> {
  return suspend((resume, fail) => {
    const socket = connect({ host: hostname, port }, () => resume(socket));
    socket.on("error", fail);
    return () => socket.destroy();
  });
}

for (const [name, makeLoop] of tlsLoops) {
  Deno.test(`R40: ${name}: clients that reset right after their handshake hold no slot`, async () => {
    await makeLoop().run((function* () {
      using listener = yield* TlsListenSocket.listen({ hostname, ...localhost });
      const { port } = listener.localAddr;
      const sockets = yield* all(Array.from({ length: 12 }, () => dial(port)));
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(listener.serve(answer, { maxConnections: 1, onError() {} }));
        for (const socket of sockets) {
          socket.on("error", () => {});
          const secured = connectTls({ socket, servername: "localhost", ca }, () => {
            socket.resetAndDestroy();
          });
          secured.on("error", () => {});
        }
        yield* sleep(0.3);
        yield* failAfter(20, assertServed(port));
        nursery.cancel();
      });
      for (const socket of sockets) socket.destroy();
    })());
  });
}

Deno.test("R40: TLS: 1,100 clients that say nothing hold a good one up for a second, and no longer", async () => {
  const loop = new Loop();
  useNetwork(loop, memoryNetwork());
  const dropped: string[] = [];
  await loop.run((function* () {
    using listener = yield* TlsListenSocket.listen({
      ...localhost,
      onHandshakeError: ({ code }) => dropped.push(code),
    });
    const { port } = listener.localAddr;
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(answer));
      const silent: TcpClientSocket[] = [];
      for (let count = 0; count < 1100; count++) {
        silent.push(yield* TcpClientSocket.connect({ port }));
      }
      const began = loop.now;
      yield* assertServed(port);
      assert(loop.now - began < 10, `it took ${loop.now - began} s`);
      yield* checkpoint();
      assertEquals(dropped, new Array(dropped.length).fill("ETIMEDOUT"));
      assert(dropped.length >= 101 && dropped.length < 1000, `${dropped.length} were dropped`);
      for (const client of silent) client.close();
      nursery.cancel();
    });
  })());
});
