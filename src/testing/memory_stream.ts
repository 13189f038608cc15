/**
 * Memory streams: two ends of a stream of bytes within one loop, for tests of what talks over
 * sockets. They are sockets of production over the network in memory (`../net/memory/`): they keep
 * the contract of every `ByteStream`, need no runtime, and are no external wait: under a
 * `VirtualClock` time jumps while they wait, and a deadlock over them is found.
 *
 * Independent of: any runtime.
 */
import { checkInteger, checkOptions } from "../check.ts";
import { MemoryRawStream } from "../net/memory/stream.ts";
import { Socket } from "../net/socket.ts";
import type { Address, ByteStream } from "../stream.ts";

/**
 * Options of {@linkcode memoryStreamPair}.
 *
 * @example
 * ```ts
 * import { Loop, moveOnAfter } from "jsr:@broomio/core";
 * import { memoryStreamPair, type MemoryStreamOptions } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: MemoryStreamOptions = { capacity: 1 }; // byte: to see what a slow reader does
 * const [client] = memoryStreamPair(options);
 * const sent = moveOnAfter(0.01, client.send(new Uint8Array(1000)));
 * assertEquals(await new Loop().run(sent), undefined); // it waits: nobody reads
 * ```
 */
export interface MemoryStreamOptions {
  /** How many bytes each direction holds before `send` waits: 65,536 by default. */
  capacity?: number;
}

/**
 * A socket over memory.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { MemoryListener, type MemoryStream } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* greet(stream: MemoryStream) { // a socket in every respect
 *   yield* stream.send(new TextEncoder().encode("hello"));
 * }
 * await new Loop().run(function* () {
 *   using listener = new MemoryListener();
 *   using client = yield* listener.connect();
 *   yield* greet(yield* listener.accept());
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 * }());
 * ```
 */
export class MemoryStream extends Socket {}

/** Ends of streams are told apart by their ports; nobody can connect to one. */
let lastPort = 0;

/** An address in memory that nobody else has. */
export function memoryAddress(): Address {
  return { transport: "tcp", hostname: "memory", port: ++lastPort };
}

/** Checks the options and gives the capacity. */
export function capacityOf(options: MemoryStreamOptions | undefined, by: string): number {
  const { capacity = 65536 } = checkOptions(options, by, ["capacity"]);
  return checkInteger(capacity, "capacity", 1);
}

/**
 * Makes the two ends of a stream: what is sent at one is received at the other.
 *
 * @throws {RangeError} If the capacity is not an integer of at least 1.
 * @throws {TypeError} If it is not a number, or an option is not known.
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const [client, server] = memoryStreamPair();
 *   nursery.startSoon(client.send(new Uint8Array([1, 2, 3])));
 *   console.log(yield* server.recv()); // Uint8Array(3) [ 1, 2, 3 ]
 * }));
 * ```
 */
export function memoryStreamPair(options?: MemoryStreamOptions): [ByteStream, ByteStream] {
  const capacity = capacityOf(options, "memoryStreamPair");
  const [first, second] = MemoryRawStream.pair(memoryAddress(), memoryAddress(), capacity);
  return [new MemoryStream(first), new MemoryStream(second)];
}
