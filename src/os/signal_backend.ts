/**
 * SignalBackend: the port behind signals.
 *
 * Independent of: who wants to know of them.
 */

/** How a runtime is told to listen to a signal. */
export interface SignalBackend {
  /**
   * Calls `listener` for each signal of that name, instead of what the system would do.
   *
   * @throws {TypeError} If the system does not know the signal, or it cannot be listened to.
   */
  listen(signal: string, listener: () => void): void;
  /** Takes that back. */
  unlisten(signal: string, listener: () => void): void;
}
