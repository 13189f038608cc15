/**
 * Every place in which a coroutine answers HTTP requests, with one program that a client can break
 * off at any stage: the servers of the runtimes, `node:http`, Hono, Express.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
// @ts-types="npm:@types/express@5.0.6"
import express from "express";
import { Hono } from "hono";
import {
  type Coroutine,
  ensure,
  Loop,
  type Operation,
  Portal,
  shield,
  sleep,
  sleepForever,
  until,
} from "../../mod.ts";
import {
  type HttpAddress,
  sendChunk,
  serveHttp,
  streamBody,
  toHandler,
  toNodeListener,
} from "../../src/http/mod.ts";
import { portOf } from "./support.ts";

/** What the clients ask: one program in the style of the web and in that of Node. */
export class App {
  begun = 0;
  ended = 0;
  /** Errors that `onError` was told. */
  readonly errors: unknown[] = [];
  readonly onError = (error: unknown): void => void this.errors.push(error);

  /** Cleanup that waits is part of each request. */
  *#enter(): Coroutine<void> {
    this.begun++;
    yield* ensure(() =>
      shield(function* (this: App) {
        yield* sleep(0.002);
        this.ended++;
      }.bind(this))
    );
  }

  *answer(request: Request): Coroutine<Response> {
    yield* this.#enter();
    const { pathname } = new URL(request.url);
    if (pathname === "/wait") yield* sleepForever();
    if (pathname === "/upload") {
      return new Response(`${(yield* until(request.arrayBuffer())).byteLength} bytes`);
    }
    if (pathname === "/stream") return new Response(streamBody(parts));
    if (pathname === "/flood") return new Response(streamBody(flood));
    return new Response("hello");
  }

  *listen(request: IncomingMessage, response: ServerResponse): Coroutine<void> {
    yield* this.#enter();
    if (request.url === "/wait") yield* sleepForever();
    let text = "hello";
    if (request.url === "/upload") {
      let size = 0;
      request.on("data", (bytes) => size += bytes.length);
      yield* until(
        new Promise((resolve, reject) => request.on("end", resolve).on("error", reject)),
      );
      text = `${size} bytes`;
    }
    const send = (chunk: string | Uint8Array<ArrayBuffer>) => sendChunk(response, chunk);
    if (request.url === "/stream") yield* parts(send);
    else if (request.url === "/flood") yield* flood(send);
    response.end(request.url === "/stream" ? undefined : text);
  }
}

type Send = (chunk: string | Uint8Array<ArrayBuffer>) => Operation<void>;

function* parts(send: Send): Coroutine<void> {
  for (let i = 0; i < 10; i++) {
    yield* send(`part ${i}\n`);
    yield* sleep(0.01);
  }
}

function* flood(send: Send): Coroutine<void> {
  for (;;) yield* send(new Uint8Array(65_536));
}

/** A server that runs. */
export interface Running {
  readonly port: number;
  /** How many requests have not ended, as the library counts them. */
  active(): number;
  close(): Promise<void>;
}

/** A way to serve. */
export interface Place {
  readonly name: string;
  open(app: App): Promise<Running>;
}

type Fetch = (request: Request) => Promise<Response>;

interface Runtime {
  Deno?: {
    serve?(options: object, handler: Fetch): { addr: HttpAddress; shutdown(): Promise<void> };
  };
  Bun?: { serve(options: object): { port: number; stop(now: boolean): Promise<void> } };
}
const { Deno: deno, Bun: bun } = globalThis as unknown as Runtime;

/** The runtime's own server around a fetch handler; undefined on Node. */
function ownServer(handler: Fetch): HasPort | undefined {
  const options = { hostname: "127.0.0.1", port: 0 };
  if (deno !== undefined) {
    const end = new AbortController();
    const server = deno.serve!({ ...options, signal: end.signal, onListen() {} }, handler);
    return {
      port: server.addr.port,
      stop: () => (end.abort(), (server as unknown as { finished: Promise<void> }).finished),
    };
  }
  const server = bun?.serve({ ...options, fetch: handler, idleTimeout: 0 });
  return server && { port: server.port, stop: () => server.stop(true) };
}

async function nodeServer(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<HasPort> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: portOf(server),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface HasPort {
  port: number;
  stop(): Promise<void>;
}

/** A server whose handlers run in a portal. */
async function inPortal(
  serve: (portal: Portal) => Promise<HasPort> | HasPort | undefined,
): Promise<Running> {
  const portal = new Portal();
  const server = (await serve(portal))!;
  return {
    port: server.port,
    active: () => portal.active,
    async close() {
      await portal.close();
      await server.stop();
    },
  };
}

function withHono(handler: Fetch): Fetch {
  const app = new Hono();
  app.all("*", (c) => handler(c.req.raw));
  return async (request) => await app.fetch(request);
}

/** serveHttp, in whichever form. */
async function served(
  serve: (onListen: (addr: HttpAddress) => void) => Operation<void>,
): Promise<Running> {
  const loop = new Loop();
  let own = 0;
  let end!: Promise<void>;
  let task!: { cancel(): void };
  const { port } = await new Promise<HttpAddress>((resolve, reject) => {
    task = loop.startSoon(serve((addr) => {
      own = [...loop.tasks].length; // while nobody has asked anything
      resolve(addr);
    }));
    end = loop.run();
    end.catch(reject);
  });
  return {
    port,
    active: () => [...loop.tasks].filter(({ parent }) => parent !== null).length > own + 1 ? 1 : 0,
    close() {
      task.cancel();
      return end;
    },
  };
}

const ownPlaces: Place[] = deno === undefined && bun === undefined ? [] : [
  {
    name: "serveHttp",
    open: (app) =>
      served((onListen) =>
        serveHttp({ onListen, onError: app.onError, grace: 0.1 }, (request) => app.answer(request))
      ),
  },
  {
    name: `toHandler under ${bun ? "Bun" : "Deno"}.serve`,
    open: (app) =>
      inPortal((portal) =>
        ownServer(toHandler(portal, (request) => app.answer(request), { onError: app.onError }))
      ),
  },
  {
    name: `Hono under ${bun ? "Bun" : "Deno"}.serve`,
    open: (app) =>
      inPortal((portal) =>
        ownServer(withHono(
          toHandler(portal, (request) => app.answer(request), { onError: app.onError }),
        ))
      ),
  },
];

const nodePlaces: Place[] = [
  {
    name: "toNodeListener on node:http",
    open: (app) =>
      inPortal((portal) =>
        nodeServer(toNodeListener(
          portal,
          (request: IncomingMessage, response: ServerResponse) => app.listen(request, response),
          { onError: app.onError },
        ))
      ),
  },
  {
    name: "serveHttp on node:http",
    open: (app) =>
      served((onListen) =>
        serveHttp(
          { onListen, onError: app.onError, grace: 0.1, server: createServer() },
          (request: IncomingMessage, response: ServerResponse) => app.listen(request, response),
        )
      ),
  },
  {
    name: "Express",
    open: (app) =>
      inPortal((portal) => {
        const site = express();
        const listener = toNodeListener<
          IncomingMessage,
          ServerResponse,
          [next: (error: unknown) => void]
        >(portal, (request, response) => app.listen(request, response));
        site.use((request, response, next) =>
          listener(request as never, response as never, (error) => {
            app.onError(error);
            next(error);
          })
        );
        site.use((_error: unknown, _: unknown, response: ServerResponse, next: () => void) => {
          if (response.headersSent) return next();
          response.statusCode = 500;
          response.end();
        });
        return nodeServer(site as never);
      }),
  },
];

/** Fetch handlers on `node:http`. Bun's own `node:http` is not asked. */
const honoOnNode: Place = {
  name: "Hono on node:http with @hono/node-server",
  open: (app) =>
    inPortal((portal) =>
      nodeServer(getRequestListener(withHono(
        toHandler(portal, (request) => app.answer(request), { onError: app.onError }),
      )))
    ),
};

/** All of them that this runtime has. */
export const places: readonly Place[] = bun !== undefined
  ? [...ownPlaces, ...nodePlaces]
  : [...ownPlaces, ...nodePlaces, honoOnNode];
