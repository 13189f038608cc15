/**
 * Acceptor: how connections are accepted from a raw listener, one at a time.
 *
 * Invariants: the backend is asked for one connection at a time; a cancelled accept leaves that as
 * it is, and the next one gets the answer; a connection that arrives meanwhile waits for the next
 * accept, or is closed with the listener (R37). Independent of: what becomes of the connections.
 */
import { ClosedResourceError } from "../kernel/errors.ts";
import { IoWait } from "../bytes/io_wait.ts";
import type { RawListener, RawListenerEvents, RawStream } from "./network.ts";
import type { TaskCore } from "../kernel/task.ts";
import type { Timed } from "../kernel/timers.ts";
import { showAddress, SocketError } from "../bytes/socket_error.ts";
import { WaiterSlot } from "../bytes/waiter_slot.ts";

/** After a failure that will pass, how long until the next try, in seconds (R40). */
const RETRY_DELAY = 0.1;
/** The failures that pass when somebody closes something. */
const FULL: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
/** The failures of one connection that ended before it was accepted. */
const FLEETING: ReadonlySet<string> = new Set(["ECONNABORTED", "ECONNRESET", "EINTR", "EPROTO"]);

/** The state of a listener. */
export class Acceptor extends WaiterSlot<Accept<unknown>> implements RawListenerEvents {
  readonly raw: RawListener;
  closed: boolean = false;
  /** Called when it is closed. */
  whenClosed: (() => void) | null = null;
  /** The backend was asked for a connection and has not answered. */
  #pending = false;
  /** A connection that nobody waited for any more. */
  #arrived: RawStream | null = null;

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
    const arrived = this.#arrived;
    if (arrived !== null) {
      this.#arrived = null;
      return waiter.deliver(arrived);
    }
    this.waiter = waiter;
    this.ask();
  }

  protected busyMessage(): string {
    return `Another task is accepting at ${this.name}: one at a time`;
  }

  ask(): void {
    if (this.#pending || this.closed) return;
    this.#pending = true;
    this.raw.accept();
  }

  accepted(raw: RawStream): void {
    this.#pending = false;
    if (this.closed) return raw.close();
    const waiter = this.vacate();
    if (waiter === null) this.#arrived = raw;
    else waiter.deliver(raw);
  }

  acceptFailed(code: string, cause: unknown): void {
    this.#pending = false;
    const { waiter } = this;
    if (waiter === null) return; // whoever accepts next tries anew
    if (FULL.has(code)) return waiter.pause(code, RETRY_DELAY);
    if (FLEETING.has(code)) return this.ask();
    this.waiter = null;
    waiter.fail(new SocketError("Cannot accept at", code, this.raw.localAddr, cause));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.raw.close();
    this.#arrived?.close();
    this.#arrived = null;
    this.vacate()?.fail(this.#closedError());
    this.whenClosed?.();
  }

  #closedError(): ClosedResourceError {
    return new ClosedResourceError(`The listener at ${this.name} is closed`);
  }
}

/** Waits for a connection; in the timer queue while it waits to try again. */
export class Accept<S> extends IoWait<S> implements Timed {
  generation: number = 0;
  readonly #acceptor: Acceptor;
  readonly #wrap: (raw: RawStream) => S;

  /** @param wrap Makes the socket of an accepted connection. */
  constructor(acceptor: Acceptor, wrap: (raw: RawStream) => S) {
    super();
    this.#acceptor = acceptor;
    this.#wrap = wrap;
  }

  protected get source(): RawListener {
    return this.#acceptor.raw;
  }

  protected arm(): void {
    this.#acceptor.wait(this);
  }

  protected disarm(task: TaskCore): void {
    task.scheduler.timers.cancel(this);
    this.#acceptor.waiter = null;
  }

  deliver(raw: RawStream): void {
    this.settle(this.#wrap(raw));
  }

  override fail(error: unknown): void {
    this.task?.scheduler.timers.cancel(this);
    super.fail(error);
  }

  /** The descriptor table is full, or the like: says so and tries again. */
  pause(code: string, seconds: number): void {
    const task = this.task!;
    const { scheduler } = task;
    scheduler.addTimer(scheduler.host.now() + seconds, this);
    scheduler.warn({
      message:
        `Cannot accept at ${this.#acceptor.name} (${code}): too many files and sockets are open, trying again in ${seconds} s`,
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
