/**
 * The processes that are alive, so that none outlives this program: not when it ends by an error or
 * by `exit`, and not when a second Ctrl-C ends it at once (R52).
 *
 * Invariant: a process is in the set from its start until its scope has been left; while any is,
 * the runtime is asked to tell when the program ends. What SIGKILL does to the program nobody is
 * told of. Independent of: scopes.
 */
import type { ProcessBackend, RawProcess } from "./process_backend.ts";

const live = new Set<RawProcess>();
let unlisten: (() => void) | null = null;

/** Notes a process that was started. */
export function addLive(backend: ProcessBackend, raw: RawProcess): void {
  unlisten ??= backend.atExit(killLive);
  live.add(raw);
}

/** Forgets a process that is gone, with its group. */
export function removeLive(raw: RawProcess): void {
  live.delete(raw);
  if (live.size > 0) return;
  unlisten?.();
  unlisten = null;
}

/** Ends all of them at once, with their groups. */
export function killLive(): void {
  for (const raw of live) raw.killGroup("SIGKILL");
}
