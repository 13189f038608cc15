/**
 * TlsHandshake: one handshake of `node:tls` over a DuplexAdapter.
 *
 * Invariant: it is over once: done, failed or abandoned; unless it is done, the raw stream is
 * closed then. Independent of: which side it is.
 */
import type { Attempt } from "../network.ts";
import type { DuplexAdapter } from "../tls/duplex_adapter.ts";
import type { RawTlsStream } from "../tls/port.ts";
import { NodeTlsStream, PeerGone, tlsCodeOf } from "./tls_stream.ts";
import type { TlsSocket } from "./tls_types.ts";

/** One handshake. */
export class TlsHandshake {
  /** How to stop the engine; set by who began the handshake. */
  stop: () => void = () => {};
  readonly #adapter: DuplexAdapter;
  readonly #attempt: Attempt<RawTlsStream>;
  #over = false;

  constructor(adapter: DuplexAdapter, attempt: Attempt<RawTlsStream>) {
    this.#adapter = adapter;
    this.#attempt = attempt;
    adapter.whenEnded = (cause) => this.#endedEarly(cause);
  }

  /** It worked. */
  done(socket: TlsSocket): void {
    if (this.#over) return socket.destroy();
    this.#end();
    this.#attempt.opened(new NodeTlsStream(socket, this.#adapter));
  }

  /** It failed. */
  failed(error: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#adapter.close();
    this.#attempt.failed(tlsCodeOf(error), error);
  }

  /** Nobody wants it any more. */
  abandon(): void {
    if (this.#over) return;
    this.#end();
    this.stop();
    this.#adapter.close();
  }

  /** The other end has gone. The engine itself would notice when the time is up, not before. */
  #endedEarly(cause: unknown): void {
    if (this.#over) return;
    this.stop();
    this.failed(cause ?? new PeerGone("The other end left during the handshake"));
  }

  #end(): void {
    this.#over = true;
    this.#adapter.whenEnded = null;
  }
}
