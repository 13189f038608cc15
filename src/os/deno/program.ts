/**
 * The end of a program on Deno.
 *
 * `console` writes at once. A `Deno.stdout.write()` that nobody awaited is under way; an empty one
 * that comes after it is done when it is. `Deno.exit()` waits for nothing. A reader that has gone
 * is not noticed by `console`, and rejects `write`.
 */
import type { ProgramBackend } from "../program_backend.ts";

/** An output. */
interface Output {
  write(bytes: Uint8Array): Promise<number>;
}

/** The slice of the `Deno` namespace that is used here. */
interface DenoSlice {
  readonly build: { readonly os: string };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly pid: number;
  exitCode: number;
  exit(code: number): never;
}

/**
 * The slice of `process` that is used here: its `kill` needs no permission for the program itself.
 */
interface ProcessSlice {
  kill(pid: number, signal: string): unknown;
}

const NOTHING = new Uint8Array(0);

/** This program on Deno, or `undefined` outside of Deno. */
export function denoProgram(): ProgramBackend | undefined {
  const { Deno: deno, process } = globalThis as unknown as {
    Deno?: DenoSlice;
    process: ProcessSlice;
  };
  if (typeof deno?.exit !== "function") return undefined;
  return {
    setExitCode: (code) => void (deno.exitCode = code),
    async flush() {
      await Promise.allSettled([deno.stdout.write(NOTHING), deno.stderr.write(NOTHING)]);
    },
    exit: (code) => deno.exit(code),
    die: (signal) => void process.kill(deno.pid, signal),
    printError: (error) => console.error(error),
    ignoreClosedOutput() {},
  };
}
