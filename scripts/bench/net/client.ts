/**
 * What connects to the servers from a process of its own. Started by `main.ts` with a mode and numbers; prints one line of JSON.
 *
 *     load PORT SERVICE CONNECTIONS PIPELINED SIZE REPLY_SIZE SECONDS    what wrk does, where there is none
 *     hold PORT COUNT            opens COUNT connections, prints, and keeps them until it is killed
 *     storm PORT COUNT           opens COUNT connections at once, one echo on each, closes them
 *     slow PORT BYTES SECONDS    sends up to BYTES without reading for SECONDS, then reads until all came back
 */

import { connect, type Socket } from "node:net";
import { commandLine, exit, print, wallClock } from "../runtime.ts";
import type { LoadResult } from "./load.ts";

const [mode, portText, ...rest] = commandLine;
const port = Number(portText);

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => resolve(socket));
    socket.on("error", reject);
  });
}

/** Opens `count` connections, at most 200 of them at a time under way. */
async function openMany(count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Math.min(200, count - sockets.length);
    sockets.push(...await Promise.all(Array.from({ length: batch }, open)));
  }
  return sockets;
}

async function load(): Promise<LoadResult> {
  const [service, ...numbers] = rest;
  const [connections, pipelined, size, replySize, seconds] = numbers.map(Number);
  const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const batch = new TextEncoder().encode(
    service === "http" ? get.repeat(pipelined) : "x".repeat(size),
  );
  const expected = replySize * pipelined;
  let requests = 0;
  let errors = 0;
  const sockets = await openMany(connections);
  const start = wallClock();
  for (const socket of sockets) {
    let received = 0;
    socket.on("data", (bytes: Uint8Array) => {
      received += bytes.length;
      if (received > expected) errors++;
      if (received < expected) return;
      received = 0;
      requests += pipelined;
      socket.write(batch);
    });
    socket.on("close", () => errors++);
    socket.write(batch);
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return { requests, seconds: wallClock() - start, errors };
}

async function hold(): Promise<{ held: number }> {
  return { held: (await openMany(Number(rest[0]))).length };
}

/** One connection, one message there and back. */
async function once(): Promise<boolean> {
  try {
    const socket = await open();
    await new Promise((resolve, reject) => {
      socket.on("data", resolve);
      socket.on("error", reject);
      socket.on("close", reject);
      socket.write("hello");
    });
    socket.destroy();
    return true;
  } catch {
    return false;
  }
}

async function storm(): Promise<{ served: number; seconds: number }> {
  const start = wallClock();
  const served = await Promise.all(Array.from({ length: Number(rest[0]) }, once));
  return { served: served.filter(Boolean).length, seconds: wallClock() - start };
}

async function slow(): Promise<{ stuck: number; sent: number; received: number }> {
  const [total, seconds] = rest.map(Number);
  const socket = await open();
  socket.pause();
  const chunk = new Uint8Array(64 * 1024);
  let sent = 0;
  let received = 0;
  const pump = () => {
    while (sent < total) {
      sent += chunk.length;
      if (!socket.write(chunk)) return;
    }
  };
  socket.on("drain", pump);
  pump();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const stuck = sent;
  print(JSON.stringify({ stuck })); // now is the time to look at the server's memory
  await new Promise((resolve) => setTimeout(resolve, 500));
  await new Promise((resolve, reject) => {
    socket.on("data", (bytes: Uint8Array) => {
      received += bytes.length;
      if (received === sent && sent >= total) resolve(undefined);
    });
    socket.on("close", () => reject(new Error(`Closed after ${received} of ${sent} bytes`)));
    socket.resume();
  });
  return { stuck, sent, received };
}

const modes: Record<string, () => Promise<unknown>> = { load, hold, storm, slow };
print(JSON.stringify(await modes[mode]()));
if (mode === "hold") setInterval(() => {}, 60_000);
else exit(0);
