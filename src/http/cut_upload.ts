/**
 * cutUpload: whether what a handler threw says no more than that its client went while it read the
 * body of the request.
 *
 * The runtime fails the read before it tells of the client's going, where it tells at all: so such
 * an error stands for a cancel, and is no failure of the handler. What is not known for certain
 * counts as a failure. Independent of: how requests are run.
 */

/** For a request in the web's form. */
export function isCutUpload(error: unknown, request: Request): boolean {
  try {
    if (!request.bodyUsed) return false;
    const { name, message, code } = error as { name: string; message: string; code?: unknown };
    // Deno, whose signal does not abort any more once the read has failed.
    if (name === "BadResource" || name === "Http") return /\bbody\b/.test(message);
    // Node, and Bun: a client of an upstream fails alike, so the signal has to say the same.
    return (code === "ECONNRESET" || name === "AbortError") && request.signal.aborted;
  } catch {
    return false; // something was thrown that cannot be looked at
  }
}

/** For a request of `node:http`, which knows what it failed with. */
export function isCutNodeUpload(error: unknown, request: unknown): boolean {
  try {
    return (error as { code?: unknown }).code === "ECONNRESET" &&
      (request as { errored?: unknown }).errored === error;
  } catch {
    return false;
  }
}
