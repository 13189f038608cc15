/**
 * Processes on Deno: `Deno.Command` behind the port.
 *
 * Why not `node:child_process`, which Deno has too: it reports the last signal that was sent as the
 * one that ended the process, and its `kill()` works once. Of `Deno.Command` neither `signal` nor
 * `output()` is used: a signal aborted before is ignored, and `output()` waits for grandchildren.
 *
 * What it knows that others need not
 * - `spawn()` is synchronous, and so are its errors; `detached` is setsid.
 * - `status` rejects where a real-time signal ended the process.
 * - Only a pipe, the parent's stream or nothing can be given to a process, so a file is copied
 *   here.
 * - Signals to a group need all of `--allow-run`; `/proc` needs every permission.
 * - What is neither read to its end nor cancelled keeps its descriptor.
 */
import { codeOf } from "../../bytes/error_code.ts";
import type {
  RawReceiveStream,
  RawSendStream,
  ReceiveEvents,
  SendEvents,
} from "../../bytes/raw_stream.ts";
import type { PipeAddress } from "../../stream.ts";
import type {
  ExitStatus,
  FileTarget,
  ProcessBackend,
  ProcessSpec,
  RawProcess,
  StdioTarget,
} from "../process_backend.ts";

type Readable = ReadableStream<Uint8Array<ArrayBuffer>>;
type Writable = WritableStream<Uint8Array>;

/** What is used of a `Deno.ChildProcess`. */
interface Child {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly status: Promise<{ code: number; signal: string | null }>;
  kill(signal: string): void;
}

/** What is used of a `Deno.FsFile`. */
interface File {
  readonly readable: Readable;
  readonly writable: Writable;
  close(): void;
}

/** The slice of the `Deno` namespace that is used here. */
interface DenoSlice {
  readonly Command: new (command: string, options: Record<string, unknown>) => { spawn(): Child };
  readonly build: { readonly os: string };
  readonly permissions: { querySync(descriptor: { name: string }): { state: string } };
  kill(pid: number, signal: string | number): void;
  openSync(path: string, options: Record<string, boolean>): File;
  readDirSync(path: string): Iterable<{ name: string }>;
  readTextFileSync(path: string): string;
}

/** Read memory of a pipe: small until a read has filled it. */
const SMALL_BUFFER = 4 * 1024;
const LARGE_BUFFER = 64 * 1024;

/** How long bytes that were sent before a close may take to go out, in milliseconds. */
const LINGER = 5000;

/**
 * How long the copying to a file may go on after the process has ended, in milliseconds: what it
 * wrote is in the pipe then, but a grandchild may keep the pipe open and write on.
 */
const COPY_TIME = 1000;

/** The permissions that together give access to `/proc`. */
const ALL = ["read", "write", "net", "env", "run", "sys", "ffi"];

/** The end of a pipe from which the output of a process is read. */
class PipeReader implements RawReceiveStream {
  receiveEvents!: ReceiveEvents;
  readonly remoteAddr: PipeAddress;
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** The memory goes to and fro between the stream and here. */
  readonly lifetime = "receive";
  readonly #reader: ReadableStreamBYOBReader;
  #capacity = SMALL_BUFFER;
  #memory: ArrayBuffer | null = null;
  #closed = false;

  constructor(stream: Readable, remoteAddr: PipeAddress) {
    this.#reader = stream.getReader({ mode: "byob" });
    this.remoteAddr = remoteAddr;
  }

  receive(): void {
    const memory = this.#memory ?? new ArrayBuffer(this.#capacity);
    this.#memory = null;
    this.#reader.read(new Uint8Array(memory)).then(this.#onRead, this.#onError);
  }

  readonly #onRead = ({ value }: { value?: Uint8Array<ArrayBuffer> }): void => {
    if (this.#closed) return;
    const count = value?.length ?? 0; // 0 or undefined at the end
    if (value !== undefined) {
      this.bytes = value;
      if (count === this.#capacity && count < LARGE_BUFFER) this.#capacity = LARGE_BUFFER;
      else this.#memory = value.buffer;
    }
    this.receiveEvents.received(count);
  };

  readonly #onError = (error: unknown): void => {
    if (!this.#closed) this.receiveEvents.receiveFailed(codeOf(error), error);
  };

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.cancel().catch(() => {}); // failed before: that was told
  }
}

/** The end of a pipe to which the input of a process is written. */
class PipeWriter implements RawSendStream {
  sendEvents!: SendEvents;
  readonly remoteAddr: PipeAddress;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #closed = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(stream: Writable, remoteAddr: PipeAddress) {
    this.#writer = stream.getWriter();
    this.#writer.closed.catch(() => {}); // each write tells of its own error
    this.remoteAddr = remoteAddr;
  }

  send(bytes: Uint8Array): void {
    this.#writer.write(bytes).then(this.#onDone, this.#onError);
  }

  finish(): void {
    this.#writer.close().then(this.#onDone, this.#onError);
  }

  readonly #onDone = (): void => this.sendEvents.sent();

  readonly #onError = (error: unknown): void => this.sendEvents.sendFailed(codeOf(error), error);

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lingering);
    this.#writer.abort().catch(() => {}); // closed or failed before
  }

  closeSoon(): void {
    if (!this.#closed) this.#lingering = setTimeout(() => this.close(), LINGER);
  }
}

/** A process of Deno's. */
class DenoProcess implements RawProcess {
  readonly pid: number;
  readonly stdin: RawSendStream | null;
  readonly stdout: RawReceiveStream | null;
  readonly stderr: RawReceiveStream | null;
  exited!: (status: ExitStatus) => void;
  readonly #deno: DenoSlice;
  readonly #child: Child;
  readonly #group: boolean;
  /** Ends the copying; null where no file is copied. */
  readonly #copying: AbortController | null;

  constructor(deno: DenoSlice, child: Child, spec: ProcessSpec, files: Files) {
    this.#deno = deno;
    this.#child = child;
    this.#group = spec.group;
    this.pid = child.pid;
    const end = (name: string): PipeAddress => {
      return { transport: "pipe", name: `${name} of ${JSON.stringify(spec.command)}` };
    };
    const { stdin, stdout, stderr } = spec;
    this.stdin = stdin === "pipe" ? new PipeWriter(child.stdin, end("stdin")) : null;
    this.stdout = stdout === "pipe" ? new PipeReader(child.stdout, end("stdout")) : null;
    this.stderr = stderr === "pipe" ? new PipeReader(child.stderr, end("stderr")) : null;
    const copying = files.stdin || files.stdout || files.stderr ? new AbortController() : null;
    this.#copying = copying;
    const copies: Promise<void>[] = [];
    if (files.stdin) void copy(files.stdin.readable, child.stdin, copying!);
    if (files.stdout) copies.push(copy(child.stdout, files.stdout.writable, copying!));
    if (files.stderr) copies.push(copy(child.stderr, files.stderr.writable, copying!));
    child.status.then(
      ({ code, signal }) => ({ code, signal }),
      realTimeSignal,
    ).then(async (status) => {
      if (copies.length > 0) await this.#finishCopies(copies);
      this.exited(status);
    });
  }

  async #finishCopies(copies: Promise<void>[]): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, COPY_TIME));
    await Promise.race([Promise.all(copies), late]);
    clearTimeout(timer);
  }

  kill(signal: string): boolean {
    try {
      this.#child.kill(signal);
      return true;
    } catch {
      return false; // it has ended
    }
  }

  killGroup(signal: string): boolean {
    return this.#group ? this.#signal(-this.pid, signal) : this.kill(signal);
  }

  #signal(target: number, signal: string): boolean {
    try {
      this.#deno.kill(target, signal);
      return true;
    } catch {
      return false; // nobody is left, or it is not permitted
    }
  }

  /** Whether there is such a process, or a group, be it another user's. */
  #exists(target: number): boolean {
    try {
      this.#deno.kill(target, 0);
      return true;
    } catch (error) {
      return /^(EPERM|EACCES)$/.test(codeOf(error));
    }
  }

  hasGroup(): boolean {
    if (!this.#group || !this.#exists(-this.pid) || this.#exists(this.pid)) return false;
    if (this.#deno.build.os !== "linux" || !isGranted(this.#deno, ALL)) return true;
    return hasLiveMember(this.#deno, this.pid);
  }

  close(): void {
    this.#copying?.abort();
  }
}

/** Copies until the end, an error, or an abort; both ends are closed then. */
async function copy(from: Readable, to: Writable, { signal }: AbortController): Promise<void> {
  // An error is no affair of ours: the process notices, as if it had opened the file itself.
  await from.pipeTo(to, { signal }).catch(() => {});
}

/** The files that a process reads and writes, open. */
type Files = { readonly [Name in "stdin" | "stdout" | "stderr"]?: File };

const stdio = { inherit: "inherit", null: "null", pipe: "piped" } as const;

function toDeno(target: StdioTarget): string {
  return typeof target === "string" ? stdio[target] : "piped";
}

/** How Deno tells that a real-time signal has ended a process: "Invalid signal: 40". */
function realTimeSignal(error: unknown): ExitStatus {
  const number = Number(/\d+$/.exec(String(error))?.[0] ?? 0);
  return { code: 128 + number, signal: `SIG${number || "UNKNOWN"}` };
}

function isGranted(deno: DenoSlice, names: readonly string[]): boolean {
  return names.every((name) => deno.permissions.querySync({ name }).state === "granted");
}

/** Whether a process of the group is left that has not ended: a zombie answers signals too. */
function hasLiveMember(deno: DenoSlice, group: number): boolean {
  for (const { name } of deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = deno.readTextFileSync(`/proc/${name}/stat`);
      const [state, , member] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (member === String(group) && state !== "Z") return true;
    } catch {
      // It has ended meanwhile.
    }
  }
  return false;
}

/** Opens what a process is to read or write; all of it, or it throws and nothing is open. */
function openFiles(deno: DenoSlice, spec: ProcessSpec): Files {
  const files: { -readonly [Name in keyof Files]: File } = {};
  try {
    for (const name of ["stdin", "stdout", "stderr"] as const) {
      const target = spec[name];
      if (typeof target === "string") continue;
      files[name] = deno.openSync(target.file, openOptions(name, target));
    }
  } catch (error) {
    closeFiles(files);
    throw error;
  }
  return files;
}

function openOptions(name: string, { append }: FileTarget): Record<string, boolean> {
  if (name === "stdin") return { read: true };
  return append ? { append, create: true } : { write: true, create: true, truncate: true };
}

function closeFiles(files: Files): void {
  for (const file of Object.values(files)) file.close();
}

/** What is used of the event of an uncaught error, or of a rejection that nobody handles. */
interface Uncaught {
  readonly type: string;
  readonly defaultPrevented: boolean;
}

/** What is used of the `process` that Deno has too. */
interface ProcessSlice {
  listenerCount?(event: string): number;
}

/**
 * Calls `callback` when the program ends: by itself, by `Deno.exit`, or by an error that nobody
 * handles, for which Deno has no `unload`. There the program lives on where a listener prevents the
 * default, or listens as in Node; so the later this listener is added, the better it knows.
 */
function listenToEnd(callback: () => void): () => void {
  const onUncaught = ({ type, defaultPrevented }: Uncaught): void => {
    const { process } = globalThis as { process?: ProcessSlice };
    const isHandled = (event: string) => (process?.listenerCount?.(event) ?? 0) > 0;
    if (defaultPrevented || isHandled("uncaughtException")) return;
    if (type === "unhandledrejection" && isHandled("unhandledRejection")) return;
    callback();
  };
  addEventListener("unload", callback);
  addEventListener("error", onUncaught);
  addEventListener("unhandledrejection", onUncaught);
  return () => {
    removeEventListener("unload", callback);
    removeEventListener("error", onUncaught);
    removeEventListener("unhandledrejection", onUncaught);
  };
}

/** Deno's processes, or `undefined` outside of Deno. */
export function denoProcesses(): ProcessBackend | undefined {
  const deno = (globalThis as unknown as { Deno?: DenoSlice }).Deno;
  if (typeof deno?.Command !== "function") return undefined;
  return {
    spawn(spec, attempt) {
      let files: Files;
      try {
        files = openFiles(deno, spec);
      } catch (error) {
        return attempt.failed(codeOf(error), error, "file");
      }
      let child: Child;
      try {
        child = new deno.Command(spec.command, {
          args: spec.args,
          cwd: spec.cwd,
          env: spec.env,
          clearEnv: spec.clearEnv,
          stdin: toDeno(spec.stdin),
          stdout: toDeno(spec.stdout),
          stderr: toDeno(spec.stderr),
          detached: spec.group,
        }).spawn();
      } catch (error) {
        closeFiles(files);
        const { message } = error as Error;
        if (/cwd is not a directory/.test(message)) return attempt.failed("ENOTDIR", error, "cwd");
        const about = /No such cwd/.test(message) ? "cwd" : undefined;
        return attempt.failed(codeOf(error), error, about);
      }
      attempt.started(new DenoProcess(deno, child, spec, files));
    },
    whyNoGroups() {
      if (deno.build.os === "windows") return "Windows has no process groups";
      if (!isGranted(deno, ["run"])) return "signals to a group need --allow-run without a list";
    },
    atExit: (callback) => listenToEnd(callback),
  };
}
