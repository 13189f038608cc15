/** TLS servers, on each way that TLS has to a connection, and clients that mean harm (R40). */
import { connect, type Socket as NodeSocket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { assert, assertEquals } from "@std/assert";
import {
  type Coroutine,
  Event,
  failAfter,
  mapConcurrent,
  moveOnAfter,
  Nursery,
  type Operation,
  sleep,
  suspend,
} from "jsr:@broomio/core";
import {
  SocketError,
  TcpListenSocket,
  TlsClientSocket,
  type TlsListenOptions,
  TlsListenSocket,
} from "../../src/net/mod.ts";
import { certificates } from "../support/certificates.ts";
import { receiveAll } from "../stream/conformance.ts";
import { isNode, tlsLoops } from "./support.ts";
import { answer, assertServed } from "./tls_peers.ts";

const { ca, client, localhost, stranger } = certificates();
const hostname = "127.0.0.1";
const encode = (text: string) => new TextEncoder().encode(text);

/** Runs `attack` on a server, which must serve a good client before and after it. */
function* attacked(
  options: Partial<TlsListenOptions>,
  handler: (stream: TlsClientSocket) => Coroutine<unknown>,
  attack: (port: number, failures: string[]) => Coroutine<unknown>,
): Coroutine {
  const failures: string[] = [];
  using listener = yield* TlsListenSocket.listen({
    hostname,
    ...localhost,
    onHandshakeError: ({ code }) => failures.push(code),
    ...options,
  });
  const { port } = listener.localAddr;
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(handler, { onError() {} }));
    yield* failAfter(45, () => attack(port, failures));
    nursery.cancel();
  });
}

/** Waits for an event of a socket of Node's, or its close. */
function eventOf(socket: NodeSocket, name: string): Operation<void> {
  return suspend((resume) => {
    if (socket.destroyed) return void resume();
    socket.on(name, () => resume());
    socket.on("close", () => resume());
  });
}

/** A TCP connection of Node's, which nothing makes fail loudly. */
function* dial(port: number): Coroutine<NodeSocket> {
  const socket = connect({ host: hostname, port });
  socket.on("error", () => {});
  yield* eventOf(socket, "connect");
  return socket;
}

/** A TLS client of Node's on a connection. */
function* secure(socket: NodeSocket | Duplex, options: object = {}): Coroutine<TLSSocket> {
  const secured = connectTls({ socket, servername: "localhost", ca, ...options });
  secured.on("error", () => {});
  yield* eventOf(secured, "secureConnect");
  return secured;
}

/** What passes the first `limit` bytes on, and then leaves. */
function cutAfter(
  socket: NodeSocket,
  limit: number,
  leave: () => void,
  passed: (count: number) => void = () => {},
): Duplex {
  let left = limit;
  const duplex = new Duplex({
    read() {},
    write(bytes: Uint8Array, _encoding: string, done: () => void) {
      const part = bytes.subarray(0, left);
      left -= part.length;
      passed(part.length);
      if (part.length > 0) socket.write(part);
      if (left === 0) leave();
      done();
    },
  });
  duplex.on("error", () => {});
  socket.on("data", (bytes: Uint8Array) => duplex.push(bytes));
  return duplex;
}

/** A TLS client that reads nothing after its handshake. Deno's own would read on while paused. */
function* secureDeaf(socket: NodeSocket): Coroutine<TLSSocket> {
  const secured = yield* secure(cutAfter(socket, Infinity, () => {}));
  socket.pause();
  return secured;
}

/** How many sockets and timers Node has. Unknown elsewhere, where the sanitizers look. */
function countResources(): number {
  const { getActiveResourcesInfo } = (globalThis as unknown as {
    process: { getActiveResourcesInfo?(): string[] };
  }).process;
  if (!isNode || getActiveResourcesInfo === undefined) return 0;
  return getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout/.test(name)).length;
}

/** Waits until there are no more sockets and timers than there were. */
function* assertNothingLeft(before: number): Coroutine {
  for (let count = 0; countResources() > before && count < 100; count++) yield* sleep(0.02);
  assert(countResources() <= before, `${countResources()} resources, and ${before} before`);
}

for (const [name, makeLoop] of tlsLoops) {
  const test = (title: string, body: () => Coroutine<unknown>) => {
    Deno.test(`R40: ${name}: ${title}`, async () => void await makeLoop().run(body()));
  };

  for (const how of ["resets", "leaves"] as const) {
    test(`a client that ${how} at any byte of its handshake ends alone`, function* () {
      // Each way and each run takes another row of bytes: all would take seconds.
      const step = 8;
      const first = Math.floor(Math.random() * step);
      yield* attacked({}, answer, function* (port, failures) {
        yield* assertServed(port);
        const before = countResources();
        const socket = yield* dial(port);
        let size = 0;
        const counter = cutAfter(socket, Infinity, () => {}, (count) => size += count);
        const whole = yield* secure(counter);
        yield* sleep(0.02); // the last message of the handshake is on its way
        const cutsEnd = size;
        whole.end("x");
        whole.resume();
        yield* sleep(0.1);
        whole.destroy();
        socket.destroy();
        assert(cutsEnd > 200, `a handshake of ${cutsEnd} bytes`);
        const cuts = Array.from(
          { length: Math.ceil((cutsEnd - first) / step) },
          (_, index) => first + index * step,
        );
        const sockets: NodeSocket[] = [];
        for (const _ of cuts) sockets.push(yield* dial(port));
        yield* assertServed(port); // so all before it are accepted
        for (const [index, cut] of cuts.entries()) {
          const socket = sockets[index];
          // Once the server has read what comes before.
          const leave = () => {
            setTimeout(() => how === "leaves" ? socket.end() : socket.resetAndDestroy(), 20);
          };
          if (cut === 0) leave();
          else {
            const duplex = cutAfter(socket, cut, leave);
            connectTls({ socket: duplex, servername: "localhost", ca }).on("error", () => {});
          }
          socket.resume();
        }
        for (let count = 0; failures.length < cuts.length && count < 100; count++) {
          yield* sleep(0.02);
        }
        for (const socket of sockets) socket.destroy();
        assertEquals(failures.length, cuts.length, `cut at ${first}, ${first + step}, ...`);
        yield* assertServed(port);
        yield* assertNothingLeft(before);
      });
    });
  }

  test("three hundred handshakes that are never finished leave nothing behind", function* () {
    const before = countResources();
    yield* attacked({ handshakeTimeout: 0.5 }, answer, function* (port, failures) {
      yield* mapConcurrent(Array.from({ length: 300 }, (_, index) => index), function* (index) {
        const socket = yield* dial(port);
        // Half of them say something: the head of a record that never comes.
        if (index % 2 === 0) socket.write(new Uint8Array([22, 3, 1, 2, 0, 1]));
        socket.resume();
        yield* eventOf(socket, "end");
        socket.destroy();
      }, { concurrency: 200 });
      assertEquals(failures.length, 300);
      assert(failures.every((code) => code === "ETIMEDOUT" || code === "ECONNRESET"));
      yield* assertServed(port);
    });
    yield* assertNothingLeft(before);
  });

  test("a client that leaves without close_notify ends the stream, and holds no slot", function* () {
    const ends: unknown[] = [];
    const handler = function* (stream: TlsClientSocket): Coroutine {
      try {
        ends.push((yield* receiveAll(stream)).length);
      } catch (error) {
        ends.push((error as SocketError).code);
      }
    };
    yield* attacked({}, handler, function* (port) {
      for (const size of [0, 5, 50_000]) {
        const socket = yield* dial(port);
        const secured = yield* secure(socket);
        if (size > 0) {
          yield* suspend<void>((resume) =>
            void secured.write(new Uint8Array(size), () => resume())
          );
        }
        const before = ends.length;
        yield* sleep(0.02); // the last message of the handshake is on its way
        socket.end();
        for (let count = 0; ends.length === before && count < 100; count++) yield* sleep(0.02);
        secured.destroy();
        socket.destroy();
      }
    });
    // All that was sent arrives first.
    assertEquals(ends, [0, 5, 50_000]);
  });

  test("the bytes before an end reach a receive that begins later (R40c)", function* () {
    const received: number[] = [];
    const ended = new Event();
    const handler = function* (stream: TlsClientSocket): Coroutine {
      yield* ended.wait();
      yield* sleep(0.05);
      received.push((yield* receiveAll(stream)).length);
    };
    yield* attacked({}, handler, function* (port) {
      for (const size of [0, 5, 20_000]) {
        const secured = yield* secure(yield* dial(port));
        secured.end(new Uint8Array(size));
        yield* eventOf(secured, "finish");
        secured.on("close", () => {});
      }
      ended.set();
      for (let count = 0; received.length < 3 && count < 100; count++) yield* sleep(0.02);
    });
    assertEquals(received.toSorted((a, b) => a - b), [0, 5, 20_000]);
  });

  test("a peer that reads nothing stops small sends and a large one", function* () {
    let small = 0;
    let large = false;
    const held = new Event();
    const handler = function* (stream: TlsClientSocket): Coroutine {
      const message = new Uint8Array(1024);
      yield* moveOnAfter(0.5, function* () {
        for (;; small++) yield* stream.send(message);
      });
      held.set();
      yield* stream.send(new Uint8Array(64 * 1024 * 1024));
      large = true;
    };
    yield* attacked({}, handler, function* (port) {
      const socket = yield* dial(port);
      const secured = yield* secureDeaf(socket);
      yield* held.wait();
      const memory = () => {
        const { process } = globalThis as unknown as {
          process: { memoryUsage(): { rss: number } };
        };
        return process.memoryUsage().rss;
      };
      const before = memory();
      yield* sleep(0.3);
      const grown = (memory() - before) / 2 ** 20;
      // The buffers of the system take some MiB.
      assert(small > 0 && small < 16 * 1024, `${small} KiB were sent to nobody`);
      assertEquals(large, false);
      if (name !== "TLS on a Duplex" && isNode) assert(grown < 96, `${grown} MiB more`);
      secured.destroy();
      socket.destroy();
      yield* sleep(0.5); // the server learns of it, and stops waiting for its last bytes to go out
    });
  });

  test("a handler that ends gives its slot back though the peer reads nothing", function* () {
    let handled = 0;
    const handler = function* (stream: TlsClientSocket): Coroutine {
      yield* stream.recv();
      yield* stream.send(new Uint8Array(16 * 1024));
      handled++;
    };
    yield* attacked({}, handler, function* (port) {
      const sockets: NodeSocket[] = [];
      for (let count = 0; count < 3; count++) {
        const socket = yield* dial(port);
        const secured = yield* secureDeaf(socket);
        secured.write("x");
        sockets.push(socket);
      }
      for (let count = 0; handled < 3 && count < 100; count++) yield* sleep(0.02);
      assertEquals(handled, 3);
      for (const socket of sockets) socket.destroy();
      yield* sleep(0.5);
    });
  });

  if (isNode) {
    test("mutual TLS: a session is resumed with its certificate, and without one by nobody", function* () {
      const served: boolean[] = [];
      const handler = function* (stream: TlsClientSocket): Coroutine {
        const { peerCertificate } = yield* stream.handshake();
        served.push(peerCertificate !== null);
        yield* stream.recv();
        yield* stream.send(encode("in"));
      };
      /** Connects; gives whether it was served, the last ticket it got, and whether one was used. */
      function* visit(port: number, options: object): Coroutine<[boolean, Uint8Array?, boolean?]> {
        let session: Uint8Array | undefined;
        let isIn = false;
        const socket = yield* dial(port);
        const secured = connectTls({ socket, servername: "localhost", ca, ...options });
        secured.on("error", () => {});
        secured.on("session", (bytes: Uint8Array) => session = bytes);
        yield* eventOf(secured, "secureConnect");
        secured.on("data", () => isIn = true);
        secured.write("hello");
        const reused = secured.isSessionReused();
        yield* eventOf(secured, "close");
        socket.destroy();
        return [isIn, session, reused];
      }
      yield* attacked({ clientCa: ca }, handler, function* (port) {
        for (const maxVersion of ["TLSv1.3", "TLSv1.2"]) {
          const [isIn, session] = yield* visit(port, { ...client, maxVersion });
          assertEquals([isIn, session !== undefined], [true, true]);
          // Other servers of the listener take it too: each is busy with one handshake at a time.
          const silent: NodeSocket[] = [];
          for (let count = 0; count < 3; count++) {
            silent.push(yield* dial(port));
            yield* sleep(0.02);
            const [isInAgain, , reused] = yield* visit(port, { ...client, maxVersion, session });
            assertEquals([isInAgain, reused], [true, true]);
          }
          for (const socket of silent) socket.destroy();
          assertEquals(served.splice(0), [true, true, true, true]);
          for (const options of [{}, stranger]) {
            const [isStrangerIn, ticket] = yield* visit(port, { ...options, maxVersion });
            assertEquals(isStrangerIn, false);
            // With TLS 1.3 a ticket may come before the server has looked at the certificate.
            if (ticket !== undefined) {
              const again = { ...options, maxVersion, session: ticket };
              for (let count = 0; count < 3; count++) {
                assertEquals((yield* visit(port, again))[0], false);
              }
            }
          }
          assertEquals(served, []);
        }
      });
    });

    test("a client that renegotiates is served, or ends alone", function* () {
      const echo = function* (stream: TlsClientSocket): Coroutine {
        for (let bytes; (bytes = yield* stream.recv()) !== null;) yield* stream.send(bytes);
      };
      yield* attacked({}, echo, function* (port) {
        const socket = yield* dial(port);
        const secured = yield* secure(socket, { maxVersion: "TLSv1.2" });
        let echoed = 0;
        secured.on("data", (bytes: Uint8Array) => echoed += bytes.length);
        let done = 0;
        for (let count = 0; count < 6 && !secured.destroyed; count++) {
          secured.write("x".repeat(1000));
          yield* suspend<void>((resume) => {
            secured.on("close", () => resume());
            secured.renegotiate({}, (error: Error | null) => {
              if (error === null) done++;
              resume();
            });
          });
        }
        // Node lets three through in ten minutes.
        assert(secured.destroyed && done <= 4, `${done} renegotiations`);
        // Node 26 refuses the first, and tells its client so after it has said that it was done.
        const served = Math.max(0, done - 1);
        assert(echoed >= served * 1000, `${echoed} bytes after ${done} renegotiations`);
        socket.destroy();
        const other = yield* secure(yield* dial(port));
        other.write("still there");
        yield* eventOf(other, "data");
        assertEquals(other.destroyed, false);
        other.destroy();
      });
    });
  }

  test("a plain client that sent more than is kept, and has left, upgrades to nothing", function* () {
    using listener = yield* TcpListenSocket.listen({ hostname });
    const socket = yield* dial((listener.localAddr as { port: number }).port);
    const accepted = yield* listener.accept();
    yield* moveOnAfter(0.02, accepted.recv(1));
    socket.end(new Uint8Array(300_000));
    yield* sleep(0.05);
    let code = "";
    try {
      yield* failAfter(10, TlsClientSocket.upgradeServer(accepted, localhost));
    } catch (error) {
      code = (error as SocketError).code;
    }
    assert(code === "EPROTO" || code === "ECONNRESET", code);
    socket.destroy();
  });
}
