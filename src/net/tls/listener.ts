/**
 * TlsRawListener: a raw listener whose connections are secured before they are accepted. Handshakes
 * run side by side, so that a client that says nothing holds up no other (R40).
 *
 * Invariants
 * - Connections are accepted from the inner listener only while an accept is wanted.
 * - At most `MAX_HANDSHAKES` are in progress. With that many, a new connection takes the place of
 *   the oldest one, as soon as that has had `MIN_TIME`: so a thousand clients that say nothing keep
 *   others waiting for a second, and a burst of good ones loses none of them.
 *
 * Independent of: which engine secures the connections.
 */
import type { RawListener, RawListenerEvents, RawStream } from "../network.ts";
import type { Address } from "../../stream.ts";
import { SocketError } from "../../bytes/socket_error.ts";
import type { RawTlsStream, TlsClock, TlsServer } from "./port.ts";

/** How many handshakes may be in progress. */
const MAX_HANDSHAKES = 1000;
/** How long a handshake keeps its place for certain, in seconds. */
const MIN_TIME = 1;

/** Told of each handshake that failed. */
export type HandshakeReport = (error: SocketError, remoteAddr: Address) => void;

/** One handshake in progress. */
interface Handshake {
  /** When it began, in seconds. */
  readonly since: number;
  /** Ends it, and reports why. */
  fail(code: string, cause: unknown): void;
  /** Ends it. */
  stop(): void;
}

/** What a {@linkcode TlsRawListener} needs. */
export interface TlsRawListenerOptions {
  /** Does the handshakes. */
  readonly server: TlsServer;
  readonly report: HandshakeReport;
  /** How long a handshake may take, in seconds; `Infinity` for no limit. */
  readonly timeout: number;
  readonly clock: TlsClock;
}

/** Secures what arrives at an inner listener. */
export class TlsRawListener implements RawListener, RawListenerEvents {
  events!: RawListenerEvents;
  readonly #inner: RawListener;
  readonly #options: TlsRawListenerOptions;
  /** Secured, and not accepted yet. */
  readonly #ready: RawTlsStream[] = [];
  /** The oldest first. */
  readonly #handshakes = new Set<Handshake>();
  /** A connection that waits until there is a place for its handshake. */
  #next: RawStream | null = null;
  /** Cancels the timer that is set while `#next` waits. */
  #cancelRetry: (() => void) | null = null;
  /** An accept waits for a secured connection. */
  #wanted = false;
  /** The inner listener was asked for a connection and has not answered. */
  #asking = false;
  #proceeding = false;
  #closed = false;

  /** Takes over `inner`. */
  constructor(inner: RawListener, options: TlsRawListenerOptions) {
    this.#inner = inner;
    this.#options = options;
    inner.events = this;
  }

  get localAddr(): Address {
    return this.#inner.localAddr;
  }

  accept(): void {
    const raw = this.#ready.shift();
    if (raw !== undefined) return this.events.accepted(raw);
    this.#wanted = true;
    this.#proceed();
  }

  /**
   * Begins the handshakes that can begin, and asks for more connections. A loop, and not a call
   * from each answer: the inner listener may have thousands at hand and answer each at once.
   */
  #proceed(): void {
    if (this.#proceeding) return;
    this.#proceeding = true;
    while (!this.#closed) {
      const raw = this.#next;
      if (raw !== null) {
        if (!this.#makePlace()) break;
        this.#next = null;
        this.#begin(raw);
      } else if (this.#wanted && !this.#asking) {
        this.#asking = true;
        this.#inner.accept();
      } else break;
    }
    this.#proceeding = false;
  }

  accepted(raw: RawStream): void {
    this.#asking = false;
    if (this.#closed) return raw.close();
    this.#next = raw;
    this.#proceed();
  }

  /** Whether there is a place for one more handshake; else tries again when there may be one. */
  #makePlace(): boolean {
    if (this.#handshakes.size < MAX_HANDSHAKES) return true;
    const { clock } = this.#options;
    const [oldest] = this.#handshakes;
    const rest = oldest.since + MIN_TIME - clock.now();
    if (rest > 0) {
      this.#cancelRetry ??= clock.after(rest, () => {
        this.#cancelRetry = null;
        this.#proceed();
      });
      return false;
    }
    oldest.fail(
      "ETIMEDOUT",
      new Error(`It was the oldest of ${MAX_HANDSHAKES} handshakes, and others came`),
    );
    return true;
  }

  #begin(raw: RawStream): void {
    const { server, report, timeout, clock } = this.#options;
    const { remoteAddr } = raw;
    let over = false;
    let abandon = () => raw.close();
    const end = () => {
      over = true;
      stopTimer();
      this.#handshakes.delete(handshake);
    };
    const failed = (code: string, cause: unknown) => {
      if (over) return;
      end();
      report(new SocketError("Cannot shake hands with", code, remoteAddr, cause), remoteAddr);
      this.#proceed();
    };
    const handshake: Handshake = {
      since: clock.now(),
      fail(code, cause) {
        abandon();
        failed(code, cause);
      },
      stop() {
        end();
        abandon();
      },
    };
    const stopTimer = timeout === Infinity
      ? () => {}
      : clock.after(timeout, () => handshake.fail("ETIMEDOUT", undefined));
    this.#handshakes.add(handshake);
    try {
      raw.setNoDelay(true); // handshakes are small messages; who gets the stream sets it anew
    } catch {
      // Broken already: the handshake will fail of it.
    }
    try {
      abandon = server.accept({ raw, leftover: null, pending: false }, {
        opened: (secured) => {
          if (over) return secured.close();
          end();
          this.#deliver(secured);
        },
        failed,
      });
    } catch (error) {
      handshake.fail("EPROTO", error);
    }
  }

  #deliver(secured: RawTlsStream): void {
    if (this.#wanted) {
      this.#wanted = false;
      this.events.accepted(secured);
    } else this.#ready.push(secured);
    this.#proceed();
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
    this.#cancelRetry?.();
    this.#inner.close();
    this.#next?.close();
    for (const handshake of [...this.#handshakes]) handshake.stop();
    for (const raw of this.#ready.splice(0)) raw.close();
  }
}
