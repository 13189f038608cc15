/**
 * Protocol: what a pool and its workers say to each other, and the port through which a pool has workers.
 *
 * Invariants: a worker says `up` first, and is sent nothing before; the first message to it is `load`, answered by one `ready` or one `broken`; each `call` is answered by one `done` or
 * `failed` with its id, also after a `cancel`, unless the worker ends before that. Every message can be cloned but for
 * what the user gave: `args` and `value`.
 * Must never know: threads, processes, tasks.
 */

/**
 * From the pool to a worker. Messages are tuples with a tag in front: they are cloned a microsecond faster than objects, in which the name of every
 * field is sent along, and a round trip takes about 20.
 */
export type ToWorker =
  /** Imports the module; the first message there is. */
  | readonly [kind: "load", module: string]
  /** Calls the export `name`. */
  | readonly [kind: "call", id: number, name: string, args: readonly unknown[]]
  /** The caller is gone: cancels the call where that is possible. It is answered all the same. */
  | readonly [kind: "cancel", id: number, reason: Thrown | undefined];

/** From a worker to the pool. */
export type FromWorker =
  /**
   * The script runs, and listens. Not taken for granted: Deno drops what is sent to a worker whose script is still
   * being downloaded, as it is when this package comes from JSR for the first time.
   */
  | readonly [kind: "up"]
  /** The module is there; calls may come. */
  | readonly [kind: "ready"]
  /** The worker is of no use: the module cannot be loaded, or an error was caught by nobody. It ends. */
  | readonly [kind: "broken", error: Thrown]
  | readonly [kind: "done", id: number, value: unknown]
  | readonly [kind: "failed", id: number, error: Thrown];

/** What was thrown, in a form that can be cloned. */
export type Thrown =
  | { readonly kind: "error"; readonly error: ErrorData }
  | { readonly kind: "value"; readonly value: unknown };

/** An error in a form that can be cloned: cloning an error itself keeps neither its class nor its fields. */
export interface ErrorData {
  /** The nearest class that both sides know: `TypeError`. */
  readonly base: string;
  /** What it is called: its `name`, or that of its class. */
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: Thrown | undefined;
  /** Of an `AggregateError`. */
  readonly errors: readonly Thrown[] | undefined;
  /** Own fields that can be cloned: `code`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How a worker ended. */
export interface WorkerEnd {
  /** "exit code 1", "signal SIGKILL". */
  readonly how: string;
  /** The error that ended it, where the runtime tells. */
  readonly error?: unknown;
}

/** Told what a worker says. */
export interface WorkerListener {
  received(message: FromWorker): void;
  /** Called once, as the last, however the worker ended. */
  ended(end: WorkerEnd): void;
}

/** A worker as the pool holds it. */
export interface WorkerLink {
  /** Sends a message. Throws where something in it cannot be cloned, and then nothing is sent. */
  post(message: ToWorker, transfer: readonly object[] | undefined): void;
  /** Tells a worker that has nothing to do to end. */
  stop(): void;
  /** Ends the worker by force, whatever it does. It may call `ended` at once. */
  kill(): void;
}

/** The port: how a runtime makes workers. */
export interface Backend {
  /** Starts a worker; throws where that is not allowed. Never calls the listener before it has returned. */
  start(listener: WorkerListener): WorkerLink;
  /** How many workers the machine can run at once. */
  readonly parallelism: number;
}
