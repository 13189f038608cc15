/**
 * The servers that the soak attacks: TCP, Unix, TLS, framed, HTTP-shaped, and HTTP by the runtime's
 * own server, in one loop. Runs on Deno, and bundled on Node.
 *
 * It is told what to do by lines on its standard input, and answers with lines of JSON: `listening`
 * once, then one `sample` for each line "sample". It ends at "stop", or where a server ends.
 */
import process from "node:process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  BrokenResourceError,
  type Coroutine,
  Loop,
  type LoopWarning,
  moveOnAfter,
  Nursery,
  type Operation,
  sleepForever,
  until,
} from "../../mod.ts";
import { type HttpAddress, sendChunk, serveHttp, streamBody } from "../../src/http/mod.ts";
import {
  BufferedReader,
  LimitError,
  runtimeNetwork,
  sendFrame,
  type Socket,
  SocketError,
  TcpListenSocket,
  TlsListenSocket,
  UnixListenSocket,
  useNetwork,
} from "../../src/net/mod.ts";
import { inspect } from "../../src/testing/mod.ts";

/**
 * A client that has said nothing for so long is dropped, in seconds. With 5 s good clients were among
 * them, where the machine was so busy that they did not run for that long.
 */
const IDLE = 15;
const encoder = new TextEncoder();
const hostname = "127.0.0.1";

/** What the handlers saw. */
const counts = { served: 0, failed: 0, idle: 0, warnings: 0 };
/** What no client should cause, however bad. */
const unexpected: string[] = [];
/** Receives, but not for ever; `undefined` where the client is idle. */
function* receive(stream: Socket): Coroutine<Uint8Array | null | undefined> {
  const bytes = yield* moveOnAfter(IDLE, stream.recv());
  if (bytes === undefined) counts.idle++;
  return bytes;
}

/** Sends back what comes. */
function* echo(stream: Socket): Coroutine {
  for (let bytes = yield* receive(stream); bytes; bytes = yield* receive(stream)) {
    const sent = yield* moveOnAfter(IDLE, function* () {
      yield* stream.send(bytes!);
      return true;
    });
    if (sent === undefined) return;
  }
}

/** Sends back frames. */
function* echoFrames(stream: Socket): Coroutine {
  const reader = new BufferedReader(stream, { limit: 100_000 });
  yield* moveOnAfter(60, function* () {
    for (;;) {
      const frame = yield* reader.readFrame();
      if (frame === null) return;
      yield* sendFrame(stream, frame);
    }
  });
}

/** Answers requests, one after the other, on one connection. */
function* answer(stream: Socket): Coroutine {
  const reader = new BufferedReader(stream, { limit: 16_384 });
  for (;;) {
    const request = yield* moveOnAfter(IDLE, function* () {
      const line = yield* reader.readLine();
      for (let header = line; header !== null && header !== "";) header = yield* reader.readLine();
      return line;
    });
    if (!request) return;
    const body = `you asked for ${request.split(" ")[1]}`;
    yield* stream.send(
      encoder.encode(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    );
  }
}

/** Answers a request of the runtime's own HTTP server. */
function* answerWeb(request: Request): Coroutine<Response> {
  counts.served++;
  const text = request.method === "POST" ? yield* until(request.text()) : "";
  const { pathname } = new URL(request.url);
  return new Response(streamBody(function* (send) {
    yield* send(`you asked for ${pathname} `);
    yield* send(text);
  }));
}

/** The same on `node:http`. */
function* answerNode(request: IncomingMessage, response: ServerResponse): Coroutine<void> {
  counts.served++;
  request.setEncoding("utf8");
  const parts: string[] = [];
  yield* until(
    new Promise((resolve, reject) => {
      request.on("data", (part) => parts.push(part)).on("end", resolve).on("error", reject);
    }),
  );
  yield* sendChunk(response, `you asked for ${request.url} `);
  response.end(parts.join(""));
}

function serveWeb(onListen: (addr: HttpAddress) => void): Operation<void> {
  const onError = (error: unknown): void => tell(error, "web");
  const options = { onListen, onError, grace: 1, writeTimeout: IDLE, timeout: 60 };
  if (process.versions.deno === undefined && process.versions.bun === undefined) {
    return serveHttp({ ...options, server: createServer() }, answerNode);
  }
  return serveHttp(options, answerWeb);
}

/**
 * Counts an error of a handler. A bad client can break its connection, send too much, or, where
 * lines or frames are read, go in the midst of one; any other error is a fault.
 */
function tell(error: unknown, server: string): void {
  counts.failed++;
  if (server !== "web" && error instanceof SocketError) return;
  const isRead = server === "framed" || server === "http";
  if (isRead && (error instanceof LimitError || error instanceof BrokenResourceError)) return;
  unexpected.push(`${server}: ${error instanceof Error ? error.stack : String(error)}`);
}

const telling = (server: string) => ({ onError: (error: unknown) => tell(error, server) });

function counted(handler: (stream: Socket) => Coroutine) {
  return function* (stream: Socket): Coroutine {
    counts.served++;
    yield* handler(stream);
  };
}

function onWarning({ message }: LoopWarning): void {
  counts.warnings++;
  console.error("warning:", message.slice(0, 300));
}

function say(message: Record<string, unknown>): void {
  process.stdout.write(JSON.stringify(message) + "\n");
}

function sample(loop: Loop): void {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  say({
    kind: "sample",
    heap: heapUsed,
    rss,
    descriptors: readdirSync("/proc/self/fd").length,
    tasks: [...loop.tasks].length,
    timers: inspect(loop).timers,
    unexpected: unexpected.splice(0),
    ...counts,
  });
}

const [folder, internals] = process.argv.slice(2);
const read = (name: string) => readFileSync(`${folder}/${name}`, "utf8");
const loop = new Loop({ onWarning });
if (internals === "--no-internals") useNetwork(loop, runtimeNetwork({ internals: false }));

/** Serves until told to stop. Where one of the servers returns before that, the soak has failed. */
function* main(): Coroutine<string> {
  using tcp = yield* TcpListenSocket.listen({ hostname });
  using framed = yield* TcpListenSocket.listen({ hostname });
  using http = yield* TcpListenSocket.listen({ hostname });
  using unix = yield* UnixListenSocket.listen({ path: `${folder}/soak.sock` });
  using tls = yield* TlsListenSocket.listen({
    hostname,
    cert: read("cert.pem"),
    key: read("key.pem"),
    handshakeTimeout: 5,
  });
  let ended = "";
  yield* Nursery.open(function* (nursery) {
    const servers = {
      tcp: tcp.serve(counted(echo), telling("tcp")),
      framed: framed.serve(counted(echoFrames), telling("framed")),
      http: http.serve(counted(answer), telling("http")),
      unix: unix.serve(counted(echo), telling("unix")),
      tls: tls.serve(counted(echo), { ...telling("tls"), maxConnections: 40 }),
    };
    const web = yield* nursery.start<HttpAddress>(serveWeb);
    for (const [name, serving] of Object.entries(servers)) {
      nursery.startSoon((function* () {
        yield* serving;
        ended = name;
        nursery.cancel();
      })());
    }
    say({
      kind: "listening",
      ports: {
        tcp: tcp.localAddr.port,
        framed: framed.localAddr.port,
        http: http.localAddr.port,
        unix: `${folder}/soak.sock`,
        tls: tls.localAddr.port,
        web: web.port,
      },
    });
    const lines = createInterface({ input: process.stdin });
    lines.on("line", (line) => {
      if (line === "sample") sample(loop);
      if (line === "stop") nursery.cancel();
    });
    try {
      yield* sleepForever();
    } finally {
      lines.close();
    }
  });
  return ended;
}

try {
  const ended = await loop.run(main());
  say({ kind: "ended", which: ended });
} catch (error) {
  console.error("The server died:", error);
  say({ kind: "ended", which: String(error) });
}
process.exit(0);
