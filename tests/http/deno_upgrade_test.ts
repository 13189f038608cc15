/** fromWebSocket on the server's side of Deno: `Deno.upgradeWebSocket` under `serveHttp` (R18, R47). */
import { randomBytes } from "node:crypto";
import { WebSocket as WsSocket } from "ws";
import { assert, assertEquals } from "@std/assert";
import { type Coroutine, Loop, Nursery, shield, sleep, TimeoutError, until } from "../../mod.ts";
import {
  fromWebSocket,
  type HttpAddress,
  type MessageStream,
  serveHttp,
  WebSocketError,
  type WebSocketOptions,
} from "../../src/http/mod.ts";
import { RawClient, soon } from "./support.ts";

/** Serves WebSockets while `use` runs; gives what each of their coroutines ended with. */
async function serving(
  handle: (messages: MessageStream) => Coroutine,
  use: (port: number, endings: unknown[]) => Promise<void>,
  { options = {} as WebSocketOptions, delay = 0 } = {},
): Promise<unknown[]> {
  const endings: unknown[] = [];
  function* serve(socket: WebSocket): Coroutine {
    try {
      using messages = yield* fromWebSocket(socket, options);
      yield* handle(messages);
      endings.push("returned");
    } catch (error) {
      if (!(error instanceof WebSocketError || error instanceof TimeoutError)) throw error;
      endings.push(error);
    }
  }
  await new Loop().run(Nursery.open(function* (nursery) {
    const { port } = yield* nursery.start<HttpAddress>((onListen) =>
      serveHttp({ onListen, grace: 0.1 }, function* (request) {
        if (delay > 0) yield* shield(sleep(delay)); // else the client's going would end it here
        const { socket, response } = Deno.upgradeWebSocket(request);
        nursery.startSoon(serve(socket));
        return response;
      })
    );
    yield* until(use(port, endings));
    nursery.cancel();
  }));
  return endings;
}

function* echo(messages: MessageStream): Coroutine {
  yield* messages.forEach(function* (message) {
    yield* messages.send(message);
  });
}

const makes: [string, (url: string) => WebSocket][] = [
  ["the runtime's own", (url) => new WebSocket(url)],
  ["ws", (url) => new WsSocket(url) as unknown as WebSocket],
];

for (const [name, make] of makes) {
  Deno.test(`Deno.upgradeWebSocket, client ${name}: text and bytes, in order, and a clean end`, async () => {
    const endings = await serving(echo, async (port, endings) => {
      await new Loop().run(function* (): Coroutine {
        using messages = yield* fromWebSocket(make(`ws://127.0.0.1:${port}/`));
        yield* messages.send("hello");
        yield* messages.send(new Uint8Array([1, 2, 3]));
        assertEquals(yield* messages.receive(), "hello");
        assertEquals(yield* messages.receive(), new Uint8Array([1, 2, 3]));
        for (let i = 0; i < 200; i++) yield* messages.send(`${i}`);
        for (let i = 0; i < 200; i++) assertEquals(yield* messages.receive(), `${i}`);
      }());
      await soon(() => endings.length === 1, "the end");
    });
    assertEquals(endings, ["returned"]);
  });

  Deno.test(`R47: Deno.upgradeWebSocket, client ${name}: 20 MB arrive whole at a client that is slow`, async () => {
    const size = 1 << 16;
    await serving(function* (messages) {
      for (let i = 0; i < 320; i++) yield* messages.send(new Uint8Array(size).fill(i));
    }, async (port) => {
      await new Loop().run(function* (): Coroutine {
        using messages = yield* fromWebSocket(make(`ws://127.0.0.1:${port}/`), {
          maxBuffered: 64 << 20,
        });
        for (let i = 0; i < 320; i++) {
          const message = (yield* messages.receive()) as Uint8Array;
          assertEquals([message.length, message[0], message[size - 1]], [size, i % 256, i % 256]);
          if (i % 40 === 0) yield* sleep(0.02);
        }
        assertEquals(yield* messages.receive(), null);
      }());
    });
  });
}

/** A client that shakes hands, and does what it likes then. */
function upgrade(port: number): RawClient {
  return new RawClient(port).request("/", {
    headers: [
      "connection: upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      `sec-websocket-key: ${randomBytes(16).toString("base64")}`,
    ],
  });
}

for (const reset of [false, true]) {
  const how = reset ? "by a reset" : "by a FIN";
  Deno.test(`Deno.upgradeWebSocket: a client that goes ${how}, without a close frame, is an error`, async () => {
    const endings = await serving(echo, async (port, endings) => {
      const client = upgrade(port);
      await client.receive("101");
      await client.close(reset);
      await soon(() => endings.length === 1, "the end");
    });
    assert(endings[0] instanceof WebSocketError, String(endings[0]));
    assertEquals(endings[0].code, 1006);
  });

  Deno.test({
    name:
      `Deno.upgradeWebSocket: a client that goes ${how} before the answer to its upgrade holds nobody up`,
    // Deno itself leaves the operation of such an upgrade behind, and its connection.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const endings = await serving(echo, async (port, endings) => {
        for (let i = 0; i < 3; i++) {
          const client = upgrade(port);
          await client.until(() => client.socket.writableLength === 0, "write");
          await new Promise((resolve) => setTimeout(resolve, 10));
          await client.close(reset);
        }
        await soon(() => endings.length === 3, "the end");
      }, { options: { openTimeout: 0.3 }, delay: 0.1 });
      for (const each of endings) {
        assert(each instanceof TimeoutError || each instanceof WebSocketError, String(each));
      }
    },
  });
}

Deno.test("R47: Deno.upgradeWebSocket: a send waits while the client takes nothing, and gives up", async () => {
  let sent = 0;
  const endings = await serving(function* (messages) {
    for (;; sent++) yield* messages.send(new Uint8Array(1 << 16));
  }, async (port, endings) => {
    const client = upgrade(port);
    await client.receive("101");
    client.socket.pause();
    await soon(() => endings.length === 1, "the end");
    await client.close(true);
  }, { options: { writeTimeout: 0.5 } });
  assert(endings[0] instanceof TimeoutError, String(endings[0]));
  assert(sent < 1000, `${sent} messages of 64 KiB`);
});

Deno.test("Deno.upgradeWebSocket: garbage for frames is an error of that socket alone", async () => {
  const endings = await serving(echo, async (port, endings) => {
    const client = upgrade(port);
    await client.receive("101");
    client.socket.write(new Uint8Array(1000).fill(0xff));
    await soon(() => endings.length === 1, "the end");
    await client.close();
  });
  assert(endings[0] instanceof WebSocketError, String(endings[0]));
});
