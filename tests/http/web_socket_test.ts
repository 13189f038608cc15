/** fromWebSocket, on the WebSockets of the runtime and of the `ws` package (R18, R47). */
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { createHash } from "node:crypto";
import { WebSocket as WsSocket, WebSocketServer } from "ws";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  checkpoint,
  ClosedResourceError,
  type Coroutine,
  Loop,
  moveOnAfter,
  Nursery,
  Portal,
  sleep,
  suspend,
  until,
} from "../../mod.ts";
import { fromWebSocket, type MessageStream, WebSocketError } from "../../src/http/mod.ts";
import { portOf, soon } from "./support.ts";

/** Runs a server of `ws` and a client in one loop; both are closed at the end. */
async function pair(
  client: (messages: MessageStream) => Coroutine,
  server: (messages: MessageStream) => Coroutine,
  { options = {}, make = (url: string) => new WsSocket(url) as unknown as WebSocket } = {},
): Promise<void> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const loop = new Loop();
  try {
    await loop.run(Nursery.open(function* (nursery) {
      const accepted = suspend<WebSocket>((resume) => {
        sockets.once("connection", resume as never);
        client_ = make(`ws://127.0.0.1:${portOf(http)}`);
      });
      let client_!: WebSocket;
      nursery.startSoon(
        function* () {
          const socket = yield* accepted;
          nursery.startSoon(function* () {
            using messages = yield* fromWebSocket(socket, options);
            yield* server(messages);
          }());
        }(),
        { name: "acceptor" },
      );
      yield* checkpoint();
      using messages = yield* fromWebSocket(client_, options);
      yield* client(messages);
    }));
  } finally {
    for (const each of sockets.clients) each.terminate();
    sockets.close();
    await new Promise((resolve) => http.close(resolve));
  }
}

function* echo(messages: MessageStream): Coroutine {
  yield* messages.forEach(function* (message) {
    yield* messages.send(message);
  });
}

const makes: [string, (url: string) => WebSocket][] = [
  ["ws", (url) => new WsSocket(url) as unknown as WebSocket],
];
if (typeof WebSocket === "function") {
  makes.push(["the runtime's own", (url) => new WebSocket(url)]);
}

for (const [name, make] of makes) {
  Deno.test(`WebSocket, ${name}: text and bytes, in order, and a clean end`, async () => {
    await pair(
      function* (messages) {
        yield* messages.send("hello");
        yield* messages.send(new Uint8Array([1, 2, 3]));
        assertEquals(yield* messages.receive(), "hello");
        assertEquals(yield* messages.receive(), new Uint8Array([1, 2, 3]));
        for (let i = 0; i < 100; i++) yield* messages.send(`${i}`);
        for (let i = 0; i < 100; i++) assertEquals(yield* messages.receive(), `${i}`);
      },
      echo,
      { make },
    );
  });

  Deno.test(`WebSocket, ${name}: the other's clean close is the end, after the last message`, async () => {
    await pair(function* (messages) {
      yield* sleep(0.05);
      assertEquals(yield* messages.receive(), "last");
      assertEquals(yield* messages.receive(), null);
      assertEquals(yield* messages.receive(), null);
      let error: unknown;
      try {
        yield* messages.send("too late");
      } catch (thrown) {
        error = thrown;
      }
      assertEquals((error as Error).name, "BrokenResourceError");
    }, function* (messages) {
      yield* messages.send("last");
    }, { make });
  });

  Deno.test(`WebSocket, ${name}: an abnormal close is an error with code and reason`, async () => {
    await pair(function* (messages) {
      let error: unknown;
      try {
        yield* messages.receive();
      } catch (thrown) {
        error = thrown;
      }
      assert(error instanceof WebSocketError, String(error));
      assertEquals([error.code, error.reason], [4000, "go away"]);
    }, function* (messages) {
      messages.close(4000, "go away");
      yield* checkpoint();
    }, { make });
  });

  Deno.test(`R18: WebSocket, ${name}: a cancelled receive takes no message`, async () => {
    await pair(
      function* (messages) {
        assertEquals(yield* moveOnAfter(0.02, messages.receive()), undefined);
        yield* messages.send("a");
        assertEquals(yield* messages.receive(), "a");
      },
      echo,
      { make },
    );
  });

  Deno.test(`WebSocket, ${name}: what is closed here is closed at once; twice is once`, async () => {
    await pair(function* (messages) {
      messages.close();
      messages.close();
      for (const use of [() => messages.receive(), () => messages.send("x")]) {
        let error: unknown;
        try {
          yield* use();
        } catch (thrown) {
          error = thrown;
        }
        assert(error instanceof ClosedResourceError, String(error));
      }
    }, function* (messages) {
      assertEquals(yield* messages.receive(), null);
    }, { make });
  });

  Deno.test(`R47: WebSocket, ${name}: a send waits while the other end takes nothing, and gives up in the end`, async () => {
    await pair(function* (messages) {
      let sent = 0;
      let error: unknown;
      try {
        for (;;) {
          yield* messages.send(new Uint8Array(65_536));
          sent++;
        }
      } catch (thrown) {
        error = thrown;
      }
      assertEquals((error as Error).name, "TimeoutError");
      assert(sent < 1000, `${sent} messages of 64 KiB`);
    }, function* () {
      yield* sleep(0.6); // receives nothing; `ws` is paused by then
    }, { make, options: { writeTimeout: 0.3, maxBuffered: 100_000 } });
  });

  Deno.test(`WebSocket, ${name}: one that cannot be opened is a WebSocketError`, async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.resume();
      socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await using portal = new Portal();
    const url = `ws://127.0.0.1:${portOf(server)}`;
    await assertRejects(() => portal.run(() => fromWebSocket(make(url))), WebSocketError);
    await new Promise((resolve) => server.close(resolve));
  });

  Deno.test(`WebSocket, ${name}: cancelled while it opens, the socket is closed`, async () => {
    let ended = false;
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.on("close", () => ended = true);
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await new Loop().run(
      moveOnAfter(
        0.05,
        fromWebSocket(make(`ws://127.0.0.1:${portOf(server)}`), { closeTimeout: 0.1 }),
      ),
    );
    await soon(() => ended, "the end of the connection");
    await new Promise((resolve) => server.close(resolve));
  });

  Deno.test(`WebSocket, ${name}: a peer that vanishes is an error`, async () => {
    // A server that shakes hands, and resets.
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (head) => {
        const key = /sec-websocket-key: (\S+)/i.exec(head.toString())![1];
        const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
            `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
        );
        setTimeout(() => socket.resetAndDestroy(), 20);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await using portal = new Portal();
    const error = await assertRejects(() =>
      portal.run(function* () {
        using messages = yield* fromWebSocket(make(`ws://127.0.0.1:${portOf(server)}`));
        yield* messages.receive();
      }), WebSocketError);
    assertEquals(error.code, 1006);
    await new Promise((resolve) => server.close(resolve));
  });
}

Deno.test("WebSocket: one that cannot be paused is ended when too much waits, and what is here can be received", async () => {
  await using portal = new Portal();
  const socket = Object.assign(new EventTarget(), {
    readyState: 1,
    bufferedAmount: 0,
    binaryType: "",
    send() {},
    closes: 0,
    close() {
      this.closes++;
    },
  });
  await portal.run(function* () {
    using messages = yield* fromWebSocket(socket, { maxBuffered: 10 });
    for (const data of ["12345", "67890", "!", "late"]) {
      socket.dispatchEvent(new MessageEvent("message", { data }));
    }
    assertEquals(socket.closes, 1);
    assertEquals(yield* messages.receive(), "12345");
    assertEquals(yield* messages.receive(), "67890");
    assertEquals(yield* messages.receive(), "!");
    let error: unknown;
    try {
      yield* messages.receive();
    } catch (thrown) {
      error = thrown;
    }
    assertEquals((error as WebSocketError).code, 1009);
  });
});

Deno.test("WebSocket: arguments are checked at the call", async () => {
  // deno-lint-ignore no-explicit-any
  const given = (socket: any, options?: any) => () => fromWebSocket(socket, options);
  assertThrows(given(undefined), TypeError, "WebSocket");
  assertThrows(given({}), TypeError, "WebSocket");
  const socket = new EventTarget() as unknown as WebSocket;
  Object.assign(socket, { readyState: 1, send() {}, close() {} });
  assertThrows(given(socket, { maxBufferd: 1 }), TypeError, '"maxBuffered"');
  assertThrows(given(socket, { highWaterMark: -1 }), RangeError);
  await using portal = new Portal();
  await portal.run(function* () {
    using messages = yield* fromWebSocket(socket);
    assertThrows(() => messages.close(999), RangeError);
    assertThrows(() => messages.forEach(5 as never), TypeError);
  });
  await assertRejects(() =>
    portal.run(function* () {
      const messages = yield* fromWebSocket(socket);
      yield* messages.send(5 as never);
    }), TypeError);
  await portal.run(until(Promise.resolve()));
});
