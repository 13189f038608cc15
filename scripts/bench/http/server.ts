/**
 * The servers that are compared, each in a process of its own: `server.ts <place> <side>` prints its port and serves.
 *
 * Every handler waits once and answers with the same text. "bare" is an async function; "listening" one that also hears when its client
 * goes, as ours does: by `request.signal`, and, where there is none, by an AbortController that `close` aborts; "ours" is a coroutine.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { checkpoint, Portal } from "../../../mod.ts";
import { toHandler, toNodeListener } from "../../../src/http/mod.ts";

type Fetch = (request: Request) => Promise<Response>;

const text = "Hello, world";
const gone = (): void => void (abandoned++);
let abandoned = 0;

const fetchSides: Record<string, () => Fetch> = {
  bare: () => async () => {
    await undefined;
    return new Response(text);
  },
  listening: () => async ({ signal }) => {
    signal.addEventListener("abort", gone);
    try {
      await undefined;
      return new Response(text);
    } finally {
      signal.removeEventListener("abort", gone);
    }
  },
  ours: () =>
    toHandler(new Portal(), function* () {
      yield* checkpoint();
      return new Response(text);
    }),
};

const nodeSides: Record<
  string,
  () => (request: IncomingMessage, response: ServerResponse) => void
> = {
  bare: () => async (_, response) => {
    await undefined;
    response.end(text);
  },
  listening: () => async (_, response) => {
    const controller = new AbortController();
    const { signal } = controller;
    const closed = () => controller.abort();
    response.on("close", closed);
    signal.addEventListener("abort", gone);
    try {
      await undefined;
      response.end(text);
    } finally {
      signal.removeEventListener("abort", gone);
      response.off("close", closed);
    }
  },
  ours: () =>
    toNodeListener(new Portal(), function* (_: IncomingMessage, response: ServerResponse) {
      yield* checkpoint();
      response.end(text);
    }),
};

function withHono(fetch: Fetch): Fetch {
  const app = new Hono();
  app.get("/", (c) => fetch(c.req.raw));
  return app.fetch as Fetch;
}

/** Serves by `Deno.serve`. */
function onDeno(fetch: Fetch): void {
  const { Deno } = globalThis as unknown as {
    Deno: { serve(options: object, handler: Fetch): { addr: { port: number } } };
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, fetch);
  console.log(server.addr.port);
}

/** Serves by `node:http`. */
function onNode(listener: (request: IncomingMessage, response: ServerResponse) => unknown): void {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
}

const [place, side] = process.argv.slice(2);
if (place === "deno") onDeno(fetchSides[side]());
else if (place === "hono-deno") onDeno(withHono(fetchSides[side]()));
else if (place === "node") onNode(nodeSides[side]());
else if (place === "hono-node") onNode(getRequestListener(withHono(fetchSides[side]())));
else throw new TypeError(`No such place: ${place}`);
