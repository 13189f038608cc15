/**
 * HttpService: what the requests of one handler share: limits, how errors are told, and the watch
 * over clients that go.
 *
 * Independent of: the shape of requests and responses, and which server they come from.
 */
import { checkFunction, checkInteger } from "../check.ts";
import { type Duration, toSeconds } from "../duration.ts";
import type { Entrance } from "../interop/outside_run.ts";
import type { TaskCore } from "../kernel/task.ts";
import { GoneWatch } from "./gone_watch.ts";

/**
 * Options of {@linkcode toHandler}, and of every other way to handle requests.
 *
 * @example
 * ```ts
 * import { Portal, sleep } from "jsr:@broomio/core";
 * import { type HandlerOptions, toHandler } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const options: HandlerOptions<Request, Response> = {
 *   timeout: { milliseconds: 10 },
 *   maxConcurrent: 1000,
 *   onError: (error, request) => console.error(request.url, error),
 * };
 * await using portal = new Portal();
 * const handler = toHandler(portal, function* () {
 *   yield* sleep(60);
 *   return new Response("late");
 * }, options);
 * const response = await handler(new Request("http://localhost/"));
 * assertEquals(response.status, 504);
 * ```
 */
export interface HandlerOptions<Incoming, Answer> {
  /**
   * Cancels a request that is not answered after so long: its client gets 504, once cleanup is
   * done. It counts until the response is there, not while its body streams. By default there is no
   * limit.
   */
  timeout?: Duration;
  /**
   * How many requests may run at once: those beyond get 503 with `Retry-After`. By default there is
   * no limit.
   */
  maxConcurrent?: number;
  /**
   * How long a body that streams may wait for a client that does not read: 60 seconds by default.
   * Then the connection is cut.
   */
  writeTimeout?: Duration;
  /**
   * Told of every error of a handler: by default it is a warning of the loop. Before the response,
   * it may give the answer, which is 500 without details otherwise. What it throws is a warning.
   */
  onError?: (error: unknown, request: Incoming) => Answer | void;
}

/** The names of {@linkcode HandlerOptions}. */
export const HANDLER_OPTIONS = ["timeout", "maxConcurrent", "writeTimeout", "onError"] as const;

/** Why a request was cancelled whose client has gone: as a `fetch` is told that was aborted. */
export function clientGone(): Error {
  return new DOMException("The client has gone", "AbortError");
}

/** The options, checked. */
export interface HandlerSettings<Incoming, Answer> {
  /** In seconds. */
  readonly timeout: number;
  /** In seconds. */
  readonly writeTimeout: number;
  readonly maxConcurrent: number;
  readonly onError: ((error: unknown, request: Incoming) => Answer | void) | undefined;
}

/** Checks options, whose names are known. */
export function readHandlerOptions<Incoming, Answer>(
  options: HandlerOptions<Incoming, Answer>,
): HandlerSettings<Incoming, Answer> {
  const { timeout, maxConcurrent = Infinity, writeTimeout = 60, onError } = options;
  return {
    timeout: timeout === undefined ? Infinity : toSeconds(timeout),
    writeTimeout: toSeconds(writeTimeout),
    maxConcurrent: checkInteger(maxConcurrent, "maxConcurrent", 1, Infinity, true),
    onError: onError === undefined ? undefined : checkFunction(onError, "onError"),
  };
}

/** See above. */
export class HttpService<Incoming, Answer> {
  readonly entrance: Entrance;
  readonly settings: HandlerSettings<Incoming, Answer>;
  readonly watch: GoneWatch = new GoneWatch();
  /** How many requests of this service have not ended. */
  active = 0;
  /** Called when the last has, where somebody waits for that. */
  whenIdle: (() => void) | null = null;

  constructor(entrance: Entrance, settings: HandlerSettings<Incoming, Answer>) {
    this.entrance = entrance;
    this.settings = settings;
  }

  /** Whether another request would be too many. */
  get isFull(): boolean {
    return this.active >= this.settings.maxConcurrent;
  }

  /** A request has ended. */
  left(): void {
    if (--this.active === 0) this.whenIdle?.();
  }

  /** Tells of an error of the handler; gives what `onError` answers. */
  report(error: unknown, request: Incoming, task: TaskCore): Answer | undefined {
    const { onError } = this.settings;
    if (onError === undefined) {
      const text = error instanceof Error ? error.stack ?? String(error) : describe(error);
      task.scheduler.warn({ message: `The handler of an HTTP request failed. ${text}`, task });
      return undefined;
    }
    try {
      return onError(error, request) ?? undefined;
    } catch (failure) {
      task.scheduler.warn({
        message: `onError of an HTTP handler failed: ${describe(failure)}`,
        task,
      });
      return undefined;
    }
  }
}

/** Whatever was thrown, in words. */
function describe(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "It threw an object that cannot be shown";
  }
}
