/**
 * MemoryListener: connections within one loop, for tests of servers. It is the listener of
 * production over the network in memory, so `accept` and `serve` are those of every listener.
 *
 * Independent of: any runtime.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { checkpoint } from "../kernel/checkpoint.ts";
import { BrokenResourceError } from "../kernel/errors.ts";
import { ListenSocket } from "../net/listen_socket.ts";
import { MemoryRawListener } from "../net/memory/listener.ts";
import type { ByteStream } from "../stream.ts";
import {
  capacityOf,
  memoryAddress,
  MemoryStream,
  type MemoryStreamOptions,
} from "./memory_stream.ts";

/**
 * Listens within the loop: `connect` gives one end of a memory stream, `accept` the other.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { MemoryListener, VirtualClock } from "jsr:@broomio/core/testing";
 *
 * function* main() {
 *   using listener = new MemoryListener();
 *   yield* Nursery.open(function* (nursery) {
 *     nursery.startSoon(listener.serve(function* (stream) {
 *       yield* stream.send(new TextEncoder().encode("hello"));
 *     }));
 *     using client = yield* listener.connect();
 *     console.log(new TextDecoder().decode((yield* client.recv())!)); // hello
 *     nursery.cancel();
 *   });
 * }
 * await new Loop({ host: new VirtualClock() }).run(main());
 * ```
 */
export class MemoryListener extends ListenSocket<MemoryStream> {
  readonly #raw: MemoryRawListener;

  /**
   * Listens at once.
   *
   * @throws {RangeError} If the capacity is not an integer of at least 1.
   * @throws {TypeError} If it is not a number, or an option is not known.
   */
  constructor(options?: MemoryStreamOptions) {
    const raw = new MemoryRawListener(memoryAddress(), capacityOf(options, "MemoryListener"));
    super(raw, (stream) => new MemoryStream(stream));
    this.#raw = raw;
  }

  /**
   * Connects and gives the client's end; the other end waits for an `accept`. A checkpoint.
   *
   * @throws {BrokenResourceError} If the listener was closed.
   */
  connect(): Operation<ByteStream> {
    return connect(this.#raw);
  }
}

function* connect(raw: MemoryRawListener): Coroutine<ByteStream> {
  yield* checkpoint();
  if (raw.isClosed) {
    throw new BrokenResourceError("Cannot connect: the memory listener is closed");
  }
  return new MemoryStream(raw.connect(memoryAddress(), raw.localAddr));
}
