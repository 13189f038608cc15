/**
 * A `node:http` server that is given, behind the port of `serveHttp`.
 *
 * Node 20 leaves a connection open that was busy when `close()` was called, and answers further
 * requests on it. So the responses that are still to come say that they are the last, and
 * connections that fall idle are ended after each response.
 */
import type { HttpServer, Listen } from "../server_port.ts";
import { hearConnection } from "../queued_response.ts";

/** What is used of an `http.IncomingMessage`. */
export type NodeRequest = object;

/** What is used of an `http.ServerResponse`. */
export interface NodeResponse {
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  destroy(): unknown;
  setHeader(name: string, value: string): unknown;
  once(event: "close", listener: () => void): unknown;
}

/**
 * What is used of an `http.Server`, or an `https.Server`.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { type HttpAddress, type NodeServer, serveHttp } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const server: NodeServer = createServer(); // with its own limits
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const { port } = yield* nursery.start<HttpAddress>((onListen) =>
 *     serveHttp({ server, onListen }, function* (_, response) {
 *       response.end("hello");
 *     })
 *   );
 *   const response = yield* until(fetch(`http://127.0.0.1:${port}/`));
 *   assertEquals(yield* until(response.text()), "hello");
 *   nursery.cancel();
 * }));
 * ```
 */
export interface NodeServer {
  /** See `http.Server`. */
  readonly listening: boolean;
  /** See `http.Server`. */
  address(): { address: string; port: number } | string | null;
  /** See `http.Server`. */
  listen(options: { port: number; host: string }): unknown;
  /** See `http.Server`. */
  close(): unknown;
  /** See `http.Server`. */
  closeIdleConnections(): void;
  /** See `http.Server`. */
  closeAllConnections(): void;
  /** See `http.Server`. */
  // deno-lint-ignore no-explicit-any
  on(event: string, listener: (...args: any[]) => void): unknown;
  /** See `http.Server`. */
  // deno-lint-ignore no-explicit-any
  off(event: string, listener: (...args: any[]) => void): unknown;
}

/** A listener of its "request" events. */
export type NodeListener = (request: NodeRequest, response: NodeResponse) => void;

/** Serves by a server that does not listen yet. */
export function givenServer(server: NodeServer): Listen<NodeListener> {
  return (target, handler, events) => {
    const open = new Set<NodeResponse>();
    let draining = false;
    let over = false;
    let sweep: ReturnType<typeof setTimeout> | undefined;
    const closeIdle = (): void => {
      sweep = undefined;
      server.closeIdleConnections();
    };
    const lastOne = (response: NodeResponse): void => {
      if (!response.headersSent) response.setHeader("connection", "close");
    };
    const onRequest = (request: NodeRequest, response: NodeResponse): void => {
      open.add(response);
      hearConnection(request, response);
      if (draining) lastOne(response);
      response.once("close", () => {
        open.delete(response);
        // Not at once: the connection is idle only when its response has left it.
        if (draining && !over) sweep ??= setTimeout(closeIdle, 0);
      });
      handler(request, response);
    };
    const onError = (error: Error): void => {
      if (!server.listening) {
        forget();
        events.failed(error);
      }
    };
    const onClose = (): void => {
      forget();
      events.ended();
    };
    const forget = (): void => {
      over = true;
      clearTimeout(sweep);
      server.off("request", onRequest);
      server.off("error", onError);
      server.off("close", onClose);
      server.off("listening", onListening);
    };
    const onListening = (): void => {
      const addr = server.address() as { address: string; port: number };
      const raw: HttpServer = {
        addr: { hostname: addr.address, port: addr.port },
        drain() {
          draining = true;
          for (const response of open) lastOne(response);
          server.close();
          server.closeIdleConnections();
        },
        kill() {
          server.close();
          server.closeAllConnections();
        },
      };
      server.on("close", onClose);
      events.listening(raw);
    };
    server.on("request", onRequest);
    server.on("error", onError);
    server.on("listening", onListening);
    try {
      server.listen({ port: target.port, host: target.hostname });
    } catch (error) {
      forget();
      events.failed(error);
    }
  };
}
