/**
 * signals: waits for a signal of the operating system. The adapters only listen and unlisten.
 */
import type { Operation } from "../kernel/coroutine.ts";
import { Wait } from "../kernel/wait.ts";
import { denoSignals } from "./deno.ts";
import { nodeSignals } from "./node.ts";

/** The name of a signal. Windows knows SIGINT, SIGBREAK and SIGHUP alone. */
export type Signal =
  | "SIGHUP"
  | "SIGINT"
  | "SIGQUIT"
  | "SIGTERM"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGWINCH"
  | "SIGBREAK";

/** The port: how a runtime is told to listen to a signal. */
export interface SignalBackend {
  /** Calls `listener` for each signal of that name, instead of what the system would do. */
  listen(signal: Signal, listener: () => void): void;
  /** Takes that back. */
  unlisten(signal: Signal, listener: () => void): void;
}

class SignalWait extends Wait<Signal> {
  static {
    this.prototype.external = true;
  }

  readonly #signals: readonly Signal[];
  readonly #backend: SignalBackend;
  readonly #listening: [Signal, () => void][] = [];

  constructor(signals: readonly Signal[], backend: SignalBackend) {
    super();
    this.#signals = signals;
    this.#backend = backend;
  }

  protected arm(): void {
    try {
      for (const signal of this.#signals) {
        const listener = () => {
          this.#unlisten();
          this.settle(signal);
        };
        this.#backend.listen(signal, listener);
        this.#listening.push([signal, listener]);
      }
    } catch (error) {
      this.#unlisten();
      throw error;
    }
  }

  protected disarm(): void {
    this.#unlisten();
  }

  #unlisten(): void {
    for (const [signal, listener] of this.#listening.splice(0)) {
      this.#backend.unlisten(signal, listener);
    }
  }

  describe(): string {
    return `waiting for ${this.#signals.join(" or ")}`;
  }
}

/**
 * Waits for the first of the named signals and gives its name. A checkpoint. While it waits, the signals do not do what they
 * do by default; once it has one, or is cancelled, they do again, so that a second Ctrl-C ends a program that is stuck.
 *
 * @throws {TypeError} If no signal is named, or the system does not know one.
 * @throws {Error} If neither Deno's nor Node's signals are there.
 * @example Graceful shutdown
 * ```ts
 * import { Loop, Nursery, sleepForever } from "jsr:@broomio/core";
 * import { signals } from "jsr:@broomio/core/os";
 *
 * function* main() {
 *   yield* Nursery.open(function* (nursery) {
 *     nursery.startSoon(sleepForever()); // a server
 *     const signal = yield* signals("SIGINT", "SIGTERM");
 *     console.log(`${signal}: shutting down`);
 *     nursery.cancel(signal);
 *   });
 * }
 * if (import.meta.main) await new Loop().run(main());
 * ```
 */
export function signals(...names: Signal[]): Operation<Signal> {
  if (names.length === 0) throw new TypeError('signals() wants a name, as in signals("SIGTERM")');
  const backend = denoSignals() ?? nodeSignals();
  if (backend === undefined) throw new Error("signals() needs Deno, Node or Bun");
  return new SignalWait([...new Set(names)], backend);
}
