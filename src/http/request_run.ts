/**
 * RequestRun: one request in the web's form, from its coming to the end of its response.
 *
 * Invariants
 * - It is answered once, whatever happens: with the coroutine's response, or with one that says
 *   what happened instead.
 * - Coroutine, streaming body and cleanup are one task. Its end ends the body: nothing of the
 *   request runs on after its response.
 * - What fails once the response is out cuts the connection, so that no client takes half a body
 *   for a whole one.
 *
 * Independent of: which server the request comes from.
 */
import {
  CANCELLED,
  CLOSED,
  type Ending,
  EXPIRED,
  FAILED,
  OutsideRun,
} from "../interop/outside_run.ts";
import { type Coroutine, failing, type Trap } from "../kernel/coroutine.ts";
import type { NurseryCore } from "../kernel/nursery.ts";
import { runningTask } from "../kernel/scheduler.ts";
import type { TaskCore } from "../kernel/task.ts";
import { all } from "../operations/combine.ts";
import type { BodyStream } from "./body_stream.ts";
import { isCutUpload } from "./cut_upload.ts";
import type { Watched } from "./gone_watch.ts";
import { clientGone, type HttpService } from "./service.ts";

/** See above. */
export class RequestRun extends OutsideRun<Response> implements Watched {
  older: Watched | null = null;
  newer: Watched | null = null;
  round = -1;
  readonly service: HttpService<Request, Response>;
  readonly #request: Request;
  readonly #answer: (response: Response) => void;
  #answered = false;
  #returned = false;
  /** Set once it is not young any more. */
  #signal: AbortSignal | null = null;
  /** The bodies that the coroutine has made. */
  #streams: BodyStream[] | null = null;

  constructor(
    service: HttpService<Request, Response>,
    request: Request,
    answer: (response: Response) => void,
  ) {
    super(service.entrance);
    this.service = service;
    this.#request = request;
    this.#answer = answer;
    service.active++;
  }

  /** Starts it. */
  begin(nursery: NurseryCore, iterator: Iterator<Trap, Response, unknown>): void {
    const { timeout } = this.service.settings;
    this.start(nursery, iterator, timeout === Infinity ? undefined : { timeout });
    // Most have ended by now, or soon.
    if (!this.ended) this.service.watch.begin(this, nursery.scheduler);
  }

  /**
   * The coroutine has returned. Where it has made bodies, the task goes on with those; else it
   * ends.
   */
  override taskReturned(task: TaskCore): Iterator<Trap, unknown, unknown> | null {
    if (this.#returned) return null;
    this.#returned = true;
    const response = task.value as Response;
    if (typeof response !== "object" || response === null) {
      return failing(new TypeError(`Expected a Response of the handler, got ${typeof response}`));
    }
    return this.#streams === null ? null : this.#stream(response);
  }

  /** Sends out the head, and then runs the bodies that the response uses. */
  *#stream(response: Response): Coroutine<Response> {
    const isHead = this.#request.method === "HEAD";
    const streams = this.#streams!.filter((each) => !isHead && each.isUsedBy(response));
    for (const each of this.#streams!) if (!streams.includes(each)) each.end();
    this.#streams = streams;
    if (streams.length === 0) return response;
    this.endTimeout();
    this.#reply(response);
    if (streams.length === 1) yield* streams[0].run();
    else yield* all(streams.map((each) => each.run()));
    return response;
  }

  /** A body that the coroutine makes; it is run when the coroutine has returned. */
  addStream(stream: BodyStream): void {
    (this.#streams ??= []).push(stream);
  }

  /** The client has gone. */
  gone(): void {
    this.cancel(this.#signal?.reason ?? clientGone());
  }

  /** Listens to the signal: a listener that is no function needs no closure. */
  handleEvent(): void {
    this.gone();
  }

  listen(): void {
    const { signal } = this.#request;
    this.#signal = signal;
    // Both where it was aborted already and where it is aborted later: Deno tells late of what was
    // before.
    if (signal.aborted) this.gone();
    else signal.addEventListener("abort", this);
  }

  override taskEnded(task: TaskCore): void {
    this.service.watch.end(this);
    this.#signal?.removeEventListener("abort", this);
    super.taskEnded(task);
    this.service.left();
  }

  protected resolve(response: Response): void {
    if (!this.#answered) this.#reply(response);
    for (const stream of this.#streams ?? []) stream.end();
  }

  protected reject(error: unknown, given: Ending): void {
    const ending = given === FAILED && isCutUpload(error, this.#request) ? CANCELLED : given;
    const failed = ending !== CANCELLED && ending !== CLOSED && ending !== EXPIRED;
    const own = failed ? this.service.report(error, this.#request, this.task!) : undefined;
    if (this.#answered) {
      for (const stream of this.#streams ?? []) {
        if (ending === CANCELLED) stream.drop();
        else stream.cut(error);
      }
      return;
    }
    for (const stream of this.#streams ?? []) stream.end();
    if (own !== undefined) this.#reply(own);
    else if (ending === CANCELLED) this.#reply(new Response(null, { status: 499 })); // nobody reads it
    else if (ending === EXPIRED) this.#reply(plain("Gateway Timeout", 504));
    else if (ending === CLOSED) {
      this.#reply(plain("Service Unavailable", 503, { connection: "close", "retry-after": "1" }));
    } else this.#reply(plain("Internal Server Error", 500));
  }

  #reply(response: Response): void {
    this.#answered = true;
    this.#answer(response);
  }
}

function plain(text: string, status: number, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain", ...headers } });
}

/**
 * The request that the running coroutine answers, or a task around it; null where there is none.
 */
export function currentRequest(): RequestRun | null {
  for (let task = runningTask(); task !== null; task = task.nursery.owner) {
    const caller = task.extras?.caller;
    if (caller instanceof RequestRun) return caller;
  }
  return null;
}
