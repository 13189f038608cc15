/**
 * TlsHandshake: one handshake of `node:tls`.
 *
 * Invariant: it is over once: done, failed or abandoned; unless it is done, the raw stream is
 * closed then. Independent of: which side it is, and what it sits on.
 */
import type { Attempt } from "../network.ts";
import type { RawTlsStream } from "../tls/port.ts";
import type { TlsBase } from "./tls_base.ts";
import { PeerGone, tlsCodeOf } from "./tls_stream.ts";
import type { TlsSocket } from "./tls_types.ts";

/** One handshake. */
export class TlsHandshake {
  /** How to stop the engine; set by who began the handshake. */
  stop: () => void = () => {};
  readonly #base: TlsBase;
  readonly #attempt: Attempt<RawTlsStream>;
  #over = false;

  constructor(base: TlsBase, attempt: Attempt<RawTlsStream>) {
    this.#base = base;
    this.#attempt = attempt;
    base.whenEnded = (cause) => this.#endedEarly(cause);
  }

  /** It worked. */
  done(socket: TlsSocket): void {
    if (this.#over) return socket.destroy();
    this.#end();
    this.#attempt.opened(this.#base.secured(socket));
  }

  /** It failed. */
  failed(error: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#base.close();
    this.#attempt.failed(tlsCodeOf(error), error);
  }

  /** Nobody wants it any more. */
  abandon(): void {
    if (this.#over) return;
    this.#end();
    this.stop();
    this.#base.close();
  }

  /** The other end has gone. The engine itself would notice when the time is up, not before. */
  #endedEarly(cause: unknown): void {
    if (this.#over) return;
    this.stop();
    this.failed(cause ?? new PeerGone("The other end left during the handshake"));
  }

  #end(): void {
    this.#over = true;
    this.#base.whenEnded = null;
  }
}
