/**
 * The servers that the soak attacks: TCP, Unix, TLS, framed and HTTP-shaped, in one loop. Runs on
 * Deno, and bundled on Node.
 *
 * It is told what to do by lines on its standard input, and answers with lines of JSON: `listening`
 * once, then one `sample` for each line "sample". It ends at "stop", or where a server ends.
 */
import process from "node:process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  type Coroutine,
  Loop,
  type LoopWarning,
  moveOnAfter,
  Nursery,
  sleepForever,
} from "../../mod.ts";
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

function onError(error: unknown): void {
  counts.failed++;
  if (error instanceof SocketError || error instanceof LimitError) return;
  console.error("A handler failed in a way that no client should cause:", error);
}

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
      tcp: tcp.serve(counted(echo), { onError }),
      framed: framed.serve(counted(echoFrames), { onError }),
      http: http.serve(counted(answer), { onError }),
      unix: unix.serve(counted(echo), { onError }),
      tls: tls.serve(counted(echo), { onError, maxConnections: 40 }),
    };
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
