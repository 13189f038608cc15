/**
 * fromWebSocket: the messages of a WebSocket, of whatever make: the browser's, Deno's, Node's
 * client, the `ws` package.
 *
 * Invariants
 * - A message that arrived waits for a task that receives it; a cancelled receive takes none (R18).
 *   What waits is bounded: beyond the limit a socket that can be paused is, and any other is ended
 *   with 1009.
 * - A send waits while the other end takes nothing: until what the socket holds has fallen below a
 *   mark (R47).
 * - The end is told after the last message: a clean one as an end, any other as an error.
 *
 * Independent of: how the socket came to be.
 *
 * How much a socket holds is asked of `bufferedAmount`, again and again: there is no event for it
 * but in `ws`, whose `send` calls back.
 */
import { checkInteger, checkOptions, checkString, wrongKind } from "../check.ts";
import { toSeconds } from "../duration.ts";
import { suspend } from "../interop/suspend.ts";
import { checkpoint } from "../kernel/checkpoint.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { BrokenResourceError, ClosedResourceError, TimeoutError } from "../kernel/errors.ts";
import { checkVisitor, forEachOf, type Visitor } from "../operations/for_each.ts";
import { sleep } from "../operations/sleep.ts";
import { failAfter } from "../operations/timeout.ts";
import {
  LOST,
  type Message,
  type MessageStream,
  WebSocketError,
  type WebSocketLike,
  type WebSocketOptions,
} from "./messages.ts";

/** What the `ws` package has besides. */
interface Extras {
  terminate?(): void;
  pause?(): void;
  resume?(): void;
}

const TOO_BIG = 1009;
/** The closes that mean: all is well. */
const CLEAN = [1000, 1001, 1005];
/** How often `bufferedAmount` is asked, in seconds: at first, and at most. */
const FIRST_LOOK = 0.002;
const LONGEST_LOOK = 0.05;

/**
 * Waits until a WebSocket is open, and gives its messages. A checkpoint. Cancelled, it closes the
 * socket.
 *
 * Give it the socket at once: what arrives before, nobody hears.
 *
 * @param socket The browser's, `Deno.upgradeWebSocket(request).socket`, Node's client, or one of
 * the `ws` package.
 * @throws {WebSocketError} If it cannot be opened.
 * @throws {TimeoutError} If that takes longer than `openTimeout`.
 * @throws {TypeError | RangeError} If it is no WebSocket, or an option is not valid or not known.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { fromWebSocket } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* echo(socket: WebSocket) {
 *   using messages = yield* fromWebSocket(socket);
 *   yield* messages.forEach((message) => messages.send(message));
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
 *     const { socket, response } = Deno.upgradeWebSocket(request);
 *     nursery.startSoon(echo(socket));
 *     return response;
 *   });
 *   const client = yield* fromWebSocket(new WebSocket(`ws://127.0.0.1:${server.addr.port}`));
 *   yield* client.send("hello");
 *   assertEquals(yield* client.receive(), "hello");
 *   client.close();
 *   yield* until(server.shutdown());
 * }));
 * ```
 */
export function fromWebSocket(
  socket: WebSocketLike,
  options: WebSocketOptions = {},
): Operation<MessageStream> {
  if (typeof socket?.addEventListener !== "function" || typeof socket.send !== "function") {
    throw wrongKind("a WebSocket", socket, "fromWebSocket()");
  }
  checkOptions(options, "fromWebSocket", [
    "maxBuffered",
    "highWaterMark",
    "writeTimeout",
    "openTimeout",
    "closeTimeout",
  ]);
  const { maxBuffered = 1 << 20, highWaterMark = 1 << 16 } = options;
  const { writeTimeout = 60, openTimeout = 30, closeTimeout = 5 } = options;
  return open(
    new SocketMessages(socket, {
      maxBuffered: checkInteger(maxBuffered, "maxBuffered", 1),
      highWaterMark: checkInteger(highWaterMark, "highWaterMark", 1),
      writeTimeout: toSeconds(writeTimeout, "writeTimeout"),
      openTimeout: toSeconds(openTimeout, "openTimeout"),
      closeTimeout: toSeconds(closeTimeout, "closeTimeout"),
    }),
  );
}

function* open(messages: SocketMessages): Coroutine<MessageStream> {
  let opened = false;
  try {
    yield* messages.opened();
    opened = true;
    return messages;
  } finally {
    if (!opened) messages.close();
  }
}

class SocketMessages implements MessageStream {
  readonly #socket: WebSocketLike & Extras;
  readonly #settings: Required<{ [name in keyof WebSocketOptions]: number }>;
  readonly #messages: Message[] = [];
  #buffered = 0;
  #paused = false;
  /** Set when nothing more will arrive: null for a clean end. */
  #end: { error: WebSocketError | null } | null = null;
  #error: unknown = undefined;
  #closed = false;
  #terminator: ReturnType<typeof setTimeout> | undefined;
  /** Resume those who wait for anything to happen. */
  readonly #waiting = new Set<() => void>();

  constructor(
    socket: WebSocketLike,
    settings: Required<{ [name in keyof WebSocketOptions]: number }>,
  ) {
    this.#socket = socket;
    this.#settings = settings;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", this.#changed);
    socket.addEventListener("message", this.#arrived);
    socket.addEventListener("error", this.#failed);
    socket.addEventListener("close", this.#ended);
    if (socket.readyState === 3) this.#ended({ code: LOST, reason: "" });
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  *opened(): Coroutine<void> {
    yield* checkpoint();
    if (this.#socket.readyState === 0) {
      yield* failAfter(this.#settings.openTimeout, this.#opening());
    }
    if (this.#end !== null && this.#messages.length === 0) {
      throw this.#end.error ?? new WebSocketError(LOST, "");
    }
  }

  *#opening(): Coroutine<void> {
    while (this.#socket.readyState === 0 && this.#end === null) yield* this.#change();
  }

  *receive(): Coroutine<Message | null> {
    const result = yield* this.next();
    return result.done ? null : result.value;
  }

  *next(): Coroutine<IteratorResult<Message, undefined>> {
    yield* checkpoint();
    for (;;) {
      if (this.#closed) throw new ClosedResourceError("This WebSocket was closed by this end");
      const value = this.#messages.shift();
      if (value !== undefined) {
        this.#buffered -= sizeOf(value);
        if (this.#paused && this.#buffered <= this.#settings.maxBuffered / 2) this.#pause(false);
        return { done: false, value };
      }
      if (this.#end !== null) {
        if (this.#end.error !== null) throw this.#end.error;
        return { done: true, value: undefined };
      }
      yield* this.#change();
    }
  }

  forEach(body: Visitor<Message>): Operation<void> {
    checkVisitor(body, "forEach");
    return this.#each(body);
  }

  *#each(body: Visitor<Message>): Coroutine<void> {
    try {
      yield* forEachOf(this, body);
    } finally {
      this.close();
    }
  }

  send(message: Message): Operation<void> {
    if (typeof message !== "string" && !(message instanceof Uint8Array)) {
      throw wrongKind("a string or a Uint8Array", message, "send()");
    }
    return this.#send(message);
  }

  *#send(message: Message): Coroutine<void> {
    yield* checkpoint();
    this.#checkOpen();
    this.#socket.send(message);
    if (this.#isFull) yield* this.#drain();
  }

  /** Waits until the other end has taken enough. */
  *#drain(): Coroutine<void> {
    try {
      yield* failAfter(this.#settings.writeTimeout, this.#poll());
    } catch (error) {
      if (error instanceof TimeoutError) this.#terminate();
      throw error;
    }
  }

  *#poll(): Coroutine<void> {
    for (let pause = FIRST_LOOK; this.#isFull; pause = Math.min(pause * 2, LONGEST_LOOK)) {
      yield* sleep(pause);
      this.#checkOpen();
    }
  }

  get #isFull(): boolean {
    return this.#socket.bufferedAmount > this.#settings.highWaterMark;
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedResourceError("This WebSocket was closed by this end");
    if (this.#end !== null || this.#socket.readyState > 1) {
      throw this.#end?.error ?? new BrokenResourceError("The other end has closed this WebSocket");
    }
  }

  close(code: number = 1000, reason: string = ""): void {
    checkInteger(code, "code", 1000, 4999);
    checkString(reason, "reason");
    if (this.#closed) return;
    this.#closed = true;
    this.#messages.length = 0;
    if (this.#paused) this.#pause(false); // or the close frame would not be read
    this.#wakeAll();
    if (this.#end !== null) return;
    try {
      this.#socket.close(code, reason);
    } catch { // a code that this make of socket does not send
      this.#socket.close();
    }
    // A peer that does not answer keeps it open for ever otherwise, and with it, on some runtimes,
    // the process.
    if (this.#socket.terminate !== undefined) {
      const terminate = (): void => this.#terminate();
      this.#terminator = setTimeout(terminate, this.#settings.closeTimeout * 1000);
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Ends the connection at once where that can be done. */
  #terminate(): void {
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else if (this.#socket.readyState < 2) this.#socket.close();
  }

  readonly #arrived = ({ data }: { data: unknown }): void => {
    if (this.#closed || this.#end !== null) return;
    const message = typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer);
    this.#messages.push(message);
    this.#buffered += sizeOf(message);
    if (this.#buffered > this.#settings.maxBuffered) {
      if (this.#socket.pause !== undefined) this.#pause(true);
      else if (this.#messages.length > 1) this.#overflow();
    }
    this.#changed();
  };

  /**
   * More has arrived than may wait, and it cannot be held up: what is here can be received, then
   * the error is.
   */
  #overflow(): void {
    this.#end = {
      error: new WebSocketError(
        TOO_BIG,
        `${this.#buffered} bytes wait to be received, more than maxBuffered`,
      ),
    };
    this.#socket.close();
  }

  #pause(paused: boolean): void {
    this.#paused = paused;
    if (paused) this.#socket.pause!();
    else this.#socket.resume!();
  }

  readonly #failed = (event: { error?: unknown }): void => {
    this.#error = event?.error;
    // Node 22 says no more than that of one that cannot be opened, and leaves its state as it is.
    if (this.#socket.readyState === 0) this.#ended({ code: LOST, reason: "" });
  };

  readonly #ended = ({ code, reason }: { code: number; reason: string }): void => {
    clearTimeout(this.#terminator);
    const { removeEventListener } = this.#socket;
    // deno-lint-ignore no-explicit-any
    const remove = (type: string, listener: (event: any) => void) =>
      removeEventListener.call(this.#socket, type, listener);
    remove("open", this.#changed);
    remove("message", this.#arrived);
    remove("error", this.#failed);
    remove("close", this.#ended);
    const lost = code === 0 || code === LOST; // Deno says 0
    this.#end ??= {
      error: CLEAN.includes(code) && !lost
        ? null
        : new WebSocketError(lost ? LOST : code, reason, { cause: this.#error }),
    };
    this.#changed();
  };

  readonly #changed = (): void => this.#wakeAll();

  #wakeAll(): void {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }

  #change(): Operation<void> {
    return suspend<void>((resume) => {
      this.#waiting.add(resume);
      return () => this.#waiting.delete(resume);
    });
  }
}

function sizeOf(message: Message): number {
  return message.length; // of text, the characters: it is memory that is bounded, not the wire
}
