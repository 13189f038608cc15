/**
 * UDP: messages that arrive whole, or not at all.
 *
 * Invariants: messages are given out in the order in which they arrived, each once, also where
 * receives are cancelled; what nobody receives is kept up to `MAX_WAITING` bytes and `MAX_MESSAGES`
 * messages, and what comes then is lost, as the system itself does it. Independent of: which
 * backend it is.
 */
import { checkInstance, checkObject, checkOptions } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import type { DatagramEvents, RawDatagram } from "./network.ts";
import type { Datagram, NetAddress } from "../stream.ts";
import { type Selectable, Wait } from "../kernel/wait.ts";
import { OpenWait } from "./open_wait.ts";
import { showAddress, SocketError } from "../bytes/socket_error.ts";
import { checkBytes } from "../bytes/check_bytes.ts";
import { codeOf } from "../bytes/error_code.ts";
import { checkHostname, isHostName } from "./host_name.ts";
import { checkPort, checkTransport } from "./tcp.ts";
import { WaiterSlot } from "../bytes/waiter_slot.ts";

/**
 * Options of {@linkcode UdpSocket.bind}.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type UdpBindOptions, UdpSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: UdpBindOptions = { hostname: "127.0.0.1", port: 0 };
 * await new Loop().run(function* () {
 *   using socket = yield* UdpSocket.bind(options);
 *   assertEquals(socket.localAddr.port > 0, true); // the one that was free
 * }());
 * ```
 */
export interface UdpBindOptions {
  /** An IP address or a name; by default `0.0.0.0`, all of IPv4. `::` is all of IPv4 and IPv6. */
  hostname?: string;
  /** 0 to 65,535; by default 0: any that is free, which `localAddr` tells. */
  port?: number;
  /** So that an address can be given as it is. */
  transport?: NetAddress["transport"];
}

const BIND_OPTIONS = ["hostname", "port", "transport"] as const;

/**
 * A message, and who sent it.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type UdpMessage, UdpSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const textOf = ({ bytes, address }: UdpMessage) =>
 *   `${new TextDecoder().decode(bytes)} from ${address.hostname}`;
 *
 * await new Loop().run(function* () {
 *   using socket = yield* UdpSocket.bind({ hostname: "127.0.0.1" });
 *   yield* socket.sendTo(new TextEncoder().encode("hello"), socket.localAddr); // to itself
 *   assertEquals(textOf(yield* socket.recvFrom()), "hello from 127.0.0.1");
 * }());
 * ```
 */
export interface UdpMessage {
  /** The whole message. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where it came from. */
  address: NetAddress;
}

/**
 * How many bytes of messages, and how many of them, wait to be received before further ones are
 * lost.
 */
const MAX_WAITING = 4 * 1024 * 1024;
const MAX_MESSAGES = 8192;

/**
 * A UDP socket: any number of tasks send, one at a time receives.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { UdpSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(function* () {
 *   using one = yield* UdpSocket.bind({ hostname: "127.0.0.1" });
 *   using two = yield* UdpSocket.bind({ hostname: "127.0.0.1" });
 *   yield* one.sendTo(new TextEncoder().encode("hello"), two.localAddr);
 *   const { bytes, address } = yield* two.recvFrom();
 *   assertEquals(new TextDecoder().decode(bytes), "hello");
 *   assertEquals(address.port, one.localAddr.port);
 * }());
 * ```
 */
export class UdpSocket implements Datagram {
  /** Where it receives; with port 0, this tells the port that was free. */
  readonly localAddr: NetAddress;
  readonly #queue: DatagramQueue;

  /** Made by `bind`; by hand over a raw socket of one's own. */
  constructor(raw: RawDatagram) {
    this.localAddr = raw.localAddr;
    this.#queue = new DatagramQueue(raw);
  }

  /**
   * Makes a socket that receives at an address. A checkpoint.
   *
   * @throws {SocketError} If that fails: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`; `ENOTSUP` where
   * there is no UDP.
   * @throws {TypeError} If an option is of the wrong kind, or not known.
   * @throws {RangeError} If the port is not from 0 to 65,535.
   */
  static bind(options: UdpBindOptions = {}): Operation<UdpSocket> {
    const { hostname = "0.0.0.0", port = 0, transport } = checkOptions(
      options,
      "UdpSocket.bind",
      BIND_OPTIONS,
    );
    checkHostname(hostname);
    checkTransport(transport, "udp");
    return bind({ transport: "udp", hostname, port: checkPort(port, 0) });
  }

  /**
   * Waits for a message; it is the caller's to keep. A checkpoint. A cancelled receive loses none:
   * the next one gets it.
   *
   * @throws {SocketError} If the socket broke.
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If the socket was closed.
   */
  recvFrom(): Selectable<UdpMessage> {
    return new ReceiveMessage(this.#queue);
  }

  /**
   * Waits for a message and copies it to the start of `buffer`. What does not fit is lost: then
   * `size`, the length of the message, is more than `count`, what was copied. A checkpoint.
   * Cancelled, it never touches the buffer.
   *
   * @throws {SocketError} If the socket broke.
   * @throws {BusyResourceError} If another task is receiving.
   * @throws {ClosedResourceError} If the socket was closed.
   */
  recvFromInto(
    buffer: Uint8Array,
  ): Operation<{ count: number; size: number; address: NetAddress }> {
    return new ReceiveInto(this.#queue, buffer);
  }

  /**
   * Sends one message. A checkpoint. Whether it arrives nobody knows; cancelled, it may have been
   * sent.
   *
   * @throws {SocketError} If the system refuses: `EMSGSIZE`, `ENOTFOUND`, `EACCES`...
   * @throws {ClosedResourceError} If the socket was closed.
   * @throws {TypeError} If something is of the wrong kind.
   * @throws {RangeError} If the port is not from 1 to 65,535.
   */
  sendTo(bytes: Uint8Array, address: { hostname: string; port: number }): Operation<void> {
    return new SendMessage(this.#queue, bytes, address);
  }

  /** Ends it; whoever waits gets a `ClosedResourceError`. Never waits or throws; twice is once. */
  close(): void {
    this.#queue.close();
  }

  /** Closes it: `using socket = yield* ...`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function* bind(address: NetAddress): Coroutine<UdpSocket> {
  const raw = yield* new OpenWait<RawDatagram>("Cannot bind", address, (network, attempt) => {
    if (network.bindUdp === undefined) return attempt.failed("ENOTSUP", undefined);
    network.bindUdp(address, attempt);
  });
  return new UdpSocket(raw);
}

/** What has arrived, or who waits for it. */
class DatagramQueue extends WaiterSlot<Receive<unknown>> implements DatagramEvents {
  readonly raw: RawDatagram;
  readonly senders = new Set<SendMessage>();
  failure: Error | null = null;
  /** Messages that nobody has received, from `#first` on. */
  #messages: UdpMessage[] = [];
  #first = 0;
  #bytes = 0;

  constructor(raw: RawDatagram) {
    super();
    this.raw = raw;
    raw.events = this;
  }

  get name(): string {
    return showAddress(this.raw.localAddr);
  }

  wait(waiter: Receive<unknown>): void {
    this.checkFree();
    const message = this.#messages[this.#first];
    if (message === undefined) {
      if (this.failure !== null) throw this.failure;
      this.waiter = waiter;
      return;
    }
    this.#bytes -= message.bytes.length;
    if (++this.#first === this.#messages.length) {
      this.#messages = [];
      this.#first = 0;
    } else if (this.#first > MAX_MESSAGES) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
    waiter.deliver(message);
  }

  protected busyMessage(): string {
    return `Another task is receiving at ${this.name}: one at a time`;
  }

  arrived(bytes: Uint8Array, address: NetAddress): void {
    const message = { bytes: bytes as Uint8Array<ArrayBuffer>, address };
    const waiter = this.vacate();
    if (waiter !== null) return waiter.deliver(message);
    const waiting = this.#messages.length - this.#first;
    if (waiting >= MAX_MESSAGES || this.#bytes + bytes.length > MAX_WAITING) return;
    this.#messages.push(message);
    this.#bytes += bytes.length;
  }

  broke(code: string, cause: unknown): void {
    this.#end(new SocketError("Cannot receive at", code, this.raw.localAddr, cause));
  }

  close(): void {
    if (this.failure instanceof ClosedResourceError) return;
    try {
      this.raw.close();
    } catch {
      // It is of no use any more in any case.
    }
    this.#messages = [];
    this.#first = 0;
    this.#end(new ClosedResourceError(`The socket at ${this.name} is closed`));
    for (const sender of [...this.senders]) sender.fail(this.failure);
  }

  #end(error: Error): void {
    this.failure = error;
    this.vacate()?.fail(error);
  }
}

/** Waits for a message. */
abstract class Receive<T> extends Wait<T> {
  static {
    this.prototype.external = true;
  }

  readonly #queue: DatagramQueue;

  constructor(queue: DatagramQueue) {
    super();
    this.#queue = queue;
  }

  protected arm(): void {
    this.#queue.wait(this as Receive<unknown>);
  }

  protected disarm(): void {
    this.#queue.waiter = null;
  }

  abstract deliver(message: UdpMessage): void;

  describe(): string {
    return `receiving at ${this.#queue.name}`;
  }
}

class ReceiveMessage extends Receive<UdpMessage> {
  deliver(message: UdpMessage): void {
    this.settle(message);
  }
}

class ReceiveInto extends Receive<{ count: number; size: number; address: NetAddress }> {
  readonly #buffer: Uint8Array;

  constructor(queue: DatagramQueue, buffer: Uint8Array) {
    super(queue);
    this.#buffer = checkInstance(buffer, Uint8Array, "buffer");
  }

  deliver({ bytes, address }: UdpMessage): void {
    const count = Math.min(bytes.length, this.#buffer.length);
    this.#buffer.set(count < bytes.length ? bytes.subarray(0, count) : bytes);
    this.settle({ count, size: bytes.length, address });
  }
}

class SendMessage extends Wait<void> {
  static {
    this.prototype.external = true;
  }

  readonly #queue: DatagramQueue;
  readonly #bytes: Uint8Array;
  readonly #address: NetAddress;

  constructor(
    queue: DatagramQueue,
    bytes: Uint8Array,
    address: { hostname: string; port: number },
  ) {
    super();
    checkBytes(bytes);
    const { hostname, port } = checkObject(address, "address");
    checkHostname(hostname);
    this.#queue = queue;
    this.#bytes = bytes;
    this.#address = { transport: "udp", hostname, port: checkPort(port, 1) };
  }

  protected arm(): void {
    const { failure, raw, senders } = this.#queue;
    if (failure !== null) throw failure;
    if (!isHostName(this.#address.hostname)) {
      throw new SocketError("Cannot send to", "ENOTFOUND", this.#address);
    }
    senders.add(this);
    // A copy: the backend may send it after this was cancelled, when the caller reuses the bytes.
    const done = (code?: string, cause?: unknown) => {
      senders.delete(this);
      if (code === undefined) this.settle();
      else this.fail(new SocketError("Cannot send to", code, this.#address, cause));
    };
    try {
      raw.send(new Uint8Array(this.#bytes), this.#address, done);
    } catch (error) {
      done(codeOf(error), error);
    }
  }

  protected disarm(): void {
    this.#queue.senders.delete(this);
  }

  describe(): string {
    return `sending to ${showAddress(this.#address)}`;
  }
}
