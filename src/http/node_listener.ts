/**
 * toNodeListener: a coroutine as a listener of `node:http`, and of what is built on that, in its
 * own style.
 *
 * Invariants: the coroutine is cancelled when the response closes, whoever ended it (R45); an error
 * before the head is answered, one after it cuts the connection. Independent of: `node:http`
 * itself; the types are structural.
 */
import { checkFunction, checkInstance, checkOptions, wrongKind } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import { CANCELLED, CLOSED, type Ending, EXPIRED, OutsideRun } from "../interop/outside_run.ts";
import { entranceOf, Portal } from "../interop/portal.ts";
import { suspend } from "../interop/suspend.ts";
import { checkpoint } from "../kernel/checkpoint.ts";
import { bodyIterator, type Coroutine, type Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import type { NurseryCore } from "../kernel/nursery.ts";
import type { TaskCore } from "../kernel/task.ts";
import { failAfter } from "../operations/timeout.ts";
import { isCutNodeUpload } from "./cut_upload.ts";
import { hearConnection } from "./queued_response.ts";
import {
  clientGone,
  HANDLER_OPTIONS,
  type HandlerOptions,
  HttpService,
  readHandlerOptions,
} from "./service.ts";

/**
 * What is used of an `http.ServerResponse`.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { Portal } from "jsr:@broomio/core";
 * import { sendChunk, type ServerResponseLike, toNodeListener } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // Of node:http and of frameworks that are built on it.
 * function* sendLines(response: ServerResponseLike, lines: string[]) {
 *   response.setHeader("content-type", "text/plain");
 *   for (const line of lines) yield* sendChunk(response, `${line}\n`);
 *   response.end();
 * }
 * await using portal = new Portal();
 * const server = createServer(toNodeListener(portal, function* (_, response) {
 *   yield* sendLines(response, ["a", "b"]);
 * }));
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "a\nb\n");
 * server.close();
 * server.closeAllConnections();
 * ```
 */
export interface ServerResponseLike {
  /** See `http.ServerResponse`. */
  statusCode: number;
  /** See `http.ServerResponse`. */
  readonly headersSent: boolean;
  /** See `http.ServerResponse`. */
  readonly destroyed: boolean;
  /** See `http.ServerResponse`. */
  readonly writableEnded: boolean;
  /** See `http.ServerResponse`. */
  readonly writableFinished: boolean;
  /** See `http.ServerResponse`. */
  getHeaderNames(): string[];
  /** See `http.ServerResponse`. */
  removeHeader(name: string): unknown;
  /** See `http.ServerResponse`. */
  setHeader(name: string, value: string): unknown;
  /** See `http.ServerResponse`. */
  write(chunk: string | Uint8Array): boolean;
  /** See `http.ServerResponse`. */
  end(text?: string): unknown;
  /** See `http.ServerResponse`. */
  destroy(): unknown;
  /** See `http.ServerResponse`. */
  on(event: string, listener: () => void): unknown;
  /** See `http.ServerResponse`. */
  off(event: string, listener: () => void): unknown;
}

/**
 * What answers a request in Node's style. What a framework passes on, `next` for one, follows.
 *
 * @example
 * ```ts
 * import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
 * import { Portal } from "jsr:@broomio/core";
 * import { type NodeBody, toNodeListener } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const hello: NodeBody<IncomingMessage, ServerResponse> = function* (request, response) {
 *   response.end(`You asked for ${request.url}`);
 * };
 * await using portal = new Portal();
 * const server = createServer(toNodeListener(portal, hello));
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * assertEquals(await (await fetch(`http://127.0.0.1:${port}/a`)).text(), "You asked for /a");
 * server.close();
 * server.closeAllConnections();
 * ```
 */
export type NodeBody<Req, Res, Rest extends unknown[] = []> = (
  request: Req,
  response: Res,
  ...rest: Rest
) => Operation<unknown>;

/**
 * Makes a listener for `http.createServer`, or a handler for Express and its like. The coroutine
 * writes to the response as any listener does; {@linkcode sendChunk} waits for clients that read
 * slowly.
 *
 * When the client goes, the coroutine is cancelled, cleanup included; so it is where it goes on
 * after the response has ended. Where it throws, the client gets 500 without details, or a cut
 * connection where the head has gone out already. A framework's `next`, where there is one, gets
 * the error instead of a client whose head has not.
 *
 * @throws {TypeError | RangeError} If `body` is no function, or an option is not valid or not
 * known.
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { Portal, sleep } from "jsr:@broomio/core";
 * import { toNodeListener } from "jsr:@broomio/core/http";
 *
 * await using portal = new Portal();
 * const server = createServer(toNodeListener(portal, function* (request, response) {
 *   yield* sleep(0.01);
 *   response.end(`You asked for ${request.url}\n`);
 * }, { timeout: 5 }));
 * console.log(server.listening); // false, until server.listen(8080)
 * ```
 */
export function toNodeListener<
  Req extends { url?: string },
  Res extends ServerResponseLike,
  Rest extends unknown[] = [],
>(
  portal: Portal,
  body: NodeBody<Req, Res, Rest>,
  options: HandlerOptions<Req, void> = {},
): (request: Req, response: Res, ...rest: Rest) => void {
  checkInstance(portal, Portal, "portal");
  checkFunction(body, "toNodeListener()", "a function* that takes request and response");
  checkOptions(options, "toNodeListener", HANDLER_OPTIONS);
  return listenerOf(new HttpService(entranceOf(portal), readHandlerOptions(options)), body);
}

/** The listener of a service. */
export function listenerOf<Req, Res extends ServerResponseLike, Rest extends unknown[]>(
  service: HttpService<Req, void>,
  body: NodeBody<Req, Res, Rest>,
): (request: Req, response: Res, ...rest: Rest) => void {
  return (request, response, ...rest) => {
    const nursery = service.isFull ? null : service.entrance.enter();
    if (nursery === null) {
      response.setHeader("retry-after", "1");
      if (!service.isFull) response.setHeader("connection", "close");
      return answer(response, 503, "Service Unavailable");
    }
    const next = rest.length > 0 && typeof rest[0] === "function"
      ? rest[0] as (error: unknown) => void
      : null;
    new NodeRun(service, request, response, next).begin(
      nursery,
      () => body(request, response, ...rest),
    );
  };
}

/** One request. */
class NodeRun<Req> extends OutsideRun<unknown> {
  readonly #service: HttpService<Req, void>;
  readonly #request: Req;
  readonly #response: ServerResponseLike;
  readonly #next: ((error: unknown) => void) | null;
  readonly #closed = (): void => {
    if (this.ended) return;
    const { writableFinished } = this.#response;
    this.cancel(
      writableFinished ? new ClosedResourceError("The response has ended") : clientGone(),
    );
  };

  constructor(
    service: HttpService<Req, void>,
    request: Req,
    response: ServerResponseLike,
    next: ((error: unknown) => void) | null,
  ) {
    super(service.entrance);
    this.#service = service;
    this.#request = request;
    this.#response = response;
    this.#next = next;
    service.active++;
  }

  begin(nursery: NurseryCore, body: () => Operation<unknown>): void {
    const { timeout } = this.#service.settings;
    const iterator = bodyIterator(body, "toNodeListener");
    this.start(nursery, iterator, timeout === Infinity ? undefined : { timeout });
    if (this.ended) return;
    if (this.#response.destroyed) return this.#closed();
    this.#response.on("close", this.#closed);
    hearConnection(this.#request, this.#response);
  }

  override taskEnded(task: TaskCore): void {
    this.#response.off("close", this.#closed);
    super.taskEnded(task);
    this.#service.left();
  }

  /** What it has not ended it may have handed on: to a pipe, say. */
  protected resolve(): void {}

  protected reject(error: unknown, ending: Ending): void {
    const response = this.#response;
    if (
      response.destroyed &&
      (isCutNodeUpload(error, this.#request) || sentTooLate.has(error as WeakKey))
    ) {
      return; // the client has gone, and its cancel was about to come
    }
    const failed = ending !== CANCELLED && ending !== CLOSED && ending !== EXPIRED;
    if (response.destroyed || ending === CANCELLED) {
      if (failed) this.#service.report(error, this.#request, this.task!);
      return; // there is nobody to answer
    }
    if (failed && this.#next !== null && !response.headersSent) return (0, this.#next)(error);
    if (failed) this.#service.report(error, this.#request, this.task!);
    if (response.writableEnded) return; // answered, by onError for one
    if (response.headersSent) return void response.destroy();
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    if (ending === EXPIRED) return answer(response, 504, "Gateway Timeout");
    if (ending !== CLOSED) return answer(response, 500, "Internal Server Error");
    response.setHeader("connection", "close");
    response.setHeader("retry-after", "1");
    answer(response, 503, "Service Unavailable");
  }
}

function answer(response: ServerResponseLike, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("content-type", "text/plain");
  response.end(text);
}

/**
 * Options of {@linkcode sendChunk}.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { Portal } from "jsr:@broomio/core";
 * import { sendChunk, type SendChunkOptions, toNodeListener } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: SendChunkOptions = { writeTimeout: 10 }; // seconds for a client to read on
 * await using portal = new Portal();
 * const server = createServer(toNodeListener(portal, function* (_, response) {
 *   for (let i = 0; i < 1000; i++) yield* sendChunk(response, `line ${i}\n`, options);
 *   response.end();
 * }));
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
 * assertEquals(text.split("\n").length, 1001);
 * server.close();
 * server.closeAllConnections();
 * ```
 */
export interface SendChunkOptions {
  /** How long to wait for a client that does not read: 60 seconds by default. */
  writeTimeout?: Duration;
}

/**
 * Writes to a response of Node, and waits while its client does not read. A checkpoint.
 *
 * @throws {TimeoutError} If that takes longer than `writeTimeout`. Leave it to the listener, which
 * then cuts the connection.
 * @throws {ClosedResourceError} If the response is closed.
 * @throws {TypeError} If it is neither text nor bytes, or `response` has no `write`.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { Portal } from "jsr:@broomio/core";
 * import { sendChunk, toNodeListener } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await using portal = new Portal();
 * const server = createServer(toNodeListener(portal, function* (_, response) {
 *   for (const word of ["one ", "two ", "three"]) yield* sendChunk(response, word);
 *   response.end();
 * }));
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "one two three");
 * server.close();
 * server.closeAllConnections();
 * ```
 */
export function sendChunk(
  response: ServerResponseLike,
  chunk: string | Uint8Array,
  options: SendChunkOptions = {},
): Operation<void> {
  checkOptions(options, "sendChunk", ["writeTimeout"]);
  const { writeTimeout = 60 } = options;
  const seconds = toSeconds(writeTimeout, "writeTimeout");
  if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) {
    throw wrongKind("a string or a Uint8Array", chunk, "sendChunk()");
  }
  checkFunction(response?.write, "write of the response");
  return send(response, chunk, seconds);
}

/** Errors that say no more than that a client has gone. */
const sentTooLate = new WeakSet<WeakKey>();

function* send(
  response: ServerResponseLike,
  chunk: string | Uint8Array,
  seconds: number,
): Coroutine<void> {
  yield* checkpoint();
  if (response.destroyed || response.writableEnded) {
    const error = new ClosedResourceError("This response has ended: nothing more can be sent");
    // The runtime tells of the client's going a little after it has closed the response.
    if (!response.writableEnded) sentTooLate.add(error);
    throw error;
  }
  if (response.write(chunk)) return;
  yield* failAfter(
    seconds,
    suspend<void>((resume) => {
      const forget = (): void => {
        response.off("drain", done);
        response.off("close", done);
      };
      const done = (): void => {
        forget();
        resume();
      };
      response.on("drain", done);
      response.on("close", done);
      return forget;
    }),
  );
}
