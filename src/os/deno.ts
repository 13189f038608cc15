/**
 * Signals on Deno.
 */
import type { SignalBackend } from "./signals.ts";

/** The slice of the `Deno` namespace that is used here. */
interface DenoSlice {
  addSignalListener(signal: string, listener: () => void): void;
  removeSignalListener(signal: string, listener: () => void): void;
}

/** The backend, or `undefined` outside of Deno. */
export function denoSignals(): SignalBackend | undefined {
  const deno = (globalThis as { Deno?: DenoSlice }).Deno;
  if (deno === undefined) return undefined;
  return {
    listen: (signal, listener) => deno.addSignalListener(signal, listener),
    unlisten: (signal, listener) => deno.removeSignalListener(signal, listener),
  };
}
