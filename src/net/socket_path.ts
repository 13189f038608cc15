/**
 * SocketPath: the path of a Unix listener, which a runtime removes when the listener is closed.
 *
 * Invariant: closing removes the listener's own socket and nothing else. Runtimes remove whatever
 * is at the path by then: a file, or the socket of a successor that has made room for itself. So
 * where something else is there, it is moved aside while the listener closes, and moved back: a
 * moment in which it cannot be found, instead of its end. (The inode of the own socket is not given
 * to another file while the listener is open, so comparing is safe.) Independent of: which runtime
 * it is.
 */

/** What is used of a file system. */
export interface PathTools {
  /**
   * What tells a file from every other one that there is; null where there is none, or it cannot be
   * told.
   */
  identify(path: string): string | null;
  /** Moves a file. */
  rename(from: string, to: string): void;
}

/** A path, and what was there when the listener was opened. */
export class SocketPath {
  readonly #path: string;
  readonly #tools: PathTools;
  readonly #own: string | null;

  constructor(path: string, tools: PathTools) {
    this.#path = path;
    this.#tools = tools;
    this.#own = tools.identify(path);
  }

  /**
   * Runs `close`, which removes the path. Where something else is there and cannot be moved aside,
   * `stuck` runs in its place.
   */
  closeWith(close: () => void, stuck: () => void): void {
    const found = this.#tools.identify(this.#path);
    if (this.#own === null || found === null || found === this.#own) return close();
    const aside = `${this.#path}.${Math.random().toString(36).slice(2, 10)}`;
    try {
      this.#tools.rename(this.#path, aside);
    } catch {
      return stuck();
    }
    try {
      close();
    } finally {
      this.#tools.rename(aside, this.#path);
    }
  }
}
