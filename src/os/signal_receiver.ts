/**
 * openSignalReceiver: receives signals one after the other, and goes on listening meanwhile.
 *
 * Invariants: a signal is pending at most once, however often it came; pending ones are received in
 * the order in which they came first. While somebody waits none is pending, and the program is kept
 * alive. Independent of: how a runtime listens.
 */
import { checkFunction } from "../check.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { Wait } from "../kernel/wait.ts";
import { keepAlive } from "../runtime/keep_alive.ts";
import { listenAll } from "./signal_hub.ts";
import { checkSignals, type Signal } from "./signal_names.ts";

/**
 * Receives the signals that it was opened for. Made by {@linkcode openSignalReceiver}.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { openSignalReceiver, type SignalReceiver } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * let version = 1;
 * function* reload(hangups: SignalReceiver) {
 *   yield* hangups.receive();
 *   version++; // reads the settings again
 * }
 * await new Loop().run(function* () {
 *   using hangups = openSignalReceiver("SIGHUP");
 *   Deno.kill(Deno.pid, "SIGHUP"); // kill -HUP PID
 *   yield* reload(hangups);
 * }());
 * assertEquals(version, 2);
 * ```
 */
export interface SignalReceiver extends Disposable {
  /**
   * Waits for a signal and gives its name. A checkpoint. A cancelled receive loses none. Where
   * several tasks wait, each signal goes to the one that has waited longest.
   *
   * @throws {ClosedResourceError} If the receiver is closed, or is being closed.
   */
  receive(): Operation<Signal>;
  /**
   * Gives a signal that has come, or `undefined`.
   *
   * @throws {ClosedResourceError} If the receiver is closed.
   */
  tryReceive(): Signal | undefined;
  /**
   * Runs `body` for each signal, one after the other, until it is cancelled or the receiver is
   * closed. A checkpoint.
   *
   * @throws {TypeError} If `body` is not a function.
   */
  forEach(body: (signal: Signal) => Operation<unknown>): Operation<void>;
  /**
   * Stops listening: the signals do again what they do by default. Whoever receives gets a
   * `ClosedResourceError`. Never waits or throws; twice is once.
   */
  close(): void;
}

class Receiver implements SignalReceiver {
  readonly names: readonly Signal[];
  readonly waiters: Set<ReceiveSignal> = new Set();
  readonly #pending: Set<Signal> = new Set();
  readonly #unlisten: () => void;
  #closed = false;

  constructor(names: readonly Signal[]) {
    this.names = names;
    this.#unlisten = listenAll(names, (signal) => this.#arrived(signal as Signal));
  }

  #arrived(signal: Signal): void {
    const [waiter] = this.waiters;
    if (waiter === undefined) this.#pending.add(signal);
    else waiter.give(signal);
  }

  receive(): Operation<Signal> {
    return new ReceiveSignal(this);
  }

  tryReceive(): Signal | undefined {
    if (this.#closed) throw new ClosedResourceError(`The receiver of ${this} is closed`);
    const [signal] = this.#pending;
    if (signal !== undefined) this.#pending.delete(signal);
    return signal;
  }

  forEach(body: (signal: Signal) => Operation<unknown>): Operation<void> {
    checkFunction(body, "forEach()", "a function* that takes a signal");
    return this.#forEach(body);
  }

  *#forEach(body: (signal: Signal) => Operation<unknown>): Coroutine<void> {
    for (;;) {
      let signal: Signal;
      try {
        signal = yield* this.receive();
      } catch (error) {
        if (this.#closed && error instanceof ClosedResourceError) return;
        throw error;
      }
      yield* body(signal);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unlisten();
    for (const waiter of [...this.waiters]) {
      waiter.abort(new ClosedResourceError(`The receiver of ${this} was closed`));
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  toString(): string {
    return this.names.join(", ");
  }
}

/** `receive`. */
class ReceiveSignal extends Wait<Signal> {
  static {
    this.prototype.external = true;
  }

  readonly #receiver: Receiver;
  #release: (() => void) | null = null;

  constructor(receiver: Receiver) {
    super();
    this.#receiver = receiver;
  }

  protected arm(): void {
    const signal = this.#receiver.tryReceive();
    if (signal !== undefined) return this.settle(signal);
    this.#receiver.waiters.add(this);
    this.#release = keepAlive();
  }

  give(signal: Signal): void {
    this.#withdraw();
    this.settle(signal);
  }

  abort(error: ClosedResourceError): void {
    this.#withdraw();
    this.fail(error);
  }

  protected disarm(): void {
    this.#withdraw();
  }

  #withdraw(): void {
    this.#receiver.waiters.delete(this);
    this.#release?.();
  }

  describe(): string {
    return `waiting for ${this.#receiver.names.join(" or ")}`;
  }
}

/**
 * Listens to the named signals from now on, until it is closed: those that come while one is
 * handled are received next. A signal that comes twice before it is received counts once. While it
 * is open, the signals do not do what they do by default, and `main` is not cancelled by them.
 *
 * @throws {TypeError} If no signal is named, a name is no string, or this system does not have the
 * signal.
 * @throws {RangeError} If a name is none of {@linkcode Signal}.
 * @throws {Error} If this is neither Deno nor Node nor Bun.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { openSignalReceiver } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * let reads = 0;
 * await new Loop().run(function* () {
 *   using hangups = openSignalReceiver("SIGHUP"); // what comes while one is handled is not missed
 *   Deno.kill(Deno.pid, "SIGHUP"); // kill -HUP PID
 *   yield* hangups.forEach(function* () {
 *     reads++; // reads the settings again
 *     hangups.close();
 *   });
 * }());
 * assertEquals(reads, 1);
 * ```
 */
export function openSignalReceiver(...names: Signal[]): SignalReceiver {
  if (names.length === 0) {
    throw new TypeError('openSignalReceiver() wants a name, as in openSignalReceiver("SIGHUP")');
  }
  return new Receiver(checkSignals(names, "openSignalReceiver()"));
}
