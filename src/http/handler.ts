/**
 * toHandler: a coroutine as the handler of whatever server speaks the web's Request and Response.
 *
 * Independent of: which server that is.
 */
import { checkFunction, checkInstance, checkOptions } from "../check.ts";
import { entranceOf, Portal } from "../interop/portal.ts";
import {
  type Coroutine,
  failing,
  type Operation,
  toIterator,
  type Trap,
} from "../kernel/coroutine.ts";
import { RequestRun } from "./request_run.ts";
import {
  HANDLER_OPTIONS,
  type HandlerOptions,
  HttpService,
  readHandlerOptions,
} from "./service.ts";

/**
 * What answers a request: a coroutine, or whatever else returns an operation. `info` is what the
 * server gives beside the request.
 *
 * @example
 * ```ts
 * import { Portal } from "jsr:@broomio/core";
 * import { type FetchBody, toHandler } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // What goes around a handler, as middleware does.
 * const withHeader = (body: FetchBody): FetchBody =>
 *   function* (request) {
 *     const response = yield* body(request);
 *     response.headers.set("x-served-by", "broomio");
 *     return response;
 *   };
 * await using portal = new Portal();
 * const handler = toHandler(portal, withHeader(function* () {
 *   return new Response("hello");
 * }));
 * const response = await handler(new Request("http://localhost/"));
 * assertEquals(response.headers.get("x-served-by"), "broomio");
 * ```
 */
export type FetchBody<Info extends unknown[] = []> = (
  request: Request,
  ...info: Info
) => Operation<Response>;

/**
 * Makes a handler for any server that takes a function of a request: `Deno.serve`, `Bun.serve`,
 * Hono, and through `@hono/node-server` `node:http`.
 *
 * The coroutine of a request, with the body that its response streams (see {@linkcode streamBody}),
 * is one scope. The client's going cancels it, cleanup included; so does closing the portal after
 * its grace. The response goes out when the coroutine has ended, `ensure` and all, or, where its
 * body streams, when the coroutine has returned it.
 *
 * Where it throws, the client gets 500 without details, and `onError` the error. The handler itself
 * never rejects.
 *
 * @throws {TypeError | RangeError} If `body` is no function, or an option is not valid or not
 * known.
 * @example
 * ```ts
 * import { Portal, sleep } from "jsr:@broomio/core";
 * import { toHandler } from "jsr:@broomio/core/http";
 *
 * await using portal = new Portal();
 * const handler = toHandler(portal, function* (request: Request) {
 *   yield* sleep(0.01);
 *   return new Response(`You asked for ${new URL(request.url).pathname}`);
 * }, { timeout: 5 });
 * // Deno.serve(handler), Bun.serve({ fetch: handler }), app.all("*", (c) => handler(c.req.raw))
 * const response = await handler(new Request("http://localhost/hello"));
 * console.log(await response.text()); // You asked for /hello
 * ```
 */
export function toHandler<Info extends unknown[] = []>(
  portal: Portal,
  body: FetchBody<Info>,
  options: HandlerOptions<Request, Response> = {},
): (request: Request, ...info: Info) => Promise<Response> {
  checkInstance(portal, Portal, "portal");
  checkFunction(body, "toHandler()", "a function* that takes a request");
  checkOptions(options, "toHandler", HANDLER_OPTIONS);
  return handlerOf(new HttpService(entranceOf(portal), readHandlerOptions(options)), body);
}

/** The handler of a service. */
export function handlerOf<Info extends unknown[]>(
  service: HttpService<Request, Response>,
  body: FetchBody<Info>,
): (request: Request, ...info: Info) => Promise<Response> {
  // What a function* gives is fresh always: to mark it as given costs as much as an allocation.
  const isFresh = body instanceof GeneratorFunction;
  return (request, ...info) =>
    new Promise<Response>((resolve) => {
      const nursery = service.isFull ? null : service.entrance.enter();
      if (nursery === null) return resolve(refusal(service.isFull));
      let iterator: Iterator<Trap, Response, unknown>;
      try {
        const operation = body(request, ...info);
        iterator = isFresh ? operation as Coroutine<Response> : toIterator(operation, "toHandler");
      } catch (error) {
        iterator = failing(error);
      }
      new RequestRun(service, request, resolve).begin(nursery, iterator);
    });
}

const GeneratorFunction = (function* () {}).constructor as FunctionConstructor;

/** Too many requests at once, or a server that ends. */
function refusal(full: boolean): Response {
  const headers: Record<string, string> = { "retry-after": "1" };
  if (!full) headers.connection = "close";
  return new Response("Service Unavailable", { status: 503, headers });
}
