/**
 * Signals on Node and Bun.
 */
import type { SignalBackend } from "./signals.ts";

/** The slice of `process` that is used here. */
interface ProcessSlice {
  on(signal: string, listener: () => void): unknown;
  removeListener(signal: string, listener: () => void): unknown;
}

/** The longest that a timer takes, in milliseconds. */
const FOREVER = 2 ** 31 - 1;

/** The backend, or `undefined` where there is no `process`. */
export function nodeSignals(): SignalBackend | undefined {
  const process = (globalThis as { process?: ProcessSlice }).process;
  if (typeof process?.on !== "function") return undefined;
  // A listener does not keep Node running, as it does Deno; a program that does nothing but wait for a signal would end.
  const keepers = new Map<() => void, ReturnType<typeof setInterval>>();
  return {
    listen(signal, listener) {
      process.on(signal, listener);
      keepers.set(listener, setInterval(() => {}, FOREVER));
    },
    unlisten(signal, listener) {
      process.removeListener(signal, listener);
      clearInterval(keepers.get(listener));
      keepers.delete(listener);
    },
  };
}
