/**
 * Web streams, both ways: a ReadableStream as a source of values, and a receiver as a
 * ReadableStream.
 */
import { wrongKind } from "../check.ts";
import type { Loop } from "../loop.ts";
import { toAsyncIterable, type ValueReceiver } from "./async_iterable.ts";
import { BufferedSource, type Completion, type Source } from "./source.ts";

class StreamSource<T> extends BufferedSource<T> {
  readonly #reader: ReadableStreamDefaultReader<T>;
  /** A read is under way: at most one, and never abandoned. Cancelled, its value is kept. */
  #reading = false;

  constructor(stream: ReadableStream<T>) {
    super("a ReadableStream");
    this.#reader = stream.getReader();
  }

  protected wanted(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#reader.read().then(
      (result) => {
        this.#reading = false;
        if (result.done) return this.#finish({ failed: false });
        this.arrived(result.value);
        if (this.hasWaiters) this.wanted();
      },
      (error) => this.#finish({ failed: true, error }),
    );
  }

  #finish(completion: Completion): void {
    this.#reader.releaseLock();
    this.ended(completion);
  }

  protected async stop(): Promise<void> {
    try {
      await this.#reader.cancel();
    } finally {
      this.#reader.releaseLock();
    }
  }
}

/**
 * The chunks of a stream, which is locked from now on. Closing the source cancels the stream. A
 * chunk is read only when a task asks for it, and is kept where that task was cancelled.
 *
 * @throws {TypeError} If it is no stream, or locked already.
 * @example
 * ```ts
 * import { fromReadableStream, Loop } from "jsr:@broomio/core";
 *
 * const stream = new Blob(["hello"]).stream();
 * let size = 0;
 * await new Loop().run(fromReadableStream(stream).forEach((chunk) => {
 *   size += chunk.length;
 * }));
 * console.log(size); // 5
 * ```
 */
export function fromReadableStream<T>(stream: ReadableStream<T>): Source<T> {
  if (typeof stream?.getReader !== "function") {
    throw wrongKind("a ReadableStream", stream, "fromReadableStream()");
  }
  return new StreamSource(stream);
}

/**
 * What a receiver receives, as a stream for code outside the loop. It receives only what is read,
 * so a slow reader slows the senders. Cancelling the stream closes the receiver.
 *
 * @param receiver The receiving end of a channel; it belongs to the stream from now on.
 * @param loop The loop that the senders run on; see {@linkcode toAsyncIterable}.
 * @example
 * ```ts
 * import { Loop, openChannel, toReadableStream } from "jsr:@broomio/core";
 *
 * const loop = new Loop();
 * const { sender, receiver } = openChannel<string>(1);
 * loop.startSoon(function* () {
 *   using _ = sender;
 *   yield* sender.send("hello");
 * }());
 * const stream = toReadableStream(receiver, loop);
 * const [words] = await Promise.all([Array.fromAsync(stream), loop.run()]);
 * console.log(words); // ["hello"]
 * ```
 */
export function toReadableStream<T>(receiver: ValueReceiver<T>, loop: Loop): ReadableStream<T> {
  const iterator = toAsyncIterable(receiver, loop);
  return new ReadableStream<T>({
    async pull(controller) {
      const result = await iterator.next();
      if (result.done) controller.close();
      else controller.enqueue(result.value);
    },
    async cancel() {
      await iterator.return();
    },
  }, { highWaterMark: 0 });
}
