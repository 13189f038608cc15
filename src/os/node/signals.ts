/**
 * Signals on Node and Bun.
 */
import { builtin } from "../../runtime/builtin.ts";
import type { SignalBackend } from "../signal_backend.ts";

/** The slice of `process` that is used here. */
interface ProcessSlice {
  on(signal: string, listener: () => void): unknown;
  removeListener(signal: string, listener: () => void): unknown;
}

/** What is used of `node:os`. */
interface OsModule {
  readonly constants: { readonly signals: Record<string, number> };
}

/** Node's signals, or `undefined` where there is no `process`. */
export function nodeSignals(): SignalBackend | undefined {
  const { process } = globalThis as { process?: ProcessSlice };
  if (typeof process?.on !== "function") return undefined;
  return {
    listen(signal, listener) {
      const known = builtin<OsModule>("node:os")?.constants.signals;
      // To Node it would be an event like others, that never comes.
      if (known && !(signal in known)) throw new TypeError(`The system knows no ${signal}`);
      process.on(signal, listener);
    },
    unlisten: (signal, listener) => void process.removeListener(signal, listener),
  };
}
