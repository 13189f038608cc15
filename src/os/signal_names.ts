/**
 * The names of signals, as the systems and the runtimes know them.
 *
 * Independent of: what is done with them.
 */

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

/** All of them, for checks. */
export const PROCESS_SIGNALS: readonly ProcessSignal[] = [
  ...["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const,
  ...["SIGBREAK", "SIGABRT", "SIGALRM", "SIGCHLD", "SIGCONT", "SIGKILL", "SIGPIPE"] as const,
  ...["SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG"] as const,
];
