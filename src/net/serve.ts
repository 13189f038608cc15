/**
 * serve: connections in tasks of their own, and what becomes of their errors.
 *
 * Invariant: a handler's socket is closed when the handler ends, however it ends, and also where it
 * was never begun. Independent of: how connections are accepted.
 */
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import { Cancelled, ClosedResourceError } from "../kernel/errors.ts";
import { Nursery } from "../kernel/nursery.ts";
import type { Address, Handler, ServeOptions } from "../stream.ts";
import type { Task, TaskCore } from "../kernel/task.ts";
import { currentTask } from "../operations/current.ts";
import { Wait } from "../kernel/wait.ts";
import { isOwnError, runHandler, type Socket } from "./socket.ts";
import { showAddress } from "../bytes/socket_error.ts";

/** What serving asks of a listener. */
interface Source<S> {
  accept(): Operation<S>;
}

/** What it asks of the state behind it. */
interface ListenerState {
  readonly closed: boolean;
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

/** See `ListenSocket.serve`. */
export function* serveConnections<S extends Socket>(
  source: Source<S>,
  listener: ListenerState,
  handler: Handler<S>,
  options: ServeOptions,
): Coroutine<void> {
  const { maxConnections = Infinity, onError } = options;
  const report = typeof onError === "function"
    ? onError
    : warner((yield* currentTask()) as TaskCore);
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
  yield* Nursery.open(function* (nursery) {
    while (!listener.closed) {
      if (open >= maxConnections) {
        yield* slotWait = new SlotWait(listener);
        continue;
      }
      let socket: S;
      try {
        socket = yield* source.accept();
      } catch (error) {
        if (listener.closed && error instanceof ClosedResourceError) return;
        throw error;
      }
      open++;
      startHandler(nursery, socket, connection(socket));
    }
  }, { name: `the server at ${listener.name}` });
}

/** What reports an error where nobody said how. */
function warner(task: TaskCore): (error: unknown, from: Address) => void {
  return (error, from) => {
    const text = error instanceof Error ? error.stack ?? String(error) : String(error);
    task.scheduler.warn({
      message: `The handler of ${showAddress(from)} failed; serving goes on. ${text}`,
      task,
    });
  };
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
