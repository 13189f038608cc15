/**
 * Undocumented internals of Node: the handle of an accepted socket.
 *
 * A socket that reads into memory it is given (`onread`) spares its stream machinery half of what a
 * small request costs. The public option is for sockets that connect; an accepted one is made anew
 * around its handle, `_handle`. That is done where the handle looks as expected; otherwise, or with
 * `runtimeNetwork({ internals: false })`, accepted sockets are read by `data` events. Both ways
 * pass the same tests. Independent of: everything else of the port.
 */
import type { NetModule, NodeSocket } from "../runtime_types.ts";

/** The option `onread` of a socket. */
export interface OnRead {
  /** Where the socket reads to. */
  readonly buffer: Uint8Array;
  /** Told how many bytes are there; false stops reading. */
  readonly callback: (count: number) => boolean;
}

/** What an accepted socket looks like inside. */
interface Accepted extends NodeSocket {
  _handle?: { useUserBuffer?: unknown } | null;
  server?: unknown;
  _server?: unknown;
}

/**
 * Makes an accepted socket anew that reads by `onread`, around the handle of the first one, which
 * is of no use then; null where that is not possible.
 */
export function remakeSocket(
  { Socket }: NetModule,
  accepted: NodeSocket,
  onread: OnRead,
): NodeSocket | null {
  const inner = accepted as Accepted;
  const handle = inner._handle;
  if (typeof handle?.useUserBuffer !== "function") return null;
  const socket = new Socket({ handle, onread, allowHalfOpen: true, pauseOnCreate: true });
  const { server, _server } = inner;
  Object.assign(socket, { server, _server }); // by these the server counts its connections
  inner._handle = null;
  return socket;
}
