/**
 * The options of processes, and their check: what is wrong is refused at the call (R40b).
 *
 * Independent of: how processes are started.
 */
import {
  checkBoolean,
  checkObject,
  checkOptions,
  checkString,
  wrongKind,
  wrongValue,
} from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import type { FileTarget, StdioTarget } from "./process_backend.ts";
import { ProcessInput, ProcessOutput } from "./process_streams.ts";

/**
 * A `URL` of a file.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type FileUrl, runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const cwd: FileUrl = new URL("file:/usr/"); // new URL("./data/", import.meta.url)
 * const { stdout } = await new Loop().run(runProcess("pwd", [], { cwd }));
 * assertEquals(stdout, "/usr\n");
 * ```
 */
export interface FileUrl {
  /** `file:` alone is a path. */
  readonly protocol: string;
  /** The path, with escapes. */
  readonly pathname: string;
}

/**
 * A file that a process reads, or writes to.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { Process, type ProcessFile, runProcess } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const path = `/tmp/example-${crypto.randomUUID()}.log`;
 * const log: ProcessFile = { file: path, append: true };
 * await new Loop().run(function* () {
 *   for (const word of ["one", "two"]) {
 *     const child = yield* Process.start("echo", [word], { stdout: log });
 *     yield* child.wait();
 *   }
 *   const { stdout } = yield* runProcess("cat", [], { stdin: { file: path } });
 *   assertEquals(stdout, "one\ntwo\n");
 *   yield* runProcess("rm", [path]);
 * }());
 * ```
 */
export interface ProcessFile {
  /** Its path, or a `file:` URL. One that is written to is made where it is not there. */
  readonly file: string | FileUrl;
  /** Keep what is in a file that is written to, and write behind it. By default it is emptied. */
  readonly append?: boolean;
}

/**
 * What a process reads: nothing ("null"), what this program reads, a pipe, a file, or the output of
 * another.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { Process, runProcess, type StdinSource } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* countLines(stdin: StdinSource) {
 *   const { stdout } = yield* runProcess("wc", ["-l"], { stdin });
 *   return Number(stdout);
 * }
 * await new Loop().run(function* () {
 *   const printer = yield* Process.start("printf", ["a\\nb\\n"], { stdout: "pipe" });
 *   assertEquals(yield* countLines(printer.stdout), 2); // printf | wc -l
 *   assertEquals(yield* countLines("null"), 0);
 * }());
 * ```
 */
export type StdinSource = "inherit" | "null" | "pipe" | ProcessFile | ProcessOutput;

/**
 * Where a process prints: nowhere ("null"), where this program prints, to a pipe, a file, or the
 * input of another.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { Process, type StdoutTarget } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* listTo(stdout: StdoutTarget) {
 *   const child = yield* Process.start("ls", ["/"], { stdout });
 *   return (yield* child.wait()).code;
 * }
 * assertEquals(await new Loop().run(listTo("null")), 0); // or { file: "/tmp/list" }, ...
 * ```
 */
export type StdoutTarget = "inherit" | "null" | "pipe" | ProcessFile | ProcessInput;

/**
 * Options of {@linkcode Process.start}.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { Process, type ProcessOptions } from "jsr:@broomio/core/os";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: ProcessOptions = {
 *   env: { GREETING: "hello" },
 *   stdout: "pipe",
 *   grace: 2, // seconds from SIGTERM to SIGKILL, when the scope is left
 * };
 * await new Loop().run(function* () {
 *   const child = yield* Process.start("sh", ["-c", "echo $GREETING"], options);
 *   assertEquals(new TextDecoder().decode((yield* child.stdout.recv())!), "hello\n");
 * }());
 * ```
 */
export interface ProcessOptions {
  /** Its working directory. By default that of this program. */
  cwd?: string | FileUrl;
  /** Environment variables, added to those of this program. */
  env?: Readonly<Record<string, string>>;
  /** Leave out the environment of this program: only `env` counts. */
  clearEnv?: boolean;
  /** What it reads: by default nothing, "null". */
  stdin?: StdinSource;
  /** Where it prints: by default where this program does, "inherit". */
  stdout?: StdoutTarget;
  /** Where it prints errors: by default where this program does, "inherit". */
  stderr?: StdoutTarget;
  /**
   * How long it has to end when its scope is left, from SIGTERM to SIGKILL: 5 seconds by default.
   */
  grace?: Duration;
  /**
   * Whether it leads a group of its own, which is ended as a whole: true by default. A process that
   * needs the terminal (an editor, a pager, `ssh` that asks) wants `false`; then its own children
   * are not ended.
   */
  group?: boolean;
  /**
   * Whether outputs may be read by undocumented internals of the runtime, where those are as
   * expected: true by default. In Node that is a half faster; elsewhere it makes no difference.
   */
  internals?: boolean;
}

/** Options that were checked. */
export interface CheckedOptions {
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>> | undefined;
  readonly clearEnv: boolean;
  readonly stdin: StdioTarget | ProcessOutput;
  readonly stdout: StdioTarget | ProcessInput;
  readonly stderr: StdioTarget | ProcessInput;
  /** Seconds. */
  readonly grace: number;
  readonly group: boolean;
  readonly internals: boolean;
}

/** The names of the options, which those of `runProcess` begin with. */
export const PROCESS_OPTIONS: readonly (keyof ProcessOptions)[] = [
  ...["cwd", "env", "clearEnv", "stdin", "stdout", "stderr", "grace", "group"] as const,
  "internals",
];

const GRACE = 5;

/** Checks a command. @throws {TypeError | RangeError} If it is none. */
export function checkCommand(command: string | FileUrl): string {
  const path = toPath(command, "command");
  if (path === "") throw wrongValue("a command that is not empty", path, "command");
  return path;
}

/**
 * Checks arguments. @throws {TypeError | RangeError} If one is no string, or has a NUL character.
 */
export function checkArguments(args: readonly string[]): readonly string[] {
  if (!Array.isArray(args)) throw wrongKind("an array of strings", args, "args");
  return Array.from(args, (each: unknown, index) => noNul(each, `args[${index}]`));
}

/**
 * Checks the options that all ways to start a process share. @throws {TypeError | RangeError} If
 * one is wrong.
 */
export function checkProcessOptions(options: ProcessOptions): CheckedOptions {
  const { cwd, env, clearEnv = false, grace = GRACE, group = true, internals = true } = options;
  const { stdin = "null", stdout = "inherit", stderr = "inherit" } = options;
  return {
    cwd: cwd === undefined ? undefined : toPath(cwd, "cwd"),
    env: env === undefined ? undefined : checkEnv(env),
    clearEnv: checkBoolean(clearEnv, "clearEnv"),
    stdin: checkStdio(
      stdin,
      "stdin",
      ProcessOutput,
      "the stdout of another process",
    ),
    stdout: checkStdio(
      stdout,
      "stdout",
      ProcessInput,
      "the stdin of another process",
    ),
    stderr: checkStdio(
      stderr,
      "stderr",
      ProcessInput,
      "the stdin of another process",
    ),
    grace: toSeconds(grace),
    group: checkBoolean(group, "group"),
    internals: checkBoolean(internals, "internals"),
  };
}

function checkStdio<S extends object>(
  value: StdinSource | StdoutTarget,
  name: string,
  Stream: new (...args: never[]) => S,
  stream: string,
): StdioTarget | S {
  if (value === "inherit" || value === "null" || value === "pipe") return value;
  if (value instanceof Stream) return value;
  const what = `"inherit", "null", "pipe", { file } or ${stream}`;
  if (typeof value === "string") throw wrongValue(what, value, name);
  if (value instanceof ProcessInput || value instanceof ProcessOutput) {
    throw wrongKind(what, value, name);
  }
  return checkFile(checkObject(value, name, what), name);
}

function checkFile(target: ProcessFile, name: string): FileTarget {
  checkOptions<ProcessFile>(target, name, ["file", "append"]);
  return {
    file: toPath(target.file, `${name}.file`),
    append: checkBoolean(target.append === undefined ? false : target.append, `${name}.append`),
  };
}

function checkEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const checked: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(checkObject(env, "env"))) {
    if (name === "" || name.includes("=")) {
      throw wrongValue("a variable's name, without =", name, "env");
    }
    noNul(name, "env");
    checked[name] = noNul(value, `env.${name}`);
  }
  return checked;
}

function toPath(path: string | FileUrl, name: string): string {
  if (typeof path === "object" && path !== null && typeof path.pathname === "string") {
    if (path.protocol !== "file:") throw wrongValue("a file: URL", path.protocol, name);
    return noNul(decodeURIComponent(path.pathname), name);
  }
  return noNul(path, name);
}

/** A string that the system can take. */
function noNul(value: unknown, name: string): string {
  const text = checkString(value, name);
  if (text.includes("\0")) throw wrongValue("a string without NUL characters", text, name);
  return text;
}
