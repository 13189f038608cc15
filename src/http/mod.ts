/**
 * Coroutines that answer HTTP requests, under the servers that the runtimes have: handlers,
 * streaming bodies, server-sent events, WebSockets. There is no parser and no server of its own.
 *
 * Which one to take
 * - {@linkcode toHandler}: a handler for whatever takes a function of a `Request`: `Deno.serve`,
 *   `Bun.serve`, Hono; on Node through `@hono/node-server`.
 * - {@linkcode toNodeListener}: a listener for `node:http`, Express and their kin, in their own
 *   style; {@linkcode sendChunk} waits for clients that read slowly.
 * - {@linkcode serveHttp}: the server itself as an operation. Leaving its scope is a graceful
 *   shutdown: it stops accepting, ends idle connections at once, lets requests finish within
 *   `grace`, and cancels the rest.
 * - {@linkcode streamBody}, {@linkcode eventStream}: bodies that a coroutine sends as it goes.
 * - {@linkcode fromWebSocket}: the messages of any WebSocket, in browsers too.
 *
 * One request is one scope: the coroutine, the body that its response streams, and their cleanup.
 * Nothing of it runs on after the response has ended.
 *
 * | what happens | in the coroutine, at its wait | what the client gets |
 * | --- | --- | --- |
 * | its client goes | `Cancelled`; cleanup runs | nobody is left |
 * | `timeout` passes before the response | `Cancelled`; cleanup runs | 504 |
 * | more than `maxConcurrent` at once | it never starts | 503 with `Retry-After` |
 * | the portal or server ends | `Cancelled`, after its grace | 503, or a body that is cut |
 * | it throws before the response | | 500 without details, or what `onError` gives |
 * | its body throws | | a body that is cut, so that it is not taken for a whole one |
 * | the client does not read for `writeTimeout` | `TimeoutError` at its send | a body that is cut |
 *
 * `onError` is told of the errors, and by default they are warnings. A read of the request's body
 * that fails because the client went is none.
 *
 * Limits of the connections below are those of the runtime's server. On Node give a server that is
 * set up: `createServer({ headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 5000,
 * maxHeaderSize: 16_384 })`. On Bun `native: { idleTimeout: 10, maxRequestBodySize: 1e6 }`. Deno
 * has no option for slow heads and idle connections: there, put a proxy before a server that faces
 * the world.
 *
 * What differs from runtime to runtime
 * - Deno tells of a client that goes where a request is older than 20 ms, where its body is read,
 *   and where a body streams; not while nobody reads an unfinished upload. It prints a note about
 *   `request.signal` once, unless it is run with `--unstable-no-legacy-abort`. A server that drains
 *   cannot be ended by force: a client that does not take its whole answer keeps its connection,
 *   but not the server. A WebSocket whose client went before the answer to its upgrade never opens:
 *   `openTimeout` frees the coroutine, but Deno keeps the connection, and stays alive until
 *   `Deno.exit()`.
 * - On Node 20 a request that waits behind another one on its connection (pipelining) hears of its
 *   client's going under `serveHttp` and `toNodeListener`, but not under `@hono/node-server` alone.
 *
 * @example
 * ```ts
 * import { all, Portal, until } from "jsr:@broomio/core";
 * import { toHandler } from "jsr:@broomio/core/http";
 *
 * await using portal = new Portal();
 *
 * function* get(url: string) { // cancelled, it aborts the fetch
 *   return yield* until((signal) => fetch(url, { signal }).then((response) => response.text()));
 * }
 * // For Deno.serve, Bun.serve, Hono: when the client goes, everything in it is cancelled.
 * const handler = toHandler(portal, function* () {
 *   const [user, orders] = yield* all([get("data:,ann"), get("data:,none")]);
 *   return Response.json({ user, orders });
 * }, { timeout: 10, maxConcurrent: 1000 });
 * const response = await handler(new Request("http://localhost/"));
 * console.log(await response.text()); // {"user":"ann","orders":"none"}
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
