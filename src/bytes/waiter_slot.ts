/**
 * WaiterSlot: the place of the one who waits at a half of a socket, a listener or a datagram
 * socket.
 *
 * Invariant: at most one waiter is in it; who comes while it is taken gets a `BusyResourceError`
 * (R38). A base class and not a field: the halves of a thousand sockets are visited in turn, and
 * each object more on the way is one more that is out of the processor's cache. Independent of:
 * what is waited for.
 */
import { BusyResourceError } from "../kernel/errors.ts";

/** The place of one waiter. */
export abstract class WaiterSlot<W> {
  /** Who waits; null where nobody does. */
  waiter: W | null = null;

  /** What a second waiter is told. */
  protected abstract busyMessage(): string;

  /** Throws where somebody waits already. */
  protected checkFree(): void {
    if (this.waiter !== null) throw new BusyResourceError(this.busyMessage());
  }

  /** Empties the slot and gives who was in it. */
  protected vacate(): W | null {
    const { waiter } = this;
    this.waiter = null;
    return waiter;
  }
}
