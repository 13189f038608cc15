/** What sockets are given from outside and by mistake: each is refused, or harms nobody else. */
// deno-lint-ignore-file broomio/no-blocking-call -- a file of a few bytes, in a test
import { connect as connectNode, createServer } from "node:net";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  all,
  type Coroutine,
  Event,
  Loop,
  moveOnAfter,
  Nursery,
  select,
  sleep,
  suspend,
  until,
} from "jsr:@broomio/core";
import {
  fromNode,
  SocketError,
  TcpClientSocket,
  TcpListenSocket,
  UdpSocket,
  UnixClientSocket,
  UnixListenSocket,
  useNetwork,
} from "../../src/net/mod.ts";
import { memoryNetwork, VirtualClock } from "../../src/testing/mod.ts";
import { errorOf, receiveAll } from "../stream/conformance.ts";
import { newPath, nodeLoop } from "./support.ts";

const host = { hostname: "127.0.0.1" };
const bytes = (...values: number[]) => new Uint8Array(values);
const loops = [["Deno", () => new Loop()], ["node:net", () => nodeLoop()]] as const;

/** Calls that are refused: what is called, the class of the error, and a part of its message. */
const REFUSED: [string, () => unknown, typeof TypeError, string][] = [
  ...[5, null, {}, Symbol("host")].flatMap((hostname) =>
    [
      ["connect", () => TcpClientSocket.connect({ hostname, port: 1 } as never)],
      ["listen", () => TcpListenSocket.listen({ hostname } as never)],
      ["bind", () => UdpSocket.bind({ hostname } as never)],
    ].map(([name, call]) =>
      [
        `${name} to the host ${String(hostname)}`,
        call,
        TypeError,
        "Expected a string",
      ] as [string, () => unknown, typeof TypeError, string]
    )
  ),
  ["no options", () => TcpClientSocket.connect(undefined as never), TypeError, "(port)"],
  [
    "a port that is a text",
    () => TcpClientSocket.connect({ port: "80" } as never),
    TypeError,
    '"80"',
  ],
  ["port 0 to connect", () => TcpClientSocket.connect({ port: 0 }), RangeError, "from 1 to 65535"],
  ["port 70000", () => TcpListenSocket.listen({ port: 70000 }), RangeError, "got 70000 (port)"],
  [
    "half a connection of backlog",
    () => TcpListenSocket.listen({ backlog: 0.5 }),
    RangeError,
    "backlog",
  ],
  [
    "a text for noDelay",
    () => TcpClientSocket.connect({ port: 1, noDelay: "x" } as never),
    TypeError,
    "(noDelay)",
  ],
  ["a negative timeout", () => TcpClientSocket.connect({ port: 1, timeout: -1 }), RangeError, "-1"],
  [
    "an unknown option of connect",
    () => TcpClientSocket.connect({ port: 1, timeuot: 3 } as never),
    TypeError,
    '"timeout"',
  ],
  [
    "an unknown option of listen",
    () => TcpListenSocket.listen({ reuseport: true } as never),
    TypeError,
    '"reusePort"',
  ],
  [
    "an unknown option of bind",
    () => UdpSocket.bind({ prot: 1 } as never),
    TypeError,
    '"port"',
  ],
  [
    "the address of a UDP socket to connect to",
    () => TcpClientSocket.connect({ transport: "udp", hostname: "127.0.0.1", port: 1 }),
    RangeError,
    '"tcp"',
  ],
  [
    "an unknown option of a Unix socket",
    () => UnixListenSocket.listen({ path: "/tmp/x", mode: 0o600 } as never),
    TypeError,
    "mode",
  ],
  ["no path", () => UnixClientSocket.connect({} as never), TypeError, "(path)"],
  ["an empty path", () => UnixClientSocket.connect({ path: "" }), RangeError, "not empty"],
  ["a path with a NUL", () => UnixListenSocket.listen({ path: "/tmp/a\0b" }), RangeError, "NUL"],
  ["an abstract path", () => UnixClientSocket.connect({ path: "\0name" }), RangeError, "NUL"],
];

for (const [what, call, Class, message] of REFUSED) {
  Deno.test(`R40b: ${what} is refused at the call`, () => {
    assertThrows(call, Class, message);
  });
}

Deno.test("R40b: what a socket and a listener are given is checked at the call", () =>
  new Loop().run((function* (): Coroutine {
    using listener = yield* TcpListenSocket.listen(host);
    const [client, server] = yield* all([
      TcpClientSocket.connect(listener.localAddr),
      listener.accept(),
    ]);
    using _client = client;
    using _server = server;
    for (const max of ["2", null, true, 2n, {}]) {
      assertThrows(() => client.recv(max as never), TypeError, "max");
      assertThrows(() => client.recvView(max as never), TypeError, "max");
    }
    for (const max of [0, 0.5, 1.5, -1, NaN]) {
      assertThrows(() => client.recv(max), RangeError, "max");
    }
    for (const wrong of ["text", [1], new ArrayBuffer(1), new Uint16Array(1), null, 5]) {
      assertThrows(() => client.send(wrong as never), TypeError, "Expected a Uint8Array");
      assertThrows(() => client.recvInto(wrong as never), TypeError, "Uint8Array");
    }
    assertThrows(() => client.noDelay = 1 as never, TypeError, "noDelay");
    assertThrows(() => listener.serve(undefined as never), TypeError, "function*");
    assertThrows(() => listener.serve(function* () {}, { maxConnections: 0 }), RangeError);
    assertThrows(() => listener.serve(function* () {}, { maxConnections: 1.5 }), RangeError);
    assertThrows(
      () => listener.serve(function* () {}, { onError: "ignore" as never }),
      TypeError,
      '"throw"',
    );
    assertThrows(
      () => listener.serve(function* () {}, { maxConnection: 5 } as never),
      TypeError,
      '"maxConnections"',
    );
    assertThrows(() => listener.accept({} as never, function* () {}), TypeError, "nursery");
  })()));

const BAD_HOSTS = [
  ...["", " ", "a b", "[::1]", "http://x", "x/y", "a..b", ".a", "\0", "x\0y", "256.256.256.256"],
  ...["x".repeat(64), `${"x.".repeat(130)}x`, "no-such-host.invalid", "1:2:3", "user@host"],
];

for (const [name, makeLoop] of loops) {
  Deno.test(`${name}: R39: what is no host is ENOTFOUND, whoever asks`, () =>
    makeLoop().run((function* (): Coroutine {
      for (const hostname of BAD_HOSTS) {
        for (
          const [what, operation] of [
            ["connect", TcpClientSocket.connect({ hostname, port: 1, timeout: 5 })],
            ["listen", TcpListenSocket.listen({ hostname })],
          ] as const
        ) {
          const error = yield* errorOf(operation);
          assert(error instanceof SocketError, `${what} ${JSON.stringify(hostname)}: ${error}`);
          // "1:2:3" looks like an address; a resolver that cannot be asked says so.
          const codes = hostname === "1:2:3" || hostname.endsWith(".invalid")
            ? ["ENOTFOUND", "EAI_AGAIN", "EINVAL"]
            : ["ENOTFOUND"];
          assert(codes.includes(error.code), `${what} ${JSON.stringify(hostname)}: ${error.code}`);
        }
      }
    })()));

  Deno.test(`${name}: R40c: the end and the bytes before it reach a receive that comes late`, () =>
    makeLoop().run((function* (): Coroutine {
      for (const words of ["last words", ""]) {
        for (const sends of [0, 1, 3]) {
          const server = createServer((socket) => {
            socket.on("error", () => {});
            socket.end(words);
          });
          yield* suspend<void>((resume) => void server.listen(0, host.hostname, resume));
          const { port } = server.address() as { port: number };
          using client = yield* TcpClientSocket.connect({ ...host, port });
          yield* sleep(0.03); // bytes and end have arrived
          for (let count = 0; count < sends; count++) {
            yield* client.send(bytes(1));
            yield* sleep(0.005);
          }
          const received = yield* moveOnAfter(5, receiveAll(client));
          assertEquals(received && new TextDecoder().decode(received), words);
          assertEquals(yield* moveOnAfter(5, client.recv()), null);
          server.close();
        }
      }
    })()));

  Deno.test(`${name}: R40c: a receive after a reset is told of it, also where a send was told first`, () =>
    makeLoop().run((function* (): Coroutine {
      for (const sendFirst of [false, true]) {
        using listener = yield* TcpListenSocket.listen(host);
        const raw = yield* suspend<ReturnType<typeof connectNode>>((resume, fail) => {
          const socket = connectNode(listener.localAddr, () => resume(socket));
          socket.on("error", fail);
        });
        using server = yield* listener.accept();
        raw.resetAndDestroy();
        yield* sleep(0.03);
        if (sendFirst) {
          yield* server.send(bytes(1));
          yield* sleep(0.01);
          assert((yield* errorOf(server.send(bytes(1)))) instanceof SocketError);
        }
        const error = yield* errorOf((function* () {
          const received = yield* moveOnAfter(5, server.recv());
          throw new Error(`It received ${received}`);
        })());
        assert(error instanceof SocketError && error.code === "ECONNRESET", String(error));
      }
    })()));

  Deno.test(`${name}: R39: listening in a folder that is not there is ENOENT`, () =>
    makeLoop().run((function* (): Coroutine {
      const error = yield* errorOf(UnixListenSocket.listen({ path: `${newPath()}/x` }));
      assert(error instanceof SocketError && error.code === "ENOENT", String(error));
    })()));

  Deno.test(`${name}: closing a Unix listener leaves alone what has taken its path`, () =>
    makeLoop().run((function* (): Coroutine {
      const path = newPath();
      const old = yield* UnixListenSocket.listen({ path });
      Deno.removeSync(path);
      using successor = yield* UnixListenSocket.listen({ path });
      old.close();
      yield* sleep(0.02);
      const [client, server] = yield* all([
        UnixClientSocket.connect({ path }),
        successor.accept(),
      ]);
      client.close();
      server.close();
      Deno.removeSync(path);
      Deno.writeTextFileSync(path, "precious");
      successor.close();
      yield* sleep(0.02);
      assertEquals(Deno.readTextFileSync(path), "precious");
      Deno.removeSync(path);
    })()));

  Deno.test(`${name}: R38: a handler that has returned gives its slot back within the linger time`, async () => {
    const loop = makeLoop();
    await loop.run((function* (): Coroutine {
      using listener = yield* TcpListenSocket.listen(host);
      yield* Nursery.open(function* (nursery) {
        let full = false;
        const failures: unknown[] = [];
        nursery.startSoon(listener.serve(function* (stream) {
          if (full) return yield* stream.send(bytes(7));
          // Sends small messages until its peer and the system take no more; then it returns.
          while (
            (yield* moveOnAfter(0.5, function* () {
              yield* stream.send(new Uint8Array(4096));
              return true;
            })) === true
          );
          full = true;
        }, { maxConnections: 1, onError: (error) => failures.push(error) }));
        using _silent = yield* TcpClientSocket.connect(listener.localAddr);
        // deno-lint-ignore broomio/no-busy-wait -- nothing tells when it changes
        while (!full) yield* sleep(0.05);
        const started = performance.now();
        using next = yield* TcpClientSocket.connect(listener.localAddr);
        assertEquals(yield* next.recv(), bytes(7));
        const seconds = (performance.now() - started) / 1000;
        assert(seconds > 4 && seconds < 8, `${seconds} s`);
        assert(failures[0] instanceof SocketError && failures[0].code === "ETIMEDOUT");
        nursery.cancel();
      });
    })());
  });
}

Deno.test("R38: a returned handler drains for 5 s, in virtual time exactly", async () => {
  const loop = new Loop({ host: new VirtualClock() });
  useNetwork(loop, memoryNetwork({ capacity: 10 }));
  await loop.run((function* (): Coroutine {
    using listener = yield* TcpListenSocket.listen();
    yield* Nursery.open(function* (nursery) {
      const ends: number[] = [];
      nursery.startSoon(listener.serve(
        (stream) => stream.send(bytes(1, 2, 3)),
        { onError: () => ends.push(loop.now) },
      ));
      using full = yield* TcpClientSocket.connect(listener.localAddr);
      yield* sleep(20);
      assertEquals([...yield* receiveAll(full)], [1, 2, 3]);
      assertEquals(ends, []);
      nursery.cancel();
    });
  })());
});

Deno.test("R40: a server whose listener was closed by the user who gave it fails, and does not wait", () =>
  new Loop().run((function* (): Coroutine {
    const server = createServer();
    yield* suspend<void>((resume) => void server.listen(0, host.hostname, resume));
    const listener = fromNode(server);
    yield* Nursery.open(function* (nursery) {
      const serving = nursery.startSoon(errorOf(listener.serve(function* () {})));
      yield* sleep(0.01);
      server.close();
      const error = yield* serving.join();
      assert(error instanceof SocketError && error.code === "EBADF", String(error));
      const again = yield* errorOf(listener.accept());
      assert(again instanceof SocketError && again.code === "EBADF", String(again));
    });
    listener.close();
  })()));

Deno.test("R40c: a socket that has ended or broken before it was given tells so", () =>
  new Loop().run((function* (): Coroutine {
    const server = createServer((socket) => void socket.end("x"));
    yield* suspend<void>((resume) => void server.listen(0, host.hostname, resume));
    const { port } = server.address() as { port: number };
    const ended = connectNode({ port, host: host.hostname, allowHalfOpen: true });
    yield* suspend<void>((resume) => void ended.resume().on("end", () => resume()));
    using first = fromNode(ended);
    assertEquals(yield* moveOnAfter(5, first.recv()), null);
    const gone = connectNode({ port, host: host.hostname });
    gone.destroy();
    yield* until(new Promise((resolve) => gone.on("close", resolve)));
    using second = fromNode(gone);
    assert((yield* errorOf(second.recv())) instanceof SocketError);
    server.close();
  })()));

Deno.test("listener.closing is set when the listener is closed, for handlers that wait for it", () =>
  new Loop().run((function* (): Coroutine {
    const listener = yield* TcpListenSocket.listen(host);
    assert(listener.closing instanceof Event && !listener.closing.isSet);
    yield* Nursery.open(function* (nursery) {
      const serving = nursery.startSoon(listener.serve(function* (stream) {
        for (;;) {
          const next = yield* select({
            request: stream.recv(),
            closing: listener.closing.wait(),
          });
          if (next.arm === "closing") return;
          yield* stream.send(next.value!);
        }
      }));
      using idle = yield* TcpClientSocket.connect(listener.localAddr);
      yield* idle.send(bytes(1));
      assertEquals(yield* idle.recv(), bytes(1));
      listener.close();
      yield* serving.join(); // does not wait for the client
      assertEquals(yield* idle.recv(), null);
    });
    assert(listener.closing.isSet);
  })()));

Deno.test("select: accept, receives and datagrams are arms, and lose nothing where another arm wins", () =>
  new Loop().run((function* (): Coroutine {
    using listener = yield* TcpListenSocket.listen(host);
    const lost = yield* select({ socket: listener.accept(), late: sleep(0.01) });
    assertEquals(lost.arm, "late");
    using client = yield* TcpClientSocket.connect(listener.localAddr);
    const won = yield* select({ socket: listener.accept(), late: sleep(5) });
    assert(won.arm === "socket");
    using server = won.value;
    for (const receive of [() => server.recv(), () => server.recvView()]) {
      assertEquals((yield* select({ bytes: receive(), late: sleep(0.005) })).arm, "late");
      yield* client.send(bytes(1, 2));
      assertEquals(yield* select({ bytes: receive(), late: sleep(5) }), {
        arm: "bytes",
        value: bytes(1, 2),
      });
    }
    using one = yield* UdpSocket.bind(host);
    using two = yield* UdpSocket.bind(host);
    assertEquals((yield* select({ message: one.recvFrom(), late: sleep(0.005) })).arm, "late");
    yield* two.sendTo(bytes(3), one.localAddr);
    const message = yield* select({ message: one.recvFrom(), late: sleep(5) });
    assert(message.arm === "message" && message.value.bytes[0] === 3);
  })()));
