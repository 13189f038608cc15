/**
 * The network of Deno: its sockets behind the port.
 *
 * What this file knows and no other: a read cannot be cancelled, so it goes into a buffer that the
 * connection owns; writes are often short; `close` makes pending calls fail with errors that have
 * no code.
 *
 * A connection that nobody else has seen is read and written by Deno's operations (`internals.ts`).
 * What the user gave, or what comes from a listener that the user gave, keeps to its own methods:
 * the user may have called `unref`, which only they know of, or have put other methods in their
 * place.
 */
import { codeOf } from "../../bytes/error_code.ts";
import {
  type Attempt,
  LINGER,
  type Network,
  type RawListener,
  type RawListenerEvents,
  type RawStream,
  type ReceiveEvents,
  type SendEvents,
  type TcpListenTarget,
} from "../network.ts";
import { type PathTools, SocketPath } from "../socket_path.ts";
import type { Address } from "../../stream.ts";
import { type ByteIo, operations, resourceOf } from "./internals.ts";
import type { DenoConn, DenoListener } from "../runtime_types.ts";

/** The slice of the `Deno` namespace that is used here. */
interface DenoSlice {
  listen(options: Record<string, unknown>): DenoListener;
  connect(options: Record<string, unknown>): Promise<DenoConn>;
  listenDatagram?: unknown;
  lstatSync(path: string): { isSocket: boolean | null; dev: number; ino: number | null };
  removeSync(path: string): void;
  renameSync(from: string, to: string): void;
  addSignalListener?(signal: string, listener: () => void): void;
  removeSignalListener?(signal: string, listener: () => void): void;
}

/** The public methods of a connection, which is the handle itself. */
const METHODS: ByteIo = {
  read: (conn, bytes) => (conn as DenoConn).read(bytes),
  write: (conn, bytes) => (conn as DenoConn).write(bytes),
};

/** Options of {@linkcode denoNetwork}. */
interface DenoOptions {
  /** Whether undocumented internals may be used. */
  internals?: boolean;
}

/** A read buffer's size until a read has filled it; most connections idle. */
const SMALL_BUFFER = 4 * 1024;
const LARGE_BUFFER = 64 * 1024;

/** A connection of Deno's. */
export class DenoStream implements RawStream {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  receiveEvents!: ReceiveEvents;
  sendEvents!: SendEvents;
  bytes: Uint8Array = NOTHING;
  readonly lifetime = "receive";
  readonly #conn: DenoConn;
  readonly #io: ByteIo;
  readonly #handle: unknown;
  #filled = true;
  #sending: Uint8Array = NOTHING;
  #written = 0;
  #closed = false;
  /** A send was told that the other end has reset: then the system tells a read of a plain end. */
  #reset: unknown = null;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param internals Whether undocumented internals may be used: not where the user had the
   * connection.
   */
  constructor(conn: DenoConn, internals: boolean) {
    this.#conn = conn;
    const resource = internals ? resourceOf(conn) : null;
    this.#io = resource === null ? METHODS : operations!;
    this.#handle = resource ?? conn;
    this.localAddr = toAddress(conn.localAddr);
    this.remoteAddr = toAddress(conn.remoteAddr);
  }

  receive(): void {
    if (this.#filled) this.#growBuffer();
    this.#io.read(this.#handle, this.bytes).then(this.#onRead, this.#onReadError);
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
    if (count) this.receiveEvents.received(count);
    else if (this.#reset === null) this.receiveEvents.received(0);
    else this.receiveEvents.receiveFailed("ECONNRESET", this.#reset);
  };

  readonly #onReadError = (error: unknown): void => {
    if (!this.#closed) this.receiveEvents.receiveFailed(codeOf(error), error);
  };

  send(bytes: Uint8Array): void {
    this.#sending = bytes;
    this.#written = 0;
    this.#io.write(this.#handle, bytes).then(this.#onWrite, this.#onWriteError);
  }

  readonly #onWrite = (count: number): void => {
    const bytes = this.#sending;
    this.#written += count;
    if (this.#written === bytes.length || this.#closed) {
      this.#sending = NOTHING;
      this.sendEvents.sent();
    } else {
      const rest = bytes.subarray(this.#written);
      this.#io.write(this.#handle, rest).then(this.#onWrite, this.#onWriteError);
    }
  };

  readonly #onWriteError = (error: unknown): void => {
    this.#sending = NOTHING;
    const code = codeOf(error);
    if (code === "ECONNRESET") this.#reset = error;
    this.sendEvents.sendFailed(code, error);
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
      // Closed by the user who gave it.
    }
  }

  closeSoon(): void {
    if (!this.#closed) this.#lingering = setTimeout(() => this.close(), LINGER * 1000);
  }

  setNoDelay(on: boolean): void {
    try {
      this.#conn.setNoDelay?.(on);
    } catch {
      // It broke meanwhile: the next receive or send says how.
    }
  }

  setKeepAlive(on: boolean): void {
    try {
      this.#conn.setKeepAlive?.(on);
    } catch {
      // As above.
    }
  }
}

const NOTHING = new Uint8Array(0);

/** A listener of Deno's. */
export class DenoRawListener implements RawListener {
  readonly localAddr: Address;
  events!: RawListenerEvents;
  readonly #listener: DenoListener;
  readonly #internals: boolean;
  /** For a Unix listener. */
  readonly #path: SocketPath | null;
  #closed = false;

  /**
   * @param internals Whether undocumented internals may be used: not where the user had the
   * listener.
   */
  constructor(listener: DenoListener, internals: boolean) {
    this.#listener = listener;
    this.#internals = internals;
    const address = this.localAddr = toAddress(listener.addr);
    this.#path = address.transport === "unix" ? new SocketPath(address.path, pathTools()) : null;
  }

  accept(): void {
    this.#listener.accept().then(
      (conn) => {
        if (this.#closed) conn.close();
        else this.events.accepted(new DenoStream(conn, this.#internals));
      },
      (error) => {
        if (!this.#closed) this.events.acceptFailed(codeOf(error), error);
      },
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => {
      try {
        this.#listener.close();
      } catch {
        // Closed by the user who gave it.
      }
    };
    // Without the permission to move what is there aside the listener is left open: nobody can
    // reach it any
    // more, and closing it would remove somebody else's file.
    if (this.#path === null) close();
    else this.#path.closeWith(close, () => this.#listener.unref?.());
  }
}

/** What is used of Deno's file system. */
function pathTools(): PathTools {
  const deno = (globalThis as unknown as { Deno: DenoSlice }).Deno;
  return {
    identify(path) {
      try {
        const { dev, ino } = deno.lstatSync(path);
        return ino === null ? null : `${dev} ${ino}`;
      } catch {
        return null;
      }
    },
    rename: (from, to) => deno.renameSync(from, to),
  };
}

let prepared = false;

/**
 * Deno 2.9 panics when the descriptor table is full and its signal machinery, which needs
 * descriptors, is first used then. So it is used once beforehand.
 */
function prepareForFullTable(deno: DenoSlice): void {
  if (prepared) return;
  prepared = true;
  const nothing = () => {};
  try {
    deno.addSignalListener?.("SIGWINCH", nothing);
    deno.removeSignalListener?.("SIGWINCH", nothing);
  } catch {
    // Windows does not have that signal.
  }
}

/** Deno's network, or `undefined` outside of Deno. */
export function denoNetwork({ internals = true }: DenoOptions = {}): Network | undefined {
  const deno = (globalThis as unknown as { Deno?: DenoSlice }).Deno;
  if (typeof deno?.listen !== "function") return undefined;
  return {
    listenTcp(target, attempt) {
      prepareForFullTable(deno);
      listen(() => deno.listen(tcpOptions(deno, target)), attempt, internals);
    },
    listenUnix({ path }, attempt) {
      prepareForFullTable(deno);
      listen(() => deno.listen({ transport: "unix", path }), attempt, internals);
    },
    connectTcp({ hostname, port }, attempt) {
      const controller = new AbortController();
      connect(deno.connect({ hostname, port, signal: controller.signal }), attempt, internals);
      return () => controller.abort();
    },
    connectUnix({ path }, attempt) {
      connect(deno.connect({ transport: "unix", path }), attempt, internals);
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
  // Without the flag, asking for it ends the process with code 70, which nothing can catch.
  if (deno.listenDatagram === undefined) throw new Unsupported("reusePort needs --unstable-net");
  return { hostname, port, tcpBacklog: backlog, reusePort };
}

/** What this runtime cannot do. */
class Unsupported extends Error {
  readonly code = "ENOTSUP";
}

function listen(
  open: () => DenoListener,
  attempt: Attempt<RawListener>,
  internals: boolean,
): void {
  let listener;
  try {
    listener = open();
  } catch (error) {
    return attempt.failed(codeOf(error), error);
  }
  attempt.opened(new DenoRawListener(listener, internals));
}

function connect(
  connecting: Promise<DenoConn>,
  attempt: Attempt<RawStream>,
  internals: boolean,
): void {
  connecting.then(
    (conn) => attempt.opened(new DenoStream(conn, internals)),
    (error) => attempt.failed(codeOf(error), error),
  );
}

/** Deno's addresses are ours, with more in them. */
function toAddress(address: unknown): Address {
  const { transport, hostname, port, path } = address as Record<string, never>;
  return transport === "unix" ? { transport, path: path ?? "" } : { transport, hostname, port };
}
