/**
 * The sides without a library: what a person who wants speed writes by hand on Deno or Node.
 */

import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import {
  type BenchIdentity,
  bufferSize,
  lastReply,
  reply,
  replyBody,
  RequestCounter,
  type Service,
} from "./wire.ts";

/** A loop in an async function for each connection. */
export function denoAsync(service: Service, identity?: BenchIdentity): number {
  const options = { hostname: "127.0.0.1", port: 0, tcpBacklog: 8192 };
  const listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn, Deno.NetAddr> = identity === undefined
    ? Deno.listen(options)
    : Deno.listenTls({ ...options, ...identity });
  const serve = service.endsWith("http") ? replyEach : service.endsWith("once") ? replyOnce : echo;
  (async () => {
    for await (const conn of listener) serve(conn).catch(() => {}).finally(() => close(conn));
  })();
  return listener.addr.port;
}

async function replyEach(conn: Deno.TcpConn | Deno.TlsConn): Promise<void> {
  if ("setNoDelay" in conn) conn.setNoDelay();
  const buffer = new Uint8Array(bufferSize);
  const requests = new RequestCounter();
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return;
    for (let left = requests.feed(buffer.subarray(0, count)); left > 0; left--) {
      await writeAll(conn, reply);
    }
  }
}

async function replyOnce(conn: Deno.TcpConn | Deno.TlsConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  const requests = new RequestCounter();
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return;
    if (requests.feed(buffer.subarray(0, count)) > 0) return await writeAll(conn, lastReply);
  }
}

async function echo(conn: Deno.TcpConn | Deno.TlsConn): Promise<void> {
  if ("setNoDelay" in conn) conn.setNoDelay();
  const buffer = new Uint8Array(bufferSize);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return;
    await writeAll(conn, buffer.subarray(0, count));
  }
}

async function writeAll(conn: Deno.TcpConn | Deno.TlsConn, bytes: Uint8Array): Promise<void> {
  let sent = await conn.write(bytes);
  while (sent < bytes.length) sent += await conn.write(bytes.subarray(sent));
}

/** The same as chains of promises: no async function, one closure for each connection. */
export function denoThen(service: Service): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 8192 });
  const accept = (): Promise<void> =>
    listener.accept().then((conn) => {
      chain(conn, service);
      return accept();
    });
  accept();
  return listener.addr.port;
}

function chain(conn: Deno.TcpConn, service: Service): void {
  conn.setNoDelay();
  const buffer = new Uint8Array(bufferSize);
  const requests = new RequestCounter();
  let replies = 0;
  let rest: Uint8Array = reply;
  const end = () => close(conn);
  const read = () => {
    conn.read(buffer).then(received, end);
  };
  const received = (count: number | null) => {
    if (count === null) return end();
    const bytes = buffer.subarray(0, count);
    if (service === "echo") {
      replies = 0;
      rest = bytes;
      return write();
    }
    replies = requests.feed(bytes);
    next();
  };
  const next = () => {
    if (replies-- <= 0) return read();
    rest = reply;
    write();
  };
  const write = () => {
    conn.write(rest).then(wrote, end);
  };
  const wrote = (count: number) => {
    if (count === rest.length) return next();
    rest = rest.subarray(count);
    write();
  };
  read();
}

function close(conn: Deno.TcpConn | Deno.TlsConn): void {
  try {
    conn.close();
  } catch {
    // The other end was faster.
  }
}

/**
 * Callbacks on node:net or node:tls, in Node or in Deno. A socket whose buffer is full is paused
 * until it has drained.
 */
export function nodeCallbacks(service: Service, identity?: BenchIdentity): Promise<number> {
  const handler = (socket: Socket) => {
    const requests = new RequestCounter();
    socket.on("error", () => socket.destroy());
    socket.on("drain", () => socket.resume());
    socket.on("data", (bytes: Uint8Array) => {
      let open = true;
      if (service.endsWith("echo")) open = socket.write(bytes);
      else if (service.endsWith("once")) {
        if (requests.feed(bytes) > 0) socket.end(lastReply);
      } else for (let left = requests.feed(bytes); left > 0; left--) open = socket.write(reply);
      if (!open) socket.pause();
    });
  };
  return portOf(
    identity === undefined
      ? createServer({ noDelay: true }, handler)
      : createTlsServer({ ...identity, noDelay: true } as object, handler),
  );
}

/** Resolves to the port of a server of node:net once it listens. */
export function portOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen({ host: "127.0.0.1", port: 0, backlog: 8192 }, () => {
      resolve((server.address() as { port: number }).port);
    });
  });
}

/** Deno's HTTP server, which is written in Rust; it parses requests, which no other side does. */
export function denoServe(): number {
  const headers = { "content-type": "text/plain" };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(replyBody, { headers }),
  );
  return server.addr.port;
}
