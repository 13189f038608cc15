/**
 * Unix sockets: listening and connecting by a path. Independent of: which backend it is.
 *
 * A process that was killed leaves the path of its listener behind, and nobody can listen there
 * again. So where the path is in use, `listen` probes it: when nobody answers, and it is a socket
 * and not somebody's file, it removes the path and tries once more. Two processes that do this at
 * the same moment can both succeed, and the second then has the path: a lock file is up to the
 * user.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { currentLoop } from "../operations/current.ts";
import type { RawListener, RawStream } from "./network.ts";
import type { UnixAddress } from "../stream.ts";
import { ListenSocket } from "./listen_socket.ts";
import { networkOf } from "./backend.ts";
import { OpenWait } from "./open_wait.ts";
import { Socket } from "./socket.ts";
import { SocketError } from "../bytes/socket_error.ts";

/**
 * What fits into a `sockaddr_un`, with its closing zero. Node truncates silently what is longer.
 */
const MAX_PATH = 107;

/** Options of {@linkcode UnixClientSocket.connect} and {@linkcode UnixListenSocket.listen}. */
export interface UnixOptions {
  /** A path in the file system; at most 107 bytes. */
  path: string;
}

/**
 * A connection by a Unix socket. Who is at the other end (`SO_PEERCRED`) cannot be told: that needs
 * the descriptor, which neither Deno nor Node gives. Let the permissions of the directory say who
 * may connect.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { UnixClientSocket } from "jsr:@broomio/core/net";
 *
 * function* ping() {
 *   using stream = yield* UnixClientSocket.connect({ path: "/run/example.sock" });
 *   yield* stream.send(new TextEncoder().encode("ping\n"));
 * }
 * if (import.meta.main) await new Loop().run(ping());
 * ```
 */
export class UnixClientSocket extends Socket {
  /** This end of the connection: without a path at a client. */
  declare readonly localAddr: UnixAddress;
  /** The other end of the connection. */
  declare readonly remoteAddr: UnixAddress;

  /**
   * Connects. A checkpoint. Cancelled, nothing stays connected.
   *
   * @throws {SocketError} If that fails: `ENOENT`, `ECONNREFUSED`, `EACCES`, `ENAMETOOLONG`.
   */
  static connect(options: UnixOptions): Operation<UnixClientSocket> {
    return connect({ transport: "unix", path: checkPath(options?.path) });
  }
}

function* connect(address: UnixAddress): Coroutine<UnixClientSocket> {
  return new UnixClientSocket(yield* openConnection(address));
}

function openConnection(address: UnixAddress): Operation<RawStream> {
  const doing = "Cannot connect to";
  checkLength(address, doing);
  return new OpenWait(doing, address, (network, attempt) => network.connectUnix(address, attempt));
}

/**
 * Listens for connections at a path. Closing it removes the path.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { UnixListenSocket } from "jsr:@broomio/core/net";
 *
 * function* main() {
 *   using listener = yield* UnixListenSocket.listen({ path: "/run/example.sock" });
 *   yield* listener.serve(function* (stream) {
 *     yield* stream.send(new TextEncoder().encode("hello\n"));
 *   });
 * }
 * if (import.meta.main) await new Loop().run(main());
 * ```
 */
export class UnixListenSocket extends ListenSocket<UnixClientSocket> {
  /** Where it listens. */
  declare readonly localAddr: UnixAddress;

  /** Made by `listen`; by hand over a raw listener of one's own. */
  constructor(raw: RawListener) {
    super(raw, (stream) => new UnixClientSocket(stream));
  }

  /**
   * Begins to listen. A checkpoint. A path that a dead process has left behind is reused; a file
   * that is no socket never is.
   *
   * @throws {SocketError} If that fails: `EADDRINUSE`, `EACCES`, `ENOENT` for the directory,
   * `ENAMETOOLONG`.
   */
  static listen(options: UnixOptions): Operation<UnixListenSocket> {
    return listen({ transport: "unix", path: checkPath(options?.path) });
  }
}

function* listen(address: UnixAddress): Coroutine<UnixListenSocket> {
  try {
    return new UnixListenSocket(yield* openListener(address));
  } catch (error) {
    if (!(error instanceof SocketError) || error.code !== "EADDRINUSE") throw error;
    if (yield* isAlive(address)) throw error;
    if (!networkOf(yield* currentLoop()).removeSocket(address.path)) throw error;
  }
  return new UnixListenSocket(yield* openListener(address));
}

function openListener(address: UnixAddress): Operation<RawListener> {
  const doing = "Cannot listen at";
  checkLength(address, doing);
  return new OpenWait(doing, address, (network, attempt) => network.listenUnix(address, attempt));
}

/** Whether somebody answers there. Only a refusal says that nobody does. */
function* isAlive(address: UnixAddress): Coroutine<boolean> {
  try {
    (yield* openConnection(address)).close();
    return true;
  } catch (error) {
    if (error instanceof SocketError) return error.code !== "ECONNREFUSED";
    throw error;
  }
}

function checkPath(path: unknown): string {
  if (typeof path === "string" && path !== "") return path;
  throw new TypeError('A Unix socket wants a path, as in { path: "/run/example.sock" }');
}

function checkLength(address: UnixAddress, doing: string): void {
  let bytes = 0;
  for (const character of address.path) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  if (bytes > MAX_PATH) throw new SocketError(doing, "ENAMETOOLONG", address);
}
