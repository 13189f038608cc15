/**
 * adopt: sockets that the user already has, from Deno or Node, as sockets of ours.
 *
 * Independent of: how they were made.
 */
import { checkOptions, wrongKind } from "../check.ts";
import type { RawListener, RawStream } from "./network.ts";
import { DenoRawListener, DenoStream } from "./deno/network.ts";
import { NodeRawListener } from "./node/listener.ts";
import { NodeStream } from "./node/stream.ts";
import type { DenoConn, DenoListener, NodeServer, NodeSocket } from "./runtime_types.ts";
import {
  checkTcpOptions,
  TCP_OPTIONS,
  TcpClientSocket,
  TcpListenSocket,
  type TcpOptions,
} from "./tcp.ts";
import { UnixClientSocket, UnixListenSocket } from "./unix.ts";

/**
 * A connection of either kind.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { type ClientSocket, fromDeno } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* textOf(stream: ClientSocket) {
 *   let text = "";
 *   const decoder = new TextDecoder();
 *   for (let bytes = yield* stream.recv(); bytes !== null; bytes = yield* stream.recv()) {
 *     text += decoder.decode(bytes, { stream: true });
 *   }
 *   return text;
 * }
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const accepted = listener.accept();
 * const conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
 * await conn.write(new TextEncoder().encode("hello"));
 * conn.close();
 * using stream = fromDeno(await accepted);
 * assertEquals(await new Loop().run(textOf(stream)), "hello");
 * ```
 */
export type ClientSocket = TcpClientSocket | UnixClientSocket;

/**
 * A listener of either kind.
 *
 * @example
 * ```ts
 * import { createServer } from "node:net";
 * import { type AnyListenSocket, fromNode } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function portOf(listener: AnyListenSocket): number | undefined {
 *   const address = listener.localAddr;
 *   return address.transport === "unix" ? undefined : address.port;
 * }
 * const server = createServer().listen(0, "127.0.0.1");
 * await new Promise((resolve) => server.once("listening", resolve));
 * using listener = fromNode(server);
 * assertEquals(typeof portOf(listener), "number");
 * ```
 */
export type AnyListenSocket = TcpListenSocket | UnixListenSocket;

/**
 * Makes a socket of what `Deno.listen` or `Deno.connect` gave. Do not use that elsewhere from then
 * on. Not a checkpoint.
 *
 * What `Deno.listenTls` gives works too, and for connections that stay open it costs a third to a
 * half of the processor time of a `TlsListenSocket` on Deno. It has limits that a `TlsListenSocket`
 * does not have: no certificate of the client can be asked for (Deno ignores `requestCert` and
 * `caCerts` there, and lets everybody in), and none shown by name; small messages wait for each
 * other (Nagle's algorithm is on, and cannot be turned off), so that two small writes for one
 * request cost 40 ms; the handshake is part of the first receive, and one that a client abandons
 * keeps its connection, and its place among `maxConnections`, until that client leaves or the
 * handler has a time limit. With `Deno.connectTls` and `Deno.startTls`, `caCerts` adds to the
 * certificates that the runtime trusts and does not replace them.
 *
 * @throws {TypeError} If it is neither a `Deno.Conn` nor a `Deno.Listener`.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { fromDeno } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const given = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 *   const { port } = given.addr;
 *   using listener = fromDeno(given); // belongs to this socket from now on
 *   nursery.startSoon(listener.serve((stream) => stream.send(new TextEncoder().encode("hello"))));
 *
 *   using client = fromDeno(yield* until(Deno.connect({ hostname: "127.0.0.1", port })));
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   nursery.cancel();
 * }));
 * ```
 */
export function fromDeno(listener: DenoListener, options?: TcpOptions): AnyListenSocket;
/** The same for a connection. */
export function fromDeno(conn: DenoConn, options?: TcpOptions): ClientSocket;
export function fromDeno(
  given: DenoListener | DenoConn,
  options?: TcpOptions,
): AnyListenSocket | ClientSocket {
  const checked = checkAdoptOptions(options, "fromDeno");
  if (typeof (given as DenoListener)?.accept === "function") {
    return listenSocket(new DenoRawListener(given as DenoListener, false), checked);
  }
  if (typeof (given as DenoConn)?.read === "function") {
    return clientSocket(new DenoStream(given as DenoConn, false), checked);
  }
  throw wrongKind("a Deno.Conn or a Deno.Listener", given, "fromDeno()");
}

/**
 * Makes a socket of a `net.Socket`, or of a `net.Server` that listens. Do not use that elsewhere
 * from then on, and have no listeners on it for `data`. A socket that is still connecting does not
 * know its addresses. For half-open connections to work, make it with `allowHalfOpen`. Not a
 * checkpoint.
 *
 * @throws {TypeError} If it is neither, or the server does not listen.
 *
 * @example
 * ```ts
 * import { connect } from "node:net";
 * import { Loop } from "jsr:@broomio/core";
 * import { fromNode, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(function* () {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   using client = fromNode(connect(listener.localAddr.port, "127.0.0.1"));
 *   yield* client.send(new TextEncoder().encode("hello"));
 *   using server = yield* listener.accept();
 *   assertEquals(new TextDecoder().decode((yield* server.recv())!), "hello");
 * }());
 * ```
 */
export function fromNode(server: NodeServer, options?: TcpOptions): AnyListenSocket;
/** The same for a connection. */
export function fromNode(socket: NodeSocket, options?: TcpOptions): ClientSocket;
export function fromNode(
  given: NodeServer | NodeSocket,
  options?: TcpOptions,
): AnyListenSocket | ClientSocket {
  const checked = checkAdoptOptions(options, "fromNode");
  if (typeof (given as NodeServer)?.listen === "function") {
    if ((given as NodeServer).address() === null) {
      throw new TypeError("fromNode() wants a server that listens already");
    }
    return listenSocket(new NodeRawListener(given as NodeServer), checked);
  }
  if (typeof (given as NodeSocket)?.write === "function") {
    return clientSocket(new NodeStream(given as NodeSocket), checked);
  }
  throw wrongKind("a net.Socket or a net.Server", given, "fromNode()");
}

function checkAdoptOptions(options: TcpOptions | undefined, by: string): TcpOptions {
  const checked = checkOptions(options, by, TCP_OPTIONS);
  checkTcpOptions(checked);
  return checked;
}

function listenSocket(raw: RawListener, options: TcpOptions): AnyListenSocket {
  return raw.localAddr.transport === "unix"
    ? new UnixListenSocket(raw)
    : new TcpListenSocket(raw, options);
}

function clientSocket(raw: RawStream, options: TcpOptions): ClientSocket {
  return raw.remoteAddr.transport === "unix"
    ? new UnixClientSocket(raw)
    : new TcpClientSocket(raw, options);
}
