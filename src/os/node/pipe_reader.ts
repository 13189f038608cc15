/**
 * PipeReader: the output of a process, on Node and Bun, behind the port.
 *
 * What it knows that others need not
 * - At the `exit` event a child's streams are read to nowhere, unless there is a listener: so there
 *   is one from the start. It pauses the stream when many bytes have come that nobody has asked
 *   for: that is the back pressure.
 * - An `error` event of a stream that nobody listens to would end the program.
 *
 * Rejected: to call `read()` at each `readable`. That stops and starts the reading for each chunk,
 * and is a tenth slower. Independent of: processes.
 */
import { codeOf } from "../../bytes/error_code.ts";
import type { RawReceiveStream, ReceiveEvents } from "../../bytes/raw_stream.ts";
import type { PipeAddress } from "../../stream.ts";
import { readIntoRing, Ring } from "./internals.ts";
import type { Readable, SocketClass } from "./node_types.ts";

/**
 * How many bytes are kept unasked before the stream is paused. As many as a pipe of Node's holds:
 * with less, the process and its reader wait for each other in turn, and a gigabyte takes half as
 * long again.
 */
const KEPT = 256 * 1024;

/**
 * What both ways have in common: an answer is given where something was asked for, and bytes, a
 * failure or the end have come, in this order.
 */
abstract class PipeReader implements RawReceiveStream {
  receiveEvents!: ReceiveEvents;
  readonly remoteAddr: PipeAddress;
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  abstract readonly lifetime: "forever" | "receive";
  protected readonly stream: Readable;
  protected isClosed = false;
  #asked = false;
  #ended = false;
  #failure: unknown = null;

  constructor(stream: Readable, remoteAddr: PipeAddress) {
    this.stream = stream;
    this.remoteAddr = remoteAddr;
    stream.on("end", () => {
      this.#ended = true;
      this.tryAnswer();
    });
    stream.on("error", (error) => {
      this.#failure ??= error;
      this.tryAnswer();
    });
  }

  receive(): void {
    this.#asked = true;
    this.tryAnswer();
    if (!this.isClosed) this.goOn();
  }

  /** Answers, where something was asked for and there is an answer. */
  protected tryAnswer(): void {
    if (!this.#asked || this.isClosed) return;
    const count = this.take();
    if (count > 0) {
      this.#asked = false;
      this.receiveEvents.received(count);
    } else if (this.#failure !== null) {
      this.#asked = false;
      this.receiveEvents.receiveFailed(codeOf(this.#failure), this.#failure);
    } else if (this.#ended) {
      this.#asked = false;
      this.receiveEvents.received(0);
    }
  }

  /** Takes bytes that have come to `bytes`; gives how many, or 0. */
  protected abstract take(): number;

  /** Reads on, where that was stopped and there is room. */
  protected abstract goOn(): void;

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.stream.destroy();
  }
}

/** Reads by `data` events: documented, and all that Bun has. */
class EventReader extends PipeReader {
  /** Each chunk has memory of its own. */
  readonly lifetime = "forever";
  /** Chunks that came unasked, oldest first; at the exit Node delivers all that it has. */
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];
  #keptBytes = 0;
  #paused = true;

  constructor(stream: Readable, remoteAddr: PipeAddress) {
    super(stream, remoteAddr);
    stream.pause();
    stream.on("data", (chunk: Uint8Array<ArrayBuffer>) => this.#onData(chunk));
  }

  #onData(chunk: Uint8Array<ArrayBuffer>): void {
    if (this.isClosed || chunk.length === 0) return;
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    this.tryAnswer();
    if (this.#keptBytes < KEPT || this.#paused) return;
    this.#paused = true;
    this.stream.pause();
  }

  protected take(): number {
    const chunk = this.#kept.shift();
    if (chunk === undefined) return 0;
    this.#keptBytes -= chunk.length;
    this.bytes = chunk;
    return chunk.length;
  }

  protected goOn(): void {
    if (!this.#paused || this.#keptBytes >= KEPT / 2) return;
    this.#paused = false;
    this.stream.resume();
  }

  override close(): void {
    this.#kept.length = 0;
    super.close();
  }
}

/** Reads into memory of its own, where Node is as expected inside: see internals.ts. */
class RingReader extends PipeReader {
  readonly lifetime = "receive";
  readonly #ring: Ring;
  /** At first: nothing is read before it is asked for. */
  #paused = true;

  constructor(ring: Ring, socket: Readable, remoteAddr: PipeAddress) {
    super(socket, remoteAddr);
    this.#ring = ring;
    ring.filled = () => {
      this.tryAnswer();
      this.#paused = !ring.hasRoom;
    };
  }

  override receive(): void {
    this.#ring.giveBack();
    super.receive();
  }

  protected take(): number {
    const count = this.#ring.take();
    if (count > 0) this.bytes = this.#ring.taken;
    return count;
  }

  protected goOn(): void {
    if (!this.#paused || !this.#ring.isNearlyEmpty) return;
    this.#paused = false;
    this.stream.resume();
  }
}

/**
 * Reads a stream of a process that was started just now.
 *
 * @param Socket Node's class, where undocumented internals may be used; otherwise null.
 */
export function makePipeReader(
  stream: Readable,
  remoteAddr: PipeAddress,
  Socket: SocketClass | null,
): RawReceiveStream {
  const ring = new Ring();
  const socket = Socket && readIntoRing(Socket, stream, ring);
  return socket ? new RingReader(ring, socket, remoteAddr) : new EventReader(stream, remoteAddr);
}
