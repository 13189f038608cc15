/** toHandler, streamBody and eventStream, without a server (R45 to R48). */
import { Hono } from "hono";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Broadcast,
  checkpoint,
  ensure,
  type LoopWarning,
  Nursery,
  openChannel,
  Portal,
  shield,
  sleep,
  sleepForever,
  until,
} from "../../mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import {
  eventStream,
  eventStreamHeaders,
  serveHttp,
  streamBody,
  toHandler,
} from "../../src/http/mod.ts";
import { certificates } from "../support/certificates.ts";
import { soon, withServer } from "./support.ts";
import { request as httpsRequest } from "node:https";

const url = "http://localhost/path";

Deno.test("toHandler gives the coroutine's response; what the server says besides follows the request", async () => {
  await using portal = new Portal();
  const handler = toHandler(portal, function* (request: Request, info: { from: string }) {
    yield* checkpoint();
    return new Response(`${new URL(request.url).pathname} from ${info.from}`);
  });
  const promise = handler(new Request(url), { from: "here" });
  assertEquals(portal.active, 1);
  assertEquals(await (await promise).text(), "/path from here");
  assertEquals(portal.active, 0);
});

Deno.test("toHandler: `ensure` of the request has run before the response goes out", async () => {
  await using portal = new Portal();
  const log: string[] = [];
  const handler = toHandler(portal, function* () {
    yield* ensure(function* () {
      yield* checkpoint();
      log.push("cleaned up");
    });
    return new Response("body");
  });
  await handler(new Request(url));
  assertEquals(log, ["cleaned up"]);
});

Deno.test("R45: the signal is not looked at while a request is young, is heard later, and let go of at the end", async () => {
  await using portal = new Portal();
  let listeners = 0;
  let reads = 0;
  const controller = new AbortController();
  const { signal } = controller;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = function (...given: unknown[]) {
    listeners++;
    return Reflect.apply(addEventListener, this, given);
  };
  signal.removeEventListener = function (...given: unknown[]) {
    listeners--;
    return Reflect.apply(removeEventListener, this, given);
  };
  const request = new Proxy(new Request(url), {
    get(target, name) {
      if (name !== "signal") return Reflect.get(target, name, target);
      reads++;
      return signal;
    },
  });
  const handler = toHandler(portal, function* () {
    yield* sleep(0.06);
    return new Response();
  });
  const promise = handler(request);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(reads, 0);
  await promise;
  assertEquals([reads, listeners], [1, 0]);
});

Deno.test("R45: a signal that aborts cancels, also one that had before anybody looked", async () => {
  for (const delay of [1, 45]) {
    await using portal = new Portal();
    const controller = new AbortController();
    const log: string[] = [];
    const handler = toHandler(portal, function* () {
      try {
        yield* sleepForever();
      } finally {
        yield* shield(sleep(0.001));
        log.push("cleaned up");
      }
      return new Response();
    });
    const promise = handler(new Request(url, { signal: controller.signal }));
    setTimeout(() => controller.abort(), delay);
    assertEquals((await promise).status, 499);
    assertEquals(log, ["cleaned up"]);
  }
});

Deno.test("R45: of many requests only those that grow old are listened to, oldest first", async () => {
  const clock = new VirtualClock();
  await using portal = new Portal({ host: clock });
  const heard: string[] = [];
  const handler = toHandler(portal, function* (_: Request, seconds: number) {
    yield* sleep(seconds);
    return new Response();
  });
  const watched = (name: string) =>
    new Proxy(new Request(url), {
      get(target, key) {
        if (key !== "signal") return Reflect.get(target, key, target);
        heard.push(name);
        return new AbortController().signal;
      },
    });
  const responses = [
    handler(watched("a"), 0.1),
    handler(watched("b"), 0.01),
    handler(watched("c"), 0.1),
    handler(watched("d"), 0.019),
    handler(watched("e"), 0),
    handler(watched("f"), 0.1),
  ];
  await Promise.all(responses);
  assertEquals(heard, ["a", "c", "f"]);
});

Deno.test("R46: an error that looks as if the client had gone is a failure where the client is there", async () => {
  await using portal = new Portal();
  const told: unknown[] = [];
  const onError = (error: unknown) => void told.push(error);
  const upstream = Object.assign(new Error("aborted"), { code: "ECONNRESET" });
  const closed = Object.assign(new Error("Bad resource ID"), { name: "BadResource" });
  for (const error of [upstream, closed, new DOMException("x", "AbortError"), null]) {
    const handler = toHandler(portal, function* (request: Request) {
      yield* until(request.text());
      throw error;
    }, { onError });
    const response = await handler(new Request(url, { method: "POST", body: "whole" }));
    assertEquals(response.status, 500);
    assertEquals(told.pop(), error);
  }
});

Deno.test("R44: closing the portal answers requests with 503, and cuts bodies", async () => {
  const portal = new Portal();
  const handler = toHandler(portal, function* (_: Request, streams: boolean) {
    if (!streams) yield* sleepForever();
    return new Response(streamBody(function* (send) {
      yield* send("half");
      yield* sleepForever();
    }));
  });
  const waiting = handler(new Request(url), false);
  const streaming = await handler(new Request(url), true);
  const reading = assertRejects(() => streaming.text(), Error, "cut");
  await portal.close();
  assertEquals((await waiting).status, 503);
  await reading;
  const late = await handler(new Request(url), false);
  assertEquals([late.status, late.headers.get("connection")], [503, "close"]);
});

Deno.test("streamBody: a body that no response uses does not run, and ends", async () => {
  await using portal = new Portal();
  let ran = false;
  let unused!: ReadableStream;
  const handler = toHandler(portal, function* () {
    unused = streamBody(function* () {
      ran = true;
      yield* sleepForever();
    });
    yield* checkpoint();
    return new Response("another body");
  });
  const response = await handler(new Request(url));
  assertEquals(await response.text(), "another body");
  assertEquals(await new Response(unused).text(), "");
  assertEquals(ran, false);
});

Deno.test("streamBody: one that goes through other streams runs, and so do two at once", async () => {
  await using portal = new Portal();
  const handler = toHandler(portal, function* () {
    const text = streamBody(function* (send) {
      yield* send("a text");
    });
    const other = streamBody(function* (send) {
      yield* send("another");
    });
    const compressed = text.pipeThrough(new CompressionStream("gzip"));
    const reader = other.getReader();
    const tail = new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
    tail.pipeTo(new WritableStream({ write: (chunk) => void tails.push(chunk) }));
    yield* checkpoint();
    return new Response(compressed);
  });
  const tails: Uint8Array[] = [];
  const response = await handler(new Request(url));
  const plain = response.body!.pipeThrough(new DecompressionStream("gzip"));
  assertEquals(await new Response(plain).text(), "a text");
  await soon(() => tails.length === 1, "the other body");
});

Deno.test("R45: streamBody: the reader's cancel resolves when the coroutine has cleaned up", async () => {
  await using portal = new Portal();
  const log: string[] = [];
  const handler = toHandler(portal, function* () {
    return new Response(streamBody(function* (send) {
      try {
        yield* send("part");
        yield* sleepForever();
      } finally {
        yield* shield(sleep(0.01));
        log.push("cleaned up");
      }
    }));
  });
  const response = await handler(new Request(url));
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  assertEquals(log, ["cleaned up"]);
  assertEquals(portal.active, 0);
});

Deno.test("R45: streamBody: a reader that cancels while the body is ready to send is no failure of it", async () => {
  await using portal = new Portal();
  const errors: unknown[] = [];
  const log: string[] = [];
  const options = { onError: (error: unknown) => void errors.push(error) };
  const handler = toHandler(portal, function* () {
    return new Response(streamBody(function* (send) {
      try {
        for (;;) yield* send("part");
      } catch (error) {
        log.push((error as Error).name);
        throw error;
      }
    }));
  }, options);
  const { body } = await handler(new Request(url));
  const reader = body!.getReader();
  await reader.read();
  // From a task of the same loop: in its step the body, which the read has woken, is ready.
  await portal.run(function* () {
    const read = reader.read();
    yield* until(read);
    const next = reader.read();
    next.catch(() => {});
    yield* checkpoint();
    yield* until(reader.cancel());
  });
  await soon(() => portal.active === 0, "the end of the request");
  assertEquals([log, errors], [["Cancelled"], []]);
});

Deno.test("R47: streamBody: the coroutine is never more than 16 KiB and a chunk ahead of its reader", async () => {
  await using portal = new Portal();
  let sent = 0;
  const handler = toHandler(portal, function* () {
    return new Response(streamBody(function* (send) {
      for (let i = 0; i < 100; i++) {
        yield* send(new Uint8Array(1024));
        sent++;
      }
    }));
  });
  const response = await handler(new Request(url));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert(sent <= 17, `${sent} KiB`);
  const reader = response.body!.getReader();
  let read = 0;
  for (let result = await reader.read(); !result.done; result = await reader.read()) {
    read += result.value.length;
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert(sent * 1024 - read <= 17 * 1024 + 1024, `${sent} KiB sent, ${read} bytes read`);
  }
  assertEquals(read, 100 * 1024);
});

Deno.test("streamBody: empty chunks are no end, wrong ones an error; what is sent from two tasks arrives", async () => {
  await using portal = new Portal();
  const errors: string[] = [];
  const handler = toHandler(portal, function* () {
    return new Response(streamBody(function* (send) {
      yield* send("");
      yield* send(new Uint8Array(0));
      yield* Nursery.open(function* (nursery) {
        for (const name of ["a", "b"]) {
          nursery.startSoon(function* () {
            for (let i = 0; i < 50; i++) yield* send(name.repeat(1000));
          }());
        }
      });
      try {
        yield* send(5 as never);
      } catch (error) {
        errors.push((error as Error).name);
      }
    }));
  });
  const text = await (await handler(new Request(url))).text();
  assertEquals([text.length, text.replaceAll("a", "").length], [100_000, 50_000]);
  assertEquals(errors, ["TypeError"]);
});

Deno.test("streamBody: in a run of a portal, under a framework, the portal runs it", async () => {
  await using portal = new Portal();
  const app = new Hono();
  let cleanedUp = 0;
  app.get(
    "/:name",
    (c) =>
      portal.run(function* () {
        yield* sleep(0.001);
        return c.body(streamBody(function* (send) {
          try {
            yield* send(`hello ${c.req.param("name")}`);
            yield* sleep(c.req.param("name") === "slow" ? 60 : 0);
          } finally {
            cleanedUp++;
          }
        }));
      }),
  );
  assertEquals(await (await app.request("/world")).text(), "hello world");
  const slow = await app.request("/slow");
  const reader = slow.body!.getReader();
  await reader.read();
  await reader.cancel();
  await soon(() => cleanedUp === 2, "the cleanup");
  assertEquals(portal.active, 0);
});

Deno.test("streamBody: with a portal it works anywhere; without one, outside of coroutines, it is a TypeError", async () => {
  await using portal = new Portal();
  const stream = streamBody(function* (send) {
    yield* send("hello");
  }, { portal });
  assertEquals(await new Response(stream).text(), "hello");
  assertThrows(() => streamBody(function* () {}), TypeError, "{ portal }");
  assertThrows(() => streamBody(5 as never, { portal }), TypeError);
  assertThrows(() => streamBody(function* () {}, { portl: portal } as never), TypeError, "portal");
  const closed = new Portal();
  const late = streamBody(function* () {}, { portal: closed });
  await closed.close();
  await assertRejects(() => new Response(late).text());
});

Deno.test("eventStream: events are written as EventSource reads them", async () => {
  await using portal = new Portal();
  const stream = eventStream(function* (send) {
    yield* send("two\r\nlines\rthree");
    yield* send({ event: "tick", id: "7", retry: 1000, data: "x" });
    yield* send({ data: "" });
  }, { portal });
  assertEquals(
    await new Response(stream).text(),
    "data: two\ndata: lines\ndata: three\n\nevent: tick\nid: 7\nretry: 1000\ndata: x\n\ndata: \n\n",
  );
  assertEquals(eventStreamHeaders["content-type"], "text/event-stream");
});

Deno.test("eventStream: no field can end an event early or begin another", async () => {
  await using portal = new Portal();
  const hostile: unknown[] = [
    { data: "x", event: "a\ndata: forged" },
    { data: "x", id: "1\r\n\r\ndata: forged" },
    { data: "x", id: "\0" },
    { data: "x", retry: "5\ndata: forged" },
    { data: 5 },
    { data: "x", event: 5 },
    5,
    null,
  ];
  const names: string[] = [];
  const stream = eventStream(function* (send) {
    for (const event of hostile) {
      try {
        yield* send(event as never);
      } catch (error) {
        names.push((error as Error).name);
      }
    }
  }, { portal });
  assertEquals(await new Response(stream).text(), "");
  assertEquals(names.length, hostile.length);
  assert(names.every((each) => each === "TypeError" || each === "RangeError"));
});

Deno.test("eventStream: from a receiver, which it closes; from a subscription of a Broadcast", async () => {
  await using portal = new Portal();
  const { sender, receiver } = openChannel<string>(5);
  sender.trySend("a");
  sender.trySend("b");
  sender.close();
  assertEquals(
    await new Response(eventStream(receiver, { portal })).text(),
    "data: a\n\ndata: b\n\n",
  );
  const broadcast = new Broadcast<string>();
  const subscription = broadcast.subscribe();
  const response = new Response(eventStream(subscription, { portal }));
  const reader = response.body!.getReader();
  const first = reader.read();
  await portal.run(broadcast.send("news"));
  assertEquals(new TextDecoder().decode((await first).value), "data: news\n\n");
  await reader.cancel();
  await portal.run(broadcast.send("nobody hears it"));
  assertEquals(broadcast.statistics().subscribers, 0);
});

Deno.test("eventStream: a comment is sent whenever nothing else was for the heartbeat", async () => {
  const clock = new VirtualClock();
  await using portal = new Portal({ host: clock });
  const { sender, receiver } = openChannel<string>(5);
  const slow = portal.run(function* () {
    yield* sleep(25);
    yield* sender.send("late");
    sender.close();
  });
  const text = await new Response(eventStream(receiver, { portal, heartbeat: 10 })).text();
  await slow;
  assertEquals(text, ":\n\n:\n\ndata: late\n\n");
  const body = eventStream(function* (send) {
    yield* send("a");
    yield* sleep(15);
    yield* send("b");
  }, { portal, heartbeat: 10 });
  assertEquals(await new Response(body).text(), "data: a\n\n:\n\ndata: b\n\n");
});

Deno.test("R46: errors whose handler nobody gave are warnings; whatever is thrown", async () => {
  const warnings: string[] = [];
  await using portal = new Portal({
    onWarning: ({ message }: LoopWarning) => warnings.push(message.split("\n")[0]),
  });
  const handler = toHandler(portal, function* (_: Request, thrown: unknown) {
    yield* checkpoint();
    throw thrown;
  });
  for (const thrown of [null, Object.create(null), new RangeError("broken")]) {
    assertEquals((await handler(new Request(url), thrown)).status, 500);
  }
  assertEquals(warnings.length, 3);
  assert(warnings.every((each) => each.startsWith("The handler of an HTTP request failed. ")));
});

Deno.test("R40b: options of toHandler are checked at the call", async () => {
  await using portal = new Portal();
  // deno-lint-ignore no-explicit-any
  const given = (options: any) => () =>
    toHandler(portal, function* () {
      return new Response();
    }, options);
  assertThrows(given({ timeOut: 5 }), TypeError, '"timeout"');
  assertThrows(given({ timeout: -1 }), RangeError);
  assertThrows(given({ maxConcurrent: 0.5 }), RangeError);
  assertThrows(given({ onError: 5 }), TypeError);
  assertThrows(() => toHandler(portal, undefined as never), TypeError);
});

const hasServer = ["Deno", "Bun"].some((name) => name in globalThis);
Deno.test({
  name: "serveHttp: HTTPS by cert and key",
  ignore: !hasServer,
  fn: async () => {
    const { ca, localhost } = certificates();
    await withServer(
      (onListen) =>
        serveHttp({ onListen, ...localhost }, function* (request) {
          return new Response(new URL(request.url).protocol);
        }),
      async (port) => {
        const text = await new Promise((resolve, reject) => {
          const options = { port, host: "127.0.0.1", servername: "localhost", ca, agent: false };
          httpsRequest(options, (response) => {
            let text = "";
            response.on("data", (part) => text += part).on("end", () => resolve(text));
          }).on("error", reject).end();
        });
        assertEquals(text, "https:");
      },
    );
  },
});

Deno.test("a handler may do what any coroutine does: a deadline around two upstreams", async () => {
  await using portal = new Portal();
  const handler = toHandler(portal, function* () {
    const text = yield* until(new Response("upstream").text());
    return new Response(text);
  });
  assertEquals(await (await handler(new Request(url))).text(), "upstream");
});
