/**
 * A socket as web streams: for code outside of the loop, such as `fetch`-like functions and `pipeTo`.
 *
 * The halves are used as `recv` and `send` use them, one reader and one writer at a time; only, promises take the place of waits.
 */
import { toReadableBytes, toWritableBytes, type WebStreams } from "../interop/byte_streams.ts";
import type { Receiver, Taker } from "./receiver.ts";
import type { Sender, Waiter } from "./sender.ts";

/** Makes the two web streams of a socket. */
export function webStreams(receiver: Receiver, sender: Sender, close: () => void): WebStreams {
  return {
    readable: toReadableBytes({
      async pull() {
        const taker = new PromisedTake(receiver);
        receiver.wait(taker);
        return await taker.promise;
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

class PromisedTake implements Taker {
  readonly promise: Promise<Uint8Array<ArrayBuffer> | null>;
  take!: () => void;
  fail!: (error: unknown) => void;

  constructor(receiver: Receiver) {
    this.promise = new Promise((resolve, reject) => {
      this.take = () => resolve(receiver.read(Infinity));
      this.fail = reject;
    });
  }
}

abstract class PromisedTurn implements Waiter {
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

  squeezeIn(): void {}
}

class PromisedSend extends PromisedTurn {
  readonly #bytes: Uint8Array;

  constructor(sender: Sender, bytes: Uint8Array) {
    super(sender);
    this.#bytes = bytes;
  }

  override squeezeIn(): void {
    this.sender.squeeze(this, this.#bytes);
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
