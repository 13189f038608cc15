/**
 * The clients of the soak, by `node:net` and `node:tls` alone, in a process of their own: good ones,
 * which check every byte, and bad ones, which vanish, reset (SO_LINGER 0), stall, say nothing, send
 * garbage or break off a handshake.
 *
 * Runs bundled on Node. It is told "go" and "pause" by lines on its standard input, and answers with
 * lines of JSON: a `tally` for each line "tally", and an `idle` once all have ended after a pause.
 */
import process from "node:process";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";

const [folder, portsText, seedText, actorsText] = process.argv.slice(2);
const ports: Record<string, number | string> = JSON.parse(portsText);
const ca = readFileSync(`${folder}/ca.pem`, "utf8");

let state = Number(seedText);
/** Random numbers that can be had again. */
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 2 ** 32 * below);
}
const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)];
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** How long a good client waits for the whole of its answer, in milliseconds: a fault, and no load. */
const PATIENCE = 60_000;

const tally: Record<string, number> = {};
const faults: string[] = [];
const count = (what: string) => tally[what] = (tally[what] ?? 0) + 1;

/** The TCP connections below TLS. */
const below = new WeakMap<Socket, Socket>();

function open(kind: string, secure: boolean): Socket {
  const where = ports[kind];
  const target = typeof where === "string"
    ? { path: where }
    : { host: "127.0.0.1", port: where, noDelay: true };
  const plain = connect({ ...target, allowHalfOpen: true });
  plain.setMaxListeners(0); // each pause of a long exchange adds some
  if (!secure) return plain;
  plain.on("error", () => {}); // the secured one tells of it
  const options = { socket: plain, servername: "localhost", ca, allowHalfOpen: true };
  const secured = connectTls(options as object);
  below.set(secured, plain);
  secured.setMaxListeners(0);
  return secured;
}

/** Ends a connection with a reset, as far as it can have one. */
function reset(socket: Socket): void {
  try {
    (below.get(socket) ?? socket).resetAndDestroy();
  } catch {
    socket.destroy(); // Unix
  }
}

/** Waits for an event of a socket, or its end. */
function once(socket: Socket, event: string): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once(event, () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

/** Sends pieces with pauses, and compares what comes back with `expected`. */
async function exchange(
  name: string,
  kind: string,
  pieces: readonly Uint8Array[],
  expected: Uint8Array,
  halfClose: boolean,
): Promise<void> {
  const secure = kind === "tls";
  const began = performance.now();
  const socket = open(kind, secure);
  let got = 0;
  let wrong = -1;
  let last = began;
  let error = "";
  let ended = false;
  const complete = new Promise<void>((resolve) => {
    socket.on("data", (bytes: Uint8Array) => {
      for (const byte of bytes) {
        if (wrong < 0 && byte !== expected[got]) wrong = got;
        got++;
      }
      last = performance.now();
      if (got >= expected.length && !halfClose) resolve();
    });
    socket.on("end", () => {
      ended = true;
      resolve();
    });
    socket.on("error", (cause) => {
      error = cause.message;
      resolve();
    });
    socket.on("close", () => resolve());
  });
  const patience = setTimeout(() => {
    error = "out of patience";
    socket.destroy();
  }, PATIENCE);
  await once(socket, secure ? "secureConnect" : "connect");
  const port = socket.localPort;
  for (const piece of pieces) {
    if (socket.destroyed) break;
    if (!socket.write(piece)) await once(socket, "drain");
    if (random(4) === 0) await sleep(random(20));
  }
  if (halfClose) socket.end();
  await complete;
  clearTimeout(patience);
  if (wrong < 0 && got === expected.length && error === "") count(`good ${name}`);
  else {
    count(`BAD ${name}`);
    const now = performance.now();
    faults.push(
      `${name} from port ${port}: ${got} of ${expected.length} bytes, wrong at ${wrong}, ` +
        `${error || (ended ? "ended" : "closed")}, ${
          Math.round(now - began)
        } ms after the start, ` +
        `${Math.round(now - last)} ms after the last byte`,
    );
  }
  if (random(2) === 0 || halfClose) socket.end();
  else socket.destroy();
  await sleep(1);
  socket.destroy();
}

function randomBytes(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, () => random(256));
}

function cut(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random(pick([20, 1000, 40_000]));
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

async function goodEcho(): Promise<void> {
  const kind = pick(["tcp", "unix", "tls"]);
  const bytes = randomBytes(1 + random(pick([100, 5000, 200_000])));
  await exchange(`echo ${kind}`, kind, cut(bytes), bytes, false);
}

async function goodHalfClose(): Promise<void> {
  const kind = pick(["tcp", "unix"]);
  const bytes = randomBytes(1 + random(100_000));
  await exchange(`half-close ${kind}`, kind, cut(bytes), bytes, true);
}

async function goodFrames(): Promise<void> {
  const frames = Array.from({ length: 1 + random(20) }, () => {
    const body = randomBytes(random(pick([10, 3000])));
    const frame = new Uint8Array(4 + body.length);
    new DataView(frame.buffer).setUint32(0, body.length);
    frame.set(body, 4);
    return frame;
  });
  const whole = Uint8Array.from(frames.flatMap((frame) => [...frame]));
  await exchange("frames", "framed", cut(whole), whole, false);
}

async function goodHttp(): Promise<void> {
  const encoder = new TextEncoder();
  const paths = Array.from({ length: 1 + random(16) }, () => `/${random(1e9)}`);
  const requests = paths.map((path) =>
    encoder.encode(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n`)
  );
  const expected = paths.map((path) => {
    const body = `you asked for ${path}`;
    return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }).join("");
  await exchange("http", "http", requests, encoder.encode(expected), false);
}

/** By `fetch`, whose requests and answers are as large as they come. */
async function goodWeb(): Promise<void> {
  const path = `/${random(1e9)}`;
  const text = "x".repeat(random(pick([10, 5000, 200_000])));
  const began = performance.now();
  try {
    const response = await fetch(`http://127.0.0.1:${ports.web}${path}`, {
      signal: AbortSignal.timeout(PATIENCE),
      ...random(2) === 0 && { method: "POST", body: text },
    });
    const got = await response.text();
    if (got !== `you asked for ${path} ` && got !== `you asked for ${path} ${text}`) {
      throw new Error(`status ${response.status}, ${got.length} characters`);
    }
    count("good web");
  } catch (error) {
    count("BAD web");
    faults.push(`web: ${error}, ${Math.round(performance.now() - began)} ms after the start`);
  }
}

/** Asks the HTTP server, and goes at any moment. */
async function badWeb(): Promise<void> {
  const socket = open("web", false);
  socket.on("error", () => {});
  if (random(2) === 0) socket.pause();
  const request = pick([
    `GET /${random(9)} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(1 + random(5)),
    `POST /${random(9)} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n${"x".repeat(50_000)}`,
    `POST /${random(9)} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz`,
    `GET /${random(9)} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\nupgrade: websocket\r\n\r\n`,
  ]);
  socket.write(request.slice(0, random(3) === 0 ? random(request.length) : request.length));
  if (random(2) === 0) await sleep(random(60));
  leave(socket);
}

/** Ends a connection in one way or another. */
function leave(socket: Socket): void {
  const way = pick(["vanish", "reset", "end"]);
  count(`bad ${way}`);
  if (way === "reset") reset(socket);
  else if (way === "end") socket.end();
  else socket.destroy();
  setTimeout(() => {
    socket.destroy();
    below.get(socket)?.destroy();
  }, 100);
}

/** What no client should do. */
async function bad(): Promise<void> {
  const kind = pick(["tcp", "framed", "http", "unix", "tls", "tls", "web"]);
  const secure = kind === "tls" && random(2) === 0;
  const socket = open(kind, secure);
  socket.on("error", () => {});
  const way = pick(["at once", "some", "stall", "silent", "garbage", "hello", "huge frame"]);
  count(`bad ${way}`);
  if (way === "at once") {
    return reset(socket);
  }
  if (!await once(socket, secure ? "secureConnect" : "connect")) return;
  if (way === "some") {
    socket.write(randomBytes(1 + random(70_000)));
    await sleep(random(20));
  } else if (way === "stall") {
    // Never reads what comes back.
    socket.pause();
    for (let sent = 0; sent < 40 && !socket.destroyed; sent++) socket.write(randomBytes(65_536));
    await sleep(500 + random(6000));
  } else if (way === "silent") await sleep(500 + random(20_000));
  else if (way === "garbage") {
    socket.write("\0\x16GET / HTTP/9.9\r\n".repeat(1 + random(500)));
    await sleep(random(50));
  } else if (way === "hello") {
    // The beginning of a handshake, broken off at any byte.
    const hello = new Uint8Array(200).fill(1);
    hello.set([0x16, 3, 1, 0, 195, 1, 0, 0, 191, 3, 3]);
    socket.write(hello.subarray(0, 1 + random(200)));
    await sleep(random(200));
  } else {
    socket.write(Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 1, 2, 3));
    await sleep(random(100));
  }
  leave(socket);
}

const ACTS = [
  ...[goodEcho, goodEcho, goodHalfClose, goodFrames, goodHttp, goodWeb],
  ...[bad, bad, bad, badWeb],
];

let going = false;
let active = 0;
/** One client after the other, while the load goes on. */
async function actor(): Promise<void> {
  active++;
  while (going) {
    await pick(ACTS)();
    await sleep(random(10));
  }
  if (--active === 0) say({ kind: "idle" });
}

function say(message: Record<string, unknown>): void {
  process.stdout.write(JSON.stringify(message) + "\n");
}

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "go") {
    going = true;
    for (let index = 0; index < Number(actorsText); index++) actor();
  } else if (line === "pause") going = false;
  else if (line === "tally") say({ kind: "tally", tally, faults: faults.splice(0) });
  else if (line === "stop") process.exit(0);
});
