/**
 * The names of signals, as the systems and the runtimes know them.
 *
 * Independent of: what is done with them.
 */
import { checkOneOf } from "../check.ts";

/**
 * The name of a signal that a program can wait for. Windows has SIGINT, SIGBREAK and SIGHUP alone.
 *
 * @example
 * ```ts
 * import { moveOnAfter } from "jsr:@broomio/core";
 * import { main, type Signal, signals } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const stop: readonly Signal[] = ["SIGHUP", "SIGUSR2"];
 * const signal = await main(moveOnAfter(0.01, signals(...stop)));
 * assertEquals(signal, undefined); // none came within 10 ms
 * ```
 */
export type Signal =
  | "SIGHUP"
  | "SIGINT"
  | "SIGQUIT"
  | "SIGTERM"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGWINCH"
  | "SIGBREAK";

/**
 * The name of a signal that a process can be sent.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { Process, type ProcessSignal } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* stopWith(signal: ProcessSignal) {
 *   const child = yield* Process.start("sleep", ["60"]);
 *   child.kill(signal);
 *   return (yield* child.wait()).signal;
 * }
 * assertEquals(await new Loop().run(stopWith("SIGKILL")), "SIGKILL");
 * ```
 */
export type ProcessSignal =
  | Signal
  | "SIGABRT"
  | "SIGALRM"
  | "SIGCHLD"
  | "SIGCONT"
  | "SIGKILL"
  | "SIGPIPE"
  | "SIGSTOP"
  | "SIGTSTP"
  | "SIGTTIN"
  | "SIGTTOU"
  | "SIGURG";

/** Those that a program can wait for, for checks. */
const SIGNALS: readonly Signal[] = [
  ...["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const,
  "SIGBREAK",
];

/** Checks names of signals to wait for, and gives each once. */
export function checkSignals(names: readonly Signal[], name: string): readonly Signal[] {
  // `Array.from` gives holes too, as undefined.
  return [...new Set(Array.from(names, (each) => checkOneOf(each, name, SIGNALS)))];
}

/** All that a process can be sent, for checks. */
export const PROCESS_SIGNALS: readonly ProcessSignal[] = [
  ...["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const,
  ...["SIGBREAK", "SIGABRT", "SIGALRM", "SIGCHLD", "SIGCONT", "SIGKILL", "SIGPIPE"] as const,
  ...["SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG"] as const,
];
