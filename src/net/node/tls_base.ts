/**
 * TlsBase: what `node:tls` sits on during a handshake, and what it becomes: the runtime's own
 * socket where there is one to take over, else the raw stream as a Duplex.
 *
 * On the socket TLS costs a third of what it costs on a Duplex, and works for every connection that
 * this package has opened in Node. Not in Deno, whose TLS on a socket has no back pressure, and not
 * for sockets that the user gave. Invariant: closing a base closes the connection. Independent of:
 * which side of the handshake it is.
 */
import type { Carrier, RawTlsStream } from "../tls/port.ts";
import { type Duplex, DuplexAdapter } from "../tls/duplex_adapter.ts";
import { NativeTlsStream } from "./native_tls_stream.ts";
import { NodeStream, type ReleasedSocket } from "./stream.ts";
import { NodeTlsStream } from "./tls_stream.ts";
import type { NativeSocket, NativeTlsSocket, TlsSocket } from "./tls_types.ts";

/** What TLS sits on during a handshake. */
export interface TlsBase {
  /** What the engine is given. */
  readonly below: Duplex | NativeSocket;
  /** Called where the connection ends or breaks, until it is set to null. */
  whenEnded: ((cause: unknown) => void) | null;
  /** Ends the connection. */
  close(): void;
  /** The handshake is done: the secured stream, which has the connection from now on. */
  secured(socket: TlsSocket): RawTlsStream;
}

/** What a handshake over `carrier` sits on. */
export function baseOf(
  carrier: Carrier,
  newDuplex: (options: Record<string, unknown>) => Duplex,
): TlsBase {
  const released = carrier.raw instanceof NodeStream ? carrier.raw.release() : null;
  if (released === null) return new DuplexBase(new DuplexAdapter(newDuplex, carrier));
  return new NativeBase(released, carrier);
}

/** A raw stream as a Duplex. */
class DuplexBase implements TlsBase {
  readonly below: Duplex;
  readonly #adapter: DuplexAdapter;

  constructor(adapter: DuplexAdapter) {
    this.#adapter = adapter;
    this.below = adapter.duplex;
  }

  set whenEnded(listener: ((cause: unknown) => void) | null) {
    this.#adapter.whenEnded = listener;
  }

  close(): void {
    this.#adapter.close();
  }

  secured(socket: TlsSocket): RawTlsStream {
    return new NodeTlsStream(socket, this.#adapter);
  }
}

/** A socket of Node's. */
class NativeBase implements TlsBase {
  readonly below: NativeSocket;
  whenEnded: ((cause: unknown) => void) | null = null;
  readonly #released: ReleasedSocket;
  readonly #carrier: Carrier;

  constructor(released: ReleasedSocket, carrier: Carrier) {
    this.#released = released;
    this.#carrier = carrier;
    const socket = this.below = released.socket;
    if (carrier.leftover !== null) socket.unshift(carrier.leftover);
    // An end during the handshake is the end of it; TLS asks for this when it takes the socket.
    socket.allowHalfOpen = false;
    // Where it had come before TLS took the socket, nobody else tells of it.
    socket.on("end", () => this.whenEnded?.(undefined));
  }

  close(): void {
    this.below.destroy();
  }

  secured(socket: TlsSocket): RawTlsStream {
    const { localAddr: local, remoteAddr: remote } = this.#carrier.raw;
    const native = socket as unknown as NativeTlsSocket;
    native.allowHalfOpen = true;
    return new NativeTlsStream(native, this.#released, { local, remote });
  }
}
