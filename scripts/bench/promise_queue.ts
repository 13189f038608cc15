/**
 * What a careful programmer writes by hand where there is no channel: the plain side of the channel and lock rows. Fair,
 * bounded, and as cheap as promises allow: a promise only where somebody has to wait, a value handed straight over, and
 * no closing, no cancelling, no cloning. It is not an async function's job to be one more microtask away.
 */

/** A bounded first-in first-out queue; capacity 0 is a rendezvous. Await both ends. */
export class PromiseQueue<T> {
  readonly #capacity: number;
  readonly #values: T[] = [];
  readonly #receivers: ((value: T) => void)[] = [];
  readonly #senders: { value: T; sent: () => void }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  send(value: T): void | Promise<void> {
    const receive = this.#receivers.shift();
    if (receive !== undefined) return receive(value);
    if (this.#values.length < this.#capacity) return void this.#values.push(value);
    return new Promise((sent) => this.#senders.push({ value, sent }));
  }

  receive(): T | Promise<T> {
    if (this.#values.length > 0) {
      const value = this.#values.shift()!;
      const sender = this.#senders.shift();
      if (sender !== undefined) {
        this.#values.push(sender.value);
        sender.sent();
      }
      return value;
    }
    const sender = this.#senders.shift();
    if (sender !== undefined) {
      sender.sent();
      return sender.value;
    }
    return new Promise((receive) => this.#receivers.push(receive));
  }
}

/** A fair mutex with hand-over. Await `acquire`. */
export class PromiseMutex {
  #locked = false;
  readonly #waiters: (() => void)[] = [];

  acquire(): void | Promise<void> {
    if (this.#locked) return new Promise((resolve) => this.#waiters.push(resolve));
    this.#locked = true;
  }

  release(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#locked = false;
    else next();
  }
}
