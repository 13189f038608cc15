/**
 * The errors of processes: one that could not be started, and one that ended badly (R51).
 *
 * Independent of: how processes are started.
 */

/** What the codes mean, for messages. Those not here show the host's own message. */
const MEANINGS: Readonly<Record<string, string>> = {
  E2BIG: "its arguments and environment are too long",
  EACCES: "permission denied",
  EAGAIN: "the system has too many processes",
  EISDIR: "it is a directory",
  EMFILE: "this process has too many files and sockets open",
  ENFILE: "the system has too many files and sockets open",
  ENOENT: "it does not exist",
  ENOEXEC: "it is not a program of this system",
  ENOMEM: "the system has no memory left",
  ENOTDIR: "it is no directory",
  ENOTSUP: "this runtime cannot do that",
  EPERM: "not permitted",
};

/**
 * A process could not be started. Nothing of it is left.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { ProcessStartError, runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals, assertRejects } from "jsr:@std/assert";
 *
 * const run = () => new Loop().run(runProcess("no-such-command"));
 * const error = await assertRejects(run, ProcessStartError);
 * assertEquals(error.code, "ENOENT");
 * ```
 */
export class ProcessStartError extends Error {
  /** The POSIX name: `ENOENT`, `EACCES`, `E2BIG`, `EMFILE`... */
  readonly code: string;
  /** The command, with its arguments. */
  readonly command: string;

  /** Made by `Process.start`. @param what What the code is about, where it is not the command. */
  constructor(command: string, code: string, what: string, cause: unknown) {
    const told = cause instanceof Error ? cause.message : String(cause);
    // The permission that is missing stands in the message of the runtime.
    const meaning = /--allow-\w+/.test(told) ? told : MEANINGS[code] ?? told;
    super(`Cannot start ${shorten(command)}: ${what && `${what}: `}${code} (${meaning})`, {
      cause,
    });
    this.code = code;
    this.command = command;
  }
  static {
    this.prototype.name = "ProcessStartError";
  }
}

/**
 * A process ended with a code other than 0, or by a signal. Thrown by `runProcess`.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { ProcessError, runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals, assertRejects } from "jsr:@std/assert";
 *
 * const run = () => new Loop().run(runProcess("sh", ["-c", "echo no disk >&2; exit 3"]));
 * const error = await assertRejects(run, ProcessError);
 * assertEquals([error.code, error.stderr], [3, "no disk\n"]);
 * ```
 */
export class ProcessError extends Error {
  /** The exit code; 128 and the number of the signal where one ended it. */
  readonly code: number;
  /** The signal that ended it, or null. */
  readonly signal: string | null;
  /** The end of what it printed to `stderr`: the last 4,096 characters. */
  readonly stderr: string;
  /** The command, with its arguments. */
  readonly command: string;

  /** Made by `runProcess`. */
  constructor(command: string, code: number, signal: string | null, stderr: string) {
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    const lines = stderr.trimEnd().split("\n").slice(-5).join("\n");
    super(`${shorten(command)} ${how}${lines && `: ${lines}`}`);
    this.code = code;
    this.signal = signal;
    this.stderr = stderr;
    this.command = command;
    // The message shows its end already.
    Object.defineProperty(this, "stderr", { enumerable: false });
  }
  static {
    this.prototype.name = "ProcessError";
  }
}

/** A command line as a shell would read it. */
export function showCommand(command: string, args: readonly string[]): string {
  return [command, ...args].map(quote).join(" ");
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function shorten(command: string): string {
  return command.length > 120 ? `${command.slice(0, 120)}...` : command;
}
