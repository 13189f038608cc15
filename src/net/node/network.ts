/**
 * The network of Node, which Bun and Deno have too: `node:net` behind the port.
 *
 * What this file knows and no other: a socket delivers bytes unasked, so they are kept, and the
 * socket is paused, until they are asked for; a listener accepts unasked, so connections wait here,
 * unread; an error arrives as an event once, for whoever waits then or comes later.
 *
 * In Node a socket reads into memory it is given (`onread`), which spares its stream machinery half
 * of what a small request costs. Accepted sockets are made anew for that (`internals.ts`).
 */
import { builtin } from "../../runtime/builtin.ts";
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
} from "../network.ts";
import type { Address } from "../../stream.ts";
import { type OnRead, remakeSocket } from "./internals.ts";
import type {
  BufferSlice,
  FsModule,
  NetModule,
  NodeServer,
  NodeSocket,
  ProcessSlice,
} from "../runtime_types.ts";

/** How many bytes are kept unasked before the socket is paused. */
const KEPT = 64 * 1024;

const NOTHING = new Uint8Array(0);

/**
 * What all connections of Node's read to, one after the other: bytes are given out or copied before
 * anything else happens.
 */
const shared = new Uint8Array(64 * 1024);

/** The option `onread` of a socket, made before the stream that is to be told. */
class Reader implements OnRead {
  readonly buffer: Uint8Array = shared;
  readonly callback: (count: number) => boolean;
  /** Says whom to tell. */
  readonly attach: (stream: NodeStream) => void;

  constructor() {
    // A variable of the closure: with a thousand connections, each object on the way is out of the
    // processor's cache.
    let stream: NodeStream;
    this.callback = (count) => stream.read(count);
    this.attach = (made) => stream = made;
  }
}

/**
 * Up to this size the bytes come from a coalescing buffer, in the same view while replies have one
 * size.
 */
const MAX_COALESCED = 16 * 1024;
let lastBytes: Uint8Array = NOTHING;
let lastBuffer: Uint8Array = NOTHING;

/**
 * A Buffer of the same memory, which Node would make at each write, kept from the write before:
 * that saves a twentieth of a small request.
 */
function asBuffer(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_COALESCED) return bytes;
  if (bytes !== lastBytes) {
    const { buffer, byteOffset, length } = bytes;
    lastBytes = bytes;
    lastBuffer = (globalThis as unknown as BufferSlice).Buffer.from(buffer, byteOffset, length);
  }
  return lastBuffer;
}

/** The addresses of a connection that does not know them itself: a Unix socket. */
interface Addresses {
  readonly local?: Address;
  readonly remote?: Address;
}

/** A connection of Node's. */
export class NodeStream implements RawStream {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  receiveEvents!: ReceiveEvents;
  sendEvents!: SendEvents;
  bytes: Uint8Array = NOTHING;
  lifetime: RawStream["lifetime"] = "forever";
  readonly #reader: Reader | null;
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

  /** @param reader What the socket reads by, where it was made with `onread`. */
  constructor(socket: NodeSocket, addresses: Addresses = {}, reader: Reader | null = null) {
    this.#socket = socket;
    this.localAddr = addresses.local ?? toAddress(socket.localAddress, socket.localPort);
    this.remoteAddr = addresses.remote ?? toAddress(socket.remoteAddress, socket.remotePort);
    this.#reader = reader;
    reader?.attach(this);
    socket.on("error", (error) => this.#failed(error));
    socket.on("close", () => this.#failed(vanished()));
  }

  receive(): void {
    this.#asked = true;
    if (!this.#reading) this.#startReading();
    if (this.#keptBytes > 0) {
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
    if (this.#reader === null) {
      this.#socket.on("data", (chunk: Uint8Array) => {
        if (this.#asked) this.#deliver(chunk);
        else if (!this.#keep(chunk)) this.#socket.pause();
      });
    }
    this.#socket.on("end", () => {
      this.#ended = true;
      if (!this.#asked) return;
      this.#asked = false;
      this.receiveEvents.received(0);
    });
  }

  /** Keeps bytes that came unasked; false once they are enough. */
  #keep(chunk: Uint8Array): boolean {
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    if (this.#keptBytes < KEPT) return true;
    this.#paused = true;
    return false;
  }

  /** Hands out memory of its own. */
  #deliver(chunk: Uint8Array): void {
    this.#asked = false;
    this.lifetime = "forever";
    this.bytes = chunk;
    this.receiveEvents.received(chunk.length);
  }

  /** So many bytes are in the shared memory; false stops reading. */
  read(count: number): boolean {
    if (!this.#asked) return this.#keep(shared.slice(0, count));
    this.#asked = false;
    this.lifetime = "event";
    this.bytes = shared;
    if (this.receiveEvents.received(count) !== true) {
      this.lifetime = "forever";
      this.bytes = shared.slice(0, count);
    }
    return true;
  }

  /** The socket broke: who waits for an answer is told, by the first error there was. */
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
    if (this.#failure !== null) return this.#sendFailed(brokenPipe(this.#failure));
    const socket = this.#socket;
    if (this.#reader === null) return void socket.write(bytes, this.#onWrite);
    // In Node most writes are done by now, and a callback would cost a tick each time, to tell so
    // later.
    socket.write(asBuffer(bytes));
    // Called back once everything before it is done.
    if (socket.writableLength !== 0) return void socket.write(NOTHING, this.#onWrite);
    if (socket.errored !== null || socket.destroyed) return;
    this.#onSent();
  }

  readonly #onWrite = (error?: unknown): void => {
    if (error) return this.#sendFailed(this.#failure ?? error);
    if (this.#sending) this.#onSent();
  };

  #onSent(): void {
    this.#sending = false;
    this.sendEvents.sent();
  }

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
    if (!this.#closed) this.#lingering = setTimeout(() => this.close(), LINGER * 1000);
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

  /** @param remake For making sockets anew that read by `onread`; null where that is not wanted. */
  constructor(server: NodeServer, remake: NetModule | null = null) {
    this.#server = server;
    const address = server.address();
    this.localAddr = typeof address === "object" && address !== null
      ? toAddress(address.address, address.port)
      : { transport: "unix", path: address ?? "" };
    const isUnix = this.localAddr.transport === "unix";
    const addresses: Addresses = isUnix
      ? { local: this.localAddr, remote: { transport: "unix", path: "" } }
      : {};
    server.on("connection", (socket: NodeSocket) => {
      if (this.#closed) return void socket.destroy();
      if (!isUnix && socket.remoteAddress === undefined) return void socket.destroy(); // gone already
      const stream = acceptedStream(socket, addresses, remake);
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

function acceptedStream(
  socket: NodeSocket,
  addresses: Addresses,
  remake: NetModule | null,
): NodeStream {
  if (remake !== null) {
    const reader = new Reader();
    const remade = remakeSocket(remake, socket, reader);
    if (remade !== null) return new NodeStream(remade, addresses, reader);
  }
  return new NodeStream(socket, addresses);
}

/**
 * Whether a socket here fills the memory it is given when it tells of it, so that all may share
 * one.
 */
function readsAtOnce(versions: ProcessSlice["versions"]): boolean {
  return versions?.node !== undefined && versions.deno === undefined && versions.bun === undefined;
}

/** Options of {@linkcode nodeNetwork}. */
interface NodeOptions {
  /** Whether undocumented internals may be used. */
  internals?: boolean;
}

/** Node's network, or `undefined` where there is no `node:net`. */
export function nodeNetwork({ internals = true }: NodeOptions = {}): Network | undefined {
  const net = builtin<NetModule>("node:net");
  if (net === undefined) return undefined;
  const { versions } = (globalThis as unknown as { process: ProcessSlice }).process;
  const version = versions?.node?.split(".").map(Number) ?? [0, 0];
  const knowsReusePort = version[0] > 23 || (version[0] === 23 && version[1] >= 1);
  const fast = readsAtOnce(versions);
  const remake = fast && internals ? net : null;
  return {
    listenTcp({ hostname, port, backlog, reusePort }, attempt) {
      if (reusePort && (!knowsReusePort || versions?.deno !== undefined)) {
        // An older Node ignores it without a word.
        return attempt.failed("ENOTSUP", new Error("reusePort needs Node 23.1"));
      }
      return listen(net, { host: hostname, port, backlog, reusePort }, attempt, remake);
    },
    listenUnix: ({ path }, attempt) => listen(net, { path }, attempt, remake),
    connectTcp: ({ hostname, port }, attempt) =>
      connect(net, { host: hostname, port }, attempt, fast),
    connectUnix: ({ path }, attempt) => connect(net, { path }, attempt, fast),
    removeSocket(path) {
      const fs = builtin<FsModule>("node:fs")!;
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
  remake: NetModule | null,
): () => void {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const failed = (error: unknown) => attempt.failed(codeOf(error), error);
  server.on("error", failed);
  server.on("listening", () => {
    server.removeListener("error", failed);
    attempt.opened(new NodeRawListener(server, remake));
  });
  server.listen(options);
  return () => {};
}

function connect(
  net: NetModule,
  options: { host?: string; port?: number; path?: string },
  attempt: Attempt<RawStream>,
  fast: boolean,
): () => void {
  const reader = fast ? new Reader() : null;
  const socket = net.connect({ ...options, allowHalfOpen: true, onread: reader ?? undefined });
  const failed = (error: unknown) => attempt.failed(codeOf(error), error);
  socket.on("error", failed);
  socket.on("connect", () => {
    socket.removeListener("error", failed);
    const { path } = options;
    const addresses: Addresses = path === undefined
      ? {}
      : { local: { transport: "unix", path: "" }, remote: { transport: "unix", path } };
    attempt.opened(new NodeStream(socket, addresses, reader));
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
