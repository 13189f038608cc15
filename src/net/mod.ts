/**
 * The network: TCP and Unix sockets on Deno, Node and Bun.
 *
 * @module
 */
export type { Operation } from "../coroutine.ts";
export type { Duration } from "../duration.ts";
export type { Loop } from "../loop.ts";
export type { Nursery } from "../nursery.ts";
export type { Task } from "../task.ts";
export { TcpClientSocket, TcpListenSocket } from "./tcp.ts";
export type { TcpConnectOptions, TcpListenOptions, TcpOptions } from "./tcp.ts";
export { Socket } from "./socket.ts";
export { ListenSocket } from "./listen_socket.ts";
export { SocketError } from "./socket_error.ts";
export { LimitError } from "../errors.ts";
export { BufferedReader, sendFrame } from "./framing.ts";
export type { BufferedReaderOptions, FrameFormat } from "./framing.ts";
export { runtimeNetwork, useNetwork } from "./backend.ts";
export type {
  Address,
  ByteStream,
  Handler,
  Listener,
  NetAddress,
  ReceiveStream,
  SendStream,
  ServeOptions,
  UnixAddress,
} from "../stream.ts";
export type {
  Attempt,
  Network,
  RawListener,
  RawListenerEvents,
  RawStream,
  ReceiveEvents,
  SendEvents,
  TcpListenTarget,
} from "../network.ts";
