/**
 * The processes that are alive, so that none outlives this program: not when it ends by an error or
 * by `exit`, and not when a second Ctrl-C ends it at once (R52).
 *
 * Invariant: a process is in the set from its start until its scope has been left; while any is,
 * the runtime is asked to tell when the program ends. What SIGKILL does to the program nobody is
 * told of. Independent of: scopes.
 */
import type { ProcessBackend } from "./process_backend.ts";

/** A process that is to end with this program. */
export interface LiveProcess {
  /** Ends it and its group at once, where any of them is left. */
  killNow(): void;
}

const live = new Set<LiveProcess>();
let unlisten: (() => void) | null = null;

/** Notes a process that was started. */
export function addLive(backend: ProcessBackend, child: LiveProcess): void {
  // Listens anew for each: in Deno the last of those who listen knows whether the program ends.
  unlisten?.();
  unlisten = backend.atExit(killLive);
  live.add(child);
}

/** Forgets a process that is gone, with its group. */
export function removeLive(child: LiveProcess): void {
  live.delete(child);
  if (live.size > 0) return;
  unlisten?.();
  unlisten = null;
}

/** Ends all of them at once, with their groups. */
export function killLive(): void {
  for (const child of live) child.killNow();
}
