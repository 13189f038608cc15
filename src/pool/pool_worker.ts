/**
 * PoolWorker: one worker as its pool sees it: what it holds, and in what state it is.
 *
 * Invariants: `held` has exactly the calls that were sent and not answered; an entry is the `CallWait` itself, or a `Grace` once its
 * caller is gone. States only go forwards: starting, ready, leaving. Calls are sent in `ready` alone.
 * The pool moves `state`, as it counts workers by it.
 * Must never know: other workers, who waits.
 */
import type { Scheduler } from "../kernel/scheduler.ts";
import type { Timed } from "../kernel/timers.ts";
import type { CallWait } from "./call_wait.ts";
import { uncloneableError } from "./clone.ts";
import type { Backend, FromWorker, WorkerEnd, WorkerLink } from "./protocol.ts";
import { encodeThrown } from "./thrown.ts";
import { transferOf } from "./transfer.ts";

/** What of a worker's messages concerns its pool. */
export type Report = Exclude<FromWorker, readonly ["up"]>;

/** What a worker tells its pool. */
export interface PoolWorkerOwner {
  received(worker: PoolWorker, message: Report): void;
  ended(worker: PoolWorker, end: WorkerEnd): void;
  /** A cancelled call was not answered in time. */
  overdue(worker: PoolWorker): void;
}

/** Stands for a call whose caller is gone and which the worker has not answered; waits for that until its time is up. */
class Grace implements Timed {
  generation: number = 0;
  readonly #expired: () => void;

  constructor(expired: () => void) {
    this.#expired = expired;
  }

  expire(): void {
    this.#expired();
  }
}

/** How long a worker that was told to end may take before it is ended by force, in seconds. */
const STOP_GRACE = 2;

/** One worker. */
export class PoolWorker {
  readonly id: number;
  state: "starting" | "ready" | "leaving" = "starting";
  /** Its script runs. */
  up: boolean = false;
  /** It said that it is ready, once. */
  loaded: boolean = false;
  /** The pool told it to end. */
  dismissed: boolean = false;
  readonly held: Map<number, CallWait<unknown> | Grace> = new Map();
  /** How many calls it was sent. */
  calls: number = 0;
  /** Since when it holds nothing; kept only where idle workers end. */
  idleSince: number = 0;
  /** The error it said it ends with. */
  broken: unknown = undefined;

  readonly #scheduler: Scheduler;
  readonly #owner: PoolWorkerOwner;
  readonly #link: WorkerLink;
  #stopTimer: Timed | null = null;

  /** Starts the worker; throws where the runtime does not allow that. */
  constructor(
    id: number,
    scheduler: Scheduler,
    owner: PoolWorkerOwner,
    backend: Backend,
    module: string,
  ) {
    this.id = id;
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#link = backend.start({
      received: (message) => {
        if (message[0] !== "up") return owner.received(this, message);
        this.up = true;
        this.#link.post(["load", module], undefined);
      },
      ended: (end) => this.#ended(end),
    });
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
    this.held.set(id, call);
    this.calls++;
    return true;
  }

  /** Takes out a call that was answered: null where nobody waits for that any more. */
  answered(id: number): CallWait<unknown> | null {
    const entry = this.held.get(id);
    if (entry === undefined) return null;
    this.held.delete(id);
    if (!(entry instanceof Grace)) return entry;
    this.#scheduler.timers.cancel(entry);
    return null;
  }

  /** Cancels a call whose caller is gone. */
  abandon(call: CallWait<unknown>, reason: unknown, grace: number): void {
    const entry = new Grace(() => this.#owner.overdue(this));
    this.held.set(call.id, entry);
    try {
      const why = reason === undefined ? undefined : encodeThrown(reason);
      this.#link.post(["cancel", call.id, why], undefined);
    } catch {
      this.#link.post(["cancel", call.id, undefined], undefined); // a reason that cannot be sent
    }
    if (grace !== Infinity) this.#scheduler.addTimer(this.#scheduler.host.now() + grace, entry);
  }

  /** Tells it, now that it holds nothing, to end; by force where it does not. */
  stop(): void {
    this.dismissed = true;
    this.#stopTimer = new Grace(() => this.#link.kill());
    this.#scheduler.addTimer(this.#scheduler.host.now() + STOP_GRACE, this.#stopTimer);
    this.#link.stop(); // last, as it may end at once
  }

  /** Ends it by force; `dismissed` says whether because the pool wants that. */
  kill(dismissed: boolean): void {
    this.dismissed = dismissed;
    this.#link.kill();
  }

  /** Takes out the calls somebody still waits for. */
  takeCalls(): CallWait<unknown>[] {
    const calls: CallWait<unknown>[] = [];
    for (const [id, entry] of this.held) {
      if (entry instanceof Grace) continue;
      calls.push(entry);
      this.held.delete(id);
    }
    return calls;
  }

  #ended(end: WorkerEnd): void {
    const { timers } = this.#scheduler;
    for (const entry of this.held.values()) if (entry instanceof Grace) timers.cancel(entry);
    if (this.#stopTimer !== null) timers.cancel(this.#stopTimer);
    const { broken } = this;
    this.#owner.ended(
      this,
      broken === undefined ? end : { how: "an error that nobody caught", error: broken },
    );
  }
}
