/**
 * memoryNetwork: the network in memory, for tests of programs that listen and connect.
 *
 * Independent of: any runtime.
 */
import { MemoryNetwork } from "../net/memory/network.ts";
import type { Network } from "../net/network.ts";
import { capacityOf, type MemoryStreamOptions } from "./memory_stream.ts";

/**
 * Makes a network within the program: TCP and Unix sockets of a loop that uses it reach each other
 * there, and nothing else. It is one host, and every name means that host. The program under test
 * is as in production, its sockets too; under a `VirtualClock` it takes no time, and a deadlock
 * over a socket is found. It has no UDP.
 *
 * @throws {RangeError} If the capacity is not an integer of at least 1.
 * @throws {TypeError} If it is not a number, or an option is not known.
 * @example
 * ```ts
 * import { Loop, moveOnAfter, Nursery } from "jsr:@broomio/core";
 * import { TcpClientSocket, TcpListenSocket, useNetwork } from "jsr:@broomio/core/net";
 * import { memoryNetwork, VirtualClock } from "jsr:@broomio/core/testing";
 *
 * function* main() {
 *   using listener = yield* TcpListenSocket.listen({ port: 25 });
 *   yield* Nursery.open(function* (nursery) {
 *     nursery.startSoon(listener.serve(function* (stream) {
 *       const line = yield* moveOnAfter(300, stream.recv()); // a silent client costs no time here
 *       yield* stream.send(new TextEncoder().encode(line === undefined ? "too slow" : "hello"));
 *     }));
 *     using client = yield* TcpClientSocket.connect({ hostname: "mail.test", port: 25 });
 *     console.log(new TextDecoder().decode((yield* client.recv())!)); // too slow
 *     nursery.cancel();
 *   });
 * }
 * const loop = new Loop({ host: new VirtualClock() });
 * useNetwork(loop, memoryNetwork());
 * await loop.run(main());
 * console.log(loop.now); // 300
 * ```
 */
export function memoryNetwork(options?: MemoryStreamOptions): Network {
  return new MemoryNetwork(capacityOf(options, "memoryNetwork"));
}
