/**
 * web: a socket as web streams, for code outside of the loop, such as `pipeTo`.
 *
 * Invariant: the halves are used as `recv` and `send` use them, one reader and one writer at a
 * time; promises stand in the place of waits. Independent of: loops; which backend it is.
 */
import { toReadableBytes, toWritableBytes, type WebStreams } from "../interop/byte_streams.ts";
import type { Receiver, ReceiveWaiter } from "./receiver.ts";
import type { Sender, SendWaiter } from "./sender.ts";

/** Makes the two web streams of a socket. */
export function webStreams(receiver: Receiver, sender: Sender, close: () => void): WebStreams {
  return {
    readable: toReadableBytes({
      async pull() {
        const waiter = new PromisedReceive(receiver);
        receiver.wait(waiter);
        return await waiter.promise;
      },
      cancel: close,
    }),
    writable: toWritableBytes({
      async write(bytes) {
        const waiter = new PromisedSend(sender, bytes);
        if (!sender.begin(waiter, bytes)) await waiter.promise;
      },
      async end() {
        const waiter = new PromisedShutdown(sender);
        if (!sender.beginShutdown(waiter)) await waiter.promise;
      },
      abort: close,
    }),
  };
}

class PromisedReceive implements ReceiveWaiter {
  readonly promise: Promise<Uint8Array<ArrayBuffer> | null>;
  deliver!: () => void;
  fail!: (error: unknown) => void;

  constructor(receiver: Receiver) {
    this.promise = new Promise((resolve, reject) => {
      this.deliver = () => resolve(receiver.read(Infinity));
      this.fail = reject;
    });
  }
}

abstract class PromisedTurn implements SendWaiter {
  readonly promise: Promise<void>;
  settle!: () => void;
  fail!: (error: unknown) => void;
  protected readonly sender: Sender;

  constructor(sender: Sender) {
    this.sender = sender;
    this.promise = new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
  }

  abstract proceed(): void;

  roomFreed(): void {}
}

class PromisedSend extends PromisedTurn {
  readonly #bytes: Uint8Array;

  constructor(sender: Sender, bytes: Uint8Array) {
    super(sender);
    this.#bytes = bytes;
  }

  override roomFreed(): void {
    this.sender.retryCoalesce(this, this.#bytes);
  }

  proceed(): void {
    this.sender.sendDirectly(this.#bytes);
  }
}

class PromisedShutdown extends PromisedTurn {
  proceed(): void {
    this.sender.finish();
  }
}
