/**
 * The runs that an AbortSignal cancels: one listener for each signal, however many runs.
 *
 * Invariant: a signal has a listener of ours exactly while its set has runs in it. So one signal
 * for a program's whole life keeps no ended run, and a hundred thousand runs under one signal cost
 * as much each as ten do: a signal looks through all of its listeners whenever one is added.
 */

/** What is cancelled. */
export interface Cancellable {
  cancel(reason: unknown): void;
}

class SignalRuns {
  readonly runs: Set<Cancellable> = new Set();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this);
  }

  handleEvent(): void {
    // Those that end meanwhile leave the set; those that start are refused.
    for (const run of this.runs) run.cancel(this.#signal.reason);
  }

  end(): void {
    this.#signal.removeEventListener("abort", this);
  }
}

const known = new WeakMap<AbortSignal, SignalRuns>();

/** Has `run` cancelled when the signal, which is not aborted, aborts. */
export function joinSignal(signal: AbortSignal, run: Cancellable): void {
  let all = known.get(signal);
  if (all === undefined) known.set(signal, all = new SignalRuns(signal));
  all.runs.add(run);
}

/** Takes that back; nothing where it was not so. */
export function leaveSignal(signal: AbortSignal, run: Cancellable): void {
  const all = known.get(signal);
  if (all === undefined || !all.runs.delete(run) || all.runs.size > 0) return;
  all.end();
  known.delete(signal);
}
