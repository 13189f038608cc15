/**
 * The network: TCP, TLS, Unix and UDP sockets on Deno, Node and Bun.
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
export { BufferedReader, sendFrame } from "./framing.ts";
export type { BufferedReaderOptions, FrameFormat } from "./framing.ts";
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
