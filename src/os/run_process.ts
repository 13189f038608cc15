/**
 * runProcess: runs a process to its end and collects what it prints.
 *
 * Invariant: it ends when the process has ended; then what is left of its group is ended, what is
 * in the pipes is read, and nothing of it is alive. Memory is bounded by `maxOutput` (R51).
 * Independent of: which runtime this is.
 */
import { checkBoolean, checkInteger, checkOneOf, checkOptions, wrongKind } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError, LimitError } from "../kernel/errors.ts";
import { SocketError } from "../bytes/socket_error.ts";
import { all } from "../operations/combine.ts";
import { failAfter, moveOnAfter } from "../operations/timeout.ts";
import { Event } from "../sync/event.ts";
import { coreOf, Process, type ProcessStatus } from "./process.ts";
import { ProcessError } from "./process_error.ts";
import {
  checkArguments,
  checkCommand,
  checkProcessOptions,
  type FileUrl,
  PROCESS_OPTIONS,
  type ProcessOptions,
} from "./process_options.ts";
import type { ProcessInput, ProcessOutput } from "./process_streams.ts";

/**
 * Options of {@linkcode runProcess}.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { runProcess, type RunProcessOptions } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const limits: RunProcessOptions = { timeout: 10, maxOutput: 1_000_000 }; // seconds; bytes
 * const operation = runProcess("sort", [], { ...limits, input: "b\na\n", encoding: "text" });
 * const { stdout } = await new Loop().run(operation);
 * assertEquals(stdout, "a\nb\n");
 * ```
 */
export interface RunProcessOptions extends ProcessOptions {
  /** What it reads, text or bytes; then its input ends. Instead of `stdin`. */
  input?: string | Uint8Array;
  /** After this long it is ended, and a `TimeoutError` thrown. */
  timeout?: Duration;
  /** The most bytes that it may print, to `stdout` and `stderr` each: 16 MiB by default. */
  maxOutput?: number;
  /** Whether a code other than 0, or a signal, is a {@linkcode ProcessError}: true by default. */
  check?: boolean;
  /** What is collected: "text" by default, decoded as UTF-8, or "bytes". */
  encoding?: "text" | "bytes";
}

/**
 * What {@linkcode runProcess} gives.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type ProcessResult, runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function linesOf({ stdout }: ProcessResult): string[] {
 *   return stdout.split("\n").slice(0, -1);
 * }
 * const result = await new Loop().run(runProcess("printf", ["a\\nb\\n"]));
 * assertEquals(linesOf(result), ["a", "b"]);
 * ```
 */
export interface ProcessResult<Output = string> {
  /** The exit code; 128 and the number of the signal where one ended it. */
  readonly code: number;
  /** The signal that ended it, or null. */
  readonly signal: string | null;
  /** What it printed; empty where that went elsewhere. */
  readonly stdout: Output;
  /** The errors that it printed; empty where they went elsewhere. */
  readonly stderr: Output;
}

const OPTIONS: readonly (keyof RunProcessOptions)[] = [
  ...PROCESS_OPTIONS,
  ...["input", "timeout", "maxOutput", "check", "encoding"] as const,
];

const MAX_OUTPUT = 16 * 1024 * 1024;
/** How much of `stderr` an error keeps. */
const STDERR_END = 4096;
/** How long a pipe that somebody outside of the group holds may bring nothing, in seconds. */
const QUIET_TIME = 1;

const utf8 = new TextDecoder();

/**
 * Runs a process to its end, and gives how it ended and what it printed. A checkpoint. Cancelled,
 * or timed out, the process is ended with its group first, as by leaving the scope of {@linkcode
 * Process.start}.
 *
 * @param command A name to be found in `PATH`, or a path. It is no shell's.
 * @throws {ProcessError} If it ended with another code than 0, or by a signal, and `check` is not
 * false.
 * @throws {ProcessStartError} If it cannot be started: `ENOENT`, `EACCES`, `E2BIG`...
 * @throws {TimeoutError} If it has not ended within `timeout`.
 * @throws {LimitError} If it printed more than `maxOutput`.
 * @throws {TypeError | RangeError} If an argument or option is not valid, or an option is not
 * known.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(function* () {
 *   const { stdout } = yield* runProcess("sort", ["-r"], { input: "a\nb\n", timeout: 10 });
 *   assertEquals(stdout, "b\na\n");
 * }());
 * ```
 */
export function runProcess(
  command: string | FileUrl,
  args: readonly string[] | undefined,
  options: RunProcessOptions & { encoding: "bytes" },
): Operation<ProcessResult<Uint8Array<ArrayBuffer>>>;
/** Runs a process to its end, and gives how it ended and what it printed, as text. */
export function runProcess(
  command: string | FileUrl,
  args?: readonly string[],
  options?: RunProcessOptions & { encoding?: "text" },
): Operation<ProcessResult>;
export function runProcess(
  command: string | FileUrl,
  args: readonly string[] = [],
  options: RunProcessOptions = {},
): Operation<ProcessResult<string | Uint8Array<ArrayBuffer>>> {
  checkOptions(options, "runProcess", OPTIONS);
  const { input, timeout = Infinity, maxOutput = MAX_OUTPUT, check = true, encoding = "text" } =
    options;
  checkCommand(command);
  checkArguments(args);
  checkInteger(maxOutput, "maxOutput", 0, Infinity, true);
  checkBoolean(check, "check");
  checkOneOf(encoding, "encoding", ["text", "bytes"]);
  const bytes = input === undefined ? null : toBytes(input);
  const seconds = toSeconds(timeout);
  const { cwd, env, clearEnv, grace, group, internals } = options;
  const { stdin, stdout = "pipe", stderr = "pipe" } = options;
  if (bytes !== null && stdin !== undefined) {
    throw new TypeError("Expected either stdin or input, got both (runProcess)");
  }
  const started = {
    ...{ cwd, env, clearEnv, grace, group, internals, stdout, stderr },
    stdin: bytes === null ? stdin : "pipe" as const,
  };
  checkProcessOptions(started);
  return failAfter(seconds, function* () {
    const child = yield* Process.start(command, args, started);
    const { code, signal, out, err } = yield* run(child, bytes, maxOutput);
    if (check && code !== 0) {
      throw new ProcessError(child.command, code, signal, utf8.decode(err).slice(-STDERR_END));
    }
    return encoding === "bytes"
      ? { code, signal, stdout: out, stderr: err }
      : { code, signal, stdout: utf8.decode(out), stderr: utf8.decode(err) };
  });
}

function toBytes(input: string | Uint8Array): Uint8Array {
  if (typeof input === "string") return new TextEncoder().encode(input);
  if (input instanceof Uint8Array) return input;
  throw wrongKind("a string or a Uint8Array", input, "input");
}

/** Feeds, reads and waits, all at once. */
function* run(child: Process, input: Uint8Array | null, maxOutput: number): Coroutine<{
  code: number;
  signal: string | null;
  out: Uint8Array<ArrayBuffer>;
  err: Uint8Array<ArrayBuffer>;
}> {
  const core = coreOf(child);
  const output = new Collector(core.stdout, maxOutput, child.command);
  const errors = new Collector(core.stderr, maxOutput, child.command);
  const isRead = new Event();

  function* end(): Coroutine<ProcessStatus> {
    const status = yield* child.wait();
    yield* core.endGroup();
    // Only who has left the group can hold the pipes now: it is not waited for once it is quiet.
    for (let count = -1; !isRead.isSet && count < output.count + errors.count;) {
      count = output.count + errors.count;
      yield* moveOnAfter(QUIET_TIME, isRead.wait());
    }
    core.closeStreams();
    return status;
  }

  function* read(): Coroutine<void> {
    yield* all([output.collect(), errors.collect()]);
    isRead.set();
  }

  const [status] = yield* all([end(), read(), feed(core.stdin, input)]);
  return { ...status, out: output.bytes(), err: errors.bytes() };
}

/** Sends the input and ends it. A process need not read all, or any of it. */
function* feed(stdin: ProcessInput | null, input: Uint8Array | null): Coroutine<void> {
  if (stdin === null || input === null) return;
  try {
    yield* stdin.send(input);
    yield* stdin.shutdown();
  } catch (error) {
    if (!(error instanceof SocketError) && !(error instanceof ClosedResourceError)) throw error;
  }
}

/** Collects what comes from one stream. */
class Collector {
  count = 0;
  readonly #chunks: Uint8Array[] = [];
  readonly #stream: ProcessOutput | null;
  readonly #max: number;
  readonly #command: string;

  constructor(stream: ProcessOutput | null, max: number, command: string) {
    this.#stream = stream;
    this.#max = max;
    this.#command = command;
  }

  *collect(): Coroutine<void> {
    if (this.#stream === null) return;
    try {
      for (;;) {
        const chunk = yield* this.#stream.recv();
        if (chunk === null) return;
        this.count += chunk.length;
        if (this.count > this.#max) {
          throw new LimitError(`process's output (${this.#command})`, this.#max);
        }
        this.#chunks.push(chunk);
      }
    } catch (error) {
      if (!(error instanceof ClosedResourceError)) throw error; // closed below: nothing more comes
    }
  }

  /** All of it. */
  bytes(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.count);
    let end = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, end);
      end += chunk.length;
    }
    return all;
  }
}
