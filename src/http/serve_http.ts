/**
 * serveHttp: the runtime's own HTTP server as an operation.
 *
 * Invariants
 * - The requests run in a nursery of the server, shielded from the cancel that ends it: that is
 *   what lets them finish within the grace.
 * - When the operation ends, no connection, listener or task of the server is left (R48).
 *
 * Independent of: which server it is.
 */
import {
  checkFunction,
  checkInteger,
  checkObject,
  checkOptions,
  checkString,
  wrongKind,
} from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import { abortSignal } from "../interop/abort_signal.ts";
import { suspend } from "../interop/suspend.ts";
import { CancelScope } from "../kernel/cancel_scope.ts";
import { checkpoint } from "../kernel/checkpoint.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import { Nursery, type NurseryCore } from "../kernel/nursery.ts";
import { race } from "../operations/combine.ts";
import { moveOnAfter } from "../operations/timeout.ts";
import { bunServer } from "./bun/server.ts";
import { denoServer } from "./deno/server.ts";
import { type FetchBody, handlerOf } from "./handler.ts";
import { givenServer, type NodeListener, type NodeServer } from "./node/server.ts";
import { listenerOf, type NodeBody, type ServerResponseLike } from "./node_listener.ts";
import type { HttpAddress, HttpInfo, HttpServer, ServerEvents } from "./server_port.ts";
import {
  HANDLER_OPTIONS,
  type HandlerOptions,
  type HandlerSettings,
  HttpService,
  readHandlerOptions,
} from "./service.ts";

/** How long connections that are still open after the last request may take to end, in seconds. */
const LINGER = 1;

/**
 * What every form of {@linkcode serveHttp} takes.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { serveHttp, type ServeHttpOptions } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const limits: ServeHttpOptions = { grace: 5, timeout: 30, maxConcurrent: 1000 };
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const { port } = yield* nursery.start<{ port: number }>((onListen) =>
 *     serveHttp({ ...limits, onListen }, function* () {
 *       return new Response("hello");
 *     })
 *   );
 *   const response = yield* until(fetch(`http://127.0.0.1:${port}/`));
 *   assertEquals(yield* until(response.text()), "hello");
 *   nursery.cancel(); // requests that still run have 5 seconds
 * }));
 * ```
 */
export interface ServeHttpOptions<Incoming = Request, Answer = Response>
  extends HandlerOptions<Incoming, Answer> {
  /**
   * Where to listen: by default "127.0.0.1", so that nobody serves the world by accident; "0.0.0.0"
   * does.
   */
  hostname?: string;
  /** The port; 0, the default, for any that is free. */
  port?: number;
  /**
   * How long requests may take to finish once the server is told to end: 10 seconds by default.
   * Then they are cancelled.
   */
  grace?: Duration;
  /** Told where it listens, once it does. */
  onListen?: (addr: HttpAddress) => void;
}

/**
 * Options of {@linkcode serveHttp} on the server of Deno or Bun.
 *
 * @example
 * ```ts
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { type RuntimeServeOptions, serveHttp } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const { port } = yield* nursery.start<{ port: number }>((onListen) => {
 *     const options: RuntimeServeOptions = {
 *       hostname: "127.0.0.1",
 *       port: 0,
 *       onListen,
 *       native: { reusePort: false }, // as it is, for Deno.serve or Bun.serve
 *     };
 *     return serveHttp(options, function* () {
 *       return new Response("hello");
 *     });
 *   });
 *   const response = yield* until(fetch(`http://127.0.0.1:${port}/`));
 *   assertEquals(yield* until(response.text()), "hello");
 *   nursery.cancel();
 * }));
 * ```
 */
export interface RuntimeServeOptions extends ServeHttpOptions {
  /** Certificate chain, in PEM: HTTPS. With `key`. */
  cert?: string;
  /** Private key, in PEM. */
  key?: string;
  /**
   * Further options of `Deno.serve` or `Bun.serve`, passed on as they are: `{ idleTimeout: 60 }`.
   */
  native?: Record<string, unknown>;
}

/**
 * Options of {@linkcode serveHttp} on a `node:http` or `node:https` server.
 *
 * @example
 * ```ts
 * import { createServer, type IncomingMessage } from "node:http";
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { type NodeServeOptions, serveHttp } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const { port } = yield* nursery.start<{ port: number }>((onListen) => {
 *     const options: NodeServeOptions<IncomingMessage> = { server: createServer(), onListen };
 *     return serveHttp(options, function* (request, response) {
 *       response.end(`You asked for ${request.url}`);
 *     });
 *   });
 *   const response = yield* until(fetch(`http://127.0.0.1:${port}/a`));
 *   assertEquals(yield* until(response.text()), "You asked for /a");
 *   nursery.cancel();
 * }));
 * ```
 */
export interface NodeServeOptions<Req> extends ServeHttpOptions<Req, void> {
  /**
   * The server, with its own limits and certificates, which does not listen yet. It is closed at
   * the end.
   */
  server: NodeServer;
}

/**
 * The same with a coroutine that takes a `Request`.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { getRequestListener } from "@hono/node-server";
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { type NodeFetchServeOptions, serveHttp } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const { port } = yield* nursery.start<{ port: number }>((onListen) => {
 *     const options: NodeFetchServeOptions = {
 *       server: createServer(),
 *       toListener: getRequestListener,
 *       onListen,
 *     };
 *     return serveHttp(options, function* (request) {
 *       return new Response(`You asked for ${new URL(request.url).pathname}`);
 *     });
 *   });
 *   const response = yield* until(fetch(`http://127.0.0.1:${port}/a`));
 *   assertEquals(yield* until(response.text()), "You asked for /a");
 *   nursery.cancel();
 * }));
 * ```
 */
export interface NodeFetchServeOptions extends ServeHttpOptions {
  /**
   * The server, with its own limits and certificates, which does not listen yet. It is closed at
   * the end.
   */
  server: NodeServer;
  /** What makes a listener of a fetch handler: `getRequestListener` of `@hono/node-server`. */
  toListener: (
    // deno-lint-ignore no-explicit-any
    handler: (request: Request, info?: any) => Promise<Response>,
    // deno-lint-ignore no-explicit-any
  ) => (request: any, response: any) => unknown;
}

/**
 * Serves HTTP until it is cancelled: each request by a coroutine, as {@linkcode toHandler} does, in
 * this loop. A checkpoint.
 *
 * Leaving it, by whatever cancel or deadline, is a graceful shutdown: it stops accepting and ends
 * idle connections at once, lets requests finish within `grace`, then cancels the rest, which is
 * answered with 503 or cut. It ends when all of that is done.
 *
 * On Deno and Bun it is their own server. On Node, or for one that is set up already, give a
 * `server`: the coroutine takes its request and response, as of {@linkcode toNodeListener}, or,
 * with `toListener`, a `Request`.
 *
 * @throws {TypeError | RangeError} If an option is not valid or not known.
 * @throws {Error} If it cannot listen: the runtime's own error, with its `code`.
 * @example
 * ```ts
 * import { Loop, Nursery, until } from "jsr:@broomio/core";
 * import { serveHttp } from "jsr:@broomio/core/http";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const addr = yield* nursery.start<{ port: number }>((onListen) =>
 *     serveHttp({ port: 0, onListen }, function* (request) {
 *       return new Response(`You asked for ${new URL(request.url).pathname}`);
 *     })
 *   );
 *   const response = yield* until(fetch(`http://127.0.0.1:${addr.port}/hello`));
 *   console.log(yield* until(response.text())); // You asked for /hello
 *   nursery.cancel(); // and the server ends
 * }));
 * ```
 */
export function serveHttp(
  options: RuntimeServeOptions,
  body: FetchBody<[info: HttpInfo]>,
): Operation<void>;
/** On a `node:http` server, with a coroutine that takes a `Request`. */
export function serveHttp(
  options: NodeFetchServeOptions,
  body: FetchBody<[info: unknown]>,
): Operation<void>;
/** On a `node:http` server, in its own style. */
export function serveHttp<Req, Res extends ServerResponseLike>(
  options: NodeServeOptions<Req>,
  body: NodeBody<Req, Res>,
): Operation<void>;
export function serveHttp(
  options: RuntimeServeOptions | NodeServeOptions<unknown> | NodeFetchServeOptions,
  // deno-lint-ignore no-explicit-any
  body: (...args: any[]) => Operation<any>,
): Operation<void> {
  checkObject(options, "serveHttp()", "an object of options");
  checkFunction(body, "serveHttp()", "a function* that takes a request");
  return serve(readOptions(options), body);
}

const COMMON = ["hostname", "port", "grace", "onListen", ...HANDLER_OPTIONS] as const;
const RUNTIME_OPTIONS = [...COMMON, "cert", "key", "native"] as const;
const NODE_OPTIONS = [...COMMON, "server", "toListener"] as const;
/** What `native` must not say, because it is said, or decided, elsewhere. */
const OWN_NATIVE = ["hostname", "port", "cert", "key", "tls", "fetch", "handler", "signal"];

/** Everything of the options but what the handler takes. */
interface Settings {
  readonly hostname: string;
  readonly port: number;
  readonly grace: number;
  readonly onListen: ((addr: HttpAddress) => void) | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly native: Record<string, unknown>;
  readonly server: NodeServer | undefined;
  readonly toListener: NodeFetchServeOptions["toListener"] | undefined;
  // deno-lint-ignore no-explicit-any
  readonly handler: HandlerSettings<any, any>;
}

function readOptions(
  options: RuntimeServeOptions | NodeServeOptions<unknown> | NodeFetchServeOptions,
): Settings {
  const all = options as RuntimeServeOptions & NodeFetchServeOptions;
  checkOptions(all, "serveHttp", all.server === undefined ? RUNTIME_OPTIONS : NODE_OPTIONS);
  const { hostname = "127.0.0.1", port = 0, grace = 10 } = all;
  const { cert, key, native = {}, server, toListener, onListen } = all;
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError("serveHttp() wants both cert and key, or neither");
  }
  if (cert !== undefined) {
    checkPem(cert, "cert", "CERTIFICATE-----");
    checkPem(key, "key", "PRIVATE KEY-----");
  }
  checkObject(native, "native", "an object of options of the runtime's server");
  for (const name of Object.keys(native)) {
    if (OWN_NATIVE.includes(name)) {
      throw new TypeError(`native.${name} of serveHttp(): give it beside native, or not at all`);
    }
  }
  if (server !== undefined) {
    checkFunction(server?.closeIdleConnections, "server", "a node:http server");
    if (server.listening) {
      throw new TypeError("serveHttp() wants a server that does not listen yet");
    }
  }
  return {
    hostname: checkString(hostname, "hostname"),
    port: checkInteger(port, "port", 0, 65535),
    grace: toSeconds(grace),
    onListen: onListen === undefined ? undefined : checkFunction(onListen, "onListen"),
    cert,
    key,
    native,
    server,
    toListener: toListener === undefined ? undefined : checkFunction(toListener, "toListener"),
    handler: readHandlerOptions(all),
  };
}

/** A certificate that is something else must not mean a server without one. */
function checkPem(value: unknown, name: string, label: string): void {
  if (typeof value !== "string" || !value.includes(label)) {
    throw wrongKind(`text in PEM with "${label}"`, value === "" ? value : typeof value, name);
  }
}

// deno-lint-ignore no-explicit-any
type AnyBody = (...args: any[]) => Operation<any>;

function* serve(settings: Settings, body: AnyBody): Coroutine<void> {
  yield* checkpoint(); // cancelled already, it does not even listen
  const signal = yield* abortSignal();
  yield* CancelScope.open(() => live(settings, body, signal), { shield: true, name: "serveHttp" });
  yield* checkpoint();
}

/**
 * The life of a server, from listening to its last connection. The signal aborts when it is to end.
 */
function* live(settings: Settings, body: AnyBody, signal: AbortSignal): Coroutine<void> {
  const ended = new Flag();
  let server: HttpServer | null = null;
  let failure: { error: unknown } | null = null;
  try {
    yield* Nursery.open(function* (nursery) {
      const requests = nursery as NurseryCore;
      const entrance = { active: 0, enter: () => requests.closed ? null : requests };
      const service = new HttpService(entrance, settings.handler);
      try {
        server = yield* suspend<HttpServer>((listening, failed) => {
          start(settings, service, body, { listening, failed, ended: () => ended.set() });
        });
        settings.onListen?.(server.addr);
        yield* race([ended.wait(), aborted(signal)]);
        server.drain();
        yield* moveOnAfter(settings.grace, function* () {
          yield* idle(service);
          yield* ended.wait();
        });
      } catch (error) { // thrown as it is, and not in a NurseryError
        failure = { error };
      }
      nursery.cancel(new ClosedResourceError("The server has ended"));
    }, { name: "the requests of serveHttp" });
    if (server !== null) yield* moveOnAfter(LINGER, ended.wait()); // for the last answers to go out
  } finally {
    if (server !== null && !ended.isSet) {
      (server as HttpServer).kill();
      yield* moveOnAfter(LINGER, ended.wait());
    }
  }
  if (failure !== null) throw (failure as { error: unknown }).error;
}

function start(
  settings: Settings,
  // deno-lint-ignore no-explicit-any
  service: HttpService<any, any>,
  body: AnyBody,
  events: ServerEvents,
): void {
  const { server, toListener } = settings;
  if (server !== undefined) {
    const listener = toListener === undefined
      ? listenerOf(service, body)
      : toListener(handlerOf(service, body));
    return givenServer(server)(settings, listener as NodeListener, events);
  }
  const listen = denoServer() ?? bunServer();
  if (listen === undefined) {
    return events.failed(
      new TypeError("serveHttp() on Node wants a server: { server: createServer() }"),
    );
  }
  listen(settings, handlerOf(service, body as FetchBody<[HttpInfo]>), events);
}

/**
 * Something from outside that happens once, and that is external to the loop: no deadlock, and a
 * virtual clock waits.
 */
class Flag {
  isSet = false;
  readonly #waiting = new Set<() => void>();

  set(): void {
    this.isSet = true;
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }

  *wait(): Coroutine<void> {
    if (this.isSet) return;
    yield* suspend<void>((resume) => {
      this.#waiting.add(resume);
      return () => this.#waiting.delete(resume);
    });
  }
}

function aborted(signal: AbortSignal): Operation<void> {
  return suspend<void>((resume) => {
    const onAbort = (): void => resume();
    if (signal.aborted) return resume();
    signal.addEventListener("abort", onAbort);
    return () => signal.removeEventListener("abort", onAbort);
  });
}

/** Waits until no request is left. */
// deno-lint-ignore no-explicit-any
function* idle(service: HttpService<any, any>): Coroutine<void> {
  if (service.active === 0) return;
  yield* suspend<void>((resume) => {
    service.whenIdle = resume;
    return () => service.whenIdle = null;
  });
}
