/**
 * Who listens to which signal.
 *
 * Invariant: the runtime listens to a signal exactly while somebody here does; else the signal does
 * what it does by default. A fallback (that of `main`) is called only where nobody else listens: a
 * program that takes SIGTERM into its own hands is not cancelled by it as well. Independent of:
 * what is done with a signal.
 */
import { signalBackend } from "./backend.ts";

/** One signal that is listened to. */
class Line {
  readonly listeners: Set<() => void> = new Set();
  readonly fallbacks: Set<() => void> = new Set();
  readonly handler: () => void = () => {
    const { listeners, fallbacks } = this;
    // A copy: whoever is called may stop listening.
    for (const listener of [...(listeners.size > 0 ? listeners : fallbacks)]) listener();
  };
}

const lines = new Map<string, Line>();

/**
 * Calls `listener` for each such signal until the function that it gives is called; twice is once.
 *
 * @throws {TypeError} If the system does not know the signal, or it cannot be listened to.
 */
export function listen(signal: string, listener: () => void, isFallback = false): () => void {
  let line = lines.get(signal);
  if (line === undefined) {
    line = new Line();
    signalBackend().listen(signal, line.handler);
    lines.set(signal, line);
  }
  const { listeners, fallbacks, handler } = line;
  const own = () => listener();
  (isFallback ? fallbacks : listeners).add(own);
  return () => {
    if (!listeners.delete(own) && !fallbacks.delete(own)) return;
    if (listeners.size > 0 || fallbacks.size > 0) return;
    lines.delete(signal);
    signalBackend().unlisten(signal, handler);
  };
}

/** Listens to several signals, or, where one cannot be listened to, to none. */
export function listenAll(
  signals: Iterable<string>,
  listener: (signal: string) => void,
  isFallback = false,
): () => void {
  const stops: (() => void)[] = [];
  const stop = (): void => {
    for (const each of stops.splice(0)) each();
  };
  try {
    for (const signal of new Set(signals)) {
      stops.push(listen(signal, () => listener(signal), isFallback));
    }
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}
