/**
 * Listening for a signal of the system, by what Node, Deno and Bun have in common.
 *
 * Independent of: the signals of `os/`, which a program waits for. This one keeps no program alive.
 */

/** The slice of `process` that is used here. */
interface ProcessSlice {
  on?(signal: string, listener: () => void): unknown;
  removeListener?(signal: string, listener: () => void): unknown;
}

/**
 * Calls back at each signal of this name until the function that it gives is called; undefined
 * where there are no signals.
 */
export function onSignal(signal: string, listener: () => void): (() => void) | undefined {
  const { process } = globalThis as { process?: ProcessSlice };
  if (typeof process?.on !== "function") return undefined;
  process.on(signal, listener);
  return () => void process.removeListener?.(signal, listener);
}
