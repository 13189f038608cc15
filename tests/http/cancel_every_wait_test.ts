/** Every wait of the http door, cancelled at each of its moments: nothing is lost, leaked or left registered (R18, R30, R48). */
import { EventEmitter } from "node:events";
import { assert, assertEquals } from "@std/assert";
import { type Coroutine, sleepForever, until } from "../../mod.ts";
import {
  fromWebSocket,
  type NodeServer,
  sendChunk,
  serveHttp,
  type ServerResponseLike,
} from "../../src/http/mod.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";

/** Lets the others run: time stands still while something outside is awaited. */
function* turns(): Coroutine {
  for (let i = 0; i < 8; i++) yield* until(Promise.resolve());
}

/** A WebSocket without a network, that counts its listeners. */
class FakeSocket extends EventTarget {
  readyState = 0;
  bufferedAmount = 0;
  binaryType = "";
  listeners = 0;
  readonly sent: string[] = [];
  readonly #added = new Set<unknown>();

  override addEventListener(type: string, listener: EventListener): void {
    this.#added.add(listener);
    this.listeners++;
    super.addEventListener(type, listener);
  }
  override removeEventListener(type: string, listener: EventListener): void {
    this.listeners--;
    super.removeEventListener(type, listener);
  }
  send(data: string): void {
    this.sent.push(data);
    this.bufferedAmount += 100_000;
  }
  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code: 1000, reason: "" }));
  }
}

Deno.test("WebSocket: cancelled at every wait, it is closed, and no message was received twice or skipped", async () => {
  const waits = await cancelAtEveryWait(() => {
    const socket = new FakeSocket();
    const received: string[] = [];
    function* victim(): Coroutine {
      using messages = yield* fromWebSocket(socket);
      for (let i = 0; i < 3; i++) received.push((yield* messages.receive()) as string);
      yield* messages.send("answer");
    }
    function* world(): Coroutine {
      yield* turns();
      socket.readyState = Math.max(socket.readyState, 1);
      socket.dispatchEvent(new Event("open"));
      for (const data of ["a", "b", "c"]) {
        yield* turns();
        socket.dispatchEvent(new MessageEvent("message", { data }));
      }
      yield* turns();
      socket.bufferedAmount = 0;
    }
    return {
      victim: victim(),
      others: [world()],
      check({ completed }) {
        assertEquals(received, ["a", "b", "c"].slice(0, received.length));
        if (completed) assertEquals(socket.sent, ["answer"]);
        assertEquals([socket.readyState, socket.listeners], [3, 0]);
      },
    };
  });
  assert(waits >= 6, `${waits} waits`);
});

/** A server without a network. */
class FakeServer extends EventEmitter {
  listening = false;
  address() {
    return { address: "127.0.0.1", port: 1 };
  }
  listen(): void {
    queueMicrotask(() => {
      this.listening = true;
      this.emit("listening");
    });
  }
  close(): void {
    if (!this.listening) return;
    this.listening = false;
    queueMicrotask(() => this.emit("close"));
  }
  closeIdleConnections(): void {}
  closeAllConnections(): void {}
}

/** A response without a network. */
class FakeResponse extends EventEmitter {
  statusCode = 200;
  headersSent = false;
  destroyed = false;
  writableEnded = false;
  writableFinished = false;
  getHeaderNames(): string[] {
    return [];
  }
  removeHeader(): void {}
  setHeader(): void {}
  write(): boolean {
    this.headersSent = true;
    return false;
  }
  end(): void {
    this.headersSent = this.writableEnded = this.writableFinished = true;
    queueMicrotask(() => this.emit("close"));
  }
  destroy(): void {
    this.destroyed = true;
    queueMicrotask(() => this.emit("close"));
  }
}

Deno.test("R48: serveHttp: cancelled at every wait, its requests have ended, and so has the server", async () => {
  const waits = await cancelAtEveryWait(() => {
    const server = new FakeServer();
    const responses: FakeResponse[] = [];
    let ended = 0;
    const handle = function* (_: object, response: ServerResponseLike): Coroutine {
      try {
        if (responses.length === 1) yield* sleepForever();
        yield* turns();
        response.end();
      } finally {
        ended++;
      }
    };
    function* world(): Coroutine {
      for (let i = 0; i < 3; i++) {
        yield* turns();
        if (!server.listening) continue;
        responses.push(new FakeResponse());
        server.emit("request", {}, responses.at(-1));
      }
      yield* turns();
      server.close(); // by somebody else
    }
    return {
      victim: serveHttp({ server: server as unknown as NodeServer, grace: 0 }, handle),
      others: [world()],
      check() {
        assertEquals([server.listening, ended], [false, responses.length]);
        assert(responses.every((each) => each.writableEnded || each.destroyed));
        assertEquals(server.eventNames(), []);
        assertEquals(responses.flatMap((each) => each.eventNames()), []);
      },
    };
  });
  assert(waits >= 2, `${waits} waits`);
});

Deno.test("sendChunk: cancelled at every wait, it leaves no listener", async () => {
  const waits = await cancelAtEveryWait(() => {
    const response = new FakeResponse();
    function* victim(): Coroutine {
      yield* sendChunk(response, "a");
      yield* sendChunk(response, "b");
    }
    function* world(): Coroutine {
      for (let i = 0; i < 2; i++) {
        yield* turns();
        response.emit("drain");
      }
    }
    return {
      victim: victim(),
      others: [world()],
      check: () => assertEquals(response.eventNames(), []),
    };
  });
  assert(waits >= 4, `${waits} waits`);
});
