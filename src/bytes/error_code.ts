/**
 * error_code: the POSIX code of what a runtime throws, the same on every runtime (R39).
 *
 * Node and Bun give a `code`, which is mostly POSIX; Deno gives a code for errors of the system,
 * and for others a class or only a message. Independent of: which runtime this is, and who asked.
 */

/** Codes of Node's own that stand for a POSIX one. */
const NODE_CODES: Readonly<Record<string, string>> = {
  // A name that exists and has no address.
  ENODATA: "ENOTFOUND",
  ERR_STREAM_DESTROYED: "EPIPE",
  ERR_STREAM_WRITE_AFTER_END: "EPIPE",
  ERR_SOCKET_CLOSED: "EPIPE",
};

/** Classes of Deno's that have no code. */
const DENO_CLASSES: Readonly<Record<string, string>> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  BadResource: "EBADF",
  BrokenPipe: "EPIPE",
  Busy: "EBUSY",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  Interrupted: "ECANCELED",
  NotCapable: "EACCES",
  NotConnected: "ENOTCONN",
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
  UnexpectedEof: "ECONNRESET",
  URIError: "ENOTFOUND", // a host name that it cannot parse
};

/** What runtimes say about errors that have neither a code nor a class of their own. */
const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/temporary failure in name resolution/i, "EAI_AGAIN"],
  [/failed to lookup address|no address associated|not known/i, "ENOTFOUND"],
  [/message too long/i, "EMSGSIZE"],
  [/^failed to listen at/i, "ENOTFOUND"], // Bun, of a name; its other errors have a code
];

/** The POSIX code of an error: its own, or what its class or message stands for; else "EIO". */
export function codeOf(error: unknown): string {
  const { code, name, message } = (error ?? {}) as Record<string, unknown>;
  if (typeof code === "string" && code !== "") {
    const posix = NODE_CODES[code] ?? code;
    if (!posix.startsWith("ERR_")) return posix;
  }
  if (typeof name === "string" && DENO_CLASSES[name] !== undefined) return DENO_CLASSES[name];
  if (typeof message === "string") {
    for (const [pattern, posix] of MESSAGES) if (pattern.test(message)) return posix;
  }
  return "EIO";
}
