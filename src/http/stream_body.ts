/**
 * streamBody: the body of a response, written by a coroutine.
 *
 * Invariant: a body is part of the request whose coroutine made it; elsewhere it is a run of a
 * portal.
 */
import { checkFunction, checkInstance, checkOptions } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import { type Entrance, OutsideRun } from "../interop/outside_run.ts";
import { entranceOf, entranceOfLoop, Portal } from "../interop/portal.ts";
import { bodyIterator, type Operation } from "../kernel/coroutine.ts";
import { runningTask } from "../kernel/scheduler.ts";
import { BodyStream, type SendChunk } from "./body_stream.ts";
import { currentRequest } from "./request_run.ts";
import { clientGone } from "./service.ts";

/**
 * Options of {@linkcode streamBody}.
 *
 * @example
 * ```ts
 * import { Portal } from "jsr:@broomio/core";
 * import { streamBody, type StreamBodyOptions } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await using portal = new Portal();
 * const options: StreamBodyOptions = { portal, writeTimeout: 10 }; // outside of a handler
 * const body = streamBody(function* (send) {
 *   yield* send("one ");
 *   yield* send("two");
 * }, options);
 * assertEquals(await new Response(body).text(), "one two"); // or: fetch(url, { body, ... })
 * ```
 */
export interface StreamBodyOptions {
  /**
   * What runs the body where it is not part of a request of {@linkcode toHandler} or {@linkcode
   * serveHttp}.
   */
  portal?: Portal;
  /**
   * How long `send` waits for a client that does not read: by default that of the handler, or 60
   * seconds.
   */
  writeTimeout?: Duration;
}

/**
 * The body of a response, sent by a coroutine as it goes. `send` waits while the client does not
 * read. When the client goes, the coroutine is cancelled; where it throws, the connection is cut,
 * so that no client takes half a body for a whole one.
 *
 * In a coroutine that answers a request it runs, as a part of it, once that has returned the
 * response: `ensure` and `use` of the one serve the other too. Elsewhere a portal runs it, when it
 * is first read.
 *
 * @throws {TypeError} If `body` is no function, or it is called neither in a coroutine of a request
 * or a portal nor with a portal.
 * @example
 * ```ts
 * import { Portal, sleep } from "jsr:@broomio/core";
 * import { streamBody, toHandler } from "jsr:@broomio/core/http";
 *
 * await using portal = new Portal();
 * const handler = toHandler(portal, function* () {
 *   return new Response(streamBody(function* (send) {
 *     for (const word of ["one ", "two ", "three"]) {
 *       yield* send(word);
 *       yield* sleep(0.01);
 *     }
 *   }));
 * });
 * const response = await handler(new Request("http://localhost/"));
 * console.log(await response.text()); // one two three
 * ```
 */
export function streamBody(
  body: (send: SendChunk) => Operation<unknown>,
  options: StreamBodyOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  checkOptions(options, "streamBody", ["portal", "writeTimeout"]);
  const { portal, writeTimeout } = options;
  checkFunction(body, "streamBody()", "a function* that takes send");
  if (portal !== undefined) checkInstance(portal, Portal, "portal");
  const timeout = writeTimeout === undefined ? undefined : toSeconds(writeTimeout);
  const request = portal === undefined ? currentRequest() : null;
  if (request !== null) {
    const stream = new BodyStream(
      body,
      timeout ?? request.service.settings.writeTimeout,
      () => request.gone(),
    );
    request.addStream(stream);
    return stream.stream;
  }
  const loop = runningTask()?.scheduler.loop;
  const entrance = portal !== undefined
    ? entranceOf(portal)
    : loop !== undefined
    ? entranceOfLoop(loop)
    : undefined;
  if (entrance === undefined) {
    throw new TypeError(
      "streamBody() wants a request or a portal: call it in the coroutine that answers, or give { portal }",
    );
  }
  return new BodyRun(entrance, body, timeout ?? 60).body.stream;
}

/** A body that is a run of its own. */
class BodyRun extends OutsideRun<unknown> {
  readonly body: BodyStream;
  readonly #entrance: Entrance;
  #begun = false;

  constructor(
    entrance: Entrance,
    body: (send: SendChunk) => Operation<unknown>,
    writeTimeout: number,
  ) {
    super(entrance);
    this.#entrance = entrance;
    this.body = new BodyStream(body, writeTimeout, () => this.#gone(), () => this.#begin());
  }

  #begin(): void {
    this.#begun = true;
    const nursery = this.#entrance.enter();
    if (nursery === null) return this.body.cut(new Error("The portal is closed"));
    this.start(nursery, bodyIterator(() => this.body.run(), "streamBody"), undefined);
  }

  #gone(): void {
    if (this.#begun && !this.ended) this.cancel(clientGone());
    else this.body.end();
  }

  protected resolve(): void {
    this.body.end();
  }

  protected reject(error: unknown): void {
    this.body.cut(error);
  }
}
