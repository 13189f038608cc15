/**
 * PipeWriter: the input of a process, on Node and Bun, behind the port.
 *
 * What it knows that others need not: an `error` event of a stream that nobody listens to would end
 * the program. Independent of: processes.
 */
import { codeOf } from "../../bytes/error_code.ts";
import type { RawSendStream, SendEvents } from "../../bytes/raw_stream.ts";
import type { PipeAddress } from "../../stream.ts";
import type { Writable } from "./node_types.ts";

/** How long bytes that were sent before a close may take to go out, in milliseconds. */
const LINGER = 5000;

/** The end of a pipe to which the input of a process is written. */
export class PipeWriter implements RawSendStream {
  sendEvents!: SendEvents;
  readonly remoteAddr: PipeAddress;
  readonly #stream: Writable;
  readonly #tellsLength: boolean;
  /** An answer is due. */
  #asked = false;
  /** How many writes were answered before their callbacks. */
  #told = 0;
  #failure: unknown = null;
  #closed = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param tellsLength Whether `writableLength` is 0 exactly when the system has taken all: in
   * Node.
   */
  constructor(stream: Writable, remoteAddr: PipeAddress, tellsLength: boolean) {
    this.#stream = stream;
    this.#tellsLength = tellsLength;
    this.remoteAddr = remoteAddr;
    stream.on("error", (error) => {
      this.#failure ??= error;
      this.#fail();
    });
    stream.on("close", () => this.#fail());
  }

  send(bytes: Uint8Array): void {
    this.#asked = true;
    if (this.#failure !== null) return this.#fail();
    this.#stream.write(bytes, this.#onDone);
    // Often the pipe has taken all by now; the callback, which tells so a tick later, is not waited
    // for.
    if (!this.#tellsLength || this.#stream.writableLength !== 0 || !this.#asked) return;
    this.#told++;
    this.#answer();
  }

  finish(): void {
    this.#asked = true;
    if (this.#failure !== null) return this.#fail();
    this.#stream.end(this.#onDone);
  }

  readonly #onDone = (error?: unknown): void => {
    if (error) {
      this.#failure ??= error;
      return this.#fail();
    }
    if (this.#told > 0) this.#told--;
    else if (this.#asked) this.#answer();
  };

  #answer(): void {
    this.#asked = false;
    this.sendEvents.sent();
  }

  #fail(): void {
    if (!this.#asked) return;
    this.#asked = false;
    const error = this.#failure ??
      Object.assign(new Error("The pipe was closed"), { code: "EPIPE" });
    this.sendEvents.sendFailed(codeOf(error), error);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lingering);
    this.#stream.destroy();
  }

  closeSoon(): void {
    if (!this.#closed) this.#lingering = setTimeout(() => this.close(), LINGER);
  }
}
