/**
 * A raw listener whose connections are secured before they are accepted. Handshakes are done side by side, so that a client that says
 * nothing blocks nobody (R40).
 *
 * Invariants: connections are taken from the inner listener only while an accept is wanted; at most `MAX_HANDSHAKES` are under way.
 * Must never know: which engine secures them.
 */
import type { RawListener, RawListenerEvents, RawStream } from "../network.ts";
import type { Address } from "../../stream.ts";
import { SocketError } from "../../bytes/socket_error.ts";
import type { RawTlsStream, TlsServer } from "./port.ts";

/** Beyond this, further connections wait in the system's backlog. */
const MAX_HANDSHAKES = 1000;

/** What is told of handshakes that came to nothing. */
export type HandshakeReport = (error: SocketError, remoteAddr: Address) => void;

/** Secures what arrives at `inner`. */
export class TlsRawListener implements RawListener, RawListenerEvents {
  events!: RawListenerEvents;
  readonly #inner: RawListener;
  readonly #server: TlsServer;
  readonly #report: HandshakeReport;
  readonly #timeout: (callback: () => void) => () => void;
  readonly #ready: RawTlsStream[] = [];
  /** How to abandon the handshakes under way. */
  readonly #handshakes = new Set<() => void>();
  #wanted = false;
  #asking = false;
  #closed = false;

  /** Takes over `inner`; `timeout` calls back when a handshake has taken too long. */
  constructor(
    inner: RawListener,
    server: TlsServer,
    report: HandshakeReport,
    timeout: (callback: () => void) => () => void,
  ) {
    this.#inner = inner;
    this.#server = server;
    this.#report = report;
    this.#timeout = timeout;
    inner.events = this;
  }

  get localAddr(): Address {
    return this.#inner.localAddr;
  }

  accept(): void {
    const raw = this.#ready.shift();
    if (raw !== undefined) return this.events.accepted(raw);
    this.#wanted = true;
    this.#ask();
  }

  #ask(): void {
    if (!this.#wanted || this.#asking || this.#closed) return;
    if (this.#handshakes.size >= MAX_HANDSHAKES) return;
    this.#asking = true;
    this.#inner.accept();
  }

  accepted(raw: RawStream): void {
    this.#asking = false;
    if (this.#closed) return raw.close();
    raw.setNoDelay(true); // handshakes go back and forth in small pieces; who adopts the stream sets it anew
    this.#shake(raw);
    this.#ask();
  }

  #shake(raw: RawStream): void {
    const { remoteAddr } = raw;
    let over = false;
    const end = () => {
      over = true;
      stopTimer();
      this.#handshakes.delete(stop);
    };
    const failed = (code: string, cause: unknown) => {
      if (over) return;
      end();
      this.#report(new SocketError("Cannot shake hands with", code, remoteAddr, cause), remoteAddr);
      this.#ask();
    };
    const stopTimer = this.#timeout(() => {
      abandon();
      failed("ETIMEDOUT", undefined);
    });
    const stop = () => {
      end();
      abandon();
    };
    let abandon = () => {};
    this.#handshakes.add(stop);
    abandon = this.#server.accept({ raw, leftover: null, pending: false }, {
      opened: (secured) => {
        if (over) return secured.close();
        end();
        this.#deliver(secured);
      },
      failed,
    });
  }

  #deliver(secured: RawTlsStream): void {
    if (this.#wanted) {
      this.#wanted = false;
      this.events.accepted(secured);
    } else this.#ready.push(secured);
    this.#ask();
  }

  acceptFailed(code: string, cause: unknown): void {
    this.#asking = false;
    if (!this.#wanted) return;
    this.#wanted = false;
    this.events.acceptFailed(code, cause);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inner.close();
    for (const stop of [...this.#handshakes]) stop();
    for (const raw of this.#ready.splice(0)) raw.close();
  }
}
