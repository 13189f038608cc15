/**
 * Sender: the sending half of a socket. It gathers what is sent in one turn of the loop into one write.
 *
 * How. A send that is small is copied behind those before it and is done: its task goes on in the same turn. What was gathered is written
 * when the task waits for an answer, when the gather buffer is full, or at the latest when the turn ends. So a
 * request and its reply cost one write and one wait, and sixteen pipelined replies cost one write too: a write is 74% of what a
 * small reply costs. A send that is large is written from the caller's own bytes, and its task waits for that.
 * Rejected: to let every send wait for its own write. One task could then never have two replies in one write.
 *
 * Invariants
 * - At most `GATHERED` bytes are gathered and as many on their way; beyond that, send waits: a peer that stops reading stops the sender.
 * - The backend is asked for one thing at a time: `busy` says which. Bytes leave in the order of the sends.
 * - An error of a write is given to who waits, and to everybody who sends later, and to who asks at the end (`drain`).
 * - Closing lets what was gathered go out first, because those sends have returned; the backend bounds how long that takes.
 *
 * Must never know: what is received; which backend it is.
 */
import { BrokenResourceError, BusyResourceError, ClosedResourceError } from "../kernel/errors.ts";
import { ExternalWait } from "../kernel/wait.ts";
import type { RawStream, SendEvents } from "./network.ts";
import type { TaskCore } from "../kernel/task.ts";
import { CLOSED, showAddress, SocketError, toError } from "./socket_error.ts";

/** The size of a gather buffer. Sends that are larger are written by themselves. */
const GATHERED = 16 * 1024;

/**
 * How many gather buffers are kept for the next turn: 16 MiB at most. With fewer, a turn in which a thousand connections reply
 * allocates for most of them, and a fifth of the processor time is the collector's.
 */
const MAX_SPARE = 1024;

/** Memory to gather in. Replies are often of one size, so the view of what was written last is kept: making one costs 50 ns and garbage. */
class GatherBuffer {
  readonly bytes: Uint8Array = new Uint8Array(GATHERED);
  #view: Uint8Array = this.bytes;

  first(count: number): Uint8Array {
    if (this.#view.length !== count) this.#view = this.bytes.subarray(0, count);
    return this.#view;
  }
}

const spare: GatherBuffer[] = [];

/** Senders that have gathered something; some of them have sent it off since. */
let gathering: Sender[] = [];
/** `flushAll` will run. */
let flushDue = false;
const settled = Promise.resolve();

/** Runs as a microtask, so once the turn that gathered has ended. */
function flushAll(): void {
  flushDue = false;
  const senders = gathering;
  gathering = [];
  for (const sender of senders) sender.flush();
}

/** What the backend was asked for and has not answered. */
type Busy = typeof IDLE | typeof GATHERING | typeof DIRECT | typeof FINISHING;
const IDLE = 0;
/** The gather buffer that is on its way. */
const GATHERING = 1;
/** A large send of a caller's own. */
const DIRECT = 2;
/** The end. */
const FINISHING = 3;

/** Who waits for its turn to send. */
export interface Waiter {
  /** Nothing is on its way any more: its turn has come. */
  proceed(): void;
  /** The gather buffer is empty, but something is on its way. */
  squeezeIn(): void;
  /** Its turn is over. */
  settle(): void;
  /** It failed. */
  fail(error: unknown): void;
}

/** The state of the sending half. */
export class Sender implements SendEvents {
  readonly raw: RawStream;
  waiter: Waiter | null = null;
  /** The error that ended sending, or null. */
  failure: unknown = null;
  /** How the connection broke, if it did. */
  broke: SocketError | null = null;
  /** Somebody was told of `failure`. */
  reported: boolean = false;
  finished: boolean = false;
  closed: boolean = false;
  #busy: Busy = IDLE;
  /** What was gathered and is not on its way: the first `#filled` bytes. Null exactly when there are none. */
  #gathered: GatherBuffer | null = null;
  #filled = 0;
  #flying: GatherBuffer | null = null;

  constructor(raw: RawStream) {
    this.raw = raw;
  }

  /** Whether a send that has returned may yet turn out to have failed. */
  get isOpenEnded(): boolean {
    if (this.failure !== null) return !this.reported;
    return this.#busy !== IDLE || this.#gathered !== null;
  }

  /** Refuses what cannot be sent now. */
  check(): void {
    if (this.failure !== null) {
      this.reported = true;
      throw toError(this.failure, this.peer);
    }
    if (this.waiter !== null) {
      throw new BusyResourceError(
        `Another task is sending to ${this.peer}: one at a time, or messages would come apart`,
      );
    }
  }

  /** Begins a send: true where it is done at once, else `waiter` waits for its turn. */
  begin(waiter: Waiter, bytes: Uint8Array): boolean {
    this.check();
    if (this.finished) {
      throw new ClosedResourceError(`Cannot send to ${this.peer} after shutdown()`);
    }
    if (bytes.length === 0 || this.gather(bytes)) return true;
    this.queue(waiter);
    return false;
  }

  /** Whether a message is the first since the last flush, and small. */
  isFirst(bytes: Uint8Array): boolean {
    if (this.#gathered !== null || this.failure !== null) return false;
    if (this.waiter !== null || this.finished) return false;
    return bytes.length > 0 && bytes.length <= GATHERED;
  }

  /** Begins to end sending: true where that was done before. */
  beginShutdown(waiter: Waiter): boolean {
    this.check();
    if (this.finished) return true;
    this.queue(waiter);
    return false;
  }

  /** Has `waiter` wait for its turn, which may come at once. */
  queue(waiter: Waiter): void {
    this.waiter = waiter;
    this.advance();
  }

  /** Gathers what a waiter has to send, if that is possible by now. */
  squeeze(waiter: Waiter, bytes: Uint8Array): void {
    if (!this.gather(bytes)) return;
    this.waiter = null;
    waiter.settle();
  }

  /** Takes a small message; false where there is no room now, or it is too large ever to be gathered. */
  gather(bytes: Uint8Array): boolean {
    const { length } = bytes;
    if (length > GATHERED) return false;
    if (length > GATHERED - this.#filled) {
      if (this.#busy !== IDLE) return false;
      this.flush();
    }
    let gathered = this.#gathered;
    if (gathered === null) {
      gathered = this.#gathered = spare.pop() ?? new GatherBuffer();
      gathering.push(this);
      if (!flushDue) {
        flushDue = true;
        settled.then(flushAll);
      }
    }
    gathered.bytes.set(bytes, this.#filled);
    this.#filled += length;
    return true;
  }

  /** Sends off what was gathered, unless something is on its way: then it follows that. */
  flush(): void {
    const gathered = this.#gathered;
    if (gathered === null || this.#busy !== IDLE) return;
    const filled = this.#filled;
    // Not touched again by `flushAll`, most of the time: with a thousand connections it is out of the cache by then.
    if (gathering[gathering.length - 1] === this) gathering.pop();
    this.#gathered = null;
    this.#filled = 0;
    this.#flying = gathered;
    this.#busy = GATHERING;
    this.raw.send(gathered.first(filled));
  }

  /** Asks the backend for the next thing there is to do. */
  advance(): void {
    if (this.#busy !== IDLE) return;
    if (this.#gathered !== null) {
      this.flush();
      this.waiter?.squeezeIn();
    } else if (this.waiter !== null) this.waiter.proceed();
    else if (this.closed) this.raw.close();
  }

  sendDirectly(bytes: Uint8Array): void {
    this.#busy = DIRECT;
    this.raw.send(bytes);
  }

  finish(): void {
    this.finished = true;
    this.#busy = FINISHING;
    this.raw.finish();
  }

  sent(): void {
    const was = this.#busy;
    this.#land();
    if (was !== GATHERING) {
      const { waiter } = this;
      this.waiter = null;
      waiter?.settle();
    }
    this.advance();
  }

  sendFailed(code: string, cause: unknown): void {
    this.#land();
    if (this.closed) return this.raw.close();
    this.broke = new SocketError("Cannot send to", code, this.raw.remoteAddr, cause);
    this.end(this.broke);
  }

  /** The backend has answered. */
  #land(): void {
    this.#busy = IDLE;
    if (this.#flying !== null && spare.length < MAX_SPARE) spare.push(this.#flying);
    this.#flying = null;
  }

  /** Ends sending with an error, which whoever waits gets now, and whoever comes later then. */
  end(error: unknown): void {
    this.failure ??= error;
    this.#gathered = null;
    this.#filled = 0;
    const { waiter } = this;
    this.waiter = null;
    if (waiter === null) return;
    this.reported = true;
    waiter.fail(error);
  }

  /** A wait was cancelled. */
  abandon(): void {
    this.waiter = null;
    if (this.#busy !== DIRECT) return;
    this.reported = true; // by the Cancelled
    this.end(
      new BrokenResourceError(
        `A send to ${this.peer} was cancelled half way: nothing can follow it, close the socket`,
      ),
    );
  }

  /** Gives the raw stream to somebody else. Nothing is on its way. */
  surrender(error: ClosedResourceError): void {
    this.check();
    this.failure = error;
    this.closed = this.reported = true;
  }

  /** Closed from this side. What was gathered still goes out; a large send is cut off. */
  close(): void {
    if (this.closed) return;
    this.closed = this.reported = true;
    const cutOff = this.#busy === DIRECT || this.failure !== null;
    this.failure = CLOSED;
    const { waiter } = this;
    this.waiter = null;
    waiter?.fail(toError(CLOSED, this.peer));
    if (cutOff) return this.raw.close();
    this.advance();
    if (this.#busy !== IDLE) this.raw.closeSoon();
  }

  get peer(): string {
    return showAddress(this.raw.remoteAddr);
  }
}

/** Waits for its turn to send. */
abstract class SendingWait extends ExternalWait<void> implements Waiter {
  declare protected readonly sender: Sender;

  constructor(sender: Sender) {
    super();
    this.sender = sender;
  }

  protected disarm(): void {
    this.sender.abandon();
  }

  abstract proceed(): void;

  squeezeIn(): void {}

  describe(): string {
    return `sending to ${this.sender.peer}`;
  }
}

/** `send`. */
export class Send extends SendingWait {
  declare private readonly bytes: Uint8Array;

  constructor(sender: Sender, bytes: Uint8Array) {
    super(sender);
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError("send() wants a Uint8Array: new TextEncoder().encode(text) makes one");
    }
    this.bytes = bytes;
  }

  /**
   * The first small message since the last flush is taken without a turn for the others: the task cannot send a second one so.
   * Thus the reply is written while the processor still has the connection in its cache.
   */
  override perform(task: TaskCore): boolean {
    if (task.scope.cause !== null || !this.sender.isFirst(this.bytes)) return super.perform(task);
    this.begin();
    this.sender.gather(this.bytes);
    return true;
  }

  protected arm(): void {
    if (this.sender.begin(this, this.bytes)) this.settle();
  }

  override squeezeIn(): void {
    this.sender.squeeze(this, this.bytes);
  }

  proceed(): void {
    this.sender.sendDirectly(this.bytes);
  }
}

/** `shutdown`. */
export class Shutdown extends SendingWait {
  protected arm(): void {
    if (this.sender.beginShutdown(this)) this.settle();
  }

  proceed(): void {
    this.sender.finish();
  }
}

/** Waits until all that was sent is with the system; throws where that failed. */
export class Drain extends SendingWait {
  protected arm(): void {
    this.sender.check();
    this.sender.queue(this);
  }

  proceed(): void {
    this.sender.waiter = null;
    this.settle();
  }
}
