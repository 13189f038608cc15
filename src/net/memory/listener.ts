/**
 * MemoryRawListener: a listener of the network in memory.
 *
 * Invariant: a connection waits in the backlog exactly until an accept takes it, or the listener is
 * closed, which closes it (R37). Independent of: loops, tasks.
 */
import type { Address } from "../../stream.ts";
import type { RawListener, RawListenerEvents, RawStream } from "../network.ts";
import { MemoryRawStream } from "./stream.ts";

/** Where connections in memory arrive. */
export class MemoryRawListener implements RawListener {
  readonly localAddr: Address;
  events!: RawListenerEvents;
  readonly isInLoop = true;
  readonly #capacity: number;
  readonly #whenClosed: () => void;
  readonly #backlog: RawStream[] = [];
  /** It was asked for a connection and has not answered. */
  #accepting = false;
  #closed = false;

  /** @param capacity How many bytes each direction of a connection holds. */
  constructor(localAddr: Address, capacity: number, whenClosed: () => void = () => {}) {
    this.localAddr = localAddr;
    this.#capacity = capacity;
    this.#whenClosed = whenClosed;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Makes a connection from `from` to `to`, by which name the client knows this listener. */
  connect(from: Address, to: Address): RawStream {
    const [client, server] = MemoryRawStream.pair(from, to, this.#capacity);
    if (this.#accepting) {
      this.#accepting = false;
      this.events.accepted(server);
    } else this.#backlog.push(server);
    return client;
  }

  accept(): void {
    const arrived = this.#backlog.shift();
    if (arrived === undefined) this.#accepting = true;
    else this.events.accepted(arrived);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const raw of this.#backlog.splice(0)) raw.close();
    this.#whenClosed();
  }
}
