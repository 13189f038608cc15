/**
 * Process: a child process that belongs to the scope it was started in.
 *
 * Invariant: from the moment it runs its end is registered with that scope, in the same step; there
 * is no moment at which a cancel could come between (R49). Independent of: which runtime this is.
 */
import { checkBoolean, checkOneOf, checkOptions } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import type { TaskCore } from "../kernel/task.ts";
import { Wait } from "../kernel/wait.ts";
import { addCleanup } from "../kernel/cancel_scope.ts";
import { shield } from "../operations/shield.ts";
import { processBackend } from "./backend.ts";
import { addLive } from "./live_processes.ts";
import type { ExitStatus, RawProcess, SpawnAttempt, StdioTarget } from "./process_backend.ts";
import { ExitWait, ProcessCore } from "./process_core.ts";
import { ProcessStartError, showCommand } from "./process_error.ts";
import {
  checkArguments,
  checkCommand,
  type CheckedOptions,
  checkProcessOptions,
  type FileUrl,
  PROCESS_OPTIONS,
  type ProcessOptions,
} from "./process_options.ts";
import { ProcessInput, ProcessOutput, receiverOf, senderOf } from "./process_streams.ts";
import { Pump } from "./pump.ts";
import { PROCESS_SIGNALS, type ProcessSignal } from "./signal_names.ts";

/**
 * How a process ended.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { Process, type ProcessStatus } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function describe({ code, signal }: ProcessStatus): string {
 *   return signal === null ? `exit code ${code}` : `ended by ${signal}`;
 * }
 * await new Loop().run(function* () {
 *   const child = yield* Process.start("sleep", ["60"]);
 *   child.kill("SIGTERM");
 *   assertEquals(describe(yield* child.wait()), "ended by SIGTERM");
 * }());
 * ```
 */
export type ProcessStatus = ExitStatus;

// What this folder alone may see of a process.
let makeProcess: (core: ProcessCore) => Process;
/** The state behind a process. */
export let coreOf: (child: Process) => ProcessCore;

/**
 * A child process. It belongs to the scope, nursery or task that it was started in, with its whole
 * group: however that is left, the group gets SIGTERM, after the grace SIGKILL, and the scope is
 * left when all of it is gone and its pipes are closed.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { BufferedReader } from "jsr:@broomio/core/net";
 * import { Process } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const lines: string[] = [];
 * await new Loop().run(function* () {
 *   const child = yield* Process.start("sh", ["-c", "echo one; echo two"], { stdout: "pipe" });
 *   yield* new BufferedReader(child.stdout).lines(function* (line) {
 *     lines.push(line);
 *   });
 *   assertEquals((yield* child.wait()).code, 0);
 * }()); // here it is gone, however the coroutine ended
 * assertEquals(lines, ["one", "two"]);
 * ```
 */
export class Process {
  readonly #core: ProcessCore;

  private constructor(core: ProcessCore) {
    this.#core = core;
  }

  /**
   * Starts a process, which ends when the surrounding scope, nursery or task does. A checkpoint:
   * cancelled, it is not started. The command is no shell's: its arguments reach it as they are.
   *
   * @param command A name to be found in `PATH`, or a path.
   * @throws {ProcessStartError} If it cannot be started: `ENOENT`, `EACCES`, `E2BIG`...
   * @throws {TypeError | RangeError} If an argument or option is not valid, or an option is not
   * known.
   * @throws {BusyResourceError | ClosedResourceError} If `stdin`, `stdout` or `stderr` is a stream
   * of another process that is in use, or closed.
   * @throws {Error} If this is neither Deno nor Node nor Bun.
   */
  static start(
    command: string | FileUrl,
    args: readonly string[] = [],
    options: ProcessOptions = {},
  ): Operation<Process> {
    checkOptions(options, "Process.start", PROCESS_OPTIONS);
    return new StartWait(checkCommand(command), checkArguments(args), checkProcessOptions(options));
  }

  /** Its number in the system. */
  get pid(): number {
    return this.#core.raw.pid;
  }

  /** The command, with its arguments. */
  get command(): string {
    return this.#core.command;
  }

  /** How it ended, or null while it runs. */
  get status(): ProcessStatus | null {
    return this.#core.status;
  }

  /** What it reads. @throws {TypeError} If it was not started with `stdin: "pipe"`. */
  get stdin(): ProcessInput {
    return this.#core.stdin ?? notPiped("stdin", this);
  }

  /** What it prints. @throws {TypeError} If it was not started with `stdout: "pipe"`. */
  get stdout(): ProcessOutput {
    return this.#core.stdout ?? notPiped("stdout", this);
  }

  /** The errors it prints. @throws {TypeError} If it was not started with `stderr: "pipe"`. */
  get stderr(): ProcessOutput {
    return this.#core.stderr ?? notPiped("stderr", this);
  }

  /**
   * Waits until it has ended, and gives how. A checkpoint. Any number of tasks may wait. It waits
   * neither for what was printed to be read nor for children of the process: those may hold its
   * pipes.
   */
  wait(): Operation<ProcessStatus> {
    return new ExitWait(this.#core);
  }

  /**
   * Ends it as leaving its scope does: SIGTERM to its group, after the grace SIGKILL. Gives how it
   * ended. What it printed before can still be read. Runs to its end also where it is cancelled: it
   * waits shielded, and is no checkpoint.
   */
  *stop(): Coroutine<ProcessStatus> {
    const core = this.#core;
    yield* shield(() => core.endGroup());
    return core.status!;
  }

  /**
   * Sends a signal to the process, or with `group: true` to its whole group. Says whether there was
   * one to be sent to. Never waits.
   *
   * @throws {TypeError | RangeError} If it is not the name of a signal, or an option is not known.
   */
  kill(signal: ProcessSignal = "SIGTERM", options: { group?: boolean } = {}): boolean {
    checkOneOf(signal, "signal", PROCESS_SIGNALS);
    const { group = false } = checkOptions(options, "kill", ["group"]);
    checkBoolean(group, "group");
    if (this.#core.isGone || (!group && this.status !== null)) return false;
    return group ? this.#core.raw.killGroup(signal) : this.#core.raw.kill(signal);
  }

  static {
    makeProcess = (core) => new Process(core);
    coreOf = (child) => child.#core;
  }
}

function notPiped(name: string, child: Process): never {
  throw new TypeError(
    `${name} of ${child.command} is not a pipe: start it with { ${name}: "pipe" }`,
  );
}

/** That groups cannot be signalled was said once. */
let warned = false;

function warnOfNoGroup(task: TaskCore, why: string): void {
  if (warned) return;
  warned = true;
  const message = `Processes are ended without their children: ${why}. ` +
    "Started with { group: false } they are so without this warning.";
  task.scheduler.warn({ message, task });
}

/** `Process.start`. */
class StartWait extends Wait<Process> implements SpawnAttempt {
  static {
    this.prototype.external = true;
    this.prototype.withdrawable = false; // what was started cannot be undone
  }

  readonly #command: string;
  readonly #args: readonly string[];
  readonly #options: CheckedOptions;
  readonly #title: string;
  #input: Pump | null = null;
  #whyNoGroup: string | undefined = undefined;

  constructor(command: string, args: readonly string[], options: CheckedOptions) {
    super();
    this.#command = command;
    this.#args = args;
    this.#options = options;
    this.#title = showCommand(command, args);
  }

  protected arm(): void {
    const backend = processBackend();
    const { stdin, stdout, stderr, cwd, env, clearEnv, group, internals } = this.#options;
    this.#whyNoGroup = group ? backend.whyNoGroups() : undefined;
    for (const target of [stdout, stderr]) {
      if (target instanceof ProcessInput) senderOf(target).check();
    }
    if (stdin instanceof ProcessOutput) this.#input = new Pump(receiverOf(stdin));
    backend.spawn({
      command: this.#command,
      args: this.#args,
      cwd,
      env,
      clearEnv,
      stdin: toTarget(stdin),
      stdout: toTarget(stdout),
      stderr: toTarget(stderr),
      group: group && this.#whyNoGroup === undefined,
      internals,
    }, this);
  }

  started(raw: RawProcess): void {
    const { task } = this;
    const { stdin, stdout, stderr, grace } = this.#options;
    const input = raw.stdin && new ProcessInput(raw.stdin);
    const output = raw.stdout && new ProcessOutput(raw.stdout, input ?? undefined);
    const errors = raw.stderr && new ProcessOutput(raw.stderr, input ?? undefined);
    const isPiped = {
      stdin: stdin === "pipe",
      stdout: stdout === "pipe",
      stderr: stderr === "pipe",
    };
    const core = new ProcessCore(raw, this.#title, grace, {
      stdin: input,
      stdout: output,
      stderr: errors,
    }, isPiped);
    addLive(processBackend(), core);
    if (task === null) { // cancelled, and the backend started it all the same
      raw.killGroup("SIGKILL");
      return core.closeStreams();
    }
    addCleanup(task, () => core.end());
    if (this.#input !== null) this.#input.connect(senderOf(input!));
    if (stdout instanceof ProcessInput) new Pump(receiverOf(output!)).connect(senderOf(stdout));
    if (stderr instanceof ProcessInput) new Pump(receiverOf(errors!)).connect(senderOf(stderr));
    if (this.#whyNoGroup !== undefined) warnOfNoGroup(task, this.#whyNoGroup);
    this.settle(makeProcess(core));
  }

  failed(code: string, cause: unknown, about?: "cwd" | "file"): void {
    this.#input?.abandon();
    const { cwd } = this.#options;
    const what = about === "cwd"
      ? `its working directory ${JSON.stringify(cwd)}`
      : about
      ? "a file"
      : "";
    this.fail(new ProcessStartError(this.#title, code, what, cause));
  }

  protected disarm(): void {
    this.#input?.abandon();
  }

  describe(): string {
    return `starting ${this.#title}`;
  }
}

function toTarget(given: StdioTarget | ProcessInput | ProcessOutput): StdioTarget {
  return given instanceof ProcessInput || given instanceof ProcessOutput ? "pipe" : given;
}
