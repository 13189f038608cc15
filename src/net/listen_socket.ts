/**
 * ListenSocket: what TCP, Unix and TLS listeners have in common: accepting one by one, into a
 * nursery, or serving. Independent of: which backend it is.
 */
import type { Selectable } from "../kernel/wait.ts";
import type { Coroutine, Operation } from "../kernel/coroutine.ts";
import type { RawListener, RawStream } from "./network.ts";
import { Nursery } from "../kernel/nursery.ts";
import type { Address, Handler, Listener, ServeOptions } from "../stream.ts";
import type { Task } from "../kernel/task.ts";
import { checkFunction, checkInstance } from "../check.ts";
import type { Event } from "../sync/event.ts";
import { Accept, Acceptor } from "./acceptor.ts";
import { checkServe, handleAlone, serveConnections, startHandler } from "./serve.ts";
import type { Socket } from "./socket.ts";

/**
 * A socket at which connections arrive.
 *
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { type ListenSocket, type Socket, TcpClientSocket } from "jsr:@broomio/core/net";
 * import { type NetAddress, TcpListenSocket } from "jsr:@broomio/core/net";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * // Whatever kind of listener it is.
 * function greet(listener: ListenSocket<Socket>) {
 *   return listener.serve((stream) => stream.send(new TextEncoder().encode("hello")));
 * }
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1", port: 0 });
 *   nursery.startSoon(greet(listener));
 *   using client = yield* TcpClientSocket.connect(listener.localAddr as NetAddress);
 *   assertEquals(new TextDecoder().decode((yield* client.recv())!), "hello");
 *   nursery.cancel();
 * }));
 * ```
 */
export abstract class ListenSocket<S extends Socket> implements Listener<S> {
  /** Where it listens; with port 0, this tells the port that was free. */
  readonly localAddr: Address;
  readonly #acceptor: Acceptor;
  readonly #wrap: (raw: RawStream) => S;

  /** Made by `listen`; by hand over a raw listener of one's own. */
  constructor(raw: RawListener, wrap: (raw: RawStream) => S) {
    this.localAddr = raw.localAddr;
    this.#acceptor = new Acceptor(raw);
    this.#wrap = wrap;
  }

  /**
   * Set when the listener is closed. A handler of a protocol with many requests a connection
   * selects on it between two of them, so that a server can stop without waiting for clients that
   * say nothing.
   *
   * @example
   * ```ts
   * import { Loop, Nursery, select } from "jsr:@broomio/core";
   * import { BufferedReader, TcpClientSocket, TcpListenSocket } from "jsr:@broomio/core/net";
   *
   * await new Loop().run(Nursery.open(function* (nursery) {
   *   const listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
   *   const serving = nursery.startSoon(listener.serve(function* (stream) {
   *     const reader = new BufferedReader(stream);
   *     for (;;) {
   *       const next = yield* select({ line: reader.readLine(), stop: listener.closing.wait() });
   *       if (next.arm === "stop" || next.value === null) return;
   *       yield* stream.send(new TextEncoder().encode(`${next.value}\n`));
   *     }
   *   }));
   *   using _idle = yield* TcpClientSocket.connect(listener.localAddr);
   *   listener.close();
   *   yield* serving.join(); // does not wait for the client
   * }));
   * ```
   */
  get closing(): Event {
    return this.#acceptor.closing;
  }

  /**
   * Waits for a connection; closing it is up to the caller. A checkpoint. A cancelled accept loses
   * none: the next accept gets it. Where the process has too many files open it warns, and tries
   * again every 100 ms.
   *
   * @throws {SocketError} If the system refuses.
   * @throws {BusyResourceError} If another task is accepting.
   * @throws {ClosedResourceError} If the listener was closed.
   */
  accept(): Selectable<S>;
  /**
   * Waits for a connection and starts its handler as a child of `nursery`; gives the task. A
   * checkpoint. The socket is closed when the handler ends, however it ends. A `SocketError` of the
   * connection's own ends that connection only; any other error goes to the nursery.
   */
  accept(nursery: Nursery, handler: Handler<S>): Operation<Task>;
  accept(nursery?: Nursery, handler?: Handler<S>): Selectable<S> | Operation<Task> {
    if (nursery === undefined && handler === undefined) {
      return new Accept(this.#acceptor, this.#wrap);
    }
    checkFunction(handler, "handler", "a function* that takes the socket");
    return this.#acceptInto(checkInstance(nursery, Nursery, "nursery"), handler!);
  }

  *#acceptInto(nursery: Nursery, handler: Handler<S>): Coroutine<Task> {
    const socket: S = yield* this.accept();
    return startHandler(nursery, socket, handleAlone(socket, handler));
  }

  /**
   * Serves connections, each in a task of its own, until it is cancelled, and its handlers with it,
   * or the listener is closed: then it returns once the handlers have ended. What a handler throws
   * goes to `onError`, and serving goes on. A checkpoint.
   *
   * @throws {SocketError} If the system refuses to accept.
   * @throws {NurseryError} With `onError: "throw"`, if a handler failed.
   * @throws {RangeError} If `maxConnections` is not at least 1.
   */
  serve(handler: Handler<S>, options?: ServeOptions): Operation<void> {
    const checked = checkServe(handler, options);
    return serveConnections(() => this.accept(), this.#acceptor, handler, checked);
  }

  /**
   * Stops listening; whoever accepts gets a `ClosedResourceError`. Connections go on. Never waits
   * or throws; twice is once.
   */
  close(): void {
    this.#acceptor.close();
  }

  /** Closes it: `using listener = yield* ...`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
