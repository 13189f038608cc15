/**
 * The names of signals, as the systems and the runtimes know them.
 *
 * Independent of: what is done with them.
 */
import { checkOneOf } from "../check.ts";

/**
 * The name of a signal that a program can wait for. Windows has SIGINT, SIGBREAK and SIGHUP alone.
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

/** The name of a signal that a process can be sent. */
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
