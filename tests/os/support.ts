/** What tests of processes have in common: small programs of the shell, and a look at the system from outside, in /proc. */
import { type Body, call, Loop, type Operation, sleep } from "../../mod.ts";
import { BufferedReader } from "../../src/net/mod.ts";
import { Process, type ProcessOptions, type ProcessSignal } from "../../src/os/mod.ts";

/** Whether this is Deno itself: elsewhere tests get a `Deno` of the runner's. */
export const isDeno = "Deno" in globalThis;

/** Runs a body in a loop of its own, whose warnings are collected in `warnings`. */
export function run<T>(body: Body<T>, warnings: string[] = []): Promise<T> {
  return new Loop({ onWarning: ({ message }) => warnings.push(message) }).run(call(body));
}

/** What came out of a body: the error itself, also where the loop wrapped it. */
export async function errorOf(body: Body<unknown>): Promise<unknown> {
  try {
    await run(body);
  } catch (error) {
    let inner = error;
    while (inner instanceof AggregateError && inner.errors.length === 1) [inner] = inner.errors;
    return inner;
  }
  throw new Error("Nothing was thrown");
}

/** Starts a script of the shell. */
export function sh(script: string, options?: ProcessOptions): Operation<Process> {
  return Process.start("sh", ["-c", script], options);
}

/** What the runtime needs before the name of a program. */
export const programFlags: readonly string[] = isDeno ? ["run", "--no-check", "--quiet", "-A"] : [];

/** The signals that a program is sent once it has printed a line. */
export type Answers = Readonly<Record<string, readonly ProcessSignal[]>>;

/** What a program printed, and how it ended. */
export interface Ran {
  readonly lines: readonly string[];
  readonly errors: string;
  readonly code: number;
  readonly signal: string | null;
  readonly seconds: number;
}

/** Runs a program on this very runtime; each time it prints a line of `answers`, sends it the signals. */
export function runFile(file: string, args: string[], answers: Answers = {}): Promise<Ran> {
  const start = performance.now();
  return run(function* () {
    const child = yield* Process.start(Deno.execPath(), [...programFlags, file, ...args], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const lines: string[] = [];
    yield* new BufferedReader(child.stdout, { limit: 8 << 20 }).lines(function* (line) {
      lines.push(line);
      for (const signal of answers[line] ?? []) {
        yield* sleep(0.05); // it waits a step later
        child.kill(signal);
      }
    });
    let errors = "";
    for (;;) {
      const bytes = yield* child.stderr.recv();
      if (bytes === null) break;
      errors += text(bytes);
    }
    const { code, signal } = yield* child.wait();
    return { lines, errors, code, signal, seconds: (performance.now() - start) / 1000 };
  });
}

/** A line of `/proc/PID/stat`, in part. */
interface Seen {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly group: number;
}

/** What a script of the shell prints. From outside: Deno shows `/proc` to programs with all permissions only. */
function ask(script: string): string[] {
  const { stdout } = new Deno.Command("sh", { args: ["-c", script] }).outputSync();
  return new TextDecoder("latin1").decode(stdout).trimEnd().split("\n");
}

/** Every process of the system, but for the one that asks. */
export function processes(): Seen[] {
  const [asking, ...stats] = ask("echo $$; exec cat /proc/[0-9]*/stat 2>/dev/null");
  return stats.map((stat) => {
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const pid = parseInt(stat);
    return { pid, state, parent: Number(parent), group: Number(group) };
  }).filter(({ pid }) => pid !== Number(asking));
}

/** The processes of a group that have not ended; a zombie has. */
export function membersOf(group: number): number[] {
  return processes().filter((each) => each.group === group && each.state !== "Z").map((each) =>
    each.pid
  );
}

/** The children of this program, zombies included. */
export function children(pid = Deno.pid): number[] {
  return processes().filter((each) => each.parent === pid).map((each) => each.pid);
}

/** How many descriptors this program has. */
export function descriptors(): number {
  return ask(`ls /proc/${Deno.pid}/fd`).length;
}

/** The text of bytes. */
export const text = (bytes: Uint8Array | null): string | null =>
  bytes && new TextDecoder().decode(bytes);

/** The bytes of a text. */
export const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);
