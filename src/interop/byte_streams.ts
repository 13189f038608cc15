/**
 * Web streams of bytes over callbacks: what a socket shows as `readable` and `writable`.
 *
 * Independent of: where the bytes come from, and of any loop: whoever reads and writes here is
 * outside of it.
 */

/** Where bytes come from. */
export interface ByteSource {
  /** Gives bytes, or null at the end, once. */
  pull(): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Nobody wants more. */
  cancel(): void;
}

/** Where bytes go. */
export interface ByteSink {
  /** Takes all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Nothing follows. */
  end(): Promise<void>;
  /** What follows is given up. */
  abort(): void;
}

/**
 * A connection as web streams.
 *
 * @example
 * ```ts
 * import { Loop, until } from "jsr:@broomio/core";
 * import { TcpClientSocket, TcpListenSocket, type WebStreams } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // Code that knows web streams, and nothing of this package.
 * function copy({ readable, writable }: WebStreams): Promise<void> {
 *   return readable.pipeTo(writable);
 * }
 * await new Loop().run(function* () {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   using client = yield* TcpClientSocket.connect(listener.localAddr);
 *   using server = yield* listener.accept(); // it has both
 *   const done = copy(server);
 *   yield* client.send(new TextEncoder().encode("hello"));
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   yield* client.shutdown();
 *   yield* until(done);
 * }());
 * ```
 */
export interface WebStreams {
  /** What is received. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What is sent. */
  readonly writable: WritableStream<Uint8Array>;
}

/** A stream that reads from `source` only what is asked for. */
export function toReadableBytes(source: ByteSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    type: "bytes",
    async pull(controller: ReadableByteStreamController) {
      const bytes = await source.pull();
      if (bytes !== null) return controller.enqueue(bytes);
      controller.close();
      controller.byobRequest?.respond(0); // else a reader with a buffer of its own would wait on
    },
    cancel: () => source.cancel(),
  }, { highWaterMark: 0 });
}

/** A stream that writes to `sink`. */
export function toWritableBytes(sink: ByteSink): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write: (bytes) => sink.write(bytes),
    close: () => sink.end(),
    abort: () => sink.abort(),
  });
}
