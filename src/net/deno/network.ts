/**
 * The network of Deno: its sockets behind the port.
 *
 * What it knows that others need not: a read cannot be taken back, so it goes into a buffer that the connection owns; writes are often
 * short; `close` makes pending calls fail with errors that have no code.
 *
 * `conn.read` and `conn.write` are async functions around operations of Deno's. A connection that nobody else has seen calls the
 * operations: a fortieth of the processor time of a small request with 64 connections, a twentieth with 1,000. That is private ground: so
 * only where all looks as expected, and otherwise the public way. What was adopted, or comes from an adopted listener, keeps to its methods:
 * whose it was may have called `unref`, which only they know of, or have put others in their place.
 */
import type {
  Attempt,
  Network,
  RawListener,
  RawListenerEvents,
  RawStream,
  ReceiveEvents,
  SendEvents,
  TcpListenTarget,
} from "../network.ts";
import type { Address } from "../../stream.ts";
import type { DenoConn, DenoListener } from "../runtime_types.ts";

/** The slice of the `Deno` namespace that is used here. */
interface DenoSlice {
  listen(options: Record<string, unknown>): DenoListener;
  connect(options: Record<string, unknown>): Promise<DenoConn>;
  listenDatagram?: unknown;
  lstatSync(path: string): { isSocket: boolean | null };
  removeSync(path: string): void;
}

/** What moves bytes between a connection, which `handle` stands for, and memory. */
interface Mover {
  /** Reads into `bytes`: how many, 0 or null at the end. */
  read(handle: unknown, bytes: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`: how many. */
  write(handle: unknown, bytes: Uint8Array): Promise<number>;
}

/** The methods of a connection, which is the handle itself. */
const METHODS: Mover = {
  read: (conn, bytes) => (conn as DenoConn).read(bytes),
  write: (conn, bytes) => (conn as DenoConn).write(bytes),
};

/** Deno's operations. They take the number of a resource, and a symbol tells where a connection has that. */
interface Operations extends Mover {
  readonly internalRidSymbol: symbol;
}

/** Deno's operations, or null where they are not as we know them. */
function findOperations(): Operations | null {
  const deno = (globalThis as { Deno?: { internal?: symbol } }).Deno;
  if (typeof deno?.internal !== "symbol") return null;
  const internals = (deno as Record<symbol, unknown>)[deno.internal];
  const { core } = (internals ?? {}) as { core?: Partial<Operations> };
  if (typeof core?.read !== "function" || typeof core.write !== "function") return null;
  return typeof core.internalRidSymbol === "symbol" ? core as Operations : null;
}

const operations = findOperations();

/** The number by which the operations know a connection, or null where they cannot be called for it. */
function resourceOf(conn: DenoConn): number | null {
  if (operations === null) return null;
  const resource = (conn as unknown as Record<symbol, unknown>)[operations.internalRidSymbol];
  return typeof resource === "number" ? resource : null;
}

/** A read buffer's size until a read has filled it; most connections idle. */
const SMALL_BUFFER = 4 * 1024;
const LARGE_BUFFER = 64 * 1024;

/** How long what was sent before a close may take to go out, in milliseconds. */
const LINGER = 5000;

/** A connection of Deno's. */
export class DenoStream implements RawStream {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  receiveEvents!: ReceiveEvents;
  sendEvents!: SendEvents;
  bytes: Uint8Array = NOTHING;
  readonly lifetime = "receive";
  readonly #conn: DenoConn;
  readonly #mover: Mover;
  readonly #handle: unknown;
  #filled = true;
  #sending: Uint8Array = NOTHING;
  #written = 0;
  #closed = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  /** @param isOurs Whether nobody else has had the connection. */
  constructor(conn: DenoConn, isOurs: boolean) {
    this.#conn = conn;
    const resource = isOurs ? resourceOf(conn) : null;
    this.#mover = resource === null ? METHODS : operations!;
    this.#handle = resource ?? conn;
    this.localAddr = toAddress(conn.localAddr);
    this.remoteAddr = toAddress(conn.remoteAddr);
  }

  receive(): void {
    if (this.#filled) this.#growBuffer();
    this.#mover.read(this.#handle, this.bytes).then(this.#onRead, this.#onReadError);
  }

  #growBuffer(): void {
    this.#filled = false;
    const { length } = this.bytes;
    if (length === LARGE_BUFFER) return;
    this.bytes = new Uint8Array(length === 0 ? SMALL_BUFFER : LARGE_BUFFER);
  }

  readonly #onRead = (count: number | null): void => {
    if (this.#closed) return;
    if (count === this.bytes.length) this.#filled = true;
    this.receiveEvents.received(count ?? 0);
  };

  readonly #onReadError = (error: unknown): void => {
    if (!this.#closed) this.receiveEvents.receiveFailed(codeOf(error), error);
  };

  send(bytes: Uint8Array): void {
    this.#sending = bytes;
    this.#written = 0;
    this.#mover.write(this.#handle, bytes).then(this.#onWrite, this.#onWriteError);
  }

  readonly #onWrite = (count: number): void => {
    const bytes = this.#sending;
    this.#written += count;
    if (this.#written === bytes.length || this.#closed) {
      this.#sending = NOTHING;
      this.sendEvents.sent();
    } else {
      const rest = bytes.subarray(this.#written);
      this.#mover.write(this.#handle, rest).then(this.#onWrite, this.#onWriteError);
    }
  };

  readonly #onWriteError = (error: unknown): void => {
    this.#sending = NOTHING;
    this.sendEvents.sendFailed(codeOf(error), error);
  };

  finish(): void {
    this.#conn.closeWrite().then(() => this.sendEvents.sent(), this.#onWriteError);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lingering);
    try {
      this.#conn.close();
    } catch {
      // Closed by whoever it was adopted from.
    }
  }

  closeSoon(): void {
    if (!this.#closed) this.#lingering = setTimeout(() => this.close(), LINGER);
  }

  setNoDelay(on: boolean): void {
    this.#conn.setNoDelay?.(on);
  }

  setKeepAlive(on: boolean): void {
    this.#conn.setKeepAlive?.(on);
  }
}

const NOTHING = new Uint8Array(0);

/** A listener of Deno's. */
export class DenoRawListener implements RawListener {
  readonly localAddr: Address;
  events!: RawListenerEvents;
  readonly #listener: DenoListener;
  readonly #isOurs: boolean;
  #closed = false;

  /** @param isOurs Whether nobody else has had the listener. */
  constructor(listener: DenoListener, isOurs: boolean) {
    this.#listener = listener;
    this.#isOurs = isOurs;
    this.localAddr = toAddress(listener.addr);
  }

  accept(): void {
    this.#listener.accept().then(
      (conn) => {
        if (this.#closed) conn.close();
        else this.events.accepted(new DenoStream(conn, this.#isOurs));
      },
      (error) => {
        if (!this.#closed) this.events.acceptFailed(codeOf(error), error);
      },
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#listener.close();
    } catch {
      // Closed by whoever it was adopted from.
    }
  }
}

/** Deno's network, or `undefined` outside of Deno. */
export function denoNetwork(): Network | undefined {
  const deno = (globalThis as unknown as { Deno?: DenoSlice }).Deno;
  if (typeof deno?.listen !== "function") return undefined;
  return {
    listenTcp: (target, attempt) => listen(() => deno.listen(tcpOptions(deno, target)), attempt),
    listenUnix: ({ path }, attempt) =>
      listen(() => deno.listen({ transport: "unix", path }), attempt),
    connectTcp({ hostname, port }, attempt) {
      const controller = new AbortController();
      connect(deno.connect({ hostname, port, signal: controller.signal }), attempt);
      return () => controller.abort();
    },
    connectUnix({ path }, attempt) {
      connect(deno.connect({ transport: "unix", path }), attempt);
    },
    removeSocket(path) {
      if (!deno.lstatSync(path).isSocket) return false;
      deno.removeSync(path);
      return true;
    },
  };
}

function tcpOptions(deno: DenoSlice, target: TcpListenTarget): Record<string, unknown> {
  const { hostname, port, backlog, reusePort } = target;
  if (!reusePort) return { hostname, port, tcpBacklog: backlog };
  // Without the flag, asking for it ends the process with code 70, and nothing can catch that.
  if (deno.listenDatagram === undefined) throw new Unsupported("reusePort needs --unstable-net");
  return { hostname, port, tcpBacklog: backlog, reusePort };
}

/** What this runtime cannot do. */
class Unsupported extends Error {
  readonly code = "ENOTSUP";
}

function listen(open: () => DenoListener, attempt: Attempt<RawListener>): void {
  let listener;
  try {
    listener = open();
  } catch (error) {
    return attempt.failed(codeOf(error), error);
  }
  attempt.opened(new DenoRawListener(listener, true));
}

function connect(connecting: Promise<DenoConn>, attempt: Attempt<RawStream>): void {
  connecting.then(
    (conn) => attempt.opened(new DenoStream(conn, true)),
    (error) => attempt.failed(codeOf(error), error),
  );
}

/** Deno's addresses are ours, with more in them. */
function toAddress(address: unknown): Address {
  const { transport, hostname, port, path } = address as Record<string, never>;
  return transport === "unix" ? { transport, path: path ?? "" } : { transport, hostname, port };
}

/** The POSIX code of an error: its own, or what Deno's classes and messages stand for. */
export function codeOf(error: unknown): string {
  const { code, name = "", message = "" } = (error ?? {}) as Record<string, string | undefined>;
  if (typeof code === "string") return code;
  if (CODES[name] !== undefined) return CODES[name];
  if (/Temporary failure in name resolution/.test(message)) return "EAI_AGAIN";
  if (/failed to lookup address|No address associated|not known/.test(message)) return "ENOTFOUND";
  return name || "EIO";
}

const CODES: Readonly<Record<string, string>> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  BadResource: "EBADF",
  BrokenPipe: "EPIPE",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  Interrupted: "ECANCELED",
  NotCapable: "EACCES",
  NotConnected: "ENOTCONN",
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
  UnexpectedEof: "ECONNRESET",
};
