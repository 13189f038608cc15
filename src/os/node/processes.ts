/**
 * Processes on Node and Bun: `node:child_process` behind the port.
 *
 * What it knows that others need not
 * - `spawn()` is synchronous; some of its errors are thrown, others are an `error` event with `pid`
 *   undefined. A working directory that is not there looks like a command that is not there.
 * - A process that a real-time signal ended is told of as one that ended well: nothing can be done.
 * - Neither `signal` nor `timeout` of its options is used: a signal aborted before starts the
 *   process all the same.
 */
import { codeOf } from "../../bytes/error_code.ts";
import type { RawReceiveStream, RawSendStream } from "../../bytes/raw_stream.ts";
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
import type { Emitter, Readable, SocketClass, Writable } from "./node_types.ts";
import { makePipeReader } from "./pipe_reader.ts";
import { PipeWriter } from "./pipe_writer.ts";

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
  readonly Socket: SocketClass;
  readonly signals: Readonly<Record<string, number>>;
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

  constructor(runtime: Runtime, child: Child, { command, group, internals }: ProcessSpec) {
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
    const read = (stream: Readable | null | undefined, name: string) =>
      stream ? makePipeReader(stream, end(name), internals ? runtime.Socket : null) : null;
    this.stdout = read(stdout, "stdout");
    this.stderr = read(stderr, "stderr");
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
    return this.#group ? this.#signal(-this.pid, signal) : this.kill(signal);
  }

  #signal(target: number, signal: string): boolean {
    try {
      this.#runtime.process.kill(target, signal);
      return true;
    } catch {
      return false; // nobody is left, or it is not permitted
    }
  }

  /** Whether there is such a process, or a group, be it another user's. */
  #exists(target: number): boolean {
    try {
      this.#runtime.process.kill(target, 0);
      return true;
    } catch (error) {
      return /^(EPERM|EACCES)$/.test(codeOf(error));
    }
  }

  hasGroup(): boolean {
    if (!this.#group || !this.#exists(-this.pid) || this.#exists(this.pid)) return false;
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
  const net = builtin<{ Socket: SocketClass }>("node:net");
  const os = builtin<{ constants: { signals: Record<string, number> } }>("node:os");
  if (!process || !children || !fs || !net || !os) return undefined;
  const { Socket } = net;
  const runtime: Runtime = { process, children, fs, Socket, signals: os.constants.signals };
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
