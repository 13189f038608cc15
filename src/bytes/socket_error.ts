/**
 * SocketError: what went wrong outside, under the POSIX name that every runtime shares (R39).
 *
 * Independent of: who asked.
 */
import { ClosedResourceError } from "../kernel/errors.ts";
import type { StreamPlace } from "../stream.ts";

/** What the codes mean, for messages. Those not here show themselves. */
const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "the address is not of this machine",
  EAI_AGAIN: "the name cannot be looked up now",
  ECONNABORTED: "the connection was aborted",
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the other end reset the connection",
  EHOSTUNREACH: "the host is not reachable",
  EMFILE: "this process has too many files and sockets open",
  ENAMETOOLONG: "the path of a Unix socket has at most 107 bytes",
  ENETUNREACH: "the network is not reachable",
  ENFILE: "the system has too many files and sockets open",
  ENOENT: "there is no such path",
  ENOTFOUND: "there is no host of that name",
  ENOTSUP: "this runtime cannot do that",
  EPERM: "not permitted",
  EPIPE: "the other end takes no more",
  ETIMEDOUT: "no answer in time",
};

/**
 * Something went wrong with a socket.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { SocketError, TcpClientSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(function* () {
 *   try {
 *     using stream = yield* TcpClientSocket.connect({ hostname: "127.0.0.1", port: 1 });
 *     yield* stream.send(new Uint8Array([1]));
 *   } catch (error) {
 *     if (!(error instanceof SocketError)) throw error;
 *     assertEquals(error.code, "ECONNREFUSED"); // on every runtime
 *   }
 * }());
 * ```
 */
export class SocketError extends Error {
  /**
   * The POSIX name: `ECONNREFUSED`, `EADDRINUSE`, `ECONNRESET`...; of names: `ENOTFOUND`,
   * `EAI_AGAIN`.
   */
  readonly code: string;
  /** What was listened at or connected to, or the other end of the connection or pipe. */
  readonly address: StreamPlace;

  /**
   * Made by sockets.
   *
   * @param doing What failed, as in "Cannot connect to".
   */
  constructor(doing: string, code: string, address: StreamPlace, cause?: unknown) {
    const meaning = meaningOf(code, cause);
    super(
      `${doing} ${showAddress(address)}: ${code}${meaning && ` (${meaning})`}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.address = address;
  }
  static {
    this.prototype.name = "SocketError";
  }
}

/** What a code means, in words; else what the host's error says. */
export function meaningOf(code: string, cause: unknown): string {
  return MEANINGS[code] ?? (cause instanceof Error ? cause.message : "");
}

/**
 * Stands for the error of a closed socket until somebody is told: to make one costs more than to
 * close, and most sockets end unnoticed.
 */
export const CLOSED: unique symbol = Symbol("closed");

/** What to throw for a failure. */
export function toError(failure: unknown, place: StreamPlace): unknown {
  if (failure !== CLOSED) return failure;
  const shown = showAddress(place);
  const what = place.transport === "pipe" ? shown : `The socket connected to ${shown}`;
  return new ClosedResourceError(`${what} is closed`);
}

/** An address as people write it. */
export function showAddress(address: StreamPlace): string {
  if (address.transport === "pipe") return address.name;
  if (address.transport === "unix") return address.path || "a Unix client";
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
