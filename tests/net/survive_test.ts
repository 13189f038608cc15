/** R40: no error that a runtime can give, at whatever call, ends a server or another connection. */
import { assert, assertEquals } from "@std/assert";
import { Cancelled, type Coroutine, Loop, moveOnAfter, Nursery } from "jsr:@broomio/core";
import {
  type Network,
  runtimeNetwork,
  SocketError,
  TcpClientSocket,
  TcpListenSocket,
  useNetwork,
} from "../../src/net/mod.ts";
import { LISTENER_GONE } from "../../src/net/acceptor.ts";
import { codeOf } from "../../src/bytes/error_code.ts";
import { MemoryNetwork } from "../../src/net/memory/network.ts";
import { nodeNetwork } from "../../src/net/node/network.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import {
  denoErrors,
  failOnce,
  type Fault,
  FaultNetwork,
  type FaultPlan,
  type FaultPoint,
  nodeErrors,
} from "../support/fault_network.ts";

const bytes = (...values: number[]) => new Uint8Array(values);
const hostname = "127.0.0.1";

/** What came of a server, one of whose calls failed. */
interface Outcome {
  /** The error that `serve` threw, if it did. */
  ended: unknown;
  failures: unknown[];
  warnings: string[];
  /** A client that came afterwards was served. */
  served: boolean;
  network: FaultNetwork;
}

/** Asks a server for an answer; whether it came. A connection that breaks is no answer. */
function* ask(listener: TcpListenSocket): Coroutine<boolean> {
  try {
    using client = yield* TcpClientSocket.connect(listener.localAddr);
    yield* client.send(bytes(7));
    const answer = yield* moveOnAfter(5, client.recv());
    yield* client.shutdown();
    return answer !== null && answer !== undefined && answer[0] === 7;
  } catch (error) {
    if (error instanceof SocketError) return false;
    throw error;
  }
}

/**
 * Serves two clients over a network in which calls fail by `plan`: the first may meet the fault, the second
 * must not.
 */
async function serveWith(backend: Backend, plan: FaultPlan): Promise<Outcome> {
  const warnings: string[] = [];
  const loop = new Loop({
    onWarning: ({ message }) => void warnings.push(message),
    host: backend.virtual ? new VirtualClock() : undefined,
  });
  const network = new FaultNetwork(backend.make(), plan, codeOf);
  useNetwork(loop, network);
  const outcome: Outcome = { ended: null, failures: [], warnings, served: false, network };
  await loop.run((function* (): Coroutine {
    const listener = yield* TcpListenSocket.listen({ hostname, keepAlive: true });
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon((function* () {
        try {
          yield* listener.serve(function* (stream) {
            const received = yield* stream.recv();
            if (received !== null) yield* stream.send(received);
            yield* stream.recv();
            yield* stream.shutdown();
          }, { onError: (error) => outcome.failures.push(error) });
        } catch (error) {
          if (error instanceof Cancelled) throw error;
          outcome.ended = error;
          nursery.cancel();
        }
      })());
      yield* ask(listener);
      outcome.served = yield* ask(listener);
      listener.close();
    });
    listener.close();
  })());
  return outcome;
}

interface Backend {
  readonly name: string;
  readonly virtual?: boolean;
  make(): Network;
  /** The errors of its host. */
  readonly errors: readonly unknown[];
  readonly hows: readonly Fault["how"][];
}

const backends: Backend[] = [
  {
    name: "in memory",
    virtual: true,
    make: () => new MemoryNetwork(65536),
    errors: [...denoErrors(), ...nodeErrors(), undefined, "text", Object.create(null)],
    hows: ["at once", "throw"], // nothing but tasks of the loop answers there later
  },
  { name: "on this runtime", make: runtimeNetwork, errors: denoErrors(), hows: ["later"] },
  { name: "on node:net", make: () => nodeNetwork()!, errors: nodeErrors(), hows: ["later"] },
];

const POINTS: readonly FaultPoint[] = [
  ...["accept", "receive", "send", "finish", "setNoDelay", "setKeepAlive", "close"] as const,
  "closeListener",
];

for (const backend of backends) {
  for (const point of POINTS) {
    Deno.test(`R40 ${backend.name}: whatever error ${point} gives, the server goes on`, async () => {
      const faults: Fault[] = backend.errors.flatMap((error) =>
        backend.hows.map((how) => ({ error, how }))
      );
      await inParallel(faults, async (fault) => {
        const { ended, failures, warnings, served, network } = await serveWith(
          backend,
          failOnce(point, fault),
        );
        const code = codeOf(fault.error);
        const told = JSON.stringify([code, fault.how, String(ended), failures, warnings, served]);
        assertEquals(network.faults, 1, told);
        assertEquals(network.left, [], told);
        if (point === "accept" && LISTENER_GONE.has(code)) {
          assert(ended instanceof SocketError && ended.code === code, told);
          return;
        }
        assertEquals(ended, null, told);
        assert(served, told);
        // What broke a connection is an error of its handler: a SocketError with the code that every runtime has.
        const breaks = point === "receive" || point === "send" || point === "finish";
        assertEquals(failures.length, breaks ? 1 : 0, told);
        if (breaks) assert(failures[0] instanceof SocketError && failures[0].code === code, told);
        assert(warnings.length <= 1 && (warnings.length === 0 || point === "accept"), told);
      });
    });
  }
}

Deno.test("R40: an accept that fails for ever neither stops the loop nor fills the stack", async () => {
  const outcome = await serveWith(
    backends[0],
    (call) =>
      call.point === "accept" && call.count < 1000
        ? { error: denoErrors()[0], how: call.count % 2 ? "at once" : "throw" }
        : null,
  );
  assert(outcome.served);
  assertEquals(outcome.ended, null);
  assert(outcome.warnings.length >= 5 && outcome.warnings.length < 15, String(outcome.warnings));
});

/** Runs a check for each, some at a time. */
async function inParallel<T>(items: readonly T[], check: (item: T) => Promise<void>) {
  const rest = items.slice();
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await check(item);
  }));
}
