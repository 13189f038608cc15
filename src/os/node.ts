/**
 * Signals on Node and Bun.
 */
import type { SignalBackend } from "./signals.ts";

/** The slice of `process` that is used here. */
interface ProcessSlice {
  on(signal: string, listener: () => void): unknown;
  removeListener(signal: string, listener: () => void): unknown;
}

/** The backend, or `undefined` where there is no `process`. */
export function nodeSignals(): SignalBackend | undefined {
  const process = (globalThis as { process?: ProcessSlice }).process;
  if (typeof process?.on !== "function") return undefined;
  return {
    listen: (signal, listener) => void process.on(signal, listener),
    unlisten: (signal, listener) => void process.removeListener(signal, listener),
  };
}
