/**
 * Macrotask: how a busy loop lets the host do its own work first.
 */
import { globals, isDeno } from "./globals.ts";

/**
 * While Deno has anything to do at once, it looks at its sockets and timers only every 61st time
 * around. So that is how often we go around, at 1 to 2 us each. Rejected: an operation that ends on
 * another thread (the digest of nothing, 46 us), for which it has to wait, and then it looks: on
 * busy cores that has often ended before the wait began, and timers came a second late.
 */
const DENO_TURNS = 61;

/**
 * Calls back once the host has looked at its timers, messages and I/O. One call is under way at
 * most.
 */
export interface Macrotask {
  /** Asks for the call. */
  post(): void;
  /** Takes that back, and frees what the asking needs. */
  cancel(): void;
}

/** The way of this runtime to let the host do its own work first. */
export function createMacrotask(callback: () => void): Macrotask {
  const { setImmediate, clearImmediate } = globals;
  if (setImmediate !== undefined) {
    const turns = isDeno ? DENO_TURNS : 1;
    let left = 0;
    let handle: unknown;
    const step = (): void => {
      if (--left === 0) callback();
      else handle = setImmediate(step);
    };
    return {
      post() {
        left = turns;
        handle = setImmediate(step);
      },
      cancel: () => clearImmediate?.(handle),
    };
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = callback;
  return {
    post: () => port2.postMessage(null),
    cancel: () => {
      port1.close();
      port2.close();
    },
  };
}
