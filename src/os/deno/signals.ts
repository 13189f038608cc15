/**
 * Signals on Deno.
 */
import type { SignalBackend } from "../signal_backend.ts";

/** The slice of the `Deno` namespace that is used here. */
interface DenoSlice {
  addSignalListener(signal: string, listener: () => void): void;
  removeSignalListener(signal: string, listener: () => void): void;
}

/** Deno's signals, or `undefined` outside of Deno. */
export function denoSignals(): SignalBackend | undefined {
  const deno = (globalThis as { Deno?: DenoSlice }).Deno;
  if (typeof deno?.addSignalListener !== "function") return undefined;
  return {
    listen: (signal, listener) => deno.addSignalListener(signal, listener),
    unlisten: (signal, listener) => deno.removeSignalListener(signal, listener),
  };
}
