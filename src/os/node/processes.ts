/**
 * Processes on Node and Bun: `node:child_process` behind the port.
 *
 * What it knows that others need not
 * - `spawn()` is synchronous; some of its errors are thrown, others are an `error` event with `pid`
 *   undefined. A working directory that is not there looks like a command that is not there.
 * - At the `exit` event a child's streams are read to nowhere: so each has a listener from the
 *   start. It pauses the stream when bytes come that nobody has asked for: that is the back
 *   pressure. To call `read()` at each `readable` instead stops and starts the reading for each
 *   chunk: a tenth slower.
 * - An `error` event of a stream that nobody listens to would end the program.
 * - A process that a real-time signal ended is told of as one that ended well: nothing can be done.
 * - Neither `signal` nor `timeout` of its options is used: a signal aborted before starts the
 *   process all the same.
 */
import { codeOf } from "../../bytes/error_code.ts";
import type {
  RawReceiveStream,
  RawSendStream,
  ReceiveEvents,
  SendEvents,
} from "../../bytes/raw_stream.ts";
import { builtin } from "../../runtime/builtin.ts";
import type { PipeAddress } from "../../stream.ts";
import type {
  ExitStatus,
  ProcessBackend,
  ProcessSpec,
  RawProcess,
  SpawnAttempt,
  StdioTarget,
} from "../process_backend.ts";

/** What is used of an event emitter. */
interface Emitter {
  // deno-lint-ignore no-explicit-any -- as Node declares it: each event has arguments of its own
  on(event: string, listener: (...args: any[]) => void): unknown;
}

/** What is used of a `stream.Readable`. */
interface Readable extends Emitter {
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

/** What is used of a `stream.Writable`. */
interface Writable extends Emitter {
  write(bytes: Uint8Array, done?: (error?: unknown) => void): boolean;
  readonly writableLength: number;
  readonly destroyed: boolean;
  end(done: (error?: unknown) => void): unknown;
  destroy(): unknown;
}

/** What is used of a `ChildProcess`. */
interface Child extends Emitter {
  readonly pid: number | undefined;
  readonly stdin: Writable | null | undefined;
  readonly stdout: Readable | null | undefined;
  readonly stderr: Readable | null | undefined;
  kill(signal: string): boolean;
}

/** What is used of `node:child_process`. */
interface ChildProcessModule {
  spawn(command: string, args: readonly string[], options: Record<string, unknown>): Child;
}

/** What is used of `node:fs`. */
interface FsModule {
  openSync(path: string, flags: string): number;
  closeSync(file: number): void;
  existsSync(path: string): boolean;
  readdirSync(path: string): string[];
  readFileSync(path: string, encoding: "latin1"): string;
}

/** What is used of `process`. */
interface ProcessSlice {
  readonly platform: string;
  readonly versions: { readonly bun?: string };
  readonly env: Record<string, string | undefined>;
  kill(pid: number, signal: string | number): unknown;
  on(event: "exit", listener: () => void): unknown;
  removeListener(event: "exit", listener: () => void): unknown;
}

/** The modules and the object that the adapter works with. */
interface Runtime {
  readonly process: ProcessSlice;
  readonly children: ChildProcessModule;
  readonly fs: FsModule;
  readonly signals: Readonly<Record<string, number>>;
}

/** How long bytes that were sent before a close may take to go out, in milliseconds. */
const LINGER = 5000;

/** The end of a pipe from which the output of a process is read. */
class PipeReader implements RawReceiveStream {
  receiveEvents!: ReceiveEvents;
  readonly remoteAddr: PipeAddress;
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Each chunk has memory of its own. */
  readonly lifetime = "forever";
  readonly #stream: Readable;
  /** Chunks that came unasked, oldest first: one, and those that Node delivers at the exit. */
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];
  #paused = true;
  #asked = false;
  #ended = false;
  #failure: unknown = null;
  #closed = false;

  constructor(stream: Readable, remoteAddr: PipeAddress) {
    this.#stream = stream;
    this.remoteAddr = remoteAddr;
    stream.pause();
    stream.on("data", (chunk: Uint8Array<ArrayBuffer>) => this.#onData(chunk));
    stream.on("end", () => {
      this.#ended = true;
      this.#tryAnswer();
    });
    stream.on("error", (error) => {
      this.#failure ??= error;
      this.#tryAnswer();
    });
  }

  #onData(chunk: Uint8Array<ArrayBuffer>): void {
    if (this.#closed) return;
    this.#kept.push(chunk);
    if (this.#asked) return this.#tryAnswer();
    this.#paused = true;
    this.#stream.pause();
  }

  receive(): void {
    this.#asked = true;
    this.#tryAnswer();
    if (!this.#asked || !this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  /** Answers, where something was asked for and there is an answer. */
  #tryAnswer(): void {
    if (!this.#asked || this.#closed) return;
    const chunk = this.#kept.shift();
    if (chunk !== undefined) {
      this.#asked = false;
      this.bytes = chunk;
      this.receiveEvents.received(chunk.length);
    } else if (this.#failure !== null) {
      this.#asked = false;
      this.receiveEvents.receiveFailed(codeOf(this.#failure), this.#failure);
    } else if (this.#ended) {
      this.#asked = false;
      this.receiveEvents.received(0);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#kept.length = 0;
    this.#stream.destroy();
  }
}

/** The end of a pipe to which the input of a process is written. */
class PipeWriter implements RawSendStream {
  sendEvents!: SendEvents;
  readonly remoteAddr: PipeAddress;
  readonly #stream: Writable;
  readonly #tellsLength: boolean;
  /** An answer is due. */
  #asked = false;
  /** How many writes were answered before their callbacks. */
  #told = 0;
  #failure: unknown = null;
  #closed = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param tellsLength Whether `writableLength` is 0 exactly when the system has taken all: in
   * Node.
   */
  constructor(stream: Writable, remoteAddr: PipeAddress, tellsLength: boolean) {
    this.#stream = stream;
    this.#tellsLength = tellsLength;
    this.remoteAddr = remoteAddr;
    stream.on("error", (error) => {
      this.#failure ??= error;
      this.#fail();
    });
    stream.on("close", () => this.#fail());
  }

  send(bytes: Uint8Array): void {
    this.#asked = true;
    if (this.#failure !== null) return this.#fail();
    this.#stream.write(bytes, this.#onDone);
    // Often the pipe has taken all by now; the callback, which tells so a tick later, is not waited
    // for.
    if (!this.#tellsLength || this.#stream.writableLength !== 0 || !this.#asked) return;
    this.#told++;
    this.#answer();
  }

  finish(): void {
    this.#asked = true;
    if (this.#failure !== null) return this.#fail();
    this.#stream.end(this.#onDone);
  }

  readonly #onDone = (error?: unknown): void => {
    if (error) {
      this.#failure ??= error;
      return this.#fail();
    }
    if (this.#told > 0) this.#told--;
    else if (this.#asked) this.#answer();
  };

  #answer(): void {
    this.#asked = false;
    this.sendEvents.sent();
  }

  #fail(): void {
    if (!this.#asked) return;
    this.#asked = false;
    const error = this.#failure ??
      Object.assign(new Error("The pipe was closed"), { code: "EPIPE" });
    this.sendEvents.sendFailed(codeOf(error), error);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lingering);
    this.#stream.destroy();
  }

  closeSoon(): void {
    if (!this.#closed) this.#lingering = setTimeout(() => this.close(), LINGER);
  }
}

/** A process of Node's. */
class NodeProcess implements RawProcess {
  readonly pid: number;
  readonly stdin: RawSendStream | null;
  readonly stdout: RawReceiveStream | null;
  readonly stderr: RawReceiveStream | null;
  exited!: (status: ExitStatus) => void;
  readonly #runtime: Runtime;
  readonly #child: Child;
  readonly #group: boolean;

  constructor(runtime: Runtime, child: Child, { command, group }: ProcessSpec) {
    this.#runtime = runtime;
    this.#child = child;
    this.#group = group;
    this.pid = child.pid!;
    const end = (name: string): PipeAddress => {
      return { transport: "pipe", name: `${name} of ${JSON.stringify(command)}` };
    };
    const { stdin, stdout, stderr } = child;
    const isNode = runtime.process.versions.bun === undefined;
    this.stdin = stdin ? new PipeWriter(stdin, end("stdin"), isNode) : null;
    this.stdout = stdout ? new PipeReader(stdout, end("stdout")) : null;
    this.stderr = stderr ? new PipeReader(stderr, end("stderr")) : null;
    child.on("exit", (code: number | null, signal: string | null) => {
      this.exited({ code: code ?? 128 + (runtime.signals[signal ?? ""] ?? 0), signal });
    });
  }

  kill(signal: string): boolean {
    try {
      return this.#child.kill(signal);
    } catch {
      return false; // not permitted: it has become another user's
    }
  }

  killGroup(signal: string): boolean {
    return this.#group ? this.#signalGroup(signal) : this.kill(signal);
  }

  #signalGroup(signal: string | number): boolean {
    try {
      this.#runtime.process.kill(-this.pid, signal);
      return true;
    } catch {
      return false; // nobody is left
    }
  }

  hasGroup(): boolean {
    if (!this.#group || !this.#signalGroup(0)) return false;
    return this.#runtime.process.platform !== "linux" || hasLiveMember(this.#runtime.fs, this.pid);
  }

  close(): void {}
}

/** Whether a process of the group is left that has not ended: a zombie answers signals too. */
function hasLiveMember(fs: FsModule, group: number): boolean {
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, , member] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (member === String(group) && state !== "Z") return true;
    } catch {
      // It has ended meanwhile.
    }
  }
  return false;
}

/** What `spawn` takes for the three streams; files are open then, and listed in `files`. */
function openStdio(fs: FsModule, spec: ProcessSpec, files: number[]): (string | number)[] {
  const open = (target: StdioTarget, input: boolean): string | number => {
    if (target === "null") return "ignore";
    if (typeof target === "string") return target;
    const file = fs.openSync(target.file, input ? "r" : target.append ? "a" : "w");
    files.push(file);
    return file;
  };
  return [open(spec.stdin, true), open(spec.stdout, false), open(spec.stderr, false)];
}

function spawn(runtime: Runtime, spec: ProcessSpec, attempt: SpawnAttempt): void {
  const { children, fs, process } = runtime;
  const { command, args, cwd, clearEnv, group } = spec;
  const files: number[] = [];
  const failed = (error: unknown): void => {
    const code = codeOf(error);
    const isCwd = code === "ENOTDIR" ||
      (code === "ENOENT" && cwd !== undefined && !fs.existsSync(cwd));
    attempt.failed(code, error, isCwd ? "cwd" : undefined);
  };
  try {
    let stdio: (string | number)[];
    try {
      stdio = openStdio(fs, spec, files);
    } catch (error) {
      return attempt.failed(codeOf(error), error, "file");
    }
    const env = clearEnv ? spec.env ?? {} : spec.env && { ...process.env, ...spec.env };
    const options = { cwd, env, stdio, detached: group, windowsHide: true };
    let child: Child;
    try {
      child = children.spawn(command, args, options);
    } catch (error) {
      return failed(error);
    }
    child.on("error", (error) => {
      if (child.pid !== undefined) return; // a signal that could not be sent
      for (const stream of [child.stdin, child.stdout, child.stderr]) {
        stream?.on("error", () => {});
        stream?.destroy();
      }
      failed(error);
    });
    if (child.pid !== undefined) attempt.started(new NodeProcess(runtime, child, spec));
  } finally {
    for (const file of files) fs.closeSync(file); // the process has its own
  }
}

/** Node's processes, or `undefined` where there is no `node:child_process`. */
export function nodeProcesses(): ProcessBackend | undefined {
  const { process } = globalThis as unknown as { process?: ProcessSlice };
  const children = builtin<ChildProcessModule>("node:child_process");
  const fs = builtin<FsModule>("node:fs");
  const os = builtin<{ constants: { signals: Record<string, number> } }>("node:os");
  if (!process || !children || !fs || !os) return undefined;
  const runtime: Runtime = { process, children, fs, signals: os.constants.signals };
  return {
    spawn: (spec, attempt) => spawn(runtime, spec, attempt),
    whyNoGroups() {
      if (process.platform === "win32") return "Windows has no process groups";
    },
    atExit(callback) {
      process.on("exit", callback);
      return () => void process.removeListener("exit", callback);
    },
  };
}
