/**
 * The network of Node, which Bun and Deno have too: `node:net` behind the port.
 *
 * What it knows that others need not: a socket delivers bytes unasked, so they are kept, and the socket is paused, until they are asked
 * for; a listener accepts unasked, so connections wait here, unread; an error arrives as an event once, for whoever is concerned.
 */
import type {
  Attempt,
  Network,
  RawListener,
  RawListenerEvents,
  RawStream,
  ReceiveEvents,
  SendEvents,
} from "../network.ts";
import type { Address } from "../stream.ts";

/** What we use of a `net.Socket`. */
export interface NodeSocket {
  /** The address of this end. */
  readonly localAddress?: string;
  /** The port of this end. */
  readonly localPort?: number;
  /** The address of the other end. */
  readonly remoteAddress?: string;
  /** The port of the other end. */
  readonly remotePort?: number;
  /** Whether it is of no use any more. */
  readonly destroyed: boolean;
  /** Calls `listener` at each event. */
  on(event: string, listener: (argument: never) => void): unknown;
  /** Takes that back. */
  removeListener(event: string, listener: (argument: never) => void): unknown;
  /** Stops delivering bytes. */
  pause(): unknown;
  /** Delivers bytes. */
  resume(): unknown;
  /** Sends all of `bytes`. */
  write(bytes: Uint8Array, done: (error?: unknown) => void): boolean;
  /** Ends the sending direction. */
  end(done: () => void): unknown;
  /** Ends both. */
  destroy(): unknown;
  /** TCP only. */
  setNoDelay(on: boolean): unknown;
  /** TCP only. */
  setKeepAlive(on: boolean): unknown;
}

/** What we use of a `net.Server`. */
export interface NodeServer {
  /** Where it listens. */
  address(): { address: string; port: number } | string | null;
  /** Listens. */
  listen(options: Record<string, unknown>): unknown;
  /** Calls `listener` at each event. */
  on(event: string, listener: (argument: never) => void): unknown;
  /** Takes that back. */
  removeListener(event: string, listener: (argument: never) => void): unknown;
  /** Stops listening. */
  close(): unknown;
}

/** The slices of Node's modules that are used here. */
interface NetModule {
  createServer(options: Record<string, unknown>): NodeServer;
  connect(options: Record<string, unknown>): NodeSocket;
}
interface FsModule {
  lstatSync(path: string): { isSocket(): boolean };
  unlinkSync(path: string): void;
}
interface ProcessSlice {
  getBuiltinModule?(name: string): unknown;
  readonly versions?: { readonly node?: string; readonly deno?: string };
}

/** How many bytes are kept unasked before the socket is paused. */
const KEPT = 64 * 1024;

/** How long what was sent before a close may take to go out, in milliseconds. */
const LINGER = 5000;

const NOTHING = new Uint8Array(0);

/** A connection of Node's. */
export class NodeStream implements RawStream {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  receiveEvents!: ReceiveEvents;
  sendEvents!: SendEvents;
  bytes: Uint8Array = NOTHING;
  /** Each chunk is memory of its own. */
  readonly reusesBytes: boolean = false;
  readonly #socket: NodeSocket;
  /** Bytes that came unasked, oldest first. */
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #paused = true;
  #reading = false;
  #asked = false;
  #ended = false;
  #sending = false;
  /** The error that the socket told of, or null. */
  #failure: unknown = null;
  #closed = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: NodeSocket, local?: Address, remote?: Address) {
    this.#socket = socket;
    this.localAddr = local ?? toAddress(socket.localAddress, socket.localPort);
    this.remoteAddr = remote ?? toAddress(socket.remoteAddress, socket.remotePort);
    socket.on("error", (error) => this.#failed(error));
    socket.on("close", () => this.#failed(vanished()));
  }

  receive(): void {
    this.#asked = true;
    if (!this.#reading) this.#startReading();
    if (this.#kept.length > 0) {
      const chunk = this.#kept.shift()!;
      this.#keptBytes -= chunk.length;
      this.#deliver(chunk);
    } else if (this.#ended) {
      this.#asked = false;
      this.receiveEvents.received(0);
    } else if (this.#failure !== null) {
      this.#asked = false;
      this.receiveEvents.receiveFailed(codeOf(this.#failure), this.#failure);
    } else if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
  }

  #startReading(): void {
    this.#reading = true;
    this.#socket.on("data", (chunk: Uint8Array) => {
      if (this.#asked) return this.#deliver(chunk);
      this.#kept.push(chunk);
      this.#keptBytes += chunk.length;
      if (this.#keptBytes < KEPT || this.#paused) return;
      this.#paused = true;
      this.#socket.pause();
    });
    this.#socket.on("end", () => {
      this.#ended = true;
      if (!this.#asked) return;
      this.#asked = false;
      this.receiveEvents.received(0);
    });
  }

  #deliver(chunk: Uint8Array): void {
    this.#asked = false;
    this.bytes = chunk;
    this.receiveEvents.received(chunk.length);
  }

  /** The socket is of no use any more: whoever was promised an answer gets it. The first error is the one that tells. */
  #failed(error: unknown): void {
    this.#failure ??= error;
    if (this.#closed) return;
    if (this.#asked && !this.#ended) {
      this.#asked = false;
      this.receiveEvents.receiveFailed(codeOf(this.#failure), this.#failure);
    }
    this.#sendFailed(this.#failure);
  }

  #sendFailed(error: unknown): void {
    if (!this.#sending) return;
    this.#sending = false;
    this.sendEvents.sendFailed(codeOf(error), error);
  }

  send(bytes: Uint8Array): void {
    this.#sending = true;
    if (this.#failure !== null) this.#sendFailed(brokenPipe(this.#failure));
    else this.#socket.write(bytes, this.#onWrite);
  }

  readonly #onWrite = (error?: unknown): void => {
    if (error) return this.#sendFailed(this.#failure ?? error);
    if (!this.#sending) return;
    this.#sending = false;
    this.sendEvents.sent();
  };

  finish(): void {
    this.#sending = true;
    if (this.#failure !== null) this.#sendFailed(brokenPipe(this.#failure));
    else this.#socket.end(() => this.#onWrite());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lingering);
    this.#kept.length = 0;
    this.#socket.destroy();
  }

  closeSoon(): void {
    if (!this.#closed) this.#lingering = setTimeout(() => this.close(), LINGER);
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on);
  }

  setKeepAlive(on: boolean): void {
    this.#socket.setKeepAlive(on);
  }
}

/** A listener of Node's. */
export class NodeRawListener implements RawListener {
  readonly localAddr: Address;
  events!: RawListenerEvents;
  readonly #server: NodeServer;
  /** Connections that nobody has asked for, oldest first. */
  readonly #arrived: NodeStream[] = [];
  #asked = false;
  #closed = false;

  constructor(server: NodeServer) {
    this.#server = server;
    const address = server.address();
    this.localAddr = typeof address === "object" && address !== null
      ? toAddress(address.address, address.port)
      : { transport: "unix", path: address ?? "" };
    const local = this.localAddr.transport === "unix" ? this.localAddr : undefined;
    const remote: Address | undefined = local && { transport: "unix", path: "" };
    server.on("connection", (socket: NodeSocket) => {
      if (this.#closed) return void socket.destroy();
      if (!local && socket.remoteAddress === undefined) return void socket.destroy(); // gone already
      const stream = new NodeStream(socket, local, remote);
      if (!this.#asked) return void this.#arrived.push(stream);
      this.#asked = false;
      this.events.accepted(stream);
    });
    server.on("error", (error: unknown) => {
      if (!this.#asked || this.#closed) return;
      this.#asked = false;
      this.events.acceptFailed(codeOf(error), error);
    });
  }

  accept(): void {
    const stream = this.#arrived.shift();
    if (stream === undefined) this.#asked = true;
    else this.events.accepted(stream);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const stream of this.#arrived.splice(0)) stream.close();
  }
}

/** Node's network, or `undefined` where there is no `node:net`. */
export function nodeNetwork(): Network | undefined {
  const process = (globalThis as { process?: ProcessSlice }).process;
  const get = process?.getBuiltinModule;
  if (typeof get !== "function") return undefined;
  const net = get.call(process, "node:net") as NetModule | undefined;
  if (net === undefined) return undefined;
  const version = process?.versions?.node?.split(".").map(Number) ?? [0, 0];
  const knowsReusePort = version[0] > 23 || (version[0] === 23 && version[1] >= 1);
  return {
    listenTcp({ hostname, port, backlog, reusePort }, attempt) {
      if (reusePort && (!knowsReusePort || process?.versions?.deno !== undefined)) {
        // An older Node ignores it without a word.
        return attempt.failed("ENOTSUP", new Error("reusePort needs Node 23.1"));
      }
      return listen(net, { host: hostname, port, backlog, reusePort }, attempt);
    },
    listenUnix: ({ path }, attempt) => listen(net, { path }, attempt),
    connectTcp: ({ hostname, port }, attempt) => connect(net, { host: hostname, port }, attempt),
    connectUnix: ({ path }, attempt) => connect(net, { path }, attempt),
    removeSocket(path) {
      const fs = get.call(process, "node:fs") as FsModule;
      if (!fs.lstatSync(path).isSocket()) return false;
      fs.unlinkSync(path);
      return true;
    },
  };
}

function listen(
  net: NetModule,
  options: Record<string, unknown>,
  attempt: Attempt<RawListener>,
): () => void {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const failed = (error: unknown) => attempt.failed(codeOf(error), error);
  server.on("error", failed);
  server.on("listening", () => {
    server.removeListener("error", failed);
    attempt.opened(new NodeRawListener(server));
  });
  server.listen(options);
  return () => {};
}

function connect(
  net: NetModule,
  options: { host?: string; port?: number; path?: string },
  attempt: Attempt<RawStream>,
): () => void {
  const socket = net.connect({ ...options, allowHalfOpen: true });
  const failed = (error: unknown) => attempt.failed(codeOf(error), error);
  socket.on("error", failed);
  socket.on("connect", () => {
    socket.removeListener("error", failed);
    const { path } = options;
    const stream = path === undefined
      ? new NodeStream(socket)
      : new NodeStream(socket, { transport: "unix", path: "" }, { transport: "unix", path });
    attempt.opened(stream);
  });
  return () => void socket.destroy();
}

function toAddress(hostname = "", port = 0): Address {
  return { transport: "tcp", hostname, port };
}

/** A connection that was closed beneath us, and nobody said why. */
function vanished(): Error & { code: string } {
  return Object.assign(new Error("The connection is gone"), { code: "ECONNRESET" });
}

/** What sending to a connection that broke before gives. */
function brokenPipe(cause: unknown): Error & { code: string } {
  return Object.assign(new Error("The connection broke before", { cause }), { code: "EPIPE" });
}

/** The POSIX code of an error of Node's, which nearly always has it. */
export function codeOf(error: unknown): string {
  const { code = "EIO" } = (error ?? {}) as { code?: string };
  return CODES[code] ?? code;
}

const CODES: Readonly<Record<string, string>> = {
  // Of several addresses each failed: AggregateError carries the code of the first; a name without address has its own.
  ENODATA: "ENOTFOUND",
  ERR_STREAM_DESTROYED: "EPIPE",
  ERR_STREAM_WRITE_AFTER_END: "EPIPE",
  ERR_SOCKET_CLOSED: "EPIPE",
};
