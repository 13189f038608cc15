/**
 * A crowd of bad clients at once, and good ones among them, against every place where coroutines
 * answer (R40, R45 to R47).
 */
import { connect, type Socket } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { App, places } from "./places.ts";
import { isToldLate, soon } from "./support.ts";

const HEAD = "HTTP/1.1\r\nhost: x\r\n";
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What bad clients do before they go. */
const ways: Record<string, (socket: Socket, index: number) => Promise<unknown> | void> = {
  async "a slow head"(socket) {
    for (const part of ["G", "ET /he", "llo HT", "TP/1.1\r", "\nhost: ", "x\r\n"]) {
      socket.write(part);
      await pause(10);
    }
  },
  async "an upload without an end, which nobody reads"(socket) {
    socket.write(`POST /hello ${HEAD}transfer-encoding: chunked\r\n\r\n`);
    for (let i = 0; i < 20 && !socket.destroyed; i++) {
      socket.write(`10000\r\n${"x".repeat(0x10000)}\r\n`);
      await pause(5);
    }
  },
  "a half-closed connection"(socket, index) {
    socket.end(`GET /${index % 2 ? "wait" : "stream"} ${HEAD}\r\n`);
    return pause(60);
  },
  "requests in one piece, then garbage"(socket) {
    socket.write(`GET /hello ${HEAD}\r\n`.repeat(20) + "\0\x16 garbage\r\n\r\n");
    return pause(30);
  },
  "many requests that wait, in one piece"(socket) {
    socket.write(`GET /wait ${HEAD}\r\n`.repeat(20));
    return pause(50);
  },
  "a body that it does not read"(socket) {
    socket.pause();
    socket.write(`GET /flood ${HEAD}\r\n`);
    return pause(150);
  },
  "an upgrade that leads nowhere"(socket) {
    socket.write(`GET /wait ${HEAD}connection: upgrade\r\nupgrade: websocket\r\n\r\n`);
    return pause(40);
  },
  "going at the instant of the answer"(socket) {
    socket.write(`GET /hello ${HEAD}\r\n`);
    return new Promise((resolve) => {
      socket.once("data", resolve);
      socket.once("close", resolve);
    });
  },
  "going before the answer"(socket, index) {
    socket.write(`GET /hello ${HEAD}\r\n`);
    return pause(index % 5);
  },
};

async function visit(
  port: number,
  way: (socket: Socket, index: number) => Promise<unknown> | void,
  index: number,
): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.on("data", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await way(socket, index);
  if (index % 2 === 0 && typeof socket.resetAndDestroy === "function") socket.resetAndDestroy();
  else socket.destroy();
  await closed;
}

for (const { name, open } of places) {
  const sanitizes = !name.includes("@hono/node-server"); // it times uploads that nobody reads
  Deno.test({
    name: `R40: ${name}: a crowd of bad clients harms no good one, and leaves nothing`,
    sanitizeOps: sanitizes,
    sanitizeResources: sanitizes,
    fn: async () => {
      const app = new App();
      const server = await open(app);
      // On Node 20 @hono/node-server alone does not hear that a queued request has lost its client.
      const chosen = Object.entries(ways).filter(([what]) =>
        !/@hono\/node-server/.test(name) || !what.startsWith("many requests")
      );
      try {
        const bad = chosen.flatMap(([, way]) =>
          Array.from({ length: 10 }, (_, index) => visit(server.port, way, index))
        );
        for (let i = 0; i < 20; i++) {
          const response = await fetch(`http://127.0.0.1:${server.port}/hello`);
          assertEquals([response.status, await response.text()], [200, "hello"]);
          await pause(5);
        }
        await Promise.all(bad);
        await soon(() => app.begun === app.ended, "the end of all requests");
        await soon(() => server.active() === 0, "the end of all tasks");
        assert(app.begun > 40, `${app.begun} requests`);
      } finally {
        await server.close();
      }
      assertEquals(app.errors.filter((each) => !isToldLate(name, each)).map(String), []);
    },
  });
}
