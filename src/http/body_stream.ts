/**
 * BodyStream: a ReadableStream that a coroutine writes.
 *
 * Invariants
 * - At most `BUFFERED` bytes and one chunk wait in the stream: the coroutine waits while the client
 *   does not read (R47).
 * - It ends once: `end` closes it, `cut` breaks it, the reader's cancel tells the request. What
 *   comes later does nothing.
 *
 * Independent of: how the coroutine is run.
 */
import { checkFunction, wrongKind } from "../check.ts";
import { suspend } from "../interop/suspend.ts";
import { checkpoint } from "../kernel/checkpoint.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { ClosedResourceError } from "../kernel/errors.ts";
import { failAfter } from "../operations/timeout.ts";

/** How many bytes may wait in a stream before its coroutine does. */
const BUFFERED = 16_384;

/**
 * Sends a part of a body: text, or bytes, which belong to the body from then on. A checkpoint;
 * waits while the client does not read, and throws a `TimeoutError` where that takes longer than
 * `writeTimeout`.
 *
 * @example
 * ```ts
 * import { Portal } from "jsr:@broomio/core";
 * import { type SendChunk, streamBody, toHandler } from "jsr:@broomio/core/http";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * function* countdown(send: SendChunk) {
 *   for (let n = 3; n > 0; n--) yield* send(`${n} `); // waits while the client does not read
 * }
 * await using portal = new Portal();
 * const handler = toHandler(portal, function* () {
 *   return new Response(streamBody(countdown));
 * });
 * const response = await handler(new Request("http://localhost/"));
 * assertEquals(await response.text(), "3 2 1 ");
 * ```
 */
export type SendChunk = (chunk: string | Uint8Array<ArrayBuffer>) => Operation<void>;

const encoder = new TextEncoder();

/** See above. */
export class BodyStream {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #body: (send: SendChunk) => Operation<unknown>;
  readonly #writeTimeout: number;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  /** It was ended, cut or cancelled. */
  #over = false;
  /** Resume those who wait for the reader. */
  readonly #waiting = new Set<() => void>();
  #begun: (() => void) | null;
  /** Resolves the reader's cancel, once the coroutine has ended. */
  #cancelled: (() => void) | null = null;

  /**
   * @param writeTimeout In seconds.
   * @param gone Called when the reader gives up.
   * @param begun Called when the reader reads for the first time.
   */
  constructor(
    body: (send: SendChunk) => Operation<unknown>,
    writeTimeout: number,
    gone: () => void,
    begun: (() => void) | null = null,
  ) {
    this.#body = checkFunction(body, "streamBody()", "a function* that takes send");
    this.#writeTimeout = writeTimeout;
    this.#begun = begun;
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pulled(),
      cancel: () => {
        if (this.#over) return;
        this.#over = true;
        return new Promise<void>((resolve) => {
          this.#cancelled = resolve;
          gone();
        });
      },
    }, { highWaterMark: 0, size: (chunk) => chunk!.length });
  }

  /** Whether a response has it as its body, or something has taken it on the way there. */
  isUsedBy(response: Response): boolean {
    return this.stream.locked || response.body === this.stream;
  }

  /** Runs the coroutine; the stream stays open. */
  run(): Operation<unknown> {
    return this.#body((chunk) => this.#send(chunk));
  }

  *#send(chunk: string | Uint8Array<ArrayBuffer>): Coroutine<void> {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    if (!(bytes instanceof Uint8Array)) {
      throw wrongKind("a string or a Uint8Array", chunk, "send()");
    }
    yield* checkpoint();
    if (!this.#over && this.#isFull) yield* failAfter(this.#writeTimeout, this.#drain());
    if (this.#over) {
      yield* checkpoint(); // the reader's cancel is on its way to this task
      throw new ClosedResourceError("This body has ended: nothing more can be sent");
    }
    if (bytes.length > 0) this.#controller.enqueue(bytes); // an empty one would end the body on the wire
  }

  *#drain(): Coroutine<void> {
    while (!this.#over && this.#isFull) {
      yield* suspend<void>((resume) => {
        this.#waiting.add(resume);
        return () => this.#waiting.delete(resume);
      });
    }
  }

  get #isFull(): boolean {
    return (this.#controller.desiredSize ?? 0) <= -BUFFERED;
  }

  #pulled(): void {
    const begun = this.#begun;
    this.#begun = null;
    begun?.();
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }

  /** The coroutine has ended, or the stream is not used. */
  end(): void {
    this.#cancelled?.();
    if (this.#over) return;
    this.#over = true;
    this.#controller.close();
  }

  /** The reader has gone: there is nobody to tell, and runtimes would print an error. */
  drop(): void {
    this.#cancelled?.();
    this.#over = true;
  }

  /** The coroutine has failed: the reader must not take this for the end. */
  cut(error: unknown): void {
    this.#cancelled?.();
    if (this.#over) return;
    this.#over = true;
    this.#controller.error(new BodyCutError(error));
  }
}

/** What a body is broken with. Runtimes print it; it was reported already, so it is short. */
class BodyCutError extends Error {
  constructor(cause: unknown) {
    super("The response was cut: its coroutine failed or was cancelled", { cause });
    this.stack = undefined;
  }
  static {
    this.prototype.name = "BodyCutError";
  }
}
