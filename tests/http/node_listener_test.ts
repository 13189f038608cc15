/** toNodeListener and serveHttp in the style of `node:http` (R45 to R48). */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Coroutine,
  ensure,
  type Operation,
  Portal,
  shield,
  sleep,
  sleepForever,
  until,
} from "../../mod.ts";
import { sendChunk, serveHttp, toNodeListener } from "../../src/http/mod.ts";
import { portOf, RawClient, soon, withServer } from "./support.ts";

type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Operation<unknown>;
type Options = Parameters<typeof toNodeListener<IncomingMessage, ServerResponse>>[2];

const base = (port: number) => `http://127.0.0.1:${port}`;

/** Runs a server with such a listener. */
async function listen(
  body: NodeHandler,
  options: Options,
  use: (port: number, portal: Portal) => Promise<void>,
): Promise<void> {
  const portal = new Portal();
  const server: Server = createServer(toNodeListener(portal, body, options));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(portOf(server), portal);
    await soon(() => portal.active === 0, "the end of all requests");
  } finally {
    await portal.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("toNodeListener answers requests, at once or later", async () => {
  const body = function* (request: IncomingMessage, response: ServerResponse): Coroutine {
    if (request.url === "/later") yield* sleep(0.01);
    response.setHeader("x-test", "1");
    response.end(`You asked for ${request.url}`);
  };
  await listen(body, {}, async (port) => {
    for (const path of ["/now", "/later"]) {
      const response = await fetch(base(port) + path);
      assertEquals([response.status, response.headers.get("x-test")], [200, "1"]);
      assertEquals(await response.text(), `You asked for ${path}`);
    }
  });
});

for (const stage of ["before the first byte", "during the upload", "while the body streams"]) {
  for (const reset of [false, true]) {
    Deno.test(`R45: toNodeListener: a client that goes ${stage} by a ${reset ? "reset" : "FIN"} cancels the coroutine`, async () => {
      const log: string[] = [];
      const body = function* (request: IncomingMessage, response: ServerResponse): Coroutine {
        log.push("begun");
        try {
          if (stage === "during the upload") {
            yield* until(new Promise((resolve) => request.on("end", resolve).resume()));
          }
          if (stage === "while the body streams") response.write("a part");
          yield* sleepForever();
        } finally {
          yield* shield(sleep(0.01));
          log.push("cleaned up");
        }
      };
      await listen(body, {}, async (port) => {
        const client = new RawClient(port)
          .request("/", {
            method: "POST",
            headers: ["content-length: 100"],
            body: "the beginning",
          });
        await soon(() => log.length === 1, "the beginning");
        if (stage === "while the body streams") await client.receive("a part");
        await client.close(reset);
        await soon(() => log.length === 2, "the cleanup");
      });
    });
  }
}

Deno.test("R45: toNodeListener: what goes on after the response has ended is cancelled", async () => {
  let cleanedUp = false;
  const body = function* (_: IncomingMessage, response: ServerResponse): Coroutine {
    yield* ensure(() => void (cleanedUp = true));
    response.end("done");
    yield* sleepForever();
  };
  await listen(body, {}, async (port) => {
    assertEquals(await (await fetch(base(port))).text(), "done");
    await soon(() => cleanedUp, "the cleanup");
  });
});

Deno.test("R46: toNodeListener: an error before the head is a 500 without details, and without headers of before", async () => {
  const told: unknown[] = [];
  const body = function* (request: IncomingMessage, response: ServerResponse): Coroutine {
    response.setHeader("content-length", "1000");
    response.setHeader("x-secret", "1");
    if (request.url === "/later") yield* sleep(0.001);
    throw new RangeError("secret");
  };
  await listen(body, { onError: (error) => void told.push(error) }, async (port) => {
    for (const path of ["/now", "/later"]) {
      const response = await fetch(base(port) + path);
      assertEquals([response.status, response.headers.get("x-secret")], [500, null]);
      assertEquals(await response.text(), "Internal Server Error");
    }
  });
  assertEquals(told.map((each) => (each as Error).message), ["secret", "secret"]);
});

Deno.test("R46: toNodeListener: onError may answer; `next` of a framework gets the error instead", async () => {
  const body = function* (): Coroutine {
    throw new RangeError("broken");
  };
  const portal = new Portal();
  const answering = toNodeListener(portal, body as NodeHandler, {
    onError: () => void 0,
  });
  const passed: unknown[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/next") {
      const listener = toNodeListener<IncomingMessage, ServerResponse, [(error: unknown) => void]>(
        portal,
        body,
      );
      listener(request, response, (error) => {
        passed.push(error);
        response.end("next answered");
      });
    } else if (request.url === "/own") {
      toNodeListener(portal, body as NodeHandler, {
        onError: () => {
          response.statusCode = 418;
          response.end("own");
        },
      })(request, response);
    } else answering(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const get = async (path: string) => {
    const response = await fetch(base(portOf(server)) + path);
    return [response.status, await response.text()];
  };
  assertEquals(await get("/next"), [200, "next answered"]);
  assertEquals(await get("/own"), [418, "own"]);
  assertEquals(await get("/"), [500, "Internal Server Error"]);
  assertEquals(passed.map(String), ["RangeError: broken"]);
  await portal.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("R46: toNodeListener: an error after the head cuts the connection", async () => {
  const told: unknown[] = [];
  const body = function* (_: IncomingMessage, response: ServerResponse): Coroutine {
    yield* sendChunk(response, "half a body");
    yield* sleep(0.01);
    throw new RangeError("broken");
  };
  await listen(body, { onError: (error) => void told.push(error) }, async (port) => {
    const client = new RawClient(port).request("/");
    await client.receive("half a body");
    await client.end();
    assert(!client.received.includes("\r\n0\r\n\r\n"), client.received);
  });
  assertEquals(told.length, 1);
});

Deno.test("R46: toNodeListener: a timeout is 504, too many at once are 503 with Retry-After", async () => {
  const body = function* (): Coroutine {
    yield* sleepForever();
  };
  await listen(body as NodeHandler, { timeout: 0.2, maxConcurrent: 1 }, async (port) => {
    const first = fetch(base(port));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = await fetch(base(port));
    assertEquals([second.status, second.headers.get("retry-after")], [503, "1"]);
    await second.text();
    const response = await first;
    assertEquals([response.status, await response.text()], [504, "Gateway Timeout"]);
  });
});

Deno.test("R46: toNodeListener: a portal that is closed answers 503, what it cancels too", async () => {
  let begun = false;
  const body = function* (): Coroutine {
    begun = true;
    yield* sleepForever();
  };
  await listen(body as NodeHandler, {}, async (port, portal) => {
    const first = fetch(base(port));
    await soon(() => begun, "the beginning");
    await portal.close();
    const cancelled = await first;
    assertEquals([cancelled.status, cancelled.headers.get("connection")], [503, "close"]);
    await cancelled.text();
    const refused = await fetch(base(port));
    assertEquals([refused.status, await refused.text()], [503, "Service Unavailable"]);
  });
});

Deno.test("R46, R47: sendChunk waits for a client that stalls, and gives up after writeTimeout", async () => {
  let sent = 0;
  const told: unknown[] = [];
  const body = function* (_: IncomingMessage, response: ServerResponse): Coroutine {
    for (;; sent++) yield* sendChunk(response, new Uint8Array(65_536), { writeTimeout: 0.3 });
  };
  await listen(body, { onError: (error) => void told.push(error) }, async (port) => {
    const client = new RawClient(port);
    client.socket.pause();
    client.request("/");
    await soon(() => told.length === 1, "the timeout");
    assertEquals((told[0] as Error).name, "TimeoutError");
    assert(sent < 1000, `${sent} chunks of 64 KiB`);
    await client.close();
  });
});

Deno.test("sendChunk: wrong arguments are refused at the call, a closed response when it is used", () => {
  const response = {} as ServerResponse;
  assertThrows(() => sendChunk(response, 5 as never), TypeError);
  assertThrows(
    () => sendChunk(response, "x", { writeTimout: 1 } as never),
    TypeError,
    "writeTimeout",
  );
  assertThrows(() => toNodeListener(new Portal(), 5 as never), TypeError);
  assertThrows(
    () => toNodeListener(new Portal(), function* () {}, { timeOut: 1 } as never),
    TypeError,
  );
});

Deno.test("R48: serveHttp on a node:http server, in its own style: drains, and leaves the server as it was", async () => {
  const server = createServer();
  const counts = () => ["request", "close", "listening"].map((each) => server.listenerCount(each));
  const before = counts();
  let release!: () => void;
  const released = new Promise<void>((resolve) => release = resolve);
  let begun = false;
  const body = function* (request: IncomingMessage, response: ServerResponse): Coroutine {
    if (request.url === "/slow") {
      begun = true;
      yield* until(released);
    }
    response.end("served");
  };
  await withServer(
    (onListen) => serveHttp({ server, onListen, grace: 30 }, body),
    async (port, stop) => {
      const idle = new RawClient(port).request("/quick");
      await idle.receive("served");
      const busy = new RawClient(port).request("/slow");
      await soon(() => begun, "the slow request");
      stop();
      await idle.end();
      release();
      await busy.receive("served");
      await busy.end();
      assert(/connection: close/i.test(busy.received), busy.received);
    },
  );
  assertEquals(server.listening, false);
  assertEquals(counts(), before);
});

const onDeno = (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent
  ?.startsWith("Deno/") === true;

Deno.test({
  name: "serveHttp on node:http: the limits of the server hold: slow heads, large heads",
  ignore: onDeno, // its node:http has no such limits
  fn: async () => {
    const options = { headersTimeout: 200, connectionsCheckingInterval: 50, maxHeaderSize: 1000 };
    const server = createServer(options as Parameters<typeof createServer>[0]);
    const body = function* (_: IncomingMessage, response: ServerResponse): Coroutine {
      response.end("served");
    };
    await withServer((onListen) => serveHttp({ server, onListen }, body), async (port) => {
      const slow = new RawClient(port);
      slow.socket.write("GET / HTTP/1.1\r\nhost: x");
      const large = new RawClient(port).request("/", { headers: [`x-large: ${"x".repeat(2000)}`] });
      await slow.receive("HTTP/1.1 408");
      await large.receive("HTTP/1.1 431");
      await Promise.all([slow.end(), large.end()]);
      assertEquals(await (await fetch(base(port))).text(), "served");
    });
  },
});

Deno.test("R45: toNodeListener: 1,000 requests, of which half break off, leave nothing", async () => {
  let begun = 0;
  let ended = 0;
  const body = function* (request: IncomingMessage, response: ServerResponse): Coroutine {
    begun++;
    yield* ensure(() => void ended++);
    const wait = Number(request.url!.slice(1));
    for (let i = 0; i < 4; i++) {
      yield* sendChunk(response, `part ${i}\n`);
      if (wait > 0) yield* sleep(wait / 4000);
    }
    response.end();
  };
  await listen(body, { onError() {} }, async (port) => {
    let whole = 0;
    await Promise.all(Array.from({ length: 32 }, async (_, lane) => {
      for (let i = lane; i < 1000; i += 32) {
        const client = new RawClient(port).request(`/${i % 7 * 5}`);
        if (i % 2 === 0) {
          await client.receive("part 3");
          whole++;
        } else await new Promise((resolve) => setTimeout(resolve, i % 11 * 4));
        await client.close(i % 3 === 0);
      }
    }));
    assertEquals(whole, 500);
    await soon(() => begun === ended, "the end of all");
  });
});
