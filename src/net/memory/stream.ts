/**
 * MemoryRawStream: a connection of the network in memory, two of them over two pipes.
 *
 * Everything is answered at once, in the call that makes it possible: a receive where bytes are
 * there, else in the peer's send; a send where there is room, else in the peer's receive. So no
 * timer and no microtask is in play, and under a virtual clock time stands still meanwhile.
 *
 * Invariants: the rules of `../network.ts`. The bytes of a receive stand until the next one, which
 * wipes them: a program that keeps a view too long fails in its tests and not in production.
 * Independent of: loops, tasks, how connections are made.
 */
import type { LeakWatch } from "../../kernel/leak_watch.ts";
import { runningTask } from "../../kernel/scheduler.ts";
import type { Address } from "../../stream.ts";
import type { RawStream, ReceiveEvents, SendEvents } from "../network.ts";
import { Pipe } from "./pipe.ts";

const NOTHING = new Uint8Array(0);

/** One end of a connection in memory. */
export class MemoryRawStream implements RawStream {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  receiveEvents!: ReceiveEvents;
  sendEvents!: SendEvents;
  bytes: Uint8Array = NOTHING;
  readonly lifetime = "receive";
  readonly isInLoop = true;
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;
  #peer: MemoryRawStream | null = null;
  /** It was asked for bytes and has not answered. */
  #receiving = false;
  /** What it was asked to send, and has not put into the pipe yet, from `#sent` on; else null. */
  #sending: Uint8Array | null = null;
  #sent = 0;
  #proceeding = false;
  #closed = false;
  /** Where a test wants to know of streams that are left open. */
  #leakWatch: LeakWatch | null = null;

  constructor(local: Address, remote: Address, incoming: Pipe, outgoing: Pipe) {
    this.localAddr = local;
    this.remoteAddr = remote;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  /** Makes the two ends of a connection; `from` is the address of the first. */
  static pair(
    from: Address,
    to: Address,
    capacity: number,
  ): [MemoryRawStream, MemoryRawStream] {
    const there = new Pipe(capacity);
    const back = new Pipe(capacity);
    const first = new MemoryRawStream(from, to, back, there);
    const second = new MemoryRawStream(to, from, there, back);
    first.#peer = second;
    second.#peer = first;
    const watch = runningTask()?.scheduler.leakWatch ?? null;
    if (watch !== null) {
      for (const each of [first, second]) {
        each.#leakWatch = watch;
        watch.opened(each, `an open stream to ${nameOf(each.remoteAddr)}`);
      }
    }
    return [first, second];
  }

  get room(): number {
    return this.#outgoing.room;
  }

  receive(): void {
    this.bytes.fill(0);
    this.bytes = NOTHING;
    this.#receiving = true;
    this.#deliver();
  }

  /** Answers `receive` where there are bytes, or the end. */
  #deliver(): void {
    const incoming = this.#incoming;
    if (!this.#receiving || (incoming.size === 0 && !incoming.finished)) return;
    this.#receiving = false;
    this.bytes = incoming.takeAll();
    this.receiveEvents.received(this.bytes.length);
    this.#peer!.#proceed();
  }

  send(bytes: Uint8Array): void {
    this.#sending = bytes;
    this.#sent = 0;
    this.#proceed();
  }

  /**
   * Puts more of what is being sent into the pipe, and answers `send` once all is inside. A loop,
   * and not calls back and forth between the ends: with a small pipe those would be thousands deep.
   */
  #proceed(): void {
    if (this.#proceeding) return;
    this.#proceeding = true;
    for (let bytes = this.#sending; bytes !== null; bytes = this.#sending) {
      const outgoing = this.#outgoing;
      if (outgoing.abandoned) {
        this.#sending = null;
        this.sendEvents.sendFailed("EPIPE", new Error("The other end in memory is closed"));
        break;
      }
      const count = outgoing.write(bytes, this.#sent);
      this.#sent += count;
      const done = this.#sent === bytes.length;
      if (count === 0 && !done) break;
      if (done) this.#sending = null;
      this.#peer!.#deliver();
      if (done && !this.#closed) this.sendEvents.sent(); // which may ask for the next send
    }
    this.#proceeding = false;
  }

  finish(): void {
    this.#outgoing.finished = true;
    this.#peer!.#deliver();
    this.sendEvents.sent();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leakWatch?.closed(this);
    this.#receiving = false;
    this.#sending = null;
    this.#outgoing.finished = true;
    this.#incoming.abandon();
    this.#peer!.#deliver();
    this.#peer!.#proceed();
  }

  /** What is being sent goes out when the peer reads, and holds nothing but memory until then. */
  closeSoon(): void {}

  setNoDelay(): void {}

  setKeepAlive(): void {}
}

/** An address in a message. */
function nameOf(address: Address): string {
  return address.transport === "unix" ? address.path : `${address.hostname}:${address.port}`;
}
