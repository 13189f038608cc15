/**
 * The end of a program on Node and Bun.
 *
 * Both lose on `process.exit()` what pipes have not taken yet. In Node the callback of an empty
 * write is called when all before it is with the system; in Bun too early, but there `end` waits
 * for it. A reader that has gone is an `error` event of the output, which ends a Node program where
 * nobody listens.
 */
import type { ProgramBackend } from "../program_backend.ts";

/** An output. */
interface Output {
  write(text: string, done: () => void): unknown;
  end(done: () => void): unknown;
  on(event: "error", listener: (error: { code?: string }) => void): unknown;
  removeListener(event: "error", listener: (error: { code?: string }) => void): unknown;
}

/** The slice of `process` that is used here. */
interface ProcessSlice {
  readonly pid: number;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly versions: { readonly bun?: string };
  exitCode: number | undefined;
  exit(code: number): never;
  kill(pid: number, signal: string): unknown;
}

/** This program on Node or Bun, or `undefined` where there is no `process`. */
export function nodeProgram(): ProgramBackend | undefined {
  const { process } = globalThis as unknown as { process?: ProcessSlice };
  if (typeof process?.exit !== "function") return undefined;
  const outputs = [process.stdout, process.stderr];
  const isBun = process.versions.bun !== undefined;
  const onError = (error: { code?: string }): void => {
    if (error.code !== "EPIPE") throw error;
  };
  return {
    setExitCode: (code) => void (process.exitCode = code),
    async flush() {
      await Promise.all(outputs.map((output) =>
        new Promise<void>((resolve) => {
          if (isBun) output.end(resolve);
          else output.write("", resolve);
        })
      ));
    },
    exit: (code) => process.exit(code),
    die: (signal) => void process.kill(process.pid, signal),
    printError: (error) => console.error(error),
    ignoreClosedOutput() {
      for (const output of outputs) {
        output.removeListener("error", onError);
        output.on("error", onError);
      }
    },
  };
}
