/**
 * Which runtime this is: finds the adapters, once, when they are first needed.
 *
 * Independent of: what they do.
 */
import { denoProcesses } from "./deno/processes.ts";
import { denoProgram } from "./deno/program.ts";
import { denoSignals } from "./deno/signals.ts";
import { nodeProcesses } from "./node/processes.ts";
import { nodeProgram } from "./node/program.ts";
import { nodeSignals } from "./node/signals.ts";
import type { ProcessBackend } from "./process_backend.ts";
import type { ProgramBackend } from "./program_backend.ts";
import type { SignalBackend } from "./signal_backend.ts";

/** Gives what the first that finds its runtime has found, and the same one from then on. */
function finder<Backend>(
  what: string,
  ...adapters: (() => Backend | undefined)[]
): () => Backend {
  let found: Backend | undefined;
  return () => {
    for (const adapter of adapters) found ??= adapter();
    if (found === undefined) throw new Error(`${what} needs Deno, Node or Bun`);
    return found;
  };
}

/** Signals of this runtime. @throws {Error} If it has none. */
export const signalBackend: () => SignalBackend = finder("A signal", denoSignals, nodeSignals);

/** Processes of this runtime. @throws {Error} If it has none. */
export const processBackend: () => ProcessBackend = finder(
  "A process",
  denoProcesses,
  nodeProcesses,
);

/** This program, as the runtime sees it. @throws {Error} If that is not known. */
export const programBackend: () => ProgramBackend = finder("main()", denoProgram, nodeProgram);
