/**
 * Pump: moves the output of one process into the input of another, as a pipe of a shell does.
 *
 * Invariants
 * - It waits at one end at a time: for bytes, or until they are sent. So memory is bounded, and a
 *   reader that stops stops the writer.
 * - The end of the output ends the input, after all bytes. Where the input takes no more, the
 *   output is closed, and its process learns of it as in a shell: by SIGPIPE.
 * - It works by the callbacks of the two halves, without a task: so it goes on whatever tasks do,
 *   and ends when the scope of one of the processes is left.
 *
 * Independent of: processes; which runtime this is.
 */
import type { Receiver, ReceiveWaiter } from "../bytes/receiver.ts";
import type { Sender, SendWaiter } from "../bytes/sender.ts";

/** One connection between an output and an input. */
export class Pump implements ReceiveWaiter, SendWaiter {
  readonly #receiver: Receiver;
  #sender: Sender | null = null;
  /** What is being sent; null at the end of the output. */
  #bytes: Uint8Array | null = null;
  #sending = false;
  /** Bytes, or the end, came before there was an input. */
  #delivered = false;

  /** Takes an output, whose `recv` is busy from now on. @throws As a receive does. */
  constructor(receiver: Receiver) {
    this.#receiver = receiver;
    receiver.wait(this);
  }

  /** Lets the bytes flow. */
  connect(sender: Sender): void {
    this.#sender = sender;
    if (this.#delivered) this.deliver();
  }

  /** Gives the output back, with all bytes in it: there will be no input. */
  abandon(): void {
    if (!this.#delivered) this.#receiver.waiter = null;
  }

  deliver(): void {
    const sender = this.#sender;
    this.#delivered = true;
    if (sender === null) return;
    this.#sending = true;
    try {
      const bytes = this.#bytes = this.#receiver.view(Infinity);
      const isDone = bytes === null ? sender.beginShutdown(this) : sender.begin(this, bytes);
      if (isDone) this.settle();
    } catch {
      this.fail();
    }
  }

  proceed(): void {
    if (this.#bytes === null) this.#sender!.finish();
    else this.#sender!.sendDirectly(this.#bytes);
  }

  roomFreed(): void {
    if (this.#bytes !== null) this.#sender!.retryCoalesce(this, this.#bytes);
  }

  settle(): void {
    this.#sending = false;
    if (this.#bytes === null) return;
    try {
      this.#receiver.wait(this);
    } catch {
      this.fail();
    }
  }

  /** One end is of no use any more: then neither is the other. */
  fail(): void {
    if (this.#sending) {
      this.#receiver.close();
      this.#receiver.raw.close();
    } else this.#sender?.close();
  }
}
