/**
 * Acceptor: how connections are accepted from a raw listener, one at a time, whatever the world
 * does (R40).
 *
 * Invariants: the backend is asked for one connection at a time; a cancelled accept leaves that as
 * it is, and the next one gets the answer; a connection that arrives meanwhile waits for the next
 * accept, or is closed with the listener (R37). An accept fails only where the listener itself is
 * gone; after any other error it tries again. Independent of: what becomes of the connections.
 */
import { ClosedResourceError } from "../kernel/errors.ts";
import { IoWait } from "../bytes/io_wait.ts";
import type { RawListener, RawListenerEvents, RawStream } from "./network.ts";
import type { TaskCore } from "../kernel/task.ts";
import type { Timed } from "../kernel/timers.ts";
import { Event } from "../sync/event.ts";
import { codeOf } from "../bytes/error_code.ts";
import { meaningOf, showAddress, SocketError } from "../bytes/socket_error.ts";
import { WaiterSlot } from "../bytes/waiter_slot.ts";

/**
 * The errors that mean that the listener itself is gone: its descriptor is closed (EBADF), is
 * another one by now (ENOTSOCK), or closing it has cancelled the accept (ECANCELED). They end
 * `accept` and `serve`. Not EINVAL: macOS gives it for a connection that was reset before it was
 * accepted.
 */
export const LISTENER_GONE: ReadonlySet<string> = new Set(["EBADF", "ECANCELED", "ENOTSOCK"]);

/**
 * The errors of one connection that ended before it was accepted. The next one is asked for at
 * once: there is nothing to warn of.
 */
const CONNECTION_GONE: ReadonlySet<string> = new Set([
  ...["EAGAIN", "ECONNABORTED", "ECONNRESET", "EINTR", "ENOTCONN", "EPIPE", "EPROTO", "ETIMEDOUT"],
]);

/** After any other error, how long until the next try, in seconds. */
const RETRY_DELAY = 0.1;

/**
 * After so many errors in a row the next try waits too: an error that never ends must not stop the
 * loop.
 */
const MAX_AT_ONCE = 100;

/** The state of a listener. */
export class Acceptor extends WaiterSlot<Accept<unknown>> implements RawListenerEvents {
  readonly raw: RawListener;
  closed: boolean = false;
  /** Set when it is closed, for handlers to wait for. */
  readonly closing: Event = new Event({ name: "the closing of a listener" });
  /** Called when it is closed. */
  whenClosed: (() => void) | null = null;
  /** The backend was asked for a connection and has not answered. */
  #pending = false;
  /** A connection that nobody waited for any more. */
  #arrived: RawStream | null = null;
  /** How many errors have come in a row. */
  #failures = 0;

  constructor(raw: RawListener) {
    super();
    this.raw = raw;
    raw.events = this;
  }

  get name(): string {
    return showAddress(this.raw.localAddr);
  }

  /** Delivers a connection to `waiter`; at once where one has arrived. */
  wait(waiter: Accept<unknown>): void {
    if (this.closed) throw this.#closedError();
    this.checkFree();
    this.waiter = waiter;
    const arrived = this.#arrived;
    this.#arrived = null;
    if (arrived === null) this.ask();
    else this.#deliver(arrived);
  }

  protected busyMessage(): string {
    return `Another task is accepting at ${this.name}: one at a time`;
  }

  ask(): void {
    if (this.#pending || this.closed) return;
    this.#pending = true;
    try {
      this.raw.accept();
    } catch (error) {
      this.acceptFailed(codeOf(error), error);
    }
  }

  accepted(raw: RawStream): void {
    this.#pending = false;
    if (this.closed) closeQuietly(raw);
    else if (this.waiter === null) this.#arrived = raw;
    else this.#deliver(raw);
  }

  /** Makes the socket for who waits; a connection that broke by now is as if it had not arrived. */
  #deliver(raw: RawStream): void {
    const waiter = this.waiter!;
    let socket;
    try {
      socket = waiter.wrap(raw);
    } catch (error) {
      closeQuietly(raw);
      return this.#tryAgain("ECONNRESET", error);
    }
    this.#failures = 0;
    this.waiter = null;
    waiter.settle(socket);
  }

  acceptFailed(code: string, cause: unknown): void {
    this.#pending = false;
    if (this.waiter !== null) this.#tryAgain(code, cause); // else who accepts next tries anew
  }

  #tryAgain(code: string, cause: unknown): void {
    const waiter = this.waiter!;
    if (LISTENER_GONE.has(code)) {
      this.waiter = null;
      waiter.fail(new SocketError("Cannot accept at", code, this.raw.localAddr, cause));
    } else if (CONNECTION_GONE.has(code) && ++this.#failures <= MAX_AT_ONCE) this.ask();
    else {
      this.#failures = 0;
      waiter.pause(code, cause);
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.closing.set();
    closeQuietly(this.raw);
    if (this.#arrived !== null) closeQuietly(this.#arrived);
    this.#arrived = null;
    this.vacate()?.fail(this.#closedError());
    this.whenClosed?.();
  }

  #closedError(): ClosedResourceError {
    return new ClosedResourceError(`The listener at ${this.name} is closed`);
  }
}

/** `close` never throws, whatever the backend does. */
function closeQuietly(raw: { close(): void }): void {
  try {
    raw.close();
  } catch {
    // It is of no use any more in any case.
  }
}

/** Waits for a connection; in the timer queue while it waits to try again. */
export class Accept<S> extends IoWait<S> implements Timed {
  generation: number = 0;
  /** Makes the socket of an accepted connection. */
  readonly wrap: (raw: RawStream) => S;
  readonly #acceptor: Acceptor;

  constructor(acceptor: Acceptor, wrap: (raw: RawStream) => S) {
    super();
    this.#acceptor = acceptor;
    this.wrap = wrap;
  }

  protected get source(): RawListener {
    return this.#acceptor.raw;
  }

  protected arm(): void {
    this.#acceptor.wait(this as Accept<unknown>);
  }

  protected disarm(task: TaskCore): void {
    task.scheduler.timers.cancel(this);
    this.#acceptor.waiter = null;
  }

  override fail(error: unknown): void {
    this.task?.scheduler.timers.cancel(this);
    super.fail(error);
  }

  /** The system refuses: says so, and tries again a little later. */
  pause(code: string, cause: unknown): void {
    const task = this.task!;
    const { scheduler } = task;
    scheduler.addTimer(scheduler.host.now() + RETRY_DELAY, this);
    const meaning = meaningOf(code, cause);
    scheduler.warn({
      message: `Cannot accept at ${this.#acceptor.name}: ${code}${
        meaning && ` (${meaning})`
      }, trying again in ${RETRY_DELAY} s`,
      task,
    });
  }

  expire(): void {
    this.#acceptor.ask();
  }

  describe(): string {
    return `accepting at ${this.#acceptor.name}`;
  }
}
