/**
 * memoryNetwork: TCP and Unix sockets within one program, for tests: the sockets above it are those
 * of production, and under a virtual clock they take no time.
 *
 * Invariant: a port or path belongs to one listener, until that is closed.
 * Independent of: loops, tasks, runtimes.
 */
import type { NetAddress, UnixAddress } from "../../stream.ts";
import type { Attempt, Network, RawListener, RawStream, TcpListenTarget } from "../network.ts";
import { MemoryRawListener } from "./listener.ts";

/** The ports that are given to whom asks for any, and to clients. */
const FIRST_PORT = 49152;
const LAST_PORT = 65535;

/** A network of one host, which every name means. */
export class MemoryNetwork implements Network {
  readonly #capacity: number;
  /** Listeners by port or path. */
  readonly #listeners = new Map<number | string, MemoryRawListener>();
  #lastPort = FIRST_PORT - 1;

  /** @param capacity How many bytes each direction of a connection holds. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  listenTcp({ hostname, port }: TcpListenTarget, attempt: Attempt<RawListener>): void {
    const free = port === 0 ? this.#freePort() : port;
    if (free === undefined) return attempt.failed("EADDRINUSE", undefined);
    this.#listen(free, { transport: "tcp", hostname, port: free }, attempt);
  }

  listenUnix({ path }: Pick<UnixAddress, "path">, attempt: Attempt<RawListener>): void {
    this.#listen(path, { transport: "unix", path }, attempt);
  }

  #listen(
    key: number | string,
    address: NetAddress | UnixAddress,
    attempt: Attempt<RawListener>,
  ): void {
    if (this.#listeners.has(key)) return attempt.failed("EADDRINUSE", undefined);
    const listener = new MemoryRawListener(
      address,
      this.#capacity,
      () => this.#listeners.delete(key),
    );
    this.#listeners.set(key, listener);
    attempt.opened(listener);
  }

  connectTcp(
    { hostname, port }: Pick<NetAddress, "hostname" | "port">,
    attempt: Attempt<RawStream>,
  ): void {
    const listener = this.#listeners.get(port);
    if (listener === undefined) return attempt.failed("ECONNREFUSED", undefined);
    const own = this.#freePort();
    if (own === undefined) return attempt.failed("EADDRNOTAVAIL", undefined);
    const from: NetAddress = { transport: "tcp", hostname: "127.0.0.1", port: own };
    attempt.opened(listener.connect(from, { transport: "tcp", hostname, port }));
  }

  connectUnix({ path }: Pick<UnixAddress, "path">, attempt: Attempt<RawStream>): void {
    const listener = this.#listeners.get(path);
    if (listener === undefined) return attempt.failed("ENOENT", undefined);
    const to: UnixAddress = { transport: "unix", path };
    attempt.opened(listener.connect({ transport: "unix", path: "" }, to));
  }

  /** A path belongs to a listener that is open, and to nobody else: there is nothing to remove. */
  removeSocket(): boolean {
    return false;
  }

  /** The next port where nobody listens, or undefined where there is none. */
  #freePort(): number | undefined {
    for (let tries = FIRST_PORT; tries <= LAST_PORT; tries++) {
      this.#lastPort = this.#lastPort === LAST_PORT ? FIRST_PORT : this.#lastPort + 1;
      if (!this.#listeners.has(this.#lastPort)) return this.#lastPort;
    }
  }
}
