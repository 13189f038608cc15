/**
 * Undocumented internals of Node: the handle of a socket, and where `onread` is kept.
 *
 * A socket that reads into memory it is given (`onread`) spares its stream machinery half of what a
 * small request costs. The public option is for sockets that connect; an accepted one is made anew
 * around its handle, `_handle`, and a secured one is given what the option would have set. The
 * handle below a secured socket tells whether a write is with the system by now: Node itself calls
 * back a turn later. That is done where everything looks as expected; otherwise, or with
 * `runtimeNetwork({ internals: false })`, such sockets are read by `data` events, and writes are
 * waited for. All ways pass the same tests. Independent of: everything else of the port.
 */
import { builtin } from "../../runtime/builtin.ts";
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

/** What a socket has inside, as far as a secured one is concerned. */
interface Secured {
  _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null;
  [symbol: symbol]: unknown;
}

/** The fields of a socket that `onread` is kept in. */
interface OnReadFields {
  readonly buffer: symbol;
  readonly callback: symbol;
}

let fields: OnReadFields | null | undefined;

/** Finds the fields by looking at a socket that was made with `onread`; null where it has none. */
function findFields(onread: OnRead): OnReadFields | null {
  const { Socket } = builtin<NetModule>("node:net")!;
  const probe = new Socket({ onread });
  const inside = probe as unknown as Secured;
  const own = Object.getOwnPropertySymbols(probe);
  const named = (name: string) => own.find((symbol) => symbol.description === name);
  const [buffer, callback, generator] = ["kBuffer", "kBufferCb", "kBufferGen"].map(named);
  probe.destroy();
  if (buffer === undefined || callback === undefined || generator === undefined) return null;
  const isAsExpected = inside[buffer] === onread.buffer && inside[callback] === onread.callback &&
    inside[generator] === null;
  return isAsExpected ? { buffer, callback } : null;
}

/**
 * Has a secured socket read by `onread`: true where that was possible. Nothing must have been read
 * from it.
 */
export function readBy(socket: object, onread: OnRead): boolean {
  const inside = socket as Secured & { readonly readableLength?: number };
  const handle = inside._handle;
  if (typeof handle?.useUserBuffer !== "function" || inside.readableLength !== 0) return false;
  if (fields === undefined) fields = findFields(onread);
  if (fields === null || inside[fields.buffer] !== null) return false;
  inside[fields.buffer] = onread.buffer;
  inside[fields.callback] = onread.callback;
  handle.useUserBuffer(onread.buffer);
  return true;
}

/** Tells how much of what a socket was given is not with the system yet. */
export interface WriteQueue {
  readonly writeQueueSize: number;
}

/** The write queue of a socket, or null where that cannot be known. */
export function writeQueueOf(socket: object): WriteQueue | null {
  const handle = (socket as { _handle?: Partial<WriteQueue> | null })._handle;
  return typeof handle?.writeQueueSize === "number" ? handle as WriteQueue : null;
}
