/**
 * ProcessBackend: the port behind processes. A runtime's way to start one, to signal it and its
 * group, and to move bytes through its pipes.
 *
 * The rules that an adapter keeps:
 * - `spawn` answers its attempt once, at once or later. After `started`, the process is the
 *   caller's: nothing ends it but the caller. After `failed`, nothing is left of it.
 * - `exited` is told once, also where the process ended before anybody asked, and never inside
 *   `spawn`. It does not wait for the pipes: a grandchild may hold them.
 * - Signals to what is gone are no error; they give false.
 *
 * Independent of: loops, tasks, cancellation.
 */
import type { RawReceiveStream, RawSendStream } from "../bytes/raw_stream.ts";

/** A file that a stream of a process is connected to. */
export interface FileTarget {
  readonly file: string;
  readonly append: boolean;
}

/** Where one of the three streams of a process goes. */
export type StdioTarget = "inherit" | "null" | "pipe" | FileTarget;

/** What is to be started, checked. */
export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>> | undefined;
  readonly clearEnv: boolean;
  readonly stdin: StdioTarget;
  readonly stdout: StdioTarget;
  readonly stderr: StdioTarget;
  /** Whether it leads a session and a group of its own (setsid). */
  readonly group: boolean;
  /** Whether undocumented internals of the runtime may be used. */
  readonly internals: boolean;
}

/** How a process ended. */
export interface ExitStatus {
  /** The exit code; 128 and the number of the signal where one ended it, as shells count. */
  readonly code: number;
  /** The signal that ended it, or null. */
  readonly signal: string | null;
}

/** A process that runs, or has ended. */
export interface RawProcess {
  readonly pid: number;
  /** Null where it is no pipe. */
  readonly stdin: RawSendStream | null;
  readonly stdout: RawReceiveStream | null;
  readonly stderr: RawReceiveStream | null;
  /** Told how it ended; set in `started`. */
  exited: (status: ExitStatus) => void;
  /** Sends a signal to the process alone. */
  kill(signal: string): boolean;
  /** Sends a signal to the process and its whole group; without a group, to the process alone. */
  killGroup(signal: string): boolean;
  /**
   * After the process has ended: whether a process of its group is left that is not a zombie, as
   * far as can be known here. One that has its pid is a stranger; the system gives a number anew
   * only where no group has it, so there is none left then.
   */
  hasGroup(): boolean;
  /** Frees what the adapter holds besides the pipes: files that are written or read for it. */
  close(): void;
}

/** Told the result of starting: one call. */
export interface SpawnAttempt {
  started(raw: RawProcess): void;
  /** A POSIX code, the host's error, and what it was about. */
  failed(code: string, cause: unknown, about?: "cwd" | "file"): void;
}

/** The processes of one runtime. */
export interface ProcessBackend {
  /** Starts a process. */
  spawn(spec: ProcessSpec, attempt: SpawnAttempt): void;
  /** Why groups cannot be signalled here, with what is missing; undefined where they can. */
  whyNoGroups(): string | undefined;
  /**
   * Has `callback` called when this program ends, by itself or by an uncaught error; gives how to
   * take that back.
   */
  atExit(callback: () => void): () => void;
}
