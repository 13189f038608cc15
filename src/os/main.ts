/**
 * main: what every program starts with. A loop, signals that cancel it, the error printed once, the
 * exit code, and an end that loses no output and leaves no process behind (R52).
 *
 * How it ends
 * - The body has ended by itself: the exit code is left as it is, and the program ends when nothing
 *   keeps it alive, as any other does. What was written and not awaited goes out.
 * - It failed, a signal came, or `exit` was called: the outputs are flushed and the program ends,
 *   even where a forgotten timer would keep it alive. By a signal it ends as the signal does by
 *   default, so that its parent, a shell in a loop, sees that it was interrupted; shells show 130
 *   and 143.
 * - A second signal ends it at once, whatever it is doing, and the processes that it has started.
 *
 * Rejected: to exit after the body has ended by itself too. Code after `await main()` would not
 * run. Independent of: which runtime this is.
 */
import { checkBody, checkInteger, checkOptions, wrongKind } from "../check.ts";
import type { Body, Operation } from "../kernel/coroutine.ts";
import { checkpoint } from "../kernel/checkpoint.ts";
import { Cancelled } from "../kernel/errors.ts";
import { internalsOf, Loop, type LoopOptions } from "../loop.ts";
import { keepAlive } from "../runtime/keep_alive.ts";
import { call } from "../operations/call.ts";
import { sleep } from "../operations/sleep.ts";
import { programBackend } from "./backend.ts";
import { killLive } from "./live_processes.ts";
import type { ProgramBackend } from "./program_backend.ts";
import { listenAll } from "./signal_hub.ts";
import { checkSignals, type Signal } from "./signal_names.ts";

/**
 * Options of {@linkcode main}.
 *
 * @example
 * ```ts
 * import { sleep } from "jsr:@broomio/core";
 * import { main, type MainOptions } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: MainOptions = { signals: ["SIGINT", "SIGTERM", "SIGHUP"], loop: { debug: true } };
 * const result = await main(function* () {
 *   yield* sleep(0.01); // a terminal that is closed cancels it too
 *   return "done";
 * }, options);
 * assertEquals(result, "done");
 * ```
 */
export interface MainOptions {
  /** The signals that cancel the body: "SIGINT" and "SIGTERM" by default. */
  signals?: readonly Signal[];
  /** Options of the loop that it runs in. */
  loop?: LoopOptions;
}

const OPTIONS: readonly (keyof MainOptions)[] = ["signals", "loop"];

/** The program that runs; null while none does. */
let running: Program | null = null;

class Program {
  readonly #backend: ProgramBackend = programBackend();
  readonly #loop: Loop;
  /** The first signal that came. */
  #signal: string | null = null;
  /** What `exit` was given first. */
  #exitCode: number | null = null;
  /** The body has ended, and so will the program. */
  #isEnding = false;
  /** Stops listening to signals. */
  #unlisten: () => void = () => {};

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  async run<T>(body: Body<T>, signals: readonly Signal[]): Promise<T> {
    this.#unlisten = listenAll(signals, (signal) => this.#onSignal(signal), true);
    this.#backend.ignoreClosedOutput();
    const release = keepAlive();
    try {
      const value = await this.#loop.run(call(body));
      if (this.#signal === null && this.#exitCode === null) {
        this.#unlisten();
        return value;
      }
    } catch (error) {
      if (!this.#wasAskedFor(error)) {
        this.#backend.printError(error);
        return await this.#end(1);
      }
    } finally {
      release();
    }
    return await this.#end(this.#exitCode, this.#signal);
  }

  /** Whether the body ended so because it was told to end. */
  #wasAskedFor(error: unknown): boolean {
    return error instanceof Cancelled && (this.#signal !== null || this.#exitCode !== null);
  }

  #onSignal(signal: string): void {
    if (this.#signal !== null || this.#exitCode !== null || this.#isEnding) {
      return this.#die(signal);
    }
    this.#signal = signal;
    const { root } = internalsOf(this.#loop);
    if (root.size > 0) root.scope.cancelFrom("signal", undefined, signal);
  }

  exit(code: number): void {
    this.#exitCode ??= code;
    this.#loop.cancel(`exit(${code})`);
  }

  /** Ends the program once its output is out; never resolves. */
  async #end(code: number | null, signal: string | null = null): Promise<never> {
    this.#isEnding = true;
    await this.#backend.flush();
    if (signal === null) this.#backend.exit(code!);
    else this.#die(signal);
    return await new Promise<never>(() => {});
  }

  /**
   * Ends the program as the signal does by default. On Deno that comes from another thread, so
   * something keeps the program alive until then: with nothing left to do it would end with exit
   * code 1 and a complaint about the top-level await. A signal that ends nothing (SIGWINCH) gives
   * exit code 1 too.
   */
  #die(signal: string): void {
    this.#unlisten();
    killLive();
    this.#backend.die(signal);
    void new Loop().run(sleep(1)).then(() => this.#backend.exit(1));
  }
}

/**
 * Runs a program: `body` in a loop of its own.
 *
 * - SIGINT and SIGTERM cancel it; its cleanup runs; then the program ends as by that signal (130
 *   and 143 in a shell). A second one ends it at once, with all processes that it has started. A
 *   signal that the body itself listens to (`signals`, `openSignalReceiver`) does not cancel it.
 * - An error is printed once, and the exit code is 1. `exit(code)` ends it with that code, cleanup
 *   first.
 * - Output that was written but not awaited arrives whole. In Node a reader of the output that has
 *   gone (`| head -1`) is no error, as it is in Deno and Bun.
 *
 * Resolves with the body's value where it ends by itself; in all other cases the program ends.
 *
 * @throws {TypeError} If the body is none, or an option is wrong or not known.
 * @throws {RangeError} If a name in `signals` is none of {@linkcode Signal}.
 * @throws {Error} If `main` is running already, or this is neither Deno nor Node nor Bun.
 * @example
 * ```ts
 * import { sleep } from "jsr:@broomio/core";
 * import { main } from "jsr:@broomio/core/os";
 *
 * await main(function* () {
 *   try {
 *     yield* sleep(0.01);
 *   } finally {
 *     console.log("cleaned up"); // also after Ctrl-C
 *   }
 * });
 * ```
 */
export async function main<T>(body: Body<T>, options: MainOptions = {}): Promise<T> {
  checkBody(body, "main");
  const { signals = ["SIGINT", "SIGTERM"], loop } = checkOptions(options, "main", OPTIONS);
  if (!Array.isArray(signals)) throw wrongKind("an array of signals", signals, "signals");
  const names = checkSignals(signals, "signals");
  if (running !== null) throw new Error("main() is running already: a program has one");
  running = new Program(new Loop(loop));
  try {
    return await running.run(body, names);
  } finally {
    running = null;
  }
}

/**
 * Ends the program with an exit code: cancels all that runs under {@linkcode main}, lets its
 * cleanup run, and ends the program when that is done. It may be called from anywhere and never
 * waits. What it gives is a checkpoint: with `yield* exit(2)` a coroutine that is not shielded does
 * not go on. The first code counts.
 *
 * @param code 0 to 255.
 * @throws {TypeError | RangeError} If it is no such code.
 * @throws {Error} If `main` is not running.
 *
 * @example
 * ```ts
 * import { ensure } from "jsr:@broomio/core";
 * import { exit, main } from "jsr:@broomio/core/os";
 *
 * function* program(args: string[]) {
 *   yield* ensure(() => console.log("cleaned up")); // before the process ends
 *   if (args.includes("--bad")) yield* exit(2); // nothing below runs
 *   return "done";
 * }
 * console.log(await main(program([]))); // main(program(Deno.args))
 * ```
 */
export function exit(code: number = 0): Operation<void> {
  checkInteger(code, "code", 0, 255);
  if (running === null) {
    throw new Error("exit() ends what runs under main(), and that is not running");
  }
  running.exit(code);
  return checkpoint();
}
