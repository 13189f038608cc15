/**
 * The streams of a process: what it prints can be received, what it reads can be sent. Each is a
 * half of a `ByteStream` over one end of a pipe, with its back pressure (R50).
 *
 * Independent of: how processes are started and ended; which runtime this is.
 */
import type { RawReceiveStream, RawSendStream } from "../bytes/raw_stream.ts";
import { Receive, ReceiveInto, Receiver, ReceiveView } from "../bytes/receiver.ts";
import { Send, Shutdown } from "../bytes/send_waits.ts";
import { Sender } from "../bytes/sender.ts";
import type { Operation } from "../kernel/coroutine.ts";
import type { ReceiveStream, SendStream } from "../stream.ts";

// What this folder alone may see of a stream.
/** The half behind an output. */
export let receiverOf: (output: ProcessOutput) => Receiver;
/** The half behind an input. */
export let senderOf: (input: ProcessInput) => Sender;

/** For outputs of a process that has no input to flush before a receive. */
const NO_INPUT = { flush(): void {} };

/**
 * What a process prints: its `stdout` or `stderr`. Whoever does not read it stops the process, once
 * the pipe is full. Closed when the process's scope is left.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { Process, type ProcessOutput } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* textOf(output: ProcessOutput) {
 *   let text = "";
 *   const decoder = new TextDecoder();
 *   for (let bytes = yield* output.recv(); bytes !== null; bytes = yield* output.recv()) {
 *     text += decoder.decode(bytes, { stream: true });
 *   }
 *   return text;
 * }
 * await new Loop().run(function* () {
 *   const child = yield* Process.start("echo", ["hello"], { stdout: "pipe" });
 *   assertEquals(yield* textOf(child.stdout), "hello\n");
 * }());
 * ```
 */
export class ProcessOutput implements ReceiveStream, Disposable {
  readonly #receiver: Receiver;
  readonly #input: { flush(): void };

  /** Made by `Process.start`; by hand over one end of a backend's pipe. */
  constructor(raw: RawReceiveStream, input?: ProcessInput) {
    this.#receiver = new Receiver(raw);
    this.#input = input === undefined ? NO_INPUT : senderOf(input);
    raw.receiveEvents = this.#receiver;
  }

  /**
   * Waits for bytes: at least one, at most `max`; `null` at the end. They are the caller's to keep.
   * A checkpoint. A cancelled receive loses no bytes: the next one gets them.
   *
   * @throws {BusyResourceError} If another task is receiving, or the output goes to another
   * process.
   * @throws {ClosedResourceError} If it was closed, or the process's scope was left.
   * @throws {SocketError} If the pipe broke.
   * @throws {RangeError} If `max` is less than 1.
   */
  recv(max: number = Infinity): Operation<Uint8Array<ArrayBuffer> | null> {
    return new Receive(this.#receiver, this.#input, max);
  }

  /**
   * Waits for bytes and copies them to the start of `buffer`; gives how many, or `null` at the end.
   * A checkpoint. A cancelled receive never touches the buffer.
   *
   * @throws {BusyResourceError} If another task is receiving, or the output goes to another
   * process.
   * @throws {ClosedResourceError} If it was closed, or the process's scope was left.
   * @throws {SocketError} If the pipe broke.
   * @throws {RangeError} If the buffer has no room.
   */
  recvInto(buffer: Uint8Array): Operation<number | null> {
    return new ReceiveInto(this.#receiver, this.#input, buffer);
  }

  /**
   * Waits for bytes and gives a view of them where they are: at least one, at most `max`; `null` at
   * the end. The view is good until the next receive is begun. A checkpoint.
   *
   * @throws {BusyResourceError} If another task is receiving, or the output goes to another
   * process.
   * @throws {ClosedResourceError} If it was closed, or the process's scope was left.
   * @throws {SocketError} If the pipe broke.
   * @throws {RangeError} If `max` is less than 1.
   */
  recvView(max: number = Infinity): Operation<Uint8Array<ArrayBuffer> | null> {
    return new ReceiveView(this.#receiver, this.#input, max);
  }

  /**
   * Stops reading: a process that goes on printing gets SIGPIPE or an error. Whoever receives gets
   * a `ClosedResourceError`. Never waits or throws; twice is once.
   */
  close(): void {
    this.#receiver.close();
    this.#receiver.raw.close();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    receiverOf = (output) => output.#receiver;
  }
}

/**
 * What a process reads: its `stdin`. Closed when the process's scope is left.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { Process, type ProcessInput } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* feed(input: ProcessInput, lines: string[]) {
 *   for (const line of lines) yield* input.send(new TextEncoder().encode(`${line}\n`));
 *   yield* input.shutdown(); // the process reads to its end
 * }
 * await new Loop().run(function* () {
 *   const child = yield* Process.start("sort", [], { stdin: "pipe", stdout: "pipe" });
 *   yield* feed(child.stdin, ["b", "a"]);
 *   assertEquals(new TextDecoder().decode((yield* child.stdout.recv())!), "a\nb\n");
 * }());
 * ```
 */
export class ProcessInput implements SendStream, Disposable {
  readonly #sender: Sender;

  /** Made by `Process.start`; by hand over one end of a backend's pipe. */
  constructor(raw: RawSendStream) {
    this.#sender = new Sender(raw);
    raw.sendEvents = this.#sender;
  }

  /**
   * Sends all of `bytes`, waiting while the process reads nothing. A checkpoint. Do not change the
   * bytes before it is done. Up to 16 KiB are gathered: what is sent before the task waits for
   * something else goes out in one write, whose error is thrown by the next `send` or `shutdown`.
   * Cancelled before anything was written, it did not happen; cancelled later, a part was sent, and
   * nothing can follow.
   *
   * @throws {SocketError} If the process has closed its input or has ended (`EPIPE`).
   * @throws {BrokenResourceError} If an earlier send was cancelled half way.
   * @throws {BusyResourceError} If another task is sending.
   * @throws {ClosedResourceError} If it was closed or shut down, or the process's scope was left.
   */
  send(bytes: Uint8Array): Operation<void> {
    return new Send(this.#sender, bytes);
  }

  /**
   * Ends the input: the process reads to its end. A checkpoint. Twice is once.
   *
   * @throws {SocketError} If the process has closed its input or has ended (`EPIPE`).
   * @throws {BusyResourceError} If another task is sending.
   * @throws {ClosedResourceError} If it was closed, or the process's scope was left.
   */
  shutdown(): Operation<void> {
    return new Shutdown(this.#sender);
  }

  /**
   * Ends the input without waiting for it: what was sent before still goes out, a large send under
   * way is cut off, and whoever sends gets a `ClosedResourceError`. Never throws; twice is once.
   */
  close(): void {
    this.#sender.close();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    senderOf = (input) => input.#sender;
  }
}
