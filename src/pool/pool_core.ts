/**
 * PoolCore: which worker gets which call, and how many workers there are.
 *
 * Invariants
 * - A call is in `#waiting` or in flight in one worker, never both, and is sent once: so it never
 *   runs twice.
 * - While a call waits, every ready worker has no room, and a worker is starting or all `size` are
 *   there: so no call is forgotten.
 * - `#workers` has every worker that has not ended, so that closing can wait for all of them;
 *   `#live` counts those among them that are not `leaving`. One that leaves makes room for the next
 *   at once.
 * - A start that failed is not tried again by itself, only for another call: so a module that does
 *   not load fails its calls, and never spins.
 *
 * Why a call waits here and not in the worker it will run in: its arguments are cloned when a
 * worker takes it, so a waiting call costs nothing but its caller; one slow call delays no other;
 * and a worker that dies fails only the calls that it had really begun. Independent of: threads or
 * processes, what calls mean.
 */
import { ClosedResourceError } from "../kernel/errors.ts";
import type { Operation } from "../kernel/coroutine.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import type { TaskCore } from "../kernel/task.ts";
import type { Timed } from "../kernel/timers.ts";
import { WaitList } from "../kernel/wait_list.ts";
import type { CallOwner, CallWait } from "./call_wait.ts";
import { textOf } from "./clone.ts";
import { decodeError } from "./error_codec.ts";
import { PoolWait } from "./pool_wait.ts";
import { PoolWorker, type PoolWorkerOwner, type Report } from "./pool_worker.ts";
import type { Backend, WorkerEnd } from "./protocol.ts";
import type { PoolSettings, PoolStatistics } from "./settings.ts";
import { PoolFullError, WorkerError } from "./worker_error.ts";

/** The engine of one pool. */
export class PoolCore implements CallOwner, PoolWorkerOwner {
  readonly settings: PoolSettings;
  /** The module, for messages. */
  readonly #title: string;
  readonly #backend: Backend;
  readonly #scheduler: Scheduler;
  /** The task that opened the pool: warnings name it. */
  readonly #opener: TaskCore;
  readonly #waiting = new WaitList<CallWait<unknown>>();
  readonly #workers = new Set<PoolWorker>();
  #live = 0;
  #starting = 0;
  #lastWorker = 0;
  #lastCall = 0;
  #closed = false;
  readonly #shrinkTimer: Timed = { generation: 0, expire: () => this.#shrink() };
  /** `open` and closing wait here for workers to come or go. */
  readonly #waits = new Set<PoolWait>();
  /** Why the last worker that could not be started could not. */
  #failure: WorkerError | null = null;
  #warnedOfForeign = false;
  #completed = 0;
  #failed = 0;
  #cancelled = 0;
  #died = 0;
  #overdue = 0;

  constructor(backend: Backend, settings: PoolSettings, opener: TaskCore) {
    this.#backend = backend;
    this.settings = settings;
    this.#title = shorten(settings.module);
    this.#opener = opener;
    this.#scheduler = opener.scheduler;
  }

  get statistics(): PoolStatistics {
    let ready = 0;
    let busy = 0;
    let running = 0;
    for (const worker of this.#workers) {
      if (worker.state !== "ready") continue;
      ready++;
      running += worker.inFlight.size;
      if (worker.inFlight.size > 0) busy++;
    }
    return {
      workers: ready,
      busy,
      idle: ready - busy,
      starting: this.#starting,
      running,
      waiting: this.#waiting.size,
      completed: this.#completed,
      failed: this.#failed,
      cancelled: this.#cancelled,
      died: this.#died,
      overdue: this.#overdue,
    };
  }

  // Calls

  submit(call: CallWait<unknown>): void {
    if (this.#closed) throw new ClosedResourceError(`${call.name}() in a pool that is closed`);
    const worker = this.#roomiest();
    if (worker !== null) return this.#send(call, worker);
    const { maxWaiting, size, concurrency } = this.settings;
    const toCome = (size - this.#live + this.#starting) * concurrency;
    if (this.#waiting.size >= maxWaiting + toCome) {
      throw new PoolFullError(`${call.name}() in a pool where ${maxWaiting} calls wait already`);
    }
    this.#waiting.push(call);
    this.#grow();
  }

  cancel(call: CallWait<unknown>, reason: unknown): void {
    this.#cancelled++;
    if (call.worker === null) this.#waiting.remove(call);
    else call.worker.cancel(call, reason, this.settings.cancelGrace);
  }

  /**
   * The worker with the fewest calls that has room for one more; of equals the oldest, so that the
   * others can end.
   */
  #roomiest(): PoolWorker | null {
    let best: PoolWorker | null = null;
    let fewest = this.settings.concurrency;
    for (const worker of this.#workers) {
      if (!worker.hasRoom(fewest)) continue;
      if (worker.inFlight.size === 0) return worker;
      best = worker;
      fewest = worker.inFlight.size;
    }
    return best;
  }

  /** Gives a ready worker what waits. */
  #fill(worker: PoolWorker): void {
    while (worker.hasRoom(this.settings.concurrency)) {
      const call = this.#waiting.shift();
      if (call === null) break;
      this.#send(call, worker);
    }
    if (worker.inFlight.size === 0) this.#idle(worker);
  }

  #send(call: CallWait<unknown>, worker: PoolWorker): void {
    if (!worker.send(call, ++this.#lastCall)) this.#failed++;
  }

  // Workers

  /**
   * Starts a worker where calls wait that no worker is being started for: one for each call that
   * comes and each worker that goes, because starts may fail.
   */
  #grow(): void {
    const { size, concurrency } = this.settings;
    if (this.#starting * concurrency < this.#waiting.size && this.#live < size) this.#start();
  }

  /** Starts a worker; false where that failed, of which everyone concerned has been told. */
  #start(): boolean {
    try {
      const id = ++this.#lastWorker;
      this.#workers.add(new PoolWorker(id, this.#scheduler, this, this.#backend, this.settings));
    } catch (error) {
      this.#startFailed(because(error), error);
      return false;
    }
    this.#live++;
    this.#starting++;
    return true;
  }

  received(worker: PoolWorker, message: Report): void {
    if (message[0] === "ready") return this.#ready(worker);
    if (message[0] === "broken") {
      worker.broken = decodeError(message[1]);
      this.#retire(worker);
      return worker.kill();
    }
    const call = worker.answered(message[1]);
    if (worker.state === "ready") this.#fill(worker);
    if (call === null) return;
    if (message[0] === "done") {
      this.#completed++;
      call.settle(message[2]);
    } else {
      this.#failed++;
      call.fail(decodeError(message[2]));
    }
  }

  receivedForeign(worker: PoolWorker): void {
    if (this.#warnedOfForeign) return;
    this.#warnedOfForeign = true;
    this.#scheduler.warn({
      message: `Worker ${worker.id} of ${this.#title} received a message from its module ` +
        "that is none of a pool's, and ignores it: give results back by returning them",
      task: this.#opener,
    });
  }

  #ready(worker: PoolWorker): void {
    if (worker.state !== "starting") return;
    worker.started();
    this.#starting--;
    this.#failure = null;
    this.#fill(worker);
    this.#notify();
  }

  startTimedOut(worker: PoolWorker): void {
    const why = `the module was not loaded within ${this.settings.startTimeout} s (startTimeout)`;
    worker.endedBecause = why;
    this.#died++;
    this.#retire(worker);
    this.#startFailed(`: ${why}`, undefined, worker.up);
    this.#notify();
    worker.kill(); // last, because it may end at once
  }

  overdue(worker: PoolWorker, name: string): void {
    if (worker.state === "leaving") return;
    this.#overdue++;
    this.#died++;
    worker.endedBecause =
      `another call in it, of ${name}(), was cancelled and went on for more than ` +
      `${this.settings.cancelGrace} s (cancelGrace)`;
    this.#retire(worker);
    worker.kill();
    this.#replace();
  }

  /** Takes a worker out of those that count. */
  #retire(worker: PoolWorker): void {
    if (worker.state === "starting") this.#starting--;
    if (worker.state !== "leaving") this.#live--;
    worker.state = "leaving";
  }

  ended(worker: PoolWorker, end: WorkerEnd): void {
    this.#retire(worker);
    this.#workers.delete(worker);
    for (const call of worker.takeCalls()) {
      this.#failed++;
      call.fail(this.#lost(worker, call, end));
    }
    const byItself = !worker.dismissed && worker.endedBecause === null;
    if (byItself) this.#died++;
    if (byItself && !worker.loaded) {
      const why = end.error === undefined ? `: it ended with ${end.how}` : because(end.error);
      this.#startFailed(why, end.error, worker.up);
    } else if (worker.sent > 0) this.#replace();
    else this.#grow();
    this.#notify();
  }

  /** What a call gets whose worker has ended. */
  #lost(worker: PoolWorker, call: CallWait<unknown>, { how, error }: WorkerEnd): WorkerError {
    const { endedBecause } = worker;
    const what = endedBecause === null ? `ended with ${how}` : "was ended by the pool";
    return new WorkerError(
      `Worker ${worker.id} of ${this.#title} ${what} while it ran ${call.name}()` +
        (endedBecause === null ? because(error) : `: ${endedBecause}`),
      causeOf(error),
    );
  }

  /** Starts as many workers as always stay, and those that waiting calls need. */
  #replace(): void {
    if (this.#closed) return;
    while (this.#live < this.settings.warm) if (!this.#start()) return;
    this.#grow();
  }

  /**
   * A worker could not be started. Calls that no other worker will take fail, so that none waits
   * for nothing.
   */
  #startFailed(why: string, error: unknown, up = true): void {
    // Its script itself was not found, it seems; that happens to programs that were bundled.
    const lost = !up && !(error instanceof Error && /--allow-/.test(error.message));
    this.#failure = new WorkerError(
      `No worker for ${this.#title} could be started${why}` +
        (lost ? "; is this a bundle? Then say where the worker's script is, with `entry`" : ""),
      causeOf(error),
    );
    if (this.#live > 0) return;
    for (let call = this.#waiting.shift(); call !== null; call = this.#waiting.shift()) {
      this.#failed++;
      call.fail(this.#failure);
    }
  }

  // Idle workers

  #idle(worker: PoolWorker): void {
    if (this.#closed) return this.#dismiss(worker);
    const { idleTimeout, size, warm } = this.settings;
    if (idleTimeout === Infinity || size === warm) return;
    worker.idleSince = this.#scheduler.host.now();
    if (this.#live > warm && this.#shrinkTimer.generation === 0) {
      this.#scheduler.addTimer(worker.idleSince + idleTimeout, this.#shrinkTimer);
    }
  }

  /** Ends the workers beyond `warm` that have been idle too long, the youngest first. */
  #shrink(): void {
    const { idleTimeout, warm } = this.settings;
    const now = this.#scheduler.host.now();
    let next = Infinity;
    for (const worker of [...this.#workers].reverse()) {
      if (this.#live <= warm) return;
      if (worker.state !== "ready" || worker.inFlight.size > 0) continue;
      const end = worker.idleSince + idleTimeout;
      if (end <= now) this.#dismiss(worker);
      else next = Math.min(next, end);
    }
    if (next !== Infinity) this.#scheduler.addTimer(next, this.#shrinkTimer);
  }

  #dismiss(worker: PoolWorker): void {
    this.#retire(worker);
    worker.stop();
  }

  // The beginning and the end

  /** Starts the workers that `open` waits for, and waits for them. */
  opening(): Operation<void> {
    return new PoolWait("starting", this.#waits, () => {
      if (this.#starting > 0) return false;
      if (this.#live === 0 && this.#failure !== null) throw this.#failure;
      return true;
    }, () => this.#replace());
  }

  /**
   * Ends the pool: takes no call any more, fails those that are left, waits until every worker has
   * ended.
   */
  closing(): Operation<void> {
    return new PoolWait(
      "ending",
      this.#waits,
      () => this.#workers.size === 0,
      () => this.#close(),
    );
  }

  #close(): void {
    this.#closed = true;
    this.#scheduler.timers.cancel(this.#shrinkTimer);
    const closed = () => new ClosedResourceError("The pool was closed before the call had ended");
    for (let call = this.#waiting.shift(); call !== null; call = this.#waiting.shift()) {
      call.fail(closed());
    }
    for (const worker of this.#workers) {
      for (const call of worker.takeCalls()) {
        const error = closed();
        call.fail(error);
        worker.cancel(call, error, this.settings.cancelGrace);
      }
      if (worker.state === "starting") {
        this.#retire(worker);
        worker.dismissed = true;
        worker.kill();
      } else if (worker.state === "ready" && worker.inFlight.size === 0) this.#dismiss(worker);
    }
  }

  #notify(): void {
    for (const wait of this.#waits) wait.check();
  }
}

/** The most of a module's address that messages show: a `data:` address is the whole module. */
const MAX_TITLE = 200;

function shorten(address: string): string {
  return address.length > MAX_TITLE ? `${address.slice(0, MAX_TITLE)}...` : address;
}

function causeOf(error: unknown): ErrorOptions | undefined {
  return error === undefined ? undefined : { cause: error };
}

/** The reason, for a message. */
function because(error: unknown): string {
  return error === undefined ? "" : `: ${textOf(error)}`;
}
