/**
 * Protocol: the messages between a pool and its workers, and the port through which a pool gets its
 * workers.
 *
 * Invariants: a worker sends `up` first, and is sent nothing before that; the first message to it
 * is `load`, answered by one `ready` or one `broken`; each `call` is answered by one `done` or
 * `failed` with its id, also after a `cancel`, unless the worker ends first. Every message can be
 * cloned except for what the user gave: `args` and `value`. What comes from a worker is checked
 * (`isFromWorker`): the module it runs can post messages of its own. Independent of: threads,
 * processes, tasks.
 */

/**
 * From the pool to a worker. Messages are tuples with a tag in front: cloning an object sends the
 * name of every field along, which costs a microsecond of a round trip of about 20.
 */
export type ToWorker =
  /** Imports the module; the first message. */
  | readonly [kind: "load", module: string]
  /** Calls the export `name`. */
  | readonly [kind: "call", id: number, name: string, args: readonly unknown[]]
  /** The caller was cancelled: cancels the call where that is possible. It is still answered. */
  | readonly [kind: "cancel", id: number, reason: EncodedError | undefined];

/** From a worker to the pool. */
export type FromWorker =
  /**
   * The script runs, and listens. Needed because Deno drops what is sent to a worker whose script
   * is still being downloaded, as happens when this package comes from JSR for the first time.
   */
  | readonly [kind: "up"]
  /** The module is loaded; calls may come. */
  | readonly [kind: "ready"]
  /** The worker is of no use: its module cannot be loaded, or nobody caught an error. It ends. */
  | readonly [kind: "broken", error: EncodedError]
  | readonly [kind: "done", id: number, value: unknown]
  | readonly [kind: "failed", id: number, error: EncodedError];

/** What was thrown, in a form that can be cloned. */
export type EncodedError =
  | { readonly kind: "error"; readonly error: ErrorData }
  | { readonly kind: "value"; readonly value: unknown };

/**
 * An `Error` in a form that can be cloned: cloning the error itself keeps neither class nor fields.
 */
export interface ErrorData {
  /** The nearest class that both sides know: `TypeError`. */
  readonly base: string;
  /** Its `name`, or the name of its class. */
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: EncodedError | undefined;
  /** Of an `AggregateError`. */
  readonly errors: readonly EncodedError[] | undefined;
  /** Its own fields that can be cloned, such as `code`. Pairs: a key may be `__proto__`. */
  readonly fields: readonly (readonly [key: string, value: unknown])[];
}

/** Whether a message is one of this protocol, whoever sent it. */
export function isFromWorker(message: unknown): message is FromWorker {
  if (!Array.isArray(message)) return false;
  switch (message[0]) {
    case "up":
    case "ready":
      return message.length === 1;
    case "broken":
      return message.length === 2 && isEncodedError(message[1]);
    case "done":
      return message.length === 3 && Number.isSafeInteger(message[1]);
    case "failed":
      return message.length === 3 && Number.isSafeInteger(message[1]) && isEncodedError(message[2]);
    default:
      return false;
  }
}

function isEncodedError(value: unknown): value is EncodedError {
  if (typeof value !== "object" || value === null) return false;
  const { kind, error } = value as { kind?: unknown; error?: unknown };
  if (kind === "value") return "value" in value;
  return kind === "error" && typeof error === "object" && error !== null;
}

/** How a worker ended. */
export interface WorkerEnd {
  /** "exit code 1", "signal SIGKILL". */
  readonly how: string;
  /** The error that ended it, where the runtime reports one. */
  readonly error?: unknown;
}

/**
 * The error of a worker that is ended because its pool cannot read what it sent: nobody could say
 * which call that was for.
 */
export function unreadable(cause: unknown): Error {
  return new Error(
    "a message of the worker cannot be read (on Node an error that contains itself, as a result, is one)",
    { cause },
  );
}

/** Told what a worker sends. */
export interface WorkerListener {
  /** A message came; it may be anything, as the module can post messages too. */
  received(message: unknown): void;
  /** Called once, as the last, however the worker ended. */
  ended(end: WorkerEnd): void;
}

/** A worker as the pool sees it. */
export interface WorkerLink {
  /** Sends a message. Throws where something in it cannot be cloned; nothing is sent then. */
  post(message: ToWorker, transfer: readonly object[] | undefined): void;
  /** Tells a worker that has nothing to do to end. */
  stop(): void;
  /** Ends the worker by force, whatever it does. May call `ended` at once. */
  kill(): void;
}

/** The port: how a runtime makes workers. */
export interface Backend {
  /**
   * Starts a worker; throws where that is not allowed. Never calls the listener before it returns.
   */
  start(listener: WorkerListener): WorkerLink;
  /** How many workers the machine can run at once. */
  readonly parallelism: number;
}
