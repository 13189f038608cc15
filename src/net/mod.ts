/**
 * The network: TCP, TLS, Unix and UDP sockets on Deno, Node and Bun.
 *
 * A server reads as a program for one client, and costs what raw callbacks cost:
 *
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
 *
 * function* echo(stream: TcpClientSocket) {
 *   for (let bytes = yield* stream.recv(); bytes !== null; bytes = yield* stream.recv()) {
 *     yield* stream.send(bytes);
 *   }
 * }
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   nursery.startSoon(listener.serve(echo));
 *   using client = yield* TcpClientSocket.connect(listener.localAddr);
 *   yield* client.send(new TextEncoder().encode("hello"));
 *   console.log(new TextDecoder().decode((yield* client.recv())!)); // hello
 *   nursery.cancel();
 * }));
 * ```
 *
 * ## Streams
 *
 * - What a task sends before it waits goes out in one write, in order: sixteen pipelined replies
 *   are one write. `send` returns when the socket has taken the bytes. A peer that does not read
 *   makes it wait, after 32 KiB.
 * - `recv()` gives bytes to keep, `recvInto(buffer)` fills memory of yours, `recvView()` lends the
 *   bytes until the next receive: no copy, and no buffer for each of ten thousand idle connections.
 * - A cancelled `recv` or `accept` loses nothing: the next one gets it. To give up on a silent peer
 *   write `yield* moveOnAfter(30, stream.recv())`.
 * - A cancelled `send` may have sent a part, so it breaks the sending side.
 * - `fromDeno(conn)` and `fromNode(socket)` take over a socket that is open already.
 *   `stream.readable` and `stream.writable` are for code that wants web streams.
 * - Errors are a {@linkcode SocketError} with the POSIX `code`, the same on every runtime.
 *
 * ## Servers
 *
 * - `serve(handler, { maxConnections, onError })` closes each connection when its handler ends,
 *   however it ends, and goes on when one fails. After `listener.close()` it returns once the
 *   handlers have ended: a graceful shutdown, which a deadline around it cuts short.
 * - `accept()` gives one connection; `accept(nursery, handler)` runs the handler in a nursery of
 *   yours.
 *
 * ## Lines and frames
 *
 * A {@linkcode BufferedReader} finds lines, frames and delimited pieces in any stream, however its
 * bytes arrive, each with a limit: no client makes a server grow without bound, it gets a
 * {@linkcode LimitError}.
 *
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { BufferedReader, sendFrame } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 *
 * await new Loop().run(function* () {
 *   const [client, server] = memoryStreamPair(); // as a pair of sockets, without a network
 *   yield* client.send(new TextEncoder().encode("HELLO\r\n"));
 *   yield* sendFrame(client, new Uint8Array([1, 2, 3]), { prefixBytes: 2 });
 *   const reader = new BufferedReader(server, { limit: 10_000 }); // bytes
 *   console.log(yield* reader.readLine()); // HELLO
 *   console.log(yield* reader.readFrame({ prefixBytes: 2 })); // Uint8Array(3) [ 1, 2, 3 ]
 * }());
 * ```
 *
 * ## TLS
 *
 * `TlsListenSocket.listen({ port, cert, key })` and `TlsClientSocket.connect({ hostname, port })`.
 * With `clientCa` only clients that show a certificate of that authority get in. Handshakes are
 * done side by side before `accept` gives a connection: a client that says nothing, or garbage,
 * holds up nobody. `upgrade` and `upgradeServer` secure a connection that is open already
 * (STARTTLS); `serverNames` holds certificates for further names (SNI). An option that is not known
 * is a `TypeError`, never ignored: TLS fails closed.
 *
 * On Deno, for connections that stay open, `fromDeno(Deno.listenTls({ port, cert, key }))` costs a
 * third to a half of the processor time of a `TlsListenSocket`. It has three limits: small messages
 * wait for each other, as Nagle's algorithm cannot be turned off there, so that two small writes
 * for one request cost 40 ms; a handshake that a client abandons keeps its connection until that
 * client leaves; `caCerts`, for who connects, adds to the certificates that the runtime trusts and
 * does not replace them. Nor can it ask for certificates of clients: see {@linkcode fromDeno}.
 *
 * ## UDP
 *
 * {@linkcode UdpSocket}`.bind({ port })` gives `sendTo(bytes, address)`, `recvFrom()` and
 * `recvFromInto(buffer)`: messages come in order of arrival, and a cancelled receive loses none.
 *
 * What differs from runtime to runtime
 * - Deno: sockets need `--allow-net`, Unix sockets `--allow-read` and `--allow-write` for their
 *   path too. `reusePort` needs `--unstable-net`. TLS needs Deno 2.9.1: in older versions a
 *   connection ends late and without close_notify. It goes through `node:tls`;
 *   `fromDeno(Deno.listenTls(...))` is faster for connections that stay open, with limits that
 *   {@linkcode fromDeno} names.
 * - Node: an open connection keeps the process alive. With a full descriptor table the system drops
 *   connections before this package hears of them.
 * - Bun: `serverNames` is not supported (`ENOTSUP`), and a TLS stream ends both directions at once.
 * - Windows is not tested.
 *
 * @module
 */
export type { Coroutine, Operation } from "../kernel/coroutine.ts";
export type { CancelScope } from "../kernel/cancel_scope.ts";
export type { Duration, DurationLike } from "../duration.ts";
export type { Loop } from "../loop.ts";
export type { Nursery, TaskOptions } from "../kernel/nursery.ts";
export type { Task, TaskState } from "../kernel/task.ts";
export { TcpClientSocket, TcpListenSocket } from "./tcp.ts";
export type { TcpConnectOptions, TcpListenOptions, TcpOptions } from "./tcp.ts";
export { UnixClientSocket, UnixListenSocket, type UnixOptions } from "./unix.ts";
export { type AnyListenSocket, type ClientSocket, fromDeno, fromNode } from "./adopt.ts";
export type { DenoConn, DenoListener, NodeServer, NodeSocket } from "./runtime_types.ts";
export { TlsClientSocket, type TlsHandshakeInfo, TlsListenSocket } from "./tls/tls.ts";
export type {
  TlsClientOptions,
  TlsConnectOptions,
  TlsListenOptions,
  TlsServerOptions,
  TlsServerUpgradeOptions,
  TlsUpgradeOptions,
} from "./tls/options.ts";
export type { RawTlsStream, TlsIdentity } from "./tls/port.ts";
export { UdpSocket } from "./udp.ts";
export type { UdpBindOptions, UdpMessage } from "./udp.ts";
export { Socket } from "./socket.ts";
export type { WebStreams } from "../interop/byte_streams.ts";
export { ListenSocket } from "./listen_socket.ts";
export { SocketError } from "../bytes/socket_error.ts";
export { LimitError } from "../kernel/errors.ts";
export { BufferedReader, type BufferedReaderOptions } from "./framing.ts";
export { type FrameFormat, sendFrame } from "./frame_format.ts";
export { runtimeNetwork, type RuntimeNetworkOptions, useNetwork } from "./backend.ts";
export type { RawHalf, RawReceiveStream, RawSendStream } from "../bytes/raw_stream.ts";
export type {
  Address,
  ByteStream,
  Datagram,
  Handler,
  Listener,
  NetAddress,
  PipeAddress,
  ReceiveStream,
  SendStream,
  ServeOptions,
  StreamPlace,
  UnixAddress,
} from "../stream.ts";
export type {
  Attempt,
  DatagramEvents,
  Network,
  RawDatagram,
  RawListener,
  RawListenerEvents,
  RawStream,
  ReceiveEvents,
  SendEvents,
  TcpListenTarget,
} from "./network.ts";
