/**
 * The messages of a WebSocket, as types: what is sent and received, over which sockets, with which
 * options, and the error of one that ended badly.
 *
 * Independent of: how they are sent and received (web_socket.ts).
 */
import type { Duration } from "../duration.ts";
import type { Operation } from "../kernel/coroutine.ts";
import type { Visitor } from "../operations/for_each.ts";

/** The close code where no close frame came. */
export const LOST = 1006;

/**
 * What is used of a standard WebSocket.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { fromWebSocket, type WebSocketLike } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * class Loopback extends EventTarget implements WebSocketLike { // for tests: it sends to itself
 *   readyState = 1;
 *   bufferedAmount = 0;
 *   binaryType = "arraybuffer";
 *   send(data: string | Uint8Array<ArrayBuffer>) {
 *     this.dispatchEvent(new MessageEvent("message", { data }));
 *   }
 *   close(code = 1005) {
 *     this.readyState = 3;
 *     this.dispatchEvent(new CloseEvent("close", { code }));
 *   }
 * }
 * await new Loop().run(function* () {
 *   using messages = yield* fromWebSocket(new Loopback());
 *   yield* messages.send("hello");
 *   assertEquals(yield* messages.receive(), "hello");
 * }());
 * ```
 */
export interface WebSocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** How many bytes wait to be sent. */
  readonly bufferedAmount: number;
  /** How binary messages arrive. */
  binaryType: string;
  /** Sends a message. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Begins the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Listens to an event. */
  // deno-lint-ignore no-explicit-any
  addEventListener(type: string, listener: (event: any) => void): void;
  /** Ends that. */
  // deno-lint-ignore no-explicit-any
  removeEventListener(type: string, listener: (event: any) => void): void;
}

/**
 * A message: text, or bytes.
 *
 * @example
 * ```ts
 * import type { Message } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const sizeOf = (message: Message): number => // in bytes
 *   typeof message === "string" ? new TextEncoder().encode(message).length : message.length;
 * assertEquals(sizeOf("héllo"), 6);
 * ```
 */
export type Message = string | Uint8Array<ArrayBuffer>;

/**
 * Options of {@linkcode fromWebSocket}.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { fromWebSocket, type WebSocketOptions } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: WebSocketOptions = { maxBuffered: 10_000, writeTimeout: 10, closeTimeout: 1 };
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
 *     const { socket, response } = Deno.upgradeWebSocket(request);
 *     nursery.startSoon(function* () {
 *       using messages = yield* fromWebSocket(socket, options);
 *       yield* messages.send("welcome");
 *     }());
 *     return response;
 *   });
 *   using client = yield* fromWebSocket(new WebSocket(`ws://127.0.0.1:${server.addr.port}`));
 *   assertEquals(yield* client.receive(), "welcome");
 *   assertEquals(yield* client.receive(), null); // the end
 *   yield* until(server.shutdown());
 * }));
 * ```
 */
export interface WebSocketOptions {
  /** How many bytes of messages may wait to be received: 1 MiB by default. */
  maxBuffered?: number;
  /** From how many bytes on that wait to be sent a send waits: 64 KiB by default. */
  highWaterMark?: number;
  /**
   * How long a send waits for an end that takes nothing: 60 seconds by default. Then the socket is
   * broken.
   */
  writeTimeout?: Duration;
  /**
   * How long the socket may take to open: 30 seconds by default. On Deno one whose client went
   * before the answer to its upgrade never opens, and says nothing.
   */
  openTimeout?: Duration;
  /** How long a peer has to answer the closing handshake: 5 seconds by default. */
  closeTimeout?: Duration;
}

/**
 * The messages of a WebSocket. Close it, or have `using` do so.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { fromWebSocket, type MessageStream } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* greet(messages: MessageStream) {
 *   using _ = messages; // closes it at the end
 *   const name = yield* messages.receive(); // null at the end
 *   if (name !== null) yield* messages.send(`hello ${name}`); // waits for a slow reader
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
 *     const { socket, response } = Deno.upgradeWebSocket(request);
 *     nursery.startSoon(function* () {
 *       yield* greet(yield* fromWebSocket(socket));
 *     }());
 *     return response;
 *   });
 *   using client = yield* fromWebSocket(new WebSocket(`ws://127.0.0.1:${server.addr.port}`));
 *   yield* client.send("Ada");
 *   assertEquals(yield* client.receive(), "hello Ada");
 *   yield* until(server.shutdown());
 * }));
 * ```
 */
export interface MessageStream extends Disposable {
  /**
   * Waits for a message; null at the end. A checkpoint.
   *
   * @throws {WebSocketError} If the connection was lost, or closed with a code other than 1000,
   * 1001 and 1005.
   * @throws {ClosedResourceError} If this end was closed.
   */
  receive(): Operation<Message | null>;
  /** The same, as iterators give it. A checkpoint. */
  next(): Operation<IteratorResult<Message, undefined>>;
  /**
   * Runs `body` for each message to the end, or until it returns `false`; then closes the socket. A
   * checkpoint.
   */
  forEach(body: Visitor<Message>): Operation<void>;
  /**
   * Sends a message; bytes belong to the socket from then on. A checkpoint; waits while the other
   * end takes nothing.
   *
   * @throws {TimeoutError} If that takes longer than `writeTimeout`; the socket is of no use from
   * then on.
   * @throws {WebSocketError} If the connection is lost.
   * @throws {ClosedResourceError} If this end was closed.
   * @throws {TypeError} If it is neither text nor bytes.
   */
  send(message: Message): Operation<void>;
  /**
   * Closes this end. Never waits: the handshake goes on by itself, for at most `closeTimeout`.
   * Twice is once.
   *
   * @param code The close code that the other end is told: 1000, which is the default, or from 3000
   * to 4999.
   * @throws {RangeError} If the code is less than 1000 or more than 4999.
   * @throws {TypeError} If the code is no number, or the reason no string.
   */
  close(code?: number, reason?: string): void;
  /** How many bytes wait to be sent. */
  readonly bufferedAmount: number;
}

/**
 * A WebSocket that ended otherwise than by a clean close.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { fromWebSocket, WebSocketError } from "jsr:@broomio/core/http";
 * import { assertEquals, assertRejects } from "jsr:@std/assert";
 *
 * const refused = new WebSocket("ws://127.0.0.1:1"); // nobody is there
 * const open = () => new Loop().run(fromWebSocket(refused));
 * const error = await assertRejects(open, WebSocketError);
 * assertEquals(error.code, 1006);
 * ```
 */
export class WebSocketError extends Error {
  /** The close code; 1006 where the connection was lost without one. */
  readonly code: number;
  /** The reason that the peer gave. */
  readonly reason: string;

  /** Made by a {@linkcode MessageStream}. */
  constructor(code: number, reason: string, options?: ErrorOptions) {
    super(
      code === LOST
        ? "The WebSocket's connection was lost"
        : `The WebSocket was closed with code ${code}${reason && `: ${reason}`}`,
      options,
    );
    this.code = code;
    this.reason = reason;
  }
  static {
    this.prototype.name = "WebSocketError";
  }
}
