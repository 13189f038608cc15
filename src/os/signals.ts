/**
 * signals: waits for a signal of the operating system, once.
 *
 * Independent of: how a runtime listens.
 */
import type { Operation } from "../kernel/coroutine.ts";
import { Wait } from "../kernel/wait.ts";
import { keepAlive } from "../runtime/keep_alive.ts";
import { signalBackend } from "./backend.ts";
import { listenAll } from "./signal_hub.ts";
import { checkSignals, type Signal } from "./signal_names.ts";

class SignalWait extends Wait<Signal> {
  static {
    this.prototype.external = true;
  }

  readonly #signals: readonly Signal[];
  #stop: (() => void) | null = null;

  constructor(signals: readonly Signal[]) {
    super();
    this.#signals = signals;
  }

  protected arm(): void {
    const unlisten = listenAll(this.#signals, (signal) => {
      this.#stop?.();
      this.settle(signal as Signal);
    });
    const release = keepAlive();
    this.#stop = () => {
      unlisten();
      release();
    };
  }

  protected disarm(): void {
    this.#stop?.();
  }

  describe(): string {
    return `waiting for ${this.#signals.join(" or ")}`;
  }
}

/**
 * Waits for the first of the named signals and gives its name. A checkpoint. While it waits, the
 * program is kept alive, and the signals do not do what they do by default. Once it has one, or is
 * cancelled, they do again: a second Ctrl-C ends a program that is stuck in its cleanup. So in a
 * loop, a signal that comes while the last one is handled ends the program: there use {@linkcode
 * openSignalReceiver}, which goes on listening. `SIGUSR1` opens the debugger in Node and Deno; take
 * `SIGUSR2`.
 *
 * @throws {TypeError} If no signal is named, or a name is no string; at the wait, if this system
 * does not have the signal.
 * @throws {RangeError} If a name is none of {@linkcode Signal}.
 * @throws {Error} If this is neither Deno nor Node nor Bun.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, sleepForever } from "jsr:@broomio/core";
 * import { signals } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   nursery.startSoon(sleepForever()); // a server
 *   setTimeout(() => Deno.kill(Deno.pid, "SIGUSR2"), 10); // kill -USR2 PID
 *   const signal = yield* signals("SIGUSR2", "SIGTERM");
 *   assertEquals(signal, "SIGUSR2");
 *   nursery.cancel(signal); // shuts down
 * }));
 * ```
 */
export function signals(...names: Signal[]): Operation<Signal> {
  if (names.length === 0) throw new TypeError('signals() wants a name, as in signals("SIGTERM")');
  const checked = checkSignals(names, "signals()");
  signalBackend();
  return new SignalWait(checked);
}
