/**
 * MemoryListener: connections within one loop, for tests of servers. It keeps the contract of every `Listener`.
 *
 * Invariant: a connection waits in the backlog exactly until an accept takes it, or the listener is closed (R37).
 * Must never know: sockets.
 */
import { Command, type Coroutine, type Operation } from "../kernel/coroutine.ts";
import {
  BrokenResourceError,
  BusyResourceError,
  Cancelled,
  ClosedResourceError,
} from "../kernel/errors.ts";
import { Nursery } from "../kernel/nursery.ts";
import type { Address, ByteStream, Handler, Listener, ServeOptions } from "../stream.ts";
import { Semaphore } from "../sync/semaphore.ts";
import type { Task, TaskCore } from "../kernel/task.ts";
import { Wait } from "../kernel/wait.ts";
import { type MemoryStreamOptions, memoryStreamPair } from "./memory_stream.ts";

let lastPort = 0;

/**
 * Listens within the loop: `connect` gives one end of a memory stream, `accept` the other.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { MemoryListener, VirtualClock } from "jsr:@broomio/core/testing";
 *
 * function* main() {
 *   using listener = new MemoryListener();
 *   yield* Nursery.open(function* (nursery) {
 *     nursery.startSoon(listener.serve(function* (stream) {
 *       yield* stream.send(new TextEncoder().encode("hello"));
 *     }));
 *     using client = yield* listener.connect();
 *     console.log(new TextDecoder().decode((yield* client.recv())!)); // hello
 *     nursery.cancel();
 *   });
 * }
 * await new Loop({ host: new VirtualClock() }).run(main());
 * ```
 */
export class MemoryListener implements Listener<ByteStream> {
  /** An address for messages; nobody can connect to it from outside. */
  readonly localAddr: Address = { transport: "tcp", hostname: "memory", port: ++lastPort };
  readonly #backlog: Backlog;

  /**
   * Listens at once.
   *
   * @throws {RangeError} If the capacity is not a whole number of at least 1.
   */
  constructor(options: MemoryStreamOptions = {}) {
    memoryStreamPair(options); // checks them
    this.#backlog = new Backlog(options);
  }

  /**
   * Connects and gives the client's end; the other end waits for an `accept`. A checkpoint.
   *
   * @throws {BrokenResourceError} If the listener was closed.
   */
  connect(): Operation<ByteStream> {
    return new Connect(this.#backlog);
  }

  /** Waits for a connection; closing it is up to the caller. A checkpoint. A cancelled accept loses none. */
  accept(): Operation<ByteStream>;
  /** Waits for a connection and starts its handler as a child of `nursery`. The stream is closed when the handler ends. */
  accept(nursery: Nursery, handler: Handler<ByteStream>): Operation<Task>;
  accept(
    nursery?: Nursery,
    handler?: Handler<ByteStream>,
  ): Operation<ByteStream> | Operation<Task> {
    if (nursery === undefined) return new Accept(this.#backlog);
    return this.#acceptInto(nursery, handler!);
  }

  *#acceptInto(nursery: Nursery, handler: Handler<ByteStream>): Coroutine<Task> {
    const stream: ByteStream = yield* this.accept();
    return nursery.startSoon(handle(stream, handler));
  }

  /** Serves connections, each in a task of its own, until it is cancelled or the listener is closed. */
  *serve(handler: Handler<ByteStream>, options: ServeOptions = {}): Coroutine {
    const { maxConnections = Infinity, onError } = options;
    const slots = maxConnections === Infinity ? null : new Semaphore(maxConnections);
    const report = typeof onError === "function" ? onError : yield* new Warner();
    const address = this.localAddr;
    const accept = () => this.accept();
    const backlog = this.#backlog;
    function* connection(stream: ByteStream): Coroutine {
      try {
        yield* handle(stream, handler);
      } catch (error) {
        if (error instanceof Cancelled || onError === "throw") throw error;
        report(error, address);
      } finally {
        slots?.release();
      }
    }
    yield* Nursery.open(function* (nursery) {
      for (;;) {
        if (slots !== null) yield* slots.acquire();
        try {
          nursery.startSoon(connection(yield* accept()));
        } catch (error) {
          if (error instanceof ClosedResourceError && backlog.closed) return;
          throw error;
        }
      }
    });
  }

  /** Stops listening; whoever accepts gets a `ClosedResourceError`. Connections go on. Never waits or throws; twice is once. */
  close(): void {
    this.#backlog.close();
  }

  /** Closes it: `using listener = new MemoryListener()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** What has connected and was not accepted, or who waits to accept. */
class Backlog {
  readonly #options: MemoryStreamOptions;
  readonly #arrived: ByteStream[] = [];
  waiter: Accept | null = null;
  closed = false;

  constructor(options: MemoryStreamOptions) {
    this.#options = options;
  }

  connect(): ByteStream {
    if (this.closed) {
      throw new BrokenResourceError("Cannot connect: the memory listener is closed");
    }
    const [client, server] = memoryStreamPair(this.#options);
    const { waiter } = this;
    this.waiter = null;
    if (waiter === null) this.#arrived.push(server);
    else waiter.settle(server);
    return client;
  }

  accept(waiter: Accept): void {
    if (this.closed) throw closedError();
    if (this.waiter !== null) {
      throw new BusyResourceError("Another task is accepting at this memory listener");
    }
    const arrived = this.#arrived.shift();
    if (arrived === undefined) this.waiter = waiter;
    else waiter.settle(arrived);
  }

  close(): void {
    this.closed = true;
    for (const stream of this.#arrived.splice(0)) stream.close();
    const { waiter } = this;
    this.waiter = null;
    waiter?.fail(closedError());
  }
}

function closedError(): ClosedResourceError {
  return new ClosedResourceError("The memory listener is closed");
}

/** Runs a handler, and closes its stream however that ends. */
function* handle(stream: ByteStream, handler: Handler<ByteStream>): Coroutine {
  try {
    yield* handler(stream);
  } finally {
    stream.close();
  }
}

class Connect extends Wait<ByteStream> {
  readonly #backlog: Backlog;

  constructor(backlog: Backlog) {
    super();
    this.#backlog = backlog;
  }

  protected arm(): void {
    this.settle(this.#backlog.connect());
  }

  protected disarm(): void {}

  describe(): string {
    return "connecting in memory";
  }
}

class Accept extends Wait<ByteStream> {
  readonly #backlog: Backlog;

  constructor(backlog: Backlog) {
    super();
    this.#backlog = backlog;
  }

  protected arm(): void {
    this.#backlog.accept(this);
  }

  protected disarm(): void {
    this.#backlog.waiter = null;
  }

  describe(): string {
    return "accepting in memory";
  }
}

/** Gives what tells the loop's `onWarning` of an error. */
class Warner extends Command<(error: unknown) => void> {
  perform(task: TaskCore): boolean {
    this.begin();
    task.value = (error: unknown) => {
      const text = error instanceof Error ? error.stack ?? String(error) : String(error);
      task.scheduler.warn({ message: `A handler failed; serving goes on. ${text}`, task });
    };
    return true;
  }

  describe(): string {
    return "serve";
  }
}
