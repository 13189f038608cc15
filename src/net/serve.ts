/**
 * serve: connections in tasks of their own, and what becomes of their errors.
 *
 * Invariants: a handler's socket is closed when the handler ends, however it ends, and also where
 * it was never begun; serving ends when the listener is closed or gone, or its task is cancelled,
 * or `onError` says so, and for nothing that a client does (R40). Independent of: how connections
 * are accepted.
 */
import { checkFunction, checkInteger, checkOptions, show, wrongKind } from "../check.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { Cancelled, ClosedResourceError } from "../kernel/errors.ts";
import { Nursery } from "../kernel/nursery.ts";
import { NurseryError } from "../kernel/nursery_error.ts";
import type { Address, Handler, ServeOptions } from "../stream.ts";
import type { Task, TaskCore } from "../kernel/task.ts";
import { currentTask } from "../operations/current.ts";
import { Wait } from "../kernel/wait.ts";
import { isOwnError, runHandler, type Socket } from "./socket.ts";
import { showAddress } from "../bytes/socket_error.ts";

/** What serving needs of a listener. */
interface ListenerState {
  readonly closed: boolean;
  /** Called when it is closed. */
  whenClosed: (() => void) | null;
  readonly name: string;
}

/** Starts a handler; where the nursery refuses, the socket is closed. */
export function startHandler(
  nursery: Nursery,
  socket: Socket,
  handling: Coroutine<void>,
): Task<void> {
  try {
    return nursery.startSoon(handling, { name: `handler of ${showAddress(socket.remoteAddr)}` });
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Runs a handler; where only its own connection broke, that is all that happens. */
export function* handleAlone<S extends Socket>(socket: S, handler: Handler<S>): Coroutine<void> {
  try {
    yield* runHandler(socket, handler);
  } catch (error) {
    if (!isOwnError(socket, error)) throw error;
  }
}

const SERVE_OPTIONS = ["maxConnections", "onError"] as const;

/**
 * Checks what `serve` was given.
 *
 * @throws {TypeError} If something is of the wrong kind, or an option is not known.
 * @throws {RangeError} If `maxConnections` is not an integer of at least 1.
 */
export function checkServe(handler: unknown, options: ServeOptions | undefined): ServeOptions {
  checkFunction(handler, "handler", "a function* that takes the socket");
  const checked = checkOptions(options, "serve", SERVE_OPTIONS);
  const { maxConnections, onError } = checked;
  if (maxConnections !== undefined) {
    checkInteger(maxConnections, "maxConnections", 1, Infinity, true);
  }
  if (onError !== undefined && onError !== "throw" && typeof onError !== "function") {
    throw wrongKind('a function, or "throw"', onError, "onError");
  }
  return checked;
}

/** See `ListenSocket.serve`. */
export function* serveConnections<S extends Socket>(
  accept: () => Operation<S>,
  listener: ListenerState,
  handler: Handler<S>,
  options: ServeOptions,
): Coroutine<void> {
  const { maxConnections = Infinity, onError } = options;
  const task = (yield* currentTask()) as TaskCore;
  const report = typeof onError === "function" ? onError : warner(task);
  let open = 0;
  let slotWait: SlotWait | null = null;

  function* connection(socket: S): Coroutine<void> {
    try {
      yield* runHandler(socket, handler);
    } catch (error) {
      if (error instanceof Cancelled || onError === "throw") throw error;
      report(error, socket.remoteAddr);
    } finally {
      open--;
      slotWait?.settle();
    }
  }

  listener.whenClosed = () => slotWait?.settle();
  let gone: unknown = null;
  const serving = Nursery.open(function* (nursery) {
    while (!listener.closed) {
      if (open >= maxConnections) {
        yield* slotWait = new SlotWait(listener);
        continue;
      }
      let socket: S;
      try {
        socket = yield* accept();
      } catch (error) {
        if (listener.closed && error instanceof ClosedResourceError) return;
        gone = error;
        throw error;
      }
      open++;
      startHandler(nursery, socket, connection(socket));
    }
  }, { name: `the server at ${listener.name}` });
  try {
    yield* serving;
  } catch (error) {
    // The nursery is no business of the user's: what ended it alone comes out as itself (R3).
    if (error instanceof NurseryError && error.errors.length === 1 && error.errors[0] === gone) {
      throw gone;
    }
    throw error;
  }
}

/** What reports an error where the user did not say how. */
function warner(task: TaskCore): (error: unknown, from: Address) => void {
  return (error, from) =>
    task.scheduler.warn({
      message: `The handler of ${showAddress(from)} failed; serving goes on. ${textOf(error)}`,
      task,
    });
}

/** An error with its stack; anything else in a few words. Never throws. */
function textOf(error: unknown): string {
  try {
    if (error instanceof Error) return error.stack ?? String(error);
  } catch {
    // A proxy, or a getter that throws.
  }
  return show(error);
}

/**
 * Waits until fewer connections are open, or the listener is closed. No external wait: a task of
 * this loop ends it, and that one waits externally where it does.
 */
class SlotWait extends Wait<void> {
  readonly #listener: ListenerState;

  constructor(listener: ListenerState) {
    super();
    this.#listener = listener;
  }

  protected arm(): void {}

  protected disarm(): void {}

  describe(): string {
    return `waiting for a connection at ${this.#listener.name} to end`;
  }
}
