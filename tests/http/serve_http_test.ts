/** serveHttp in the web's form, by every server there is, with real clients (R45 to R48). */
import { readdirSync } from "node:fs";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  checkpoint,
  ensure,
  Loop,
  type LoopWarning,
  Portal,
  shield,
  sleep,
  sleepForever,
  until,
} from "../../mod.ts";
import { serveHttp, streamBody } from "../../src/http/mod.ts";
import { isToldLate, kinds, RawClient, soon, withServer } from "./support.ts";

const base = (port: number) => `http://127.0.0.1:${port}`;

for (const { name, serve } of kinds) {
  Deno.test(`${name}: answers requests, each in a coroutine`, async () => {
    const body = function* (request: Request) {
      yield* checkpoint();
      const text = yield* until(request.text());
      return new Response(`${request.method} ${new URL(request.url).pathname} ${text}`);
    };
    await withServer((onListen) => serve({ onListen }, body), async (port) => {
      const all = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
        const response = await fetch(`${base(port)}/${i}`, { method: "POST", body: `body ${i}` });
        return await response.text();
      }));
      assertEquals(all, all.map((_, i) => `POST /${i} body ${i}`));
    });
  });

  for (const reset of [false, true]) {
    const how = reset ? "by a reset" : "by a FIN";
    Deno.test(`R45: ${name}: a client that goes ${how} before the first byte cancels the coroutine`, async () => {
      const log: string[] = [];
      const body = function* () {
        log.push("begun");
        try {
          yield* sleepForever();
        } finally {
          yield* shield(sleep(0.01));
          log.push("cleaned up");
        }
        return new Response("never");
      };
      await withServer((onListen) => serve({ onListen }, body), async (port) => {
        const client = new RawClient(port).request("/");
        await soon(() => log.length === 1, "the beginning");
        await client.close(reset);
        await soon(() => log.length === 2, "the cleanup");
      });
      assertEquals(log, ["begun", "cleaned up"]);
    });

    Deno.test(`R45: ${name}: a client that goes ${how} while it uploads cancels the coroutine`, async () => {
      const log: string[] = [];
      const body = function* (request: Request) {
        log.push("begun");
        yield* ensure(() => void log.push("cleaned up"));
        return new Response(yield* until(request.text()));
      };
      const errors: unknown[] = [];
      const onError = (error: unknown) => void errors.push(error);
      await withServer((onListen) => serve({ onListen, onError }, body), async (port) => {
        for (const headers of [["content-length: 100"], ["transfer-encoding: chunked"]]) {
          log.length = 0;
          const client = new RawClient(port)
            .request("/", { method: "POST", headers, body: "d\r\nthe beginning" });
          await soon(() => log.length === 1, "the beginning");
          await client.close(reset);
          await soon(() => log.length === 2, "the cleanup");
        }
      });
      assertEquals(log, ["begun", "cleaned up"]);
      assertEquals(errors.filter((each) => !isToldLate(name, each)), []); // it is no failure
    });

    Deno.test(`R45: ${name}: a client that goes ${how} while the body streams cancels the coroutine`, async () => {
      const log: string[] = [];
      const body = function* () {
        yield* ensure(() => void log.push("request cleaned up"));
        return new Response(streamBody(function* (send) {
          try {
            for (let i = 0;; i++) {
              yield* send(`part ${i}\n`);
              yield* sleep(0.005);
            }
          } finally {
            log.push("body cleaned up");
          }
        }));
      };
      await withServer((onListen) => serve({ onListen }, body), async (port) => {
        const client = new RawClient(port).request("/");
        await client.receive("part 3");
        assertEquals(log, []);
        await client.close(reset);
        await soon(() => log.length === 2, "the cleanup");
      });
      assertEquals(log, ["body cleaned up", "request cleaned up"]);
    });

    Deno.test(`R45: ${name}: a client that goes ${how} while the body has nothing to send cancels the coroutine`, async () => {
      const log: string[] = [];
      const body = function* () {
        return new Response(streamBody(function* (send) {
          yield* send("hello\n");
          try {
            yield* sleepForever();
          } finally {
            log.push("cleaned up");
          }
        }));
      };
      await withServer((onListen) => serve({ onListen }, body), async (port) => {
        const client = new RawClient(port).request("/");
        await client.receive("hello");
        await new Promise((resolve) => setTimeout(resolve, 60)); // it is listened to by now
        await client.close(reset);
        await soon(() => log.length === 1, "the cleanup");
      });
    });
  }

  Deno.test(`R45: ${name}: nothing of a request runs on after its response has ended`, async () => {
    const log: string[] = [];
    const body = function* () {
      yield* ensure(function* () {
        yield* sleep(0.02);
        log.push("cleaned up");
      });
      return new Response(streamBody(function* (send) {
        yield* send("body");
      }));
    };
    await withServer((onListen) => serve({ onListen }, body), async (port) => {
      const text = await (await fetch(base(port))).text();
      log.push(text);
    });
    assertEquals(log, ["cleaned up", "body"]);
  });

  Deno.test(`R45: ${name}: HEAD runs no body, and ends`, async () => {
    let ran = false;
    const body = function* () {
      return new Response(streamBody(function* (send) {
        ran = true;
        yield* send("body");
        yield* sleepForever();
      }));
    };
    await withServer((onListen) => serve({ onListen }, body), async (port) => {
      const response = await fetch(base(port), { method: "HEAD" });
      assertEquals([response.status, await response.text()], [200, ""]);
    });
    assertEquals(ran, false);
  });

  Deno.test(`R46: ${name}: what a handler throws is a 500 without details, and is told to onError`, async () => {
    const told: unknown[] = [];
    const body = function* (request: Request) {
      yield* checkpoint();
      // deno-lint-ignore no-throw-literal
      if (new URL(request.url).pathname === "/odd") throw null;
      if (new URL(request.url).pathname === "/none") return undefined as unknown as Response;
      throw new RangeError("secret");
    };
    const onError = (error: unknown) => void told.push(error);
    await withServer((onListen) => serve({ onListen, onError }, body), async (port) => {
      const response = await fetch(base(port));
      assertEquals([response.status, await response.text()], [500, "Internal Server Error"]);
      for (const path of ["/odd", "/none"]) {
        const other = await fetch(base(port) + path);
        assertEquals([other.status, await other.text()], [500, "Internal Server Error"]);
      }
    });
    assertEquals((told[0] as Error).message, "secret");
    assertEquals(told[1], null);
    assert(told[2] instanceof TypeError && /Expected a Response/.test(told[2].message));
    assertEquals(told.length, 3);
  });

  Deno.test(`R46: ${name}: onError may answer; one that throws is a warning; without one, errors are warnings`, async () => {
    const warnings: string[] = [];
    const loop = () =>
      new Loop({ onWarning: ({ message }: LoopWarning) => warnings.push(message) });
    const body = function* (): Generator<never, Response> {
      throw new RangeError("broken");
    };
    const statusWith = async (onError?: () => Response | void) => {
      let status = 0;
      await withServer((onListen) => serve({ onListen, onError }, body), async (port) => {
        const response = await fetch(base(port));
        await response.text();
        status = response.status;
      }, loop());
      return status;
    };
    assertEquals(await statusWith(() => new Response("mine", { status: 418 })), 418);
    assertEquals(warnings.length, 0);
    const throwing = () => {
      throw new Error("reporter is down");
    };
    assertEquals(await statusWith(throwing), 500);
    assertEquals(await statusWith(undefined), 500);
    assertEquals(warnings.map((each) => each.split("\n")[0]), [
      "onError of an HTTP handler failed: Error: reporter is down",
      "The handler of an HTTP request failed. RangeError: broken",
    ]);
  });

  Deno.test(`R46: ${name}: what fails after the head cuts the connection`, async () => {
    const told: unknown[] = [];
    const body = function* () {
      return new Response(streamBody(function* (send) {
        yield* send("half a body");
        yield* sleep(0.02);
        throw new RangeError("broken");
      }));
    };
    const onError = (error: unknown) => void told.push(error);
    await withServer((onListen) => serve({ onListen, onError }, body), async (port) => {
      const client = new RawClient(port).request("/");
      await client.receive("half a body");
      await client.end();
      assert(!client.received.includes("\r\n0\r\n\r\n"), "it looks like a whole body");
      await assertRejects(async () => await (await fetch(base(port))).text());
    });
    assertEquals(told.length, 2);
  });

  Deno.test(`R46: ${name}: a timeout is 504, after cleanup, and does not count while a body streams`, async () => {
    const log: string[] = [];
    const body = function* (request: Request) {
      if (request.url.endsWith("/slow")) {
        try {
          yield* sleep(60);
        } finally {
          yield* shield(sleep(0.01));
          log.push("cleaned up");
        }
      }
      return new Response(streamBody(function* (send) {
        yield* send("a");
        yield* sleep(0.3);
        yield* send("b");
      }));
    };
    await withServer((onListen) => serve({ onListen, timeout: 0.1 }, body), async (port) => {
      const slow = await fetch(`${base(port)}/slow`);
      assertEquals([slow.status, await slow.text(), ...log], [
        504,
        "Gateway Timeout",
        "cleaned up",
      ]);
      assertEquals(await (await fetch(`${base(port)}/stream`)).text(), "ab");
    });
  });

  Deno.test(`R46: ${name}: too many at once are 503 with Retry-After, and start nothing`, async () => {
    let begun = 0;
    let release!: () => void;
    const released = new Promise<void>((resolve) => release = resolve);
    const body = function* () {
      begun++;
      yield* until(released);
      return new Response("served");
    };
    await withServer((onListen) => serve({ onListen, maxConcurrent: 2 }, body), async (port) => {
      const first = [fetch(base(port)), fetch(base(port))];
      await soon(() => begun === 2, "two requests");
      const refused = await fetch(base(port));
      assertEquals([refused.status, refused.headers.get("retry-after"), begun], [503, "1", 2]);
      await refused.text();
      release();
      for (const each of first) assertEquals(await (await each).text(), "served");
      assertEquals(await (await fetch(base(port))).text(), "served");
    });
  });

  Deno.test(`R46, R47: ${name}: a reader that stalls makes the coroutine wait, and is cut after writeTimeout`, async () => {
    let sent = 0;
    const errors: unknown[] = [];
    const chunk = () => new Uint8Array(65_536);
    const body = function* () {
      return new Response(streamBody(function* (send) {
        for (;;) {
          yield* send(chunk());
          sent++;
        }
      }));
    };
    const options = { writeTimeout: 0.5, onError: (error: unknown) => void errors.push(error) };
    await withServer((onListen) => serve({ onListen, ...options }, body), async (port) => {
      const client = new RawClient(port);
      client.socket.pause();
      client.request("/");
      await soon(() => errors.length === 1, "the timeout");
      assertEquals((errors[0] as Error).name, "TimeoutError");
      assert(sent < 1000, `${sent} chunks of 64 KiB were sent to a client that does not read`);
      await client.close();
    });
  });

  Deno.test(`R47: ${name}: 32 MB arrive whole, however the client reads`, async () => {
    const body = function* () {
      return new Response(streamBody(function* (send) {
        for (let i = 0; i < 512; i++) yield* send(new Uint8Array(65_536).fill(i));
      }));
    };
    await withServer((onListen) => serve({ onListen }, body), async (port) => {
      const bytes = new Uint8Array(await (await fetch(base(port))).arrayBuffer());
      assertEquals(bytes.length, 512 * 65_536);
      assert([0, 100, 511].every((i) => bytes[i * 65_536] === i % 256));
    });
  });

  Deno.test(`R48: ${name}: the end stops accepting and ends idle connections at once, and lets requests finish`, async () => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => release = resolve);
    let begun = false;
    const body = function* (request: Request) {
      if (request.url.endsWith("/slow")) {
        begun = true;
        yield* until(released);
      }
      return new Response("served");
    };
    await withServer((onListen) => serve({ onListen, grace: 30 }, body), async (port, stop) => {
      const idle = new RawClient(port).request("/quick");
      await idle.receive("served");
      const busy = new RawClient(port).request("/slow");
      await soon(() => begun, "the slow request");
      const start = performance.now();
      stop();
      await idle.end();
      const late = new RawClient(port);
      await late.end();
      assert(performance.now() - start < 5000, "idle connections are ended at once");
      assertEquals(busy.received, "");
      release();
      await busy.receive("served");
      await busy.end();
      assert(busy.received.startsWith("HTTP/1.1 200"));
    });
  });

  Deno.test(`R48: ${name}: after the grace the rest is cancelled: 503 before the head, cut after it`, async () => {
    const log: string[] = [];
    const body = function* (request: Request) {
      yield* ensure(() => void log.push(`${new URL(request.url).pathname} cleaned up`));
      if (request.url.endsWith("/slow")) yield* sleepForever();
      return new Response(streamBody(function* (send) {
        yield* send("half");
        yield* sleepForever();
      }));
    };
    await withServer((onListen) => serve({ onListen, grace: 0.1 }, body), async (port, stop) => {
      const slow = new RawClient(port).request("/slow");
      const streaming = new RawClient(port).request("/streaming");
      await streaming.receive("half");
      await new Promise((resolve) => setTimeout(resolve, 20));
      stop();
      await Promise.all([slow.end(), streaming.end()]);
      assert(slow.received.startsWith("HTTP/1.1 503"), slow.received);
      assert(!streaming.received.includes("\r\n0\r\n\r\n"));
    });
    assertEquals(log.sort(), ["/slow cleaned up", "/streaming cleaned up"]);
  });

  Deno.test(`R48: ${name}: a client that does not take its answer holds nobody up`, async () => {
    const body = function* () {
      return new Response(new Uint8Array(64 << 20));
    };
    const start = performance.now();
    let client!: RawClient;
    await withServer((onListen) => serve({ onListen, grace: 0.1 }, body), async (port, stop) => {
      client = new RawClient(port);
      client.socket.pause();
      client.request("/");
      await new Promise((resolve) => setTimeout(resolve, 100));
      stop();
    });
    assert(performance.now() - start < 10_000);
    await client.close();
    await new Promise((resolve) => setTimeout(resolve, 20)); // an uncaught error would come by now
  });

  Deno.test(`R48: ${name}: cancelled before it listens, it does not; a port that is taken is the runtime's error`, async () => {
    const body = function* () {
      return new Response();
    };
    let listened = false;
    const loop = new Loop();
    loop.startSoon(serve({ onListen: () => listened = true }, body)).cancel();
    await loop.run();
    assertEquals(listened, false);
    await withServer((onListen) => serve({ onListen }, body), async (port) => {
      await using portal = new Portal();
      const error = await assertRejects(() => portal.run(serve({ port }, body)), Error) as {
        code?: string;
      };
      assertEquals(error.code, "EADDRINUSE");
    });
  });

  // BROOMIO_REQUESTS=10000 for the full number.
  const count = Number(Deno.env.get("BROOMIO_REQUESTS") ?? 1_000);
  Deno.test(`R45: ${name}: ${count} requests, of which half break off, leave nothing`, async () => {
    const before = descriptors();
    let begun = 0;
    let ended = 0;
    const body = function* (request: Request) {
      begun++;
      yield* ensure(() => void ended++);
      const wait = Number(new URL(request.url).searchParams.get("wait"));
      if (wait > 0) yield* sleep(wait / 1000);
      return new Response(streamBody(function* (send) {
        for (let i = 0; i < 4; i++) {
          yield* send(`part ${i}\n`);
          if (wait > 0) yield* sleep(wait / 4000);
        }
      }));
    };
    const loop = new Loop();
    await withServer((onListen) => serve({ onListen }, body), async (port) => {
      let whole = 0;
      const clients = Array.from({ length: 32 }, async (_, lane) => {
        for (let i = lane; i < count; i += 32) {
          const client = new RawClient(port).request(`/?wait=${i % 7 * 2}`);
          if (i % 2 === 0) {
            await client.receive("part 3");
            whole++;
            await client.close();
          } else {
            await new Promise((resolve) => setTimeout(resolve, i % 11 * 2));
            await client.close(i % 3 === 0);
          }
        }
      });
      await Promise.all(clients);
      assertEquals(whole, count / 2);
      await soon(() => begun === ended, "the end of all");
    }, loop);
    assertEquals([...loop.tasks], []);
    await soon(() => descriptors() <= before + 5, "the end of all descriptors");
  });
}

/** How many files and sockets the process has open, where the system tells. */
function descriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

Deno.test("R40b: options of serveHttp are checked at the call", () => {
  const body = function* () {
    return new Response();
  };
  // deno-lint-ignore no-explicit-any
  const given = (options: any) => () => serveHttp(options, body);
  assertThrows(given({ certs: "" }), TypeError, '"cert"');
  assertThrows(given({ clientCa: "" }), TypeError, "clientCa");
  assertThrows(given({ cert: "-----BEGIN CERTIFICATE-----" }), TypeError, "both cert and key");
  assertThrows(given({ cert: "", key: "" }), TypeError, "PEM");
  assertThrows(given({ port: 70000 }), RangeError, "65535");
  assertThrows(given({ port: "80" }), TypeError);
  assertThrows(given({ hostname: null }), TypeError);
  assertThrows(given({ grace: -1 }), RangeError);
  assertThrows(given({ maxConcurrent: 0 }), RangeError);
  assertThrows(given({ native: { tls: {} } }), TypeError, "native.tls");
  assertThrows(given({ server: {} }), TypeError, "node:http server");
  assertThrows(given({ server: {}, cert: "" }), TypeError, "cert");
  assertThrows(given(undefined), TypeError);
  assertThrows(() => serveHttp({}, 5 as never), TypeError);
});
