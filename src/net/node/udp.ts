/**
 * UDP by `node:dgram`, in Node, Bun and Deno, whose own needs `--unstable-net`.
 */
import { builtin } from "../../runtime/builtin.ts";
import { codeOf } from "../../bytes/error_code.ts";
import type { Attempt, DatagramEvents, Network, RawDatagram } from "../network.ts";
import type { UdpPermissions } from "../runtime_types.ts";
import type { NetAddress } from "../../stream.ts";

/** What is used of a socket of `node:dgram`. */
interface DgramSocket {
  on(event: string, listener: (...args: never[]) => void): unknown;
  bind(options: { port: number; address: string }): void;
  address(): { address: string; port: number };
  send(
    bytes: Uint8Array,
    port: number,
    hostname: string,
    done: (error: unknown) => void,
  ): void;
  close(): void;
}

interface DgramModule {
  createSocket(options: { type: "udp4" | "udp6" }): DgramSocket;
}

interface Sender {
  readonly address: string;
  readonly port: number;
}

/**
 * How to bind a UDP socket, or `undefined` where there is no `node:dgram`.
 *
 * @param permissions For runtimes that have them.
 */
export function nodeUdp(permissions?: UdpPermissions): Network["bindUdp"] {
  const dgram = builtin<DgramModule>("node:dgram");
  if (dgram === undefined) return undefined;
  return (target, attempt) => {
    const denied = permissions?.request(target.hostname, target.port) ?? null;
    if (denied !== null) return attempt.failed(codeOf(denied), denied);
    new NodeDatagram(dgram, target, attempt, permissions);
  };
}

class NodeDatagram implements RawDatagram {
  localAddr!: NetAddress;
  events!: DatagramEvents;
  readonly #socket: DgramSocket;
  readonly #permissions: UdpPermissions | undefined;
  #closed = false;

  constructor(
    dgram: DgramModule,
    { hostname, port }: Pick<NetAddress, "hostname" | "port">,
    attempt: Attempt<RawDatagram>,
    permissions: UdpPermissions | undefined,
  ) {
    this.#permissions = permissions;
    const socket = dgram.createSocket({ type: hostname.includes(":") ? "udp6" : "udp4" });
    this.#socket = socket;
    let opened = false;
    socket.on("listening", () => {
      opened = true;
      const { address, port } = socket.address();
      this.localAddr = { transport: "udp", hostname: address, port };
      attempt.opened(this);
    });
    socket.on("error", (error: unknown) => {
      if (this.#closed) return;
      if (opened) return this.events.broke(codeOf(error), error);
      this.close();
      attempt.failed(codeOf(error), error);
    });
    socket.on("message", (bytes: Uint8Array, { address, port }: Sender) => {
      if (this.#closed) return;
      // Not a Buffer, whose slice() shares its memory.
      const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
      this.events.arrived(plain, { transport: "udp", hostname: address, port });
    });
    try {
      socket.bind({ port, address: hostname });
    } catch (error) {
      this.close();
      attempt.failed(codeOf(error), error);
    }
  }

  send(
    bytes: Uint8Array,
    { hostname, port }: Pick<NetAddress, "hostname" | "port">,
    done: (code?: string, cause?: unknown) => void,
  ): void {
    try {
      this.#socket.send(bytes, port, hostname, (error) => {
        if (!error) return done();
        const cause = this.#permissions?.query(hostname, port) ?? error;
        done(codeOf(cause), cause);
      });
    } catch (error) {
      done(codeOf(error), error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#socket.close();
    } catch {
      // It never was bound.
    }
  }
}
