/**
 * FaultNetwork: a network around another one, in which any call can fail as a runtime makes it
 * fail.
 *
 * A test gives a plan: for each call (an accept, a receive, a `setNoDelay`...) it says which error
 * is met, or null. What meets none goes to the network inside. After a fault a connection is broken
 * for good, as a real one is.
 *
 * Invariants: the rules of `src/net/network.ts` hold: each call is answered once, nothing is
 * answered after `close`. Everything that was opened is counted until it is closed: `left` says
 * what a program has forgotten.
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
} from "../../src/net/network.ts";
import type { Address } from "../../src/stream.ts";

/** A call that can fail. */
export type FaultPoint =
  | "listen"
  | "connect"
  | "accept"
  | "receive"
  | "send"
  | "finish"
  | "setNoDelay"
  | "setKeepAlive"
  | "close"
  | "closeListener";

/** One call, as a plan sees it. */
export interface FaultCall {
  readonly point: FaultPoint;
  /** Whose call it is: a connection that was accepted (and its listener), or one that was made. */
  readonly side: "server" | "client";
  /** Which connection of that side, counted from 0; for a listener, how many it has accepted. */
  readonly connection: number;
  /** How often this point was called on this connection or listener before. */
  readonly count: number;
}

/** How a call fails. */
export interface Fault {
  /** The host's error. */
  readonly error: unknown;
  /**
   * "later": by the event that answers, once the caller has returned. "at once": by the same event,
   * before that. "throw": the call itself throws. Where there is no event (`setNoDelay`,
   * `setKeepAlive`, `close`) the call always throws.
   */
  readonly how: "later" | "at once" | "throw";
}

/** Says how a call fails, or null where it does not. */
export type FaultPlan = (call: FaultCall) => Fault | null;

/**
 * A plan in which the first call of one point, on the first connection of one side, fails; and no
 * other.
 */
export function failOnce(
  point: FaultPoint,
  fault: Fault,
  side: FaultCall["side"] = "server",
): FaultPlan {
  let met = false;
  return (call) => {
    if (met || call.point !== point || call.side !== side) return null;
    met = true;
    return fault;
  };
}

/** An error as a host makes it: a class by its name, and a code where the host gives one. */
function hostError(name: string, message: string, code?: string): Error {
  const error = Object.assign(new Error(message), { name });
  return code === undefined ? error : Object.assign(error, { code });
}

/**
 * The errors that Deno gives. Those of the system have a code (as `accept` gives it, `NotConnected`
 * among them); those of Deno itself have none.
 */
export function denoErrors(): Error[] {
  return [
    hostError("NotConnected", "Transport endpoint is not connected (os error 107)", "ENOTCONN"),
    hostError("NotConnected", "Transport endpoint is not connected (os error 107)"),
    hostError("BadResource", "Bad resource ID"),
    hostError("Interrupted", "operation canceled"),
    hostError("ConnectionReset", "Connection reset by peer (os error 104)", "ECONNRESET"),
    hostError("ConnectionAborted", "Software caused connection abort", "ECONNABORTED"),
    hostError("BrokenPipe", "Broken pipe (os error 32)", "EPIPE"),
    hostError("TimedOut", "Connection timed out (os error 110)", "ETIMEDOUT"),
    hostError("Busy", "Another accept task is ongoing"),
    hostError("UnexpectedEof", "tls handshake eof"),
    hostError("InvalidData", "received corrupt message of type InvalidContentType"),
    hostError("NotCapable", 'Requires net access to "127.0.0.1"'),
    hostError("PermissionDenied", "Operation not permitted (os error 1)", "EPERM"),
    hostError("WouldBlock", "Resource temporarily unavailable (os error 11)", "EAGAIN"),
    hostError("TypeError", "Invalid argument"),
    ...SYSTEM_CODES.map((code) => hostError("Error", `${code} (os error)`, code)),
  ];
}

/** The errors that `node:net` gives. */
export function nodeErrors(): Error[] {
  return [
    ...SYSTEM_CODES.map((code) => hostError("Error", `read ${code}`, code)),
    hostError("Error", "Cannot call write after a stream was destroyed", "ERR_STREAM_DESTROYED"),
    hostError("Error", "write after end", "ERR_STREAM_WRITE_AFTER_END"),
    hostError("Error", "Socket is closed", "ERR_SOCKET_CLOSED"),
    hostError("Error", "Server is not running.", "ERR_SERVER_NOT_RUNNING"),
    hostError("Error", "an error without a code"),
  ];
}

/**
 * What `accept`, `read`, `write` and `setsockopt` give on Linux, macOS and Windows, by their names
 * in POSIX.
 */
const SYSTEM_CODES: readonly string[] = [
  ...["EACCES", "EADDRINUSE", "EAGAIN", "EBADF", "ECANCELED", "ECONNABORTED", "ECONNRESET"],
  ...["EFAULT", "EHOSTDOWN", "EHOSTUNREACH", "EINTR", "EINVAL", "EIO", "EMFILE", "ENETDOWN"],
  ...["ENETRESET", "ENETUNREACH", "ENFILE", "ENOBUFS", "ENOMEM", "ENONET", "ENOPROTOOPT", "ENOSR"],
  ...["ENOTCONN", "ENOTSOCK", "EOPNOTSUPP", "EPERM", "EPIPE", "EPROTO", "ETIMEDOUT", "UNKNOWN"],
];

/** A network whose calls fail by a plan. */
export class FaultNetwork implements Network {
  readonly #inner: Network;
  readonly #plan: FaultPlan;
  readonly #codeOf: (error: unknown) => string;
  readonly #left = new Set<string>();
  readonly #counts = { server: 0, client: 0 };
  /** How many calls have failed. */
  faults = 0;

  /** @param codeOf How the network inside translates errors of its host. */
  constructor(inner: Network, plan: FaultPlan, codeOf: (error: unknown) => string = plainCode) {
    this.#inner = inner;
    this.#plan = plan;
    this.#codeOf = codeOf;
  }

  /** What was opened and is not closed: "server connection 2", "listener". */
  get left(): string[] {
    return [...this.#left].sort();
  }

  listenTcp(target: TcpListenTarget, attempt: Attempt<RawListener>): (() => void) | void {
    return this.#listen(attempt, (wrapped) => this.#inner.listenTcp(target, wrapped));
  }

  listenUnix(
    target: Parameters<Network["listenUnix"]>[0],
    attempt: Attempt<RawListener>,
  ): (() => void) | void {
    return this.#listen(attempt, (wrapped) => this.#inner.listenUnix(target, wrapped));
  }

  connectTcp(
    target: Parameters<Network["connectTcp"]>[0],
    attempt: Attempt<RawStream>,
  ): (() => void) | void {
    return this.#connect(attempt, (wrapped) => this.#inner.connectTcp(target, wrapped));
  }

  connectUnix(
    target: Parameters<Network["connectUnix"]>[0],
    attempt: Attempt<RawStream>,
  ): (() => void) | void {
    return this.#connect(attempt, (wrapped) => this.#inner.connectUnix(target, wrapped));
  }

  removeSocket(path: string): boolean {
    return this.#inner.removeSocket(path);
  }

  #listen(
    attempt: Attempt<RawListener>,
    begin: (attempt: Attempt<RawListener>) => (() => void) | void,
  ): (() => void) | void {
    const call = { point: "listen", side: "server", connection: 0, count: 0 } as const;
    if (this.fail(call, (code, error) => attempt.failed(code, error))) return;
    return begin({
      opened: (raw) => attempt.opened(new FaultListener(this, raw)),
      failed: (code, cause) => attempt.failed(code, cause),
    });
  }

  #connect(
    attempt: Attempt<RawStream>,
    begin: (attempt: Attempt<RawStream>) => (() => void) | void,
  ): (() => void) | void {
    const call = {
      point: "connect",
      side: "client",
      connection: this.#counts.client,
      count: 0,
    } as const;
    if (this.fail(call, (code, error) => attempt.failed(code, error))) return;
    return begin({
      opened: (raw) => attempt.opened(this.wrap(raw, "client")),
      failed: (code, cause) => attempt.failed(code, cause),
    });
  }

  /** A connection of the network inside, with faults. */
  wrap(raw: RawStream, side: FaultCall["side"]): RawStream {
    return new FaultStream(this, raw, side, this.#counts[side]++);
  }

  opened(what: string): void {
    this.#left.add(what);
  }

  closed(what: string): void {
    this.#left.delete(what);
  }

  /** Fails a call where the plan says so: true. It throws, or `answer` is called, now or later. */
  fail(call: FaultCall, answer: ((code: string, error: unknown) => void) | null): boolean {
    const fault = this.#plan(call);
    if (fault === null) return false;
    this.faults++;
    const { error, how } = fault;
    if (how === "throw" || answer === null) throw error;
    const code = this.#codeOf(error);
    if (how === "at once") answer(code, error);
    else queueMicrotask(() => answer(code, error));
    return true;
  }
}

function plainCode(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? "EIO";
}

class FaultListener implements RawListener, RawListenerEvents {
  events!: RawListenerEvents;
  readonly #network: FaultNetwork;
  readonly #inner: RawListener;
  readonly #name: string;
  #accepts = 0;
  #closed = false;

  constructor(network: FaultNetwork, inner: RawListener) {
    this.#network = network;
    this.#inner = inner;
    const { localAddr } = inner;
    this.#name = `listener ${localAddr.transport === "unix" ? localAddr.path : localAddr.port}`;
    network.opened(this.#name);
    inner.events = this;
  }

  get localAddr(): Address {
    return this.#inner.localAddr;
  }

  get isInLoop(): boolean {
    return this.#inner.isInLoop ?? false;
  }

  accept(): void {
    const count = this.#accepts++;
    const call = { point: "accept", side: "server", connection: count, count } as const;
    const failed = (code: string, error: unknown) => {
      if (!this.#closed) this.events.acceptFailed(code, error);
    };
    if (!this.#network.fail(call, failed)) this.#inner.accept();
  }

  accepted(raw: RawStream): void {
    if (this.#closed) raw.close();
    else this.events.accepted(this.#network.wrap(raw, "server"));
  }

  acceptFailed(code: string, cause: unknown): void {
    if (!this.#closed) this.events.acceptFailed(code, cause);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#network.closed(this.#name);
    this.#inner.close();
    const call = { point: "closeListener", side: "server", connection: 0, count: 0 } as const;
    this.#network.fail(call, null);
  }
}

class FaultStream implements RawStream, ReceiveEvents, SendEvents {
  receiveEvents!: ReceiveEvents;
  sendEvents!: SendEvents;
  readonly #network: FaultNetwork;
  readonly #inner: RawStream;
  readonly #side: FaultCall["side"];
  readonly #connection: number;
  readonly #name: string;
  readonly #calls = new Map<FaultPoint, number>();
  /** The stream inside was asked for bytes and has not answered. */
  #receiving = false;
  /** The fault that broke it. */
  #broken: { code: string; error: unknown } | null = null;
  #closed = false;

  constructor(
    network: FaultNetwork,
    inner: RawStream,
    side: FaultCall["side"],
    connection: number,
  ) {
    this.#network = network;
    this.#inner = inner;
    this.#side = side;
    this.#connection = connection;
    this.#name = `${side} connection ${connection}`;
    network.opened(this.#name);
    inner.receiveEvents = this;
    inner.sendEvents = this;
  }

  get localAddr(): Address {
    return this.#inner.localAddr;
  }

  get remoteAddr(): Address {
    return this.#inner.remoteAddr;
  }

  get bytes(): Uint8Array {
    return this.#inner.bytes;
  }

  get lifetime(): RawStream["lifetime"] {
    return this.#inner.lifetime;
  }

  get isInLoop(): boolean {
    return this.#inner.isInLoop ?? false;
  }

  get room(): number {
    return this.#inner.room ?? Infinity;
  }

  /** Fails a call where the plan says so, or where the connection is broken already. */
  #fail(point: FaultPoint, answer: ((code: string, error: unknown) => void) | null): boolean {
    const count = this.#calls.get(point) ?? 0;
    this.#calls.set(point, count + 1);
    const told = answer && ((code: string, error: unknown) => {
      this.#broken = { code, error };
      if (this.#closed) return;
      answer(code, error);
      if (point !== "receive") this.#failReceive(code, error);
    });
    const broken = this.#broken;
    if (broken !== null && told !== null) {
      queueMicrotask(() => told(broken.code, broken.error));
      return true;
    }
    const call = { point, side: this.#side, connection: this.#connection, count };
    return this.#network.fail(call, told);
  }

  /** A receive that is pending when a send breaks the connection is told, too. */
  #failReceive(code: string, error: unknown): void {
    if (!this.#receiving || this.#closed) return;
    this.#receiving = false;
    this.receiveEvents.receiveFailed(code, error);
  }

  receive(): void {
    const failed = (code: string, error: unknown) => this.receiveEvents.receiveFailed(code, error);
    if (this.#fail("receive", failed)) return;
    this.#receiving = true;
    this.#inner.receive();
  }

  send(bytes: Uint8Array): void {
    const failed = (code: string, error: unknown) => this.sendEvents.sendFailed(code, error);
    if (!this.#fail("send", failed)) this.#inner.send(bytes);
  }

  finish(): void {
    const failed = (code: string, error: unknown) => this.sendEvents.sendFailed(code, error);
    if (!this.#fail("finish", failed)) this.#inner.finish();
  }

  setNoDelay(on: boolean): void {
    this.#fail("setNoDelay", null);
    this.#inner.setNoDelay(on);
  }

  setKeepAlive(on: boolean): void {
    this.#fail("setKeepAlive", null);
    this.#inner.setKeepAlive(on);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#network.closed(this.#name);
    this.#inner.close();
    this.#fail("close", null);
  }

  closeSoon(): void {
    // The stream inside closes itself in the end, and does not say so.
    this.#network.closed(this.#name);
    this.#inner.closeSoon();
  }

  received(count: number): boolean | void {
    this.#receiving = false;
    if (this.#broken === null) return this.receiveEvents.received(count);
  }

  receiveFailed(code: string, cause: unknown): void {
    this.#receiving = false;
    if (this.#broken === null) this.receiveEvents.receiveFailed(code, cause);
  }

  sent(): void {
    if (this.#broken === null) this.sendEvents.sent();
  }

  sendFailed(code: string, cause: unknown): void {
    if (this.#broken === null) this.sendEvents.sendFailed(code, cause);
  }
}
