// deno-lint-ignore-file broomio/no-floating-operation -- what it does, or refuses, without being yielded is tested here
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  all,
  ClosedResourceError,
  type Coroutine,
  Loop,
  moveOnAfter,
  Nursery,
  sleep,
} from "jsr:@broomio/core";
import {
  type RawStream,
  SocketError,
  TcpClientSocket,
  TcpListenSocket,
  TlsClientSocket,
  type TlsConnectOptions,
  type TlsListenOptions,
  TlsListenSocket,
} from "../../src/net/mod.ts";
import { certificates } from "../support/certificates.ts";
import { errorOf, receiveAll, testStreams } from "../stream/conformance.ts";
import type { NetAddress } from "../../src/stream.ts";
import { isNode, tlsLoops } from "./support.ts";

const { ca, localhost, other, client, stranger } = certificates();
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);

for (const [name, makeLoop] of tlsLoops) {
  testStreams({
    name,
    makeLoop,
    listen: () => TlsListenSocket.listen({ hostname: "127.0.0.1", ...localhost }),
    connect: (listener) =>
      TlsClientSocket.connect({ ...listener.localAddr as NetAddress, caCerts: [ca] }),
    plenty: 16 * 1024 * 1024,
    cancels: 1000,
  });
}

function test(name: string, body: () => Coroutine<unknown>): void {
  for (const [way, makeLoop] of isNode ? tlsLoops : tlsLoops.slice(0, 1)) {
    Deno.test(`${way}: ${name}`, async () => void await makeLoop().run(body()));
  }
}

/** Serves "hello NAME" with what the handshake settled, and runs `body` with how to connect. */
function* serving(
  options: Partial<TlsListenOptions>,
  body: (
    connect: (options?: Partial<TlsConnectOptions>) => Coroutine<string>,
    port: number,
  ) => Coroutine<unknown>,
): Coroutine {
  using listener = yield* TlsListenSocket.listen({
    hostname: "127.0.0.1",
    ...localhost,
    ...options,
  });
  const { port } = listener.localAddr;
  function* connect(more: Partial<TlsConnectOptions> = {}): Coroutine<string> {
    using stream = yield* TlsClientSocket.connect({ port, caCerts: [ca], ...more });
    return decode(yield* receiveAll(stream))!;
  }
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(function* (stream) {
      const { alpnProtocol, serverName, peerCertificate } = yield* stream.handshake();
      const shown = peerCertificate === null ? "nobody" : "somebody";
      yield* stream.send(encode(`${alpnProtocol} ${serverName} ${shown}`));
    }, { onError: "throw" }));
    yield* body(connect, port);
    nursery.cancel();
  });
}

/** The code of the SocketError that an operation throws. */
function* codeOf(operation: Coroutine<unknown>): Coroutine<string> {
  const error = yield* errorOf(operation);
  if (!(error instanceof SocketError)) throw error;
  return error.code;
}

/**
 * With TLS 1.3 a client is done before the server has looked at its certificate: then the
 * connection ends, with an alert or without.
 */
function* assertTurnedAway(connecting: Coroutine<string>): Coroutine {
  try {
    assertEquals(yield* connecting, "");
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
  }
}

test("a client reaches a server by address and by name", function* () {
  yield* serving({}, function* (connect) {
    assertEquals(yield* connect(), "null null nobody");
    assertEquals(yield* connect({ hostname: "localhost" }), "null localhost nobody");
    assertEquals(yield* connect({ serverName: "localhost" }), "null localhost nobody");
  });
});

test("R39: who is not trusted, or not who it should be, is refused with EPROTO", function* () {
  yield* serving({}, function* (connect) {
    assertEquals(yield* codeOf(connect({ caCerts: [] })), "EPROTO");
    assertEquals(yield* codeOf(connect({ caCerts: [stranger.cert] })), "EPROTO");
    assertEquals(yield* codeOf(connect({ serverName: "other.test" })), "EPROTO");
    assertEquals(yield* connect(), "null null nobody");
  });
  yield* serving({ ...stranger }, function* (connect) {
    assertEquals(yield* codeOf(connect()), "EPROTO");
  });
});

test("mutual TLS: only who shows a certificate of the right authority gets in", function* () {
  const failures: string[] = [];
  const options: Partial<TlsListenOptions> = {
    clientCa: ca,
    onHandshakeError: (error) => failures.push(error.code),
  };
  yield* serving(options, function* (connect) {
    assertEquals(yield* connect({ ...client }), "null null somebody");
    yield* assertTurnedAway(connect());
    yield* assertTurnedAway(connect({ ...stranger }));
    assertEquals(yield* connect({ ...client }), "null null somebody");
  });
  assertEquals(failures.length, 2);
});

test("ALPN: both ends agree, or do not connect", function* () {
  yield* serving({ alpnProtocols: ["h2", "http/1.1"] }, function* (connect) {
    assertEquals(yield* connect({ alpnProtocols: ["http/1.1"] }), "http/1.1 null nobody");
    assertEquals(yield* connect({ alpnProtocols: ["http/1.1", "h2"] }), "h2 null nobody");
    assertEquals(yield* connect(), "null null nobody");
    assert((yield* errorOf(connect({ alpnProtocols: ["gopher"] }))) instanceof SocketError);
  });
  yield* serving({ alpnProtocols: ["h2"] }, function* (_connect, port) {
    using stream = yield* TlsClientSocket.connect({ port, caCerts: [ca], alpnProtocols: ["h2"] });
    assertEquals(stream.alpnProtocol, "h2");
    assertEquals((yield* stream.handshake()).alpnProtocol, "h2");
  });
});

test("SNI: the certificate is that of the name that was asked for", function* () {
  yield* serving({ serverNames: { "other.test": other } }, function* (connect) {
    assertEquals(yield* connect({ serverName: "other.test" }), "null other.test nobody");
    assertEquals(yield* connect({ serverName: "localhost" }), "null localhost nobody");
  });
});

test("mutual TLS holds for every name", function* () {
  const options = { serverNames: { "other.test": other }, clientCa: ca };
  yield* serving(options, function* (connect) {
    const serverName = "other.test";
    assertEquals(yield* connect({ serverName, ...client }), "null other.test somebody");
    yield* assertTurnedAway(connect({ serverName }));
    yield* assertTurnedAway(connect({ serverName, ...stranger }));
  });
});

test("R40: garbage, silence and farewells in a handshake hold nobody up", function* () {
  const failures: string[] = [];
  const options: Partial<TlsListenOptions> = {
    onHandshakeError: (error) => failures.push(error.code),
    handshakeTimeout: 0.2,
  };
  yield* serving(options, function* (connect, port) {
    using garbage = yield* TcpClientSocket.connect({ port });
    yield* garbage.send(encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    using _silent = yield* TcpClientSocket.connect({ port });
    const gone = yield* TcpClientSocket.connect({ port });
    gone.close();
    assertEquals(yield* connect(), "null null nobody");
    yield* sleep(0.3);
    assertEquals(yield* connect(), "null null nobody");
  });
  assertEquals(failures.toSorted(), ["ECONNRESET", "EPROTO", "ETIMEDOUT"]);
});

test("R39: who does not speak TLS is no TLS server", function* () {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(function* (stream) {
      yield* stream.send(encode("220 this is mail\r\n"));
      yield* stream.recv();
    }));
    const { port } = listener.localAddr;
    assertEquals(yield* codeOf(TlsClientSocket.connect({ port }) as Coroutine<unknown>), "EPROTO");
    nursery.cancel();
  });
});

test("a handshake that the other end does not answer ends with its timeout, or is cancelled", function* () {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
  const { port } = listener.localAddr;
  const connecting = TlsClientSocket.connect({ port, timeout: 0.1 }) as Coroutine<unknown>;
  assertEquals(yield* codeOf(connecting), "ETIMEDOUT");
  assertEquals(yield* moveOnAfter(0.05, TlsClientSocket.connect({ port })), undefined);
  // Both have been closed from here.
  for (let count = 0; count < 2; count++) {
    using stream = yield* listener.accept();
    yield* receiveAll(stream);
  }
});

test("R39: a port where nobody listens refuses", function* () {
  const listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
  listener.close();
  const connecting = TlsClientSocket.connect(listener.localAddr) as Coroutine<unknown>;
  assertEquals(yield* codeOf(connecting), "ECONNREFUSED");
});

/** A plain connection that both ends agree to secure. */
function* startTls(
  body: (client: TlsClientSocket, server: TlsClientSocket) => Coroutine<unknown>,
): Coroutine {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
  const [plain, accepted] = yield* all([
    TcpClientSocket.connect(listener.localAddr),
    listener.accept(),
  ]);
  yield* plain.send(encode("STARTTLS\r\n"));
  assertEquals(decode(yield* accepted.recv()), "STARTTLS\r\n");
  yield* accepted.send(encode("go ahead\r\n"));
  assertEquals(decode(yield* plain.recv()), "go ahead\r\n");
  yield* moveOnAfter(0.01, accepted.recv()); // leaves a read behind, which the handshake adopts
  const [client, server] = yield* all([
    TlsClientSocket.upgrade(plain, { hostname: "localhost", caCerts: [ca], alpnProtocols: ["x"] }),
    TlsClientSocket.upgradeServer(accepted, { ...localhost, alpnProtocols: ["x"] }),
  ]);
  assert((yield* errorOf(plain.recv())) instanceof ClosedResourceError);
  assert((yield* errorOf(accepted.send(encode("x")))) instanceof ClosedResourceError);
  yield* body(client, server);
  // Closing the plain sockets closes the secured ones.
  plain.close();
  accepted.close();
  assert((yield* errorOf(client.recv())) instanceof ClosedResourceError);
}

test("a plain connection is upgraded on both sides, and bytes go both ways", function* () {
  yield* startTls(function* (client, server) {
    assertEquals([client.alpnProtocol, server.alpnProtocol], ["x", "x"]);
    yield* client.send(encode("ping"));
    assertEquals(decode(yield* server.recv()), "ping");
    yield* server.send(encode("pong"));
    assertEquals(decode(yield* client.recv()), "pong");
  });
});

test("a handler may upgrade what it was given: what it sent last still arrives", function* () {
  using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(function* (stream) {
      const secured = yield* TlsClientSocket.upgradeServer(stream, localhost);
      yield* secured.send(encode("x".repeat(100_000)));
    }, { onError: "throw" }));
    using stream = yield* TlsClientSocket.connect({ ...listener.localAddr, caCerts: [ca] });
    assertEquals((yield* receiveAll(stream)).length, 100_000);
    nursery.cancel();
  });
});

/** Every public function that takes options of TLS, and options that it takes. */
const DOORS: readonly [string, object, (options: never) => unknown][] = [
  ["TlsListenSocket.listen", localhost, TlsListenSocket.listen],
  ["TlsClientSocket.connect", { port: 1 }, TlsClientSocket.connect],
  ["TlsClientSocket.upgrade", { hostname: "localhost" }, (options) => upgradeWith(options)],
  ["TlsClientSocket.upgradeServer", localhost, (options) => upgradeServerWith(options)],
];

const idle = new TcpClientSocket({
  localAddr: { transport: "tcp", hostname: "here", port: 1 },
  remoteAddr: { transport: "tcp", hostname: "there", port: 2 },
  bytes: new Uint8Array(0),
  lifetime: "forever",
  receive() {},
  send() {},
  finish() {},
  close() {},
  closeSoon() {},
  setNoDelay() {},
  setKeepAlive() {},
} as Partial<RawStream> as RawStream);
const upgradeWith = (options: never) => TlsClientSocket.upgrade(idle, options);
const upgradeServerWith = (options: never) => TlsClientSocket.upgradeServer(idle, options);

for (const [name, good, door] of DOORS) {
  const refuses = (more: object, message: string) =>
    assertThrows(() => door({ ...good, ...more } as never), TypeError, message);

  Deno.test(`R40b: ${name} refuses an option that it does not know, and names the nearest`, () => {
    door(good as never);
    refuses(
      { alpnProtocol: ["h2"] },
      `"alpnProtocol" of ${name}(): the nearest known one is "alpn`,
    );
    refuses({ ALPNProtocols: ["h2"] }, "use alpnProtocols");
    refuses({ noDelays: true }, 'the nearest known one is "noDelay"');
    refuses({ Key: client.key }, 'the nearest known one is "key"');
    refuses({ minVersion: "TLSv1.3" }, 'Unknown option "minVersion"');
    refuses({ ciphers: "NULL" }, 'Unknown option "ciphers"');
    refuses({ passphrase: "x" }, 'Unknown option "passphrase"');
    refuses({ rejectUnauthorized: true }, "use c");
    refuses({ ca }, "use c");
    assertThrows(() => door(5 as never), TypeError, "an object of options, got 5");
  });

  Deno.test(`R40b: ${name} refuses an option of the wrong kind where it is given`, () => {
    refuses({ alpnProtocols: "h2" }, "an array of protocols");
    refuses({ alpnProtocols: ["h2", 5] }, "Expected a string, got 5 (alpnProtocols)");
    refuses({ cert: new Uint8Array(1), key: client.key }, "a text in PEM");
    refuses({ noDelay: "yes" }, 'Expected a boolean, got "yes" (noDelay)');
    const tooLong = ["x".repeat(256)];
    for (const alpnProtocols of [[""], tooLong, ["h\0"]]) {
      assertThrows(() => door({ ...good, alpnProtocols } as never), RangeError, "1 to 255 ASCII");
    }
  });
}

Deno.test("R40b: how clients are let in is said, or refused", () => {
  for (const [name, good, door] of DOORS) {
    if (good !== localhost) continue;
    const refuses = (more: object, message: string) =>
      assertThrows(() => door({ ...good, ...more } as never), TypeError, message);
    for (const clientCa of [undefined, null, 5, {}]) refuses({ clientCa }, "leave it out");
    refuses({ clientCa: [ca, 5] }, "a text in PEM");
    refuses({ clientCA: ca }, `Unknown option "clientCA" of ${name}()`);
    refuses({ clientCas: ca }, 'the nearest known one is "clientCa"');
    refuses({ requireClientCert: true }, "use clientCa");
    refuses({ mtls: true }, "use clientCa");
    for (const serverNames of [new Map([["other.test", other]]), null, "x", [other]]) {
      refuses({ serverNames }, "an object with a { cert, key } for each name");
    }
    refuses({ serverNames: { x: { ...other, keys: 1 } } }, 'the nearest known one is "key"');
    refuses({ serverNames: { x: 5 } }, "an object of options, got 5");
  }
});

Deno.test("R40b: a client says whom it expects, or is refused", () => {
  const connect = (options: object) => () =>
    void TlsClientSocket.connect({ port: 1, ...options } as TlsConnectOptions);
  const upgrade = (options: object) => () => void upgradeWith(options as never);
  const expected = "a name to check the server's certificate against";
  for (const name of ["", null, 5, {}]) {
    assertThrows(connect({ serverName: name }), TypeError, expected);
    assertThrows(connect({ hostname: name }), TypeError, expected);
    assertThrows(upgrade({ hostname: name }), TypeError, expected);
  }
  assertThrows(connect({ hostname: null, serverName: "localhost" }), TypeError, "hostname");
  assertThrows(upgrade({}), TypeError, `${expected}, got undefined (hostname)`);
  for (const name of ["local\0host", "local host", " localhost", "localhost\n"]) {
    assertThrows(connect({ serverName: name }), RangeError, "without spaces");
    assertThrows(upgrade({ hostname: name }), RangeError, "without spaces");
  }
  assertThrows(() => TlsClientSocket.upgrade({} as never, { hostname: "x" }), TypeError, "Socket");
});

Deno.test("R40b: onHandshakeError is a function, and what it throws is a warning", async () => {
  for (const onHandshakeError of [5, null, {}]) {
    const options = { ...localhost, onHandshakeError } as unknown as TlsListenOptions;
    assertThrows(() => TlsListenSocket.listen(options), TypeError, "a function, got");
  }
  const warnings: string[] = [];
  const loop = new Loop({ onWarning: ({ message }) => warnings.push(message) });
  const onHandshakeError = () => {
    throw new Error("from the callback");
  };
  await loop.run(serving({ onHandshakeError }, function* (connect, port) {
    using garbage = yield* TcpClientSocket.connect({ port });
    yield* garbage.send(encode("GET / HTTP/1.1\r\n\r\n"));
    yield* receiveAll(garbage);
    assertEquals(yield* connect(), "null null nobody");
  }));
  assertEquals(warnings.length, 1);
  assert(warnings[0].startsWith("onHandshakeError failed; serving goes on. Error: from the callb"));
});

test("serverNames is served, or refused where the runtime cannot", function* () {
  const { process } = globalThis as { process?: { versions: { bun?: string } } };
  const options = { hostname: "127.0.0.1", ...localhost, serverNames: { "other.test": other } };
  if (process?.versions.bun === undefined) return (yield* TlsListenSocket.listen(options)).close();
  assertThrows(() => TlsListenSocket.listen(options), SocketError, "ENOTSUP");
  const { hostname: _, ...upgrade } = options;
  assertThrows(() => upgradeServerWith(upgrade as never), SocketError, "ENOTSUP");
});

Deno.test("TLS: what is not understood is refused, never ignored", () => {
  const listen = (options: object) => () => {
    TlsListenSocket.listen(options as TlsListenOptions);
  };
  assertThrows(listen({}), TypeError, "both cert and key");
  assertThrows(listen({ cert: localhost.cert }), TypeError, "both cert and key");
  assertThrows(listen({ cert: "x", key: "y" }), TypeError, "no certificate");
  assertThrows(listen({ cert: localhost.cert, key: "y" }), TypeError, "no private key");
  assertThrows(listen({ cert: new Uint8Array(1), key: "y" }), TypeError, "a text in PEM");
  const mixed = { cert: localhost.cert, key: client.key };
  assertThrows(listen(mixed), TypeError, "does not belong");
  assertThrows(listen({ ...localhost, serverNames: { x: mixed } }), TypeError, "does not belong");
  const torn = ca.replace(/\n.{20}/, "\n");
  assertThrows(listen({ ...localhost, clientCa: torn }), TypeError, "cannot be read");
  assertThrows(listen({ ...localhost, clientCa: "" }), TypeError, "no certificate");
  assertThrows(listen({ ...localhost, caCerts: [ca] }), TypeError, "use clientCa");
  assertThrows(listen({ ...localhost, requestCert: true }), TypeError, "use clientCa");
  assertThrows(listen({ ...localhost, clientCa: [] }), TypeError, "at least one certificate");
  const connect = (options: object) => () => {
    TlsClientSocket.connect({ port: 1, ...options } as TlsConnectOptions);
  };
  assertThrows(connect({ cert: client.cert }), TypeError, "both cert and key");
  assertThrows(connect({ ca }), TypeError, "use caCerts");
  assertThrows(connect({ caCerts: [torn] }), TypeError, "cannot be read");
});
