/**
 * Socket: what TCP, Unix and TLS connections have in common: a receiving and a sending half over
 * one raw stream. Independent of: which backend it is.
 */
import type { Selectable } from "../kernel/wait.ts";
import { call } from "../operations/call.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import type { WebStreams } from "../interop/byte_streams.ts";
import { LINGER, type RawStream } from "./network.ts";
import type { Address, ByteStream, Handler } from "../stream.ts";
import { Receive, ReceiveInto, Receiver, ReceiveView } from "../bytes/receiver.ts";
import { Drain, Send, Shutdown } from "../bytes/send_waits.ts";
import { showReceiveHalf } from "../bytes/receive_half.ts";
import { Sender } from "../bytes/sender.ts";
import { SocketError } from "../bytes/socket_error.ts";
import type { Carrier } from "./tls/port.ts";
import { webStreams } from "../bytes/web.ts";

// What this file alone may see of a socket.
let sendingHalf: (socket: Socket) => Sender;
let receivingHalf: (socket: Socket) => Receiver;
let replacementOf: (socket: Socket) => Socket | null;
/**
 * Puts a secured connection in the place of the one that it was made of: closing this one closes
 * that.
 */
export let replaceWith: (socket: Socket, replacement: Socket) => void;

/**
 * A connection. One task at a time receives, and one at a time sends.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type Socket, TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // TCP, Unix or TLS.
 * function* textOf(socket: Socket) {
 *   let text = "";
 *   const decoder = new TextDecoder();
 *   for (let bytes = yield* socket.recv(); bytes !== null; bytes = yield* socket.recv()) {
 *     text += decoder.decode(bytes, { stream: true });
 *   }
 *   return text;
 * }
 * await new Loop().run(function* () {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   using client = yield* TcpClientSocket.connect(listener.localAddr);
 *   yield* client.send(new TextEncoder().encode("hello"));
 *   yield* client.shutdown(); // nothing more
 *   using server = yield* listener.accept();
 *   assertEquals(yield* textOf(server), "hello");
 * }());
 * ```
 */
export abstract class Socket implements ByteStream {
  /** This end of the connection. */
  readonly localAddr: Address;
  /** The other end of the connection. */
  readonly remoteAddr: Address;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  #web: WebStreams | null = null;
  /** The secured connection that this one was upgraded to. */
  #replacement: Socket | null = null;

  /** Made by `connect` and `accept`; by hand over a raw stream of one's own. */
  constructor(raw: RawStream) {
    this.localAddr = raw.localAddr;
    this.remoteAddr = raw.remoteAddr;
    this.#receiver = new Receiver(raw);
    this.#sender = new Sender(raw);
    raw.receiveEvents = this.#receiver;
    raw.sendEvents = this.#sender;
  }

  /**
   * Waits for bytes: at least one, at most `max`; `null` at the end. They are the caller's to keep.
   * A checkpoint. A cancelled receive loses no bytes: the next one gets them.
   *
   * @throws {SocketError} If the connection broke.
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If the socket was closed.
   * @throws {RangeError} If `max` is less than 1.
   */
  recv(max: number = Infinity): Selectable<Uint8Array<ArrayBuffer> | null> {
    return new Receive(this.#receiver, this.#sender, max);
  }

  /**
   * Waits for bytes and copies them to the start of `buffer`; gives how many, or `null` at the end.
   * A checkpoint. A cancelled receive never touches the buffer.
   *
   * @throws {SocketError} If the connection broke.
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If the socket was closed.
   * @throws {RangeError} If the buffer has no room.
   */
  recvInto(buffer: Uint8Array): Selectable<number | null> {
    return new ReceiveInto(this.#receiver, this.#sender, buffer);
  }

  /**
   * Waits for bytes and gives a view of them where they are: at least one, at most `max`; `null` at
   * the end. It saves a copy and a buffer for each connection, and is valid until the next receive
   * on this socket is begun: copy what is to stay. A checkpoint. A cancelled receive loses no
   * bytes: the next one gets them.
   *
   * @throws {SocketError} If the connection broke.
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If the socket was closed.
   * @throws {RangeError} If `max` is less than 1.
   */
  recvView(max: number = Infinity): Selectable<Uint8Array<ArrayBuffer> | null> {
    return new ReceiveView(this.#receiver, this.#sender, max);
  }

  /**
   * Sends all of `bytes`, waiting while the other end takes nothing. A checkpoint. Do not change
   * the bytes before it is done.
   *
   * Messages up to 16 KiB are coalesced: what a task sends before it waits for something else goes
   * out in one write; the first sixteen of them do not even let other tasks run, the next ones do.
   * An error of that write is thrown by the next `send` or `shutdown`; at the end of a handler it
   * is thrown as well. Cancelled before anything was written, it did not happen. Cancelled later, a
   * part was sent: the sending side is then broken, and says so at the next send.
   *
   * @throws {SocketError} If the connection broke.
   * @throws {BrokenResourceError} If an earlier send was cancelled half way.
   * @throws {BusyResourceError} If another task is sending.
   * @throws {ClosedResourceError} If the socket was closed or shut down.
   */
  send(bytes: Uint8Array): Operation<void> {
    return new Send(this.#sender, bytes);
  }

  /**
   * Says that nothing more will be sent: the other end gets `null` after what was sent. Receiving
   * goes on. A checkpoint. Twice is once.
   *
   * @throws {SocketError} If the connection broke.
   * @throws {BusyResourceError} If another task is sending.
   * @throws {ClosedResourceError} If the socket was closed.
   */
  shutdown(): Operation<void> {
    return new Shutdown(this.#sender);
  }

  /**
   * What is received, as a web stream for code outside of the loop; the same one each time. It
   * receives only what is read. Cancelling it closes the socket. While it is being read, `recv` is
   * busy.
   */
  get readable(): WebStreams["readable"] {
    return this.#webStreams().readable;
  }

  /**
   * What is sent, as a web stream for code outside of the loop; the same one each time. Closing it
   * is `shutdown`, aborting it closes the socket. While it is being written to, `send` is busy.
   */
  get writable(): WebStreams["writable"] {
    return this.#webStreams().writable;
  }

  #webStreams(): WebStreams {
    return this.#web ??= webStreams(this.#receiver, this.#sender, () => this.close());
  }

  /**
   * Ends the connection; whoever waits for it gets a `ClosedResourceError`. What was sent before
   * still goes out. Never waits or throws; twice is once.
   */
  close(): void {
    this.#receiver.close();
    this.#sender.close();
    this.#replacement?.close();
  }

  /** Closes it: `using stream = yield* ...`. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    sendingHalf = (socket) => socket.#sender;
    receivingHalf = (socket) => socket.#receiver;
    showReceiveHalf<Socket>(this.prototype, (socket) => ({
      receiver: socket.#receiver,
      flush: () => socket.#sender.flush(),
    }));
    replacementOf = (socket) => socket.#replacement;
    replaceWith = (socket, replacement) => socket.#replacement = replacement;
  }
}

/**
 * Detaches the raw stream of a socket, whose own methods throw from then on; closing it closes what
 * `replaceWith` puts in its place. A checkpoint.
 */
export function* detach(socket: Socket): Coroutine<Carrier> {
  const sender = sendingHalf(socket);
  yield* new Drain(sender);
  const error = new ClosedResourceError(
    `The socket connected to ${sender.peer} was upgraded to TLS: use the one that gave`,
  );
  const { leftover, pending } = receivingHalf(socket).detach(error);
  sender.detach(error);
  const raw = sender.raw as RawStream; // a socket's halves are over one raw stream
  return { raw, leftover, pending };
}

/**
 * Runs a handler, waits until what it sent has gone out, and closes the socket however that ends. A
 * peer that takes nothing for `LINGER` is cut off (R38).
 */
export function* runHandler<S extends Socket>(socket: S, handler: Handler<S>): Coroutine<void> {
  try {
    // On the task's own stack: it is resumed without passing through here.
    yield* call(() => handler(socket));
    const sender = sendingHalf(replacementOf(socket) ?? socket);
    if (sender.mayFailLater) yield* new Drain(sender, LINGER);
  } finally {
    socket.close();
  }
}

/** Whether an error is the socket's own, and no other: its connection broke. */
export function isOwnError(socket: Socket, error: unknown): boolean {
  if (error instanceof AggregateError) {
    return error.errors.length > 0 && error.errors.every((each) => isOwnError(socket, each));
  }
  if (!(error instanceof SocketError)) return false;
  if (error === sendingHalf(socket).broke || error === receivingHalf(socket).broke) return true;
  const replacement = replacementOf(socket);
  return replacement !== null && isOwnError(replacement, error);
}
