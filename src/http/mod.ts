/**
 * Coroutines under HTTP servers: handlers for whatever server there is, streaming bodies,
 * server-sent events, WebSockets.
 *
 * @example
 * ```ts
 * import { Portal } from "jsr:@broomio/core";
 * import { toHandler } from "jsr:@broomio/core/http";
 *
 * await using portal = new Portal();
 * const handler = toHandler(portal, function* () {
 *   return new Response("hello");
 * });
 * console.log(await (await handler(new Request("http://localhost/"))).text()); // hello
 * ```
 *
 * @module
 */
export { type FetchBody, toHandler } from "./handler.ts";
export type { HandlerOptions } from "./service.ts";
export type { SendChunk } from "./body_stream.ts";
export { streamBody, type StreamBodyOptions } from "./stream_body.ts";
export {
  type EventSourceReceiver,
  eventStream,
  eventStreamHeaders,
  type EventStreamOptions,
  type SendEvent,
  type ServerSentEvent,
} from "./event_stream.ts";
export {
  type NodeBody,
  sendChunk,
  type SendChunkOptions,
  type ServerResponseLike,
  toNodeListener,
} from "./node_listener.ts";
export {
  type NodeFetchServeOptions,
  type NodeServeOptions,
  type RuntimeServeOptions,
  serveHttp,
  type ServeHttpOptions,
} from "./serve_http.ts";
export type { HttpAddress, HttpInfo } from "./server_port.ts";
export type { NodeServer } from "./node/server.ts";
export {
  type Message,
  type MessageStream,
  WebSocketError,
  type WebSocketLike,
  type WebSocketOptions,
} from "./messages.ts";
export { fromWebSocket } from "./web_socket.ts";
