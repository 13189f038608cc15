// deno-lint-ignore-file broomio/no-blocking-call -- a file of a few bytes, in a test
import { connect } from "node:net";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  all,
  type Coroutine,
  currentLoop,
  Loop,
  moveOnAfter,
  Nursery,
  NurseryError,
  type Operation,
  sleep,
  sleepForever,
  suspend,
} from "jsr:@broomio/core";
import {
  SocketError,
  TcpClientSocket,
  TcpListenSocket,
  UnixClientSocket,
  UnixListenSocket,
} from "../../src/net/mod.ts";
import { errorOf, receiveAll } from "../stream/conformance.ts";
import { newPath, nodeLoop, runScript } from "./support.ts";

const host = { hostname: "127.0.0.1" };
const bytes = (...values: number[]) => new Uint8Array(values);

function* socketErrorOf(operation: Parameters<typeof errorOf>[0]): Coroutine<SocketError> {
  const error = yield* errorOf(operation);
  assert(error instanceof SocketError, String(error));
  return error;
}

/** A port where nobody listens. */
function* deadPort(): Coroutine<number> {
  using listener = yield* TcpListenSocket.listen(host);
  return listener.localAddr.port;
}

for (const [name, makeLoop] of [["Deno", () => new Loop()], ["node:net", nodeLoop]] as const) {
  const test = (title: string, body: () => Coroutine<unknown>) =>
    Deno.test(`${name}: ${title}`, async () => void await makeLoop().run(body()));

  test("R39: refused", function* () {
    const port = yield* deadPort();
    const error = yield* socketErrorOf(TcpClientSocket.connect({ ...host, port }));
    assertEquals(error.code, "ECONNREFUSED");
    assertEquals(error.address, { transport: "tcp", ...host, port });
    assert(error.cause instanceof Error);
    assert(error.message.startsWith(`Cannot connect to 127.0.0.1:${port}: ECONNREFUSED`));
    assert(error.stack?.includes("world_test.ts"), "the stack shows who connected");
  });

  test("R39: the port is taken", function* () {
    using listener = yield* TcpListenSocket.listen(host);
    const { port } = listener.localAddr;
    const error = yield* socketErrorOf(TcpListenSocket.listen({ ...host, port }));
    assertEquals(error.code, "EADDRINUSE");
  });

  test("R39: the name is not found", function* () {
    const error = yield* socketErrorOf(
      TcpClientSocket.connect({ hostname: "no-such-host.invalid", port: 1 }),
    );
    assert(["ENOTFOUND", "EAI_AGAIN"].includes(error.code), error.code);
  });

  test("R39: an address that is not ours", function* () {
    const error = yield* socketErrorOf(TcpListenSocket.listen({ hostname: "192.0.2.1" }));
    // What node:net in Deno makes of it.
    assert(["EADDRNOTAVAIL", "EINVAL"].includes(error.code), error.code);
  });

  test("R39: reusePort is refused where the runtime would ignore it, or die of it", function* () {
    const error = yield* socketErrorOf(TcpListenSocket.listen({ ...host, reusePort: true }));
    assertEquals(error.code, "ENOTSUP");
  });

  test("R39: no such path", function* () {
    const error = yield* socketErrorOf(UnixClientSocket.connect({ path: newPath() }));
    assertEquals(error.code, "ENOENT");
  });

  test("R39: a path of 107 bytes works, one of 108 is refused", function* () {
    const path = newPath().padEnd(105, "x") + "é"; // two bytes
    using listener = yield* UnixListenSocket.listen({ path });
    (yield* UnixClientSocket.connect({ path })).close();
    assertEquals(listener.localAddr, { transport: "unix", path });
    const long = { path: path + "x" };
    assertEquals((yield* socketErrorOf(UnixListenSocket.listen(long))).code, "ENAMETOOLONG");
    assertEquals((yield* socketErrorOf(UnixClientSocket.connect(long))).code, "ENAMETOOLONG");
  });

  test("a path that a killed process left behind is taken over", function* () {
    const path = newPath();
    yield* runScript(`Deno.listen({ transport: "unix", path: "${path}" });
      Deno.kill(Deno.pid, "SIGKILL");`);
    assert(Deno.lstatSync(path).isSocket);
    using listener = yield* UnixListenSocket.listen({ path });
    using client = yield* UnixClientSocket.connect({ path });
    using server = yield* listener.accept();
    yield* client.send(bytes(1));
    assertEquals(yield* server.recv(), bytes(1));
  });

  test("a path where somebody listens is not taken over, nor is a file", function* () {
    const path = newPath();
    using _listener = yield* UnixListenSocket.listen({ path });
    assertEquals((yield* socketErrorOf(UnixListenSocket.listen({ path }))).code, "EADDRINUSE");
    const file = newPath();
    Deno.writeTextFileSync(file, "precious");
    try {
      assertEquals(
        (yield* socketErrorOf(UnixListenSocket.listen({ path: file }))).code,
        "EADDRINUSE",
      );
      assertEquals(Deno.readTextFileSync(file), "precious");
    } finally {
      Deno.removeSync(file);
    }
  });

  test("closing a Unix listener removes its path", function* () {
    const path = newPath();
    (yield* UnixListenSocket.listen({ path })).close();
    yield* sleep(0.02);
    assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);
  });

  test("R40: a client that resets ends its connection, and only that", function* () {
    using listener = yield* TcpListenSocket.listen(host);
    const failures: unknown[] = [];
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(function* (stream) {
        for (let got = yield* stream.recv(); got !== null; got = yield* stream.recv()) {
          yield* stream.send(got);
        }
      }, { onError: (error) => failures.push(error) }));
      const client = yield* connectRaw(listener.localAddr.port);
      yield* sleep(0.02);
      client.resetAndDestroy();
      yield* sleep(0.02);
      using other = yield* TcpClientSocket.connect(listener.localAddr);
      yield* other.send(bytes(2));
      assertEquals(yield* other.recv(), bytes(2));
      nursery.cancel();
    });
    assertEquals(failures.length, 1);
    assert(failures[0] instanceof SocketError);
    assertEquals(failures[0].code, "ECONNRESET");
  });

  test("R40: who vanishes in the middle of a send makes it fail", function* () {
    using listener = yield* TcpListenSocket.listen(host);
    const [client, server] = yield* all([
      TcpClientSocket.connect(listener.localAddr),
      listener.accept(),
    ]);
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon((function* () {
        yield* client.recv(1000);
        client.close();
      })());
      const { code } = yield* socketErrorOf(server.send(new Uint8Array(32 * 1024 * 1024)));
      assert(["EPIPE", "ECONNRESET"].includes(code), code);
      const again = yield* socketErrorOf(server.send(bytes(1)));
      assertEquals(again.code, code);
    });
    server.close();
  });

  test("R40: one that says nothing is given up, the others go on", function* () {
    using listener = yield* TcpListenSocket.listen(host);
    let givenUp = 0;
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(listener.serve(function* (stream) {
        const received = yield* moveOnAfter(0.05, stream.recv());
        if (received === undefined) givenUp++;
        else yield* stream.send(received!);
      }));
      using silent = yield* TcpClientSocket.connect(listener.localAddr);
      using loud = yield* TcpClientSocket.connect(listener.localAddr);
      yield* loud.send(bytes(7));
      assertEquals(yield* loud.recv(), bytes(7));
      assertEquals(yield* silent.recv(), null);
      nursery.cancel();
    });
    assertEquals(givenUp, 1);
  });

  test("R40: under accept(nursery, handler) a broken connection ends alone, also within a nursery of the handler", function* () {
    using listener = yield* TcpListenSocket.listen(host);
    yield* Nursery.open(function* (nursery) {
      for (const nested of [false, true]) {
        const client = yield* connectRaw(listener.localAddr.port);
        const task = yield* listener.accept(nursery, function* (stream) {
          if (!nested) return yield* receiveAll(stream);
          yield* Nursery.open(function* (inner) {
            inner.startSoon(receiveAll(stream));
            yield* sleepForever();
          });
        });
        yield* sleep(0.02);
        client.resetAndDestroy();
        yield* task.join();
        assertEquals(task.state, "succeeded");
      }
    });
  });

  test("R40: another connection's SocketError is an error like any other", function* () {
    using listener = yield* TcpListenSocket.listen(host);
    const port = yield* deadPort();
    const error = yield* errorOf(Nursery.open(function* (nursery) {
      using _client = yield* TcpClientSocket.connect(listener.localAddr);
      yield* listener.accept(nursery, function* () {
        yield* TcpClientSocket.connect({ ...host, port });
      });
      yield* sleepForever();
    }));
    assert(error instanceof NurseryError);
    assertEquals(error.find(SocketError)?.code, "ECONNREFUSED");
  });

  test("R40: a server with 1,000 connections drains, with a deadline", function* () {
    const listener = yield* TcpListenSocket.listen({ ...host, backlog: 2048 });
    let open = 0;
    let finished = 0;
    let cut = 0;
    yield* Nursery.open(function* (nursery) {
      const serving = nursery.startSoon(moveOnAfter(60, function* (deadline) {
        nursery.startSoon((function* () {
          // deno-lint-ignore broomio/no-busy-wait -- nothing tells when it changes
          while (open < 1000) yield* sleep(0.01);
          listener.close();
          deadline.deadline = Math.min(deadline.deadline, (yield* nowOfLoop()) + 0.3);
        })());
        yield* listener.serve(function* (stream) {
          open++;
          try {
            yield* stream.recv();
            yield* stream.send(bytes(1));
            finished++;
          } finally {
            cut = open - finished;
          }
        });
      }));
      const clients: TcpClientSocket[] = [];
      for (let index = 0; index < 1000; index++) {
        clients.push(yield* TcpClientSocket.connect(listener.localAddr));
      }
      // deno-lint-ignore broomio/no-busy-wait -- nothing tells when it changes
      while (open < 1000) yield* sleep(0.01);
      yield* sleep(0.02);
      for (const client of clients.slice(0, 900)) yield* client.send(bytes(1));
      yield* serving.join();
      assertEquals([finished, cut], [900, 100]);
      for (const client of clients) client.close();
    });
  });
}

/** A client that can reset, which no `close` does for sure. */
function connectRaw(port: number): Operation<ReturnType<typeof connect>> {
  return suspend((resume, fail) => {
    const socket = connect({ host: "127.0.0.1", port }, () => resume(socket));
    socket.on("error", fail);
    socket.resume();
    return () => socket.destroy();
  });
}

function* nowOfLoop(): Coroutine<number> {
  return (yield* currentLoop()).now;
}
