/**
 * Gate: what an idle loop waits behind.
 */

/**
 * What an idle loop waits behind. Shut in the context of `run()`, it calls back, soon after it was
 * opened, in that same context, and not in that of whoever opened it: a reaction to a promise runs
 * where it was registered (R35).
 */
export class Gate {
  readonly #callback: () => void;
  #resolve: (() => void) | null = null;
  /** Made once, for a gate is shut after each turn. */
  readonly #keep = (resolve: () => void): void => {
    this.#resolve = resolve;
  };

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  /** Makes the gate wait. */
  shut(): void {
    new Promise<void>(this.#keep).then(this.#callback);
  }

  /** Calls back in a microtask; does nothing where the gate is open already. */
  open(): void {
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve?.();
  }
}
