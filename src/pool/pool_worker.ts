/**
 * PoolWorker: one worker as its pool sees it: the calls it has, and in what state it is.
 *
 * Invariants
 * - `inFlight` has exactly the calls that were sent and not answered. An entry is the `CallWait`
 *   itself, or a `CancelledCall` once its caller is gone; `doomed` counts the latter that have a
 *   time limit.
 * - States only go forwards: starting, ready, leaving. Calls are sent in `ready` only.
 * - The pool moves `state`, because it counts workers by it.
 *
 * While `doomed` is not 0 the worker gets no new call. It may be ended by force soon, and every
 * call in it would end with it. Independent of: other workers, who waits.
 */
import type { Scheduler } from "../kernel/scheduler.ts";
import type { Timed } from "../kernel/timers.ts";
import type { CallWait } from "./call_wait.ts";
import { uncloneableError } from "./clone.ts";
import { encodeError } from "./error_codec.ts";
import { type Backend, type FromWorker, isFromWorker } from "./protocol.ts";
import type { WorkerEnd, WorkerLink } from "./protocol.ts";
import { transferOf } from "./transfer.ts";

/** The messages of a worker that concern its pool. */
export type Report = Exclude<FromWorker, readonly ["up"]>;

/** What a worker tells its pool. */
export interface PoolWorkerOwner {
  received(worker: PoolWorker, message: Report): void;
  /** A message came that is not of the protocol: from the module, or from a library in it. */
  receivedForeign(worker: PoolWorker): void;
  ended(worker: PoolWorker, end: WorkerEnd): void;
  /** The module was not loaded in time. */
  startTimedOut(worker: PoolWorker): void;
  /** A cancelled call was not answered in time. */
  overdue(worker: PoolWorker, name: string): void;
}

/** Something that happens at a deadline, unless it is cancelled before. */
class Alarm implements Timed {
  generation: number = 0;
  readonly expire: () => void;

  constructor(expire: () => void) {
    this.expire = expire;
  }
}

/** Stands for a call whose caller is gone and that the worker has not answered. */
class CancelledCall extends Alarm {}

/** How long a worker that was told to end may take before it is ended by force, in seconds. */
const STOP_GRACE = 2;

/** One worker. */
export class PoolWorker {
  readonly id: number;
  state: "starting" | "ready" | "leaving" = "starting";
  /** Its script runs. */
  up: boolean = false;
  /** It has loaded the module. */
  loaded: boolean = false;
  /** The pool has no more use for it, and told it to end. */
  dismissed: boolean = false;
  readonly inFlight: Map<number, CallWait<unknown> | CancelledCall> = new Map();
  /** How many calls it was sent. */
  sent: number = 0;
  /** Since when it has no call; kept only where idle workers end. */
  idleSince: number = 0;
  /** The error it said it ends with. */
  broken: unknown = undefined;
  /** Why the pool ended it by force, for the calls that end with it. */
  endedBecause: string | null = null;

  readonly #scheduler: Scheduler;
  readonly #owner: PoolWorkerOwner;
  readonly #link: WorkerLink;
  /** In force while it is starting, and again after it was told to stop. */
  #alarm: Alarm;
  #doomed = 0;

  /** Starts the worker; throws where the runtime does not allow that. */
  constructor(
    id: number,
    scheduler: Scheduler,
    owner: PoolWorkerOwner,
    backend: Backend,
    { module, startTimeout }: { readonly module: string; readonly startTimeout: number },
  ) {
    this.id = id;
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#link = backend.start({
      received: (message) => {
        if (!isFromWorker(message)) owner.receivedForeign(this);
        else if (message[0] !== "up") owner.received(this, message);
        else if (!this.up) {
          this.up = true;
          this.#link.post(["load", module], undefined);
        }
      },
      ended: (end) => this.#ended(end),
    });
    this.#alarm = new Alarm(() => owner.startTimedOut(this));
    this.#set(this.#alarm, startTimeout);
  }

  /** Whether it can be given a call. */
  hasRoom(concurrency: number): boolean {
    return this.state === "ready" && this.#doomed === 0 && this.inFlight.size < concurrency;
  }

  /** It has loaded its module. */
  started(): void {
    this.state = "ready";
    this.loaded = true;
    this.#scheduler.timers.cancel(this.#alarm);
  }

  /** Sends a call; false where it cannot be sent, which has then failed it. */
  send(call: CallWait<unknown>, id: number): boolean {
    const { name, args } = call;
    try {
      this.#link.post(["call", id, name, args], transferOf(args));
    } catch (error) {
      call.fail(uncloneableError(`the arguments of ${name}() to a worker`, args, "args", error));
      return false;
    }
    call.worker = this;
    call.id = id;
    this.inFlight.set(id, call);
    this.sent++;
    return true;
  }

  /** Takes out a call that was answered: null where nobody waits for that any more. */
  answered(id: number): CallWait<unknown> | null {
    const entry = this.inFlight.get(id);
    if (entry === undefined) return null;
    this.inFlight.delete(id);
    if (!(entry instanceof CancelledCall)) return entry;
    if (entry.generation !== 0) this.#doomed--;
    this.#scheduler.timers.cancel(entry);
    return null;
  }

  /** Cancels a call whose caller is gone; the worker has `grace` seconds to answer it. */
  cancel(call: CallWait<unknown>, reason: unknown, grace: number): void {
    const entry = new CancelledCall(() => {
      this.#doomed--;
      this.#owner.overdue(this, call.name);
    });
    this.inFlight.set(call.id, entry);
    try {
      const why = reason === undefined ? undefined : encodeError(reason);
      this.#link.post(["cancel", call.id, why], undefined);
    } catch {
      this.#link.post(["cancel", call.id, undefined], undefined); // a reason that cannot be sent
    }
    if (this.#set(entry, grace)) this.#doomed++;
  }

  /** Tells it, now that it has no call, to end; by force where it does not. */
  stop(): void {
    this.dismissed = true;
    this.#scheduler.timers.cancel(this.#alarm);
    this.#alarm = new Alarm(() => this.#link.kill());
    this.#set(this.#alarm, STOP_GRACE);
    this.#link.stop(); // last, because it may end at once
  }

  /** Ends it by force. */
  kill(): void {
    this.#link.kill();
  }

  /** Takes out the calls that somebody still waits for. */
  takeCalls(): CallWait<unknown>[] {
    const calls: CallWait<unknown>[] = [];
    for (const [id, entry] of this.inFlight) {
      if (entry instanceof CancelledCall) continue;
      calls.push(entry);
      this.inFlight.delete(id);
    }
    return calls;
  }

  /** Sets an alarm; false where the time is unlimited. */
  #set(alarm: Alarm, seconds: number): boolean {
    if (seconds === Infinity) return false;
    this.#scheduler.addTimer(this.#scheduler.host.now() + seconds, alarm);
    return true;
  }

  #ended(end: WorkerEnd): void {
    const { timers } = this.#scheduler;
    for (const entry of this.inFlight.values()) {
      if (entry instanceof CancelledCall) timers.cancel(entry);
    }
    timers.cancel(this.#alarm);
    const { broken } = this;
    this.#owner.ended(
      this,
      broken === undefined ? end : { how: "an error that nobody caught", error: broken },
    );
  }
}
