/**
 * PoolCore: which worker gets which call, and how many workers there are.
 *
 * Invariants
 * - A call is in `#waiting` or held by one worker, never both, and is sent once: so it is never run twice.
 * - While a call waits, every ready worker is full, and a worker is starting or all `size` are there: so no call is forgotten.
 * - `#workers` has every worker that has not ended, so that closing can wait for all of them; `#live` counts those among them that
 *   are not on their way out. A worker that leaves makes room for the next at once.
 * - A failed start is not tried again by itself, only for another call: so a module that does not load fails its calls, and never spins.
 *
 * Must never know: threads or processes, what calls mean.
 *
 * Why a call waits here and not in the worker it will run on: an argument is cloned when a worker takes the call, so what waits
 * costs nothing but its caller; one slow call holds up no other; and a worker that dies takes down only what it really began.
 */
import { ClosedResourceError } from "../kernel/errors.ts";
import type { Operation } from "../kernel/coroutine.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import type { Timed } from "../kernel/timers.ts";
import { ExternalWait } from "../kernel/wait.ts";
import { WaitList } from "../kernel/wait_list.ts";
import type { CallTaker, CallWait } from "./call_wait.ts";
import { PoolWorker, type PoolWorkerOwner, type Report } from "./pool_worker.ts";
import type { Backend, WorkerEnd } from "./protocol.ts";
import type { PoolSettings, PoolStatistics } from "./settings.ts";
import { decodeThrown } from "./thrown.ts";
import { PoolFullError, WorkerError } from "./worker_error.ts";

/** The engine of one pool. */
export class PoolCore implements CallTaker, PoolWorkerOwner {
  readonly settings: PoolSettings;
  readonly #backend: Backend;
  readonly #scheduler: Scheduler;
  readonly #waiting = new WaitList<CallWait<unknown>>();
  readonly #workers = new Set<PoolWorker>();
  #live = 0;
  #starting = 0;
  #lastWorker = 0;
  #lastCall = 0;
  #closed = false;
  readonly #shrinkTimer: Timed = { generation: 0, expire: () => this.#shrink() };
  /** Told when workers came or went: `open` and closing wait for that. */
  readonly #watchers = new Set<PoolWait>();
  /** Why the last worker that could not be started could not. */
  #failure: WorkerError | null = null;
  #completed = 0;
  #failed = 0;
  #cancelled = 0;
  #died = 0;

  constructor(backend: Backend, settings: PoolSettings, scheduler: Scheduler) {
    this.#backend = backend;
    this.settings = settings;
    this.#scheduler = scheduler;
  }

  get statistics(): PoolStatistics {
    let ready = 0;
    let busy = 0;
    let running = 0;
    for (const worker of this.#workers) {
      if (worker.state !== "ready") continue;
      ready++;
      running += worker.held.size;
      if (worker.held.size > 0) busy++;
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
    };
  }

  // Calls

  take(call: CallWait<unknown>): void {
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

  abandon(call: CallWait<unknown>, reason: unknown): void {
    this.#cancelled++;
    if (call.worker === null) this.#waiting.remove(call);
    else call.worker.abandon(call, reason, this.settings.cancelGrace);
  }

  /** The ready worker with the fewest calls that has room for one more; of equals the oldest, so that the others can end. */
  #roomiest(): PoolWorker | null {
    let best: PoolWorker | null = null;
    let fewest = this.settings.concurrency;
    for (const worker of this.#workers) {
      if (worker.state !== "ready" || worker.held.size >= fewest) continue;
      if (worker.held.size === 0) return worker;
      best = worker;
      fewest = worker.held.size;
    }
    return best;
  }

  /** Gives a ready worker what waits. */
  #fill(worker: PoolWorker): void {
    while (worker.held.size < this.settings.concurrency) {
      const call = this.#waiting.shift();
      if (call === null) break;
      this.#send(call, worker);
    }
    if (worker.held.size === 0) this.#idle(worker);
  }

  #send(call: CallWait<unknown>, worker: PoolWorker): void {
    if (!worker.send(call, ++this.#lastCall)) this.#failed++;
  }

  // Workers

  /** Starts a worker where calls wait that nobody is starting for: one for each call that comes and each worker that goes, as starts may fail. */
  #grow(): void {
    const { size, concurrency } = this.settings;
    if (this.#starting * concurrency < this.#waiting.size && this.#live < size) this.#start();
  }

  /** Starts a worker; false where that failed, of which everyone concerned has been told. */
  #start(): boolean {
    const { module } = this.settings;
    try {
      const id = ++this.#lastWorker;
      this.#workers.add(new PoolWorker(id, this.#scheduler, this, this.#backend, module));
    } catch (error) {
      this.#startFailed(error);
      return false;
    }
    this.#live++;
    this.#starting++;
    return true;
  }

  received(worker: PoolWorker, message: Report): void {
    if (message[0] === "ready") return this.#ready(worker);
    if (message[0] === "broken") {
      worker.broken = decodeThrown(message[1]);
      this.#retire(worker);
      return worker.kill(false);
    }
    const call = worker.answered(message[1]);
    if (worker.state === "ready") this.#fill(worker);
    if (call === null) return;
    if (message[0] === "done") {
      this.#completed++;
      call.settle(message[2]);
    } else {
      this.#failed++;
      call.fail(decodeThrown(message[2]));
    }
  }

  #ready(worker: PoolWorker): void {
    if (worker.state !== "starting") return;
    worker.state = "ready";
    worker.loaded = true;
    this.#starting--;
    this.#failure = null;
    this.#fill(worker);
    this.#notify();
  }

  overdue(worker: PoolWorker): void {
    this.#retire(worker);
    worker.kill(true);
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
      call.fail(
        new WorkerError(
          `Worker ${worker.id} of ${this.settings.module} ended with ${end.how} while it held ${call.name}()` +
            because(end.error),
          causeOf(end.error),
        ),
      );
    }
    if (!worker.dismissed) this.#died++;
    if (!worker.loaded && !worker.dismissed) this.#startFailed(end.error, end.how, worker.up);
    else if (worker.calls > 0) this.#replace();
    else this.#grow();
    this.#notify();
  }

  /** Starts as many workers as always stay, and those that waiting calls need. */
  #replace(): void {
    if (this.#closed) return;
    while (this.#live < this.settings.warm) if (!this.#start()) return;
    this.#grow();
  }

  /** A worker could not be started. Calls that no other worker will take fail, rather than wait for nothing. */
  #startFailed(error: unknown, how?: string, up = true): void {
    // Its script itself was not found, it seems: the one way to lose that is to bundle the program.
    const lost = !up && !(error instanceof Error && /--allow-/.test(error.message));
    this.#failure = new WorkerError(
      `No worker for ${this.settings.module} could be started` +
        (error === undefined ? `: it ended with ${how}` : because(error)) +
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

  /** Ends the workers beyond `warm` that have idled too long, the youngest first. */
  #shrink(): void {
    const { idleTimeout, warm } = this.settings;
    const now = this.#scheduler.host.now();
    let next = Infinity;
    for (const worker of [...this.#workers].reverse()) {
      if (this.#live <= warm) return;
      if (worker.state !== "ready" || worker.held.size > 0) continue;
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
    return new PoolWait("starting", this.#watchers, () => {
      if (this.#starting > 0) return false;
      if (this.#live === 0 && this.#failure !== null) throw this.#failure;
      return true;
    }, () => this.#replace());
  }

  /** Ends the pool: no call is taken any more, those that are left fail, and it waits until every worker has ended. */
  closing(): Operation<void> {
    return new PoolWait(
      "ending",
      this.#watchers,
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
        worker.abandon(call, error, this.settings.cancelGrace);
      }
      if (worker.state === "starting") {
        this.#retire(worker);
        worker.kill(true);
      } else if (worker.state === "ready" && worker.held.size === 0) this.#dismiss(worker);
    }
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher.look();
  }
}

/** Waits until something is so for the workers of a pool. */
class PoolWait extends ExternalWait<void> {
  readonly #what: string;
  readonly #watchers: Set<PoolWait>;
  readonly #isSo: () => boolean;
  readonly #first: () => void;

  constructor(what: string, watchers: Set<PoolWait>, isSo: () => boolean, first: () => void) {
    super();
    this.#what = what;
    this.#watchers = watchers;
    this.#isSo = isSo;
    this.#first = first;
  }

  protected arm(): void {
    this.#watchers.add(this);
    this.#first();
    this.look();
  }

  protected disarm(): void {
    this.#watchers.delete(this);
  }

  look(): void {
    try {
      if (!this.#isSo()) return;
      this.settle();
    } catch (error) {
      this.fail(error);
    }
    this.#watchers.delete(this);
  }

  describe(): string {
    return `waiting for workers that are ${this.#what}`;
  }
}

function causeOf(error: unknown): ErrorOptions | undefined {
  return error === undefined ? undefined : { cause: error };
}

/** The reason, for a message. */
function because(error: unknown): string {
  if (error === undefined) return "";
  return `: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
}
