/**
 * Unix sockets: listening and connecting by a path. Independent of: which backend it is.
 *
 * A process that was killed leaves the path of its listener behind, and nobody can listen there
 * again. So where the path is in use, `listen` probes it: when nobody answers, and it is a socket
 * and not somebody's file, it removes the path and tries once more. Two processes that do this at
 * the same moment can both succeed, and the second then has the path: a lock file is up to the
 * user.
 */
import { checkOptions, checkString, wrongValue } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { currentLoop } from "../operations/current.ts";
import type { Network, RawListener, RawStream } from "./network.ts";
import type { UnixAddress } from "../stream.ts";
import { ListenSocket } from "./listen_socket.ts";
import { networkOf } from "./backend.ts";
import { codeOf } from "../bytes/error_code.ts";
import { OpenWait } from "./open_wait.ts";
import { Socket } from "./socket.ts";
import { SocketError } from "../bytes/socket_error.ts";
import { checkTransport } from "./tcp.ts";

/**
 * What fits into a `sockaddr_un`, with its closing zero. Node truncates silently what is longer.
 */
const MAX_PATH = 107;

const UNIX_OPTIONS = ["path", "transport"] as const;

/**
 * Options of {@linkcode UnixClientSocket.connect} and {@linkcode UnixListenSocket.listen}.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { UnixListenSocket, type UnixOptions } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: UnixOptions = { path: `/tmp/example-${crypto.randomUUID()}.sock` };
 * await new Loop().run(function* () {
 *   using listener = yield* UnixListenSocket.listen(options); // closing it removes the path
 *   assertEquals(listener.localAddr.path, options.path);
 * }());
 * ```
 */
export interface UnixOptions {
  /** A path in the file system; at most 107 bytes. */
  path: string;
  /** So that an address can be given as it is: `connect(listener.localAddr)`. */
  transport?: "unix";
}

/**
 * A connection by a Unix socket. Who is at the other end (`SO_PEERCRED`) cannot be told: that needs
 * the descriptor, which neither Deno nor Node gives. Let the permissions of the directory say who
 * may connect.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { UnixClientSocket, UnixListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const path = `/tmp/example-${crypto.randomUUID()}.sock`;
 * await new Loop().run(function* () {
 *   using listener = yield* UnixListenSocket.listen({ path });
 *   using client = yield* UnixClientSocket.connect({ path });
 *   yield* client.send(new TextEncoder().encode("ping\n"));
 *   using server = yield* listener.accept();
 *   assertEquals(new TextDecoder().decode((yield* server.recv())!), "ping\n");
 * }());
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
   * @throws {TypeError} If the path is not a string, or an option is not known.
   * @throws {RangeError} If the path is empty or has a NUL in it.
   */
  static connect(options: UnixOptions): Operation<UnixClientSocket> {
    return connect(checkTarget(options, "UnixClientSocket.connect"));
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
 * Listens for connections at a path. Closing it removes the path, unless something else is there by
 * then.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { UnixClientSocket, UnixListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const path = `/tmp/example-${crypto.randomUUID()}.sock`;
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   using listener = yield* UnixListenSocket.listen({ path }); // closing it removes the path
 *   nursery.startSoon(listener.serve((stream) => stream.send(new TextEncoder().encode("hello"))));
 *   using client = yield* UnixClientSocket.connect({ path });
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   nursery.cancel();
 * }));
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
   * @throws {TypeError} If the path is not a string, or an option is not known.
   * @throws {RangeError} If the path is empty or has a NUL in it.
   */
  static listen(options: UnixOptions): Operation<UnixListenSocket> {
    return listen(checkTarget(options, "UnixListenSocket.listen"));
  }
}

function* listen(address: UnixAddress): Coroutine<UnixListenSocket> {
  try {
    return new UnixListenSocket(yield* openListener(address));
  } catch (error) {
    if (!(error instanceof SocketError) || error.code !== "EADDRINUSE") throw error;
    if (yield* isAlive(address)) throw error;
    if (!removeSocket(networkOf(yield* currentLoop()), address)) throw error;
  }
  return new UnixListenSocket(yield* openListener(address));
}

function openListener(address: UnixAddress): Operation<RawListener> {
  const doing = "Cannot listen at";
  checkLength(address, doing);
  return new OpenWait(doing, address, (network, attempt) => network.listenUnix(address, attempt));
}

/** Removes a path that is a socket; says whether it was one, or is gone by now. */
function removeSocket(network: Network, address: UnixAddress): boolean {
  try {
    return network.removeSocket(address.path);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return true;
    throw new SocketError("Cannot listen at", code, address, error);
  }
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

/** Checks where to connect or listen. */
function checkTarget(options: UnixOptions, by: string): UnixAddress {
  const { path, transport } = checkOptions(options, by, UNIX_OPTIONS);
  checkString(path, "path");
  if (path === "") throw wrongValue("a path that is not empty", path, "path");
  // A runtime would cut the path there, or take it for an abstract socket.
  if (path.includes("\0")) throw wrongValue("a path without NUL", path, "path");
  checkTransport(transport, "unix");
  return { transport: "unix", path };
}

function checkLength(address: UnixAddress, doing: string): void {
  let bytes = 0;
  for (const character of address.path) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  if (bytes > MAX_PATH) throw new SocketError(doing, "ENAMETOOLONG", address);
}
