/**
 * NodeRawListener: a listener of `node:net` behind the port.
 *
 * What this file knows and no other: a server accepts unasked, so connections wait here, unread,
 * until they are asked for; in Node their sockets are made anew, to read by `onread`
 * (`internals.ts`).
 */
import { builtin } from "../../runtime/builtin.ts";
import { codeOf } from "../../bytes/error_code.ts";
import type { RawListener, RawListenerEvents } from "../network.ts";
import type { FsModule, NetModule, NodeServer, NodeSocket } from "../runtime_types.ts";
import { type PathTools, SocketPath } from "../socket_path.ts";
import type { Address } from "../../stream.ts";
import { remakeSocket } from "./internals.ts";
import {
  NodeStream,
  type NodeStreamOptions,
  Reader,
  type TlsTakeover,
  toAddress,
} from "./stream.ts";

/** Options of a {@linkcode NodeRawListener}. */
export interface NodeListenerOptions {
  /** For making sockets anew that read by `onread`; absent where that is not wanted. */
  readonly remake?: NetModule | null;
  /** See {@linkcode NodeStreamOptions}. */
  readonly takeover?: TlsTakeover | null;
}

/** A listener of Node's. */
export class NodeRawListener implements RawListener {
  readonly localAddr: Address;
  events!: RawListenerEvents;
  readonly #server: NodeServer;
  /** For a Unix listener. */
  readonly #path: SocketPath | null;
  /** Connections that nobody has asked for, oldest first. */
  readonly #arrived: NodeStream[] = [];
  #asked = false;
  #closed = false;

  constructor(server: NodeServer, { remake = null, takeover = null }: NodeListenerOptions = {}) {
    this.#server = server;
    const address = server.address();
    this.localAddr = typeof address === "object" && address !== null
      ? toAddress(address.address, address.port)
      : { transport: "unix", path: address ?? "" };
    const isUnix = this.localAddr.transport === "unix";
    this.#path = this.localAddr.transport === "unix"
      ? new SocketPath(this.localAddr.path, pathTools())
      : null;
    const options: NodeStreamOptions = isUnix
      ? { local: this.localAddr, remote: { transport: "unix", path: "" }, takeover }
      : { takeover };
    server.on("connection", (socket: NodeSocket) => {
      if (this.#closed) return void socket.destroy();
      if (!isUnix && socket.remoteAddress === undefined) return void socket.destroy(); // gone already
      const stream = acceptedStream(socket, options, remake);
      if (!this.#asked) return void this.#arrived.push(stream);
      this.#asked = false;
      this.events.accepted(stream);
    });
    server.on("error", (error: unknown) => {
      if (!this.#asked || this.#closed) return;
      this.#asked = false;
      this.events.acceptFailed(codeOf(error), error);
    });
    server.on("close", () => this.#gone());
  }

  accept(): void {
    const stream = this.#arrived.shift();
    if (stream !== undefined) return this.events.accepted(stream);
    this.#asked = true;
    if (this.#server.listening === false) this.#gone();
  }

  /** The server was closed by the user who gave it. */
  #gone(): void {
    if (!this.#asked || this.#closed) return;
    this.#asked = false;
    const error = Object.assign(new Error("The server was closed"), { code: "EBADF" });
    this.events.acceptFailed(error.code, error);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => void this.#server.close();
    // Where the file there cannot be moved aside, the server cannot remove it either.
    if (this.#path === null) close();
    else this.#path.closeWith(close, close);
    for (const stream of this.#arrived.splice(0)) stream.close();
  }
}

/** What is used of Node's file system. */
function pathTools(): PathTools {
  const fs = builtin<FsModule>("node:fs")!;
  return {
    identify(path) {
      try {
        const { dev, ino } = fs.lstatSync(path);
        return `${dev} ${ino}`;
      } catch {
        return null;
      }
    },
    rename: (from, to) => fs.renameSync(from, to),
  };
}

function acceptedStream(
  socket: NodeSocket,
  options: NodeStreamOptions,
  remake: NetModule | null,
): NodeStream {
  if (remake !== null) {
    const reader = new Reader();
    const remade = remakeSocket(remake, socket, reader);
    if (remade !== null) return new NodeStream(remade, { ...options, reader });
  }
  return new NodeStream(socket, options);
}
