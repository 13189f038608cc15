/**
 * eventStream: server-sent events, as `EventSource` reads them.
 *
 * Invariant: no field of an event can end it early or begin another: line ends in data begin a new
 * `data:` line, elsewhere they are refused.
 */
import { checkFunction, checkInteger, checkOptions, wrongKind, wrongValue } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { select } from "../operations/select.ts";
import { sleep, sleepUntil } from "../operations/sleep.ts";
import { currentLoop } from "../operations/current.ts";
import { Nursery } from "../kernel/nursery.ts";
import type { Selectable } from "../kernel/wait.ts";
import type { SendChunk } from "./body_stream.ts";
import { streamBody, type StreamBodyOptions } from "./stream_body.ts";

/**
 * One server-sent event.
 *
 * @example
 * ```ts
 * import { Portal } from "jsr:@broomio/core";
 * import { eventStream, type ServerSentEvent } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const event: ServerSentEvent = { id: "7", event: "price", data: "42", retry: 5000 };
 * await using portal = new Portal();
 * const body = eventStream((send) => send(event), { portal });
 * const lines = (await new Response(body).text()).trim().split("\n");
 * assertEquals(lines.sort(), ["data: 42", "event: price", "id: 7", "retry: 5000"]);
 * ```
 */
export interface ServerSentEvent {
  /** What `event.data` is in the browser; several lines are fine. */
  data: string;
  /** The type that it is listened to by; "message" where it is left out. */
  event?: string;
  /** What the browser sends as `Last-Event-ID` when it connects anew. */
  id?: string;
  /** How many milliseconds the browser waits before it does. */
  retry?: number;
}

/**
 * Options of {@linkcode eventStream}.
 *
 * @example
 * ```ts
 * import { Portal, sleep } from "jsr:@broomio/core";
 * import { eventStream, type EventStreamOptions } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * await using portal = new Portal();
 * const options: EventStreamOptions = { portal, heartbeat: 0.01 }; // seconds of silence
 * const body = eventStream(function* (send) {
 *   yield* sleep(0.03);
 *   yield* send("done");
 * }, options);
 * const text = await new Response(body).text();
 * assertEquals(text.startsWith(":"), true); // a comment, which browsers skip
 * ```
 */
export interface EventStreamOptions extends StreamBodyOptions {
  /**
   * A comment is sent whenever nothing else was for so long, so that proxies keep the connection,
   * and a client that vanished is noticed: 15 seconds by default, `Infinity` for never.
   */
  heartbeat?: Duration;
}

/**
 * What an event stream is made of: the receiving end of a channel, a subscription, or another
 * source of events.
 *
 * @example
 * ```ts
 * import { Broadcast, Portal } from "jsr:@broomio/core";
 * import { type EventSourceReceiver, eventStream } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const news = new Broadcast<string>();
 * const events: EventSourceReceiver = news.subscribe(); // or the receiver of a channel
 * news.trySend("rain");
 * news.close();
 * await using portal = new Portal();
 * const body = eventStream(events, { portal });
 * assertEquals(await new Response(body).text(), "data: rain\n\n");
 * ```
 */
export interface EventSourceReceiver {
  /**
   * Waits for an event. What a `select` takes, because a comment may be due first. It need not be a
   * checkpoint.
   */
  next(): Selectable<IteratorResult<string | ServerSentEvent, unknown>>;
  /** Called when the stream ends, however it does. */
  close?(): void;
}

/**
 * Sends an event; text is its data. A checkpoint; waits while the client does not read.
 *
 * @example
 * ```ts
 * import { Portal } from "jsr:@broomio/core";
 * import { eventStream, type SendEvent } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* report(send: SendEvent) {
 *   yield* send({ event: "progress", data: "50%" });
 *   yield* send("done");
 * }
 * await using portal = new Portal();
 * const text = await new Response(eventStream(report, { portal })).text();
 * assertEquals(text, "event: progress\ndata: 50%\n\ndata: done\n\n");
 * ```
 */
export type SendEvent = (event: string | ServerSentEvent) => Operation<void>;

/**
 * The headers of a response whose body is an {@linkcode eventStream}.
 *
 * @example
 * ```ts
 * import { eventStreamHeaders } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const headers = new Headers({ ...eventStreamHeaders, "access-control-allow-origin": "*" });
 * assertEquals(headers.get("content-type"), "text/event-stream");
 * ```
 */
export const eventStreamHeaders: { readonly [name: string]: string } = Object.freeze({
  "content-type": "text/event-stream",
  "cache-control": "no-store",
});

/**
 * The body of a response of server-sent events: what a receiver receives, or what a coroutine
 * sends. It ends with its source, and the source, closed, with it.
 *
 * @throws {TypeError | RangeError} If it is given neither, or an option is not valid or not known.
 * See also {@linkcode streamBody}.
 * @example
 * ```ts
 * import { Portal, sleep } from "jsr:@broomio/core";
 * import { eventStream, eventStreamHeaders, toHandler } from "jsr:@broomio/core/http";
 *
 * await using portal = new Portal();
 * const handler = toHandler(portal, function* () {
 *   const body = eventStream(function* (send) {
 *     for (let second = 3; second > 0; second--) {
 *       yield* send({ event: "countdown", data: `${second}` });
 *       yield* sleep(0.01);
 *     }
 *     yield* send("liftoff");
 *   });
 *   return new Response(body, { headers: eventStreamHeaders });
 * });
 * const response = await handler(new Request("http://localhost/"));
 * console.log((await response.text()).split("\n")[0]); // event: countdown
 * ```
 */
export function eventStream(
  source: EventSourceReceiver | ((send: SendEvent) => Operation<unknown>),
  options: EventStreamOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  checkOptions(options, "eventStream", ["portal", "writeTimeout", "heartbeat"]);
  const { heartbeat = 15, ...rest } = options;
  const seconds = toSeconds(heartbeat);
  if (typeof source === "object" && source !== null) {
    checkFunction(source.next, "eventStream()", "a function* or a receiver");
    return streamBody((send) => sendAll(source, send, seconds), rest);
  }
  checkFunction(source, "eventStream()", "a function* or a receiver");
  return streamBody((send) => withHeartbeat(source, send, seconds), rest);
}

function* sendAll(
  source: EventSourceReceiver,
  send: SendChunk,
  heartbeat: number,
): Coroutine<void> {
  try {
    for (;;) {
      const chosen = yield* select({ next: source.next(), beat: sleep(heartbeat) });
      if (chosen.arm === "beat") yield* send(COMMENT);
      else if (chosen.value.done) return;
      else yield* send(format(chosen.value.value));
    }
  } finally {
    source.close?.();
  }
}

/** Beats between the events of a body, from a task beside it. */
function* withHeartbeat(
  body: (send: SendEvent) => Operation<unknown>,
  send: SendChunk,
  heartbeat: number,
): Coroutine<void> {
  if (heartbeat === Infinity) return void (yield* body((event) => send(format(event))));
  const loop = yield* currentLoop();
  let last = loop.now;
  let sending = false;
  function* sendEvent(event: string | ServerSentEvent): Coroutine<void> {
    const text = format(event);
    sending = true;
    try {
      yield* send(text);
      last = loop.now;
    } finally {
      sending = false;
    }
  }
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(function* () {
      for (;;) {
        const due = last + heartbeat;
        yield* sleepUntil(due);
        if (last + heartbeat > due) continue;
        if (!sending) yield* send(COMMENT); // an event that waits for the client says as much
        last = loop.now;
      }
    }());
    yield* body(sendEvent);
    nursery.cancel();
  });
}

const COMMENT = ":\n\n";
const LINE_END = /\r\n|\r|\n/;

/** An event as it goes over the wire. */
export function format(event: string | ServerSentEvent): string {
  if (typeof event === "string") return `${dataLines(event)}\n`;
  if (typeof event !== "object" || event === null) {
    throw wrongKind("a string or an event such as { data }", event, "send()");
  }
  let text = "";
  if (event.event !== undefined) text += `event: ${oneLine(event.event, "event")}\n`;
  if (event.id !== undefined) {
    if (`${event.id}`.includes("\0")) throw wrongValue("an id without NUL", event.id, "id");
    text += `id: ${oneLine(event.id, "id")}\n`;
  }
  if (event.retry !== undefined) text += `retry: ${checkInteger(event.retry, "retry")}\n`;
  return `${text}${dataLines(event.data)}\n`;
}

function dataLines(data: string): string {
  if (typeof data !== "string") throw wrongKind("a string", data, "data");
  return data.split(LINE_END).map((line) => `data: ${line}\n`).join("");
}

function oneLine(value: string, name: string): string {
  if (typeof value !== "string") throw wrongKind("a string", value, name);
  if (LINE_END.test(value)) throw wrongValue("text of one line", value, name);
  return value;
}
