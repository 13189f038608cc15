/**
 * Signals on Node and Bun.
 */
import type { SignalBackend } from "./signals.ts";

/** The slice of `process` that is used here. */
interface ProcessSlice {
  on(signal: string, listener: () => void): unknown;
  removeListener(signal: string, listener: () => void): unknown;
  getBuiltinModule?(name: "node:os"): { constants: { signals: Record<string, number> } };
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
      const known = process.getBuiltinModule?.("node:os").constants.signals;
      // To Node it would be an event like others, that just never comes.
      if (known && !(signal in known)) throw new TypeError(`The system knows no ${signal}`);
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
