/**
 * A server and a good client over TLS, for tests in which other clients are bad ones.
 */
import type { Coroutine } from "jsr:@broomio/core";
import { assertEquals } from "@std/assert";
import { TlsClientSocket } from "../../src/net/mod.ts";
import { receiveAll } from "../stream/conformance.ts";
import { certificates } from "../support/certificates.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The handler: answers one message. */
export function* answer(stream: TlsClientSocket): Coroutine {
  const bytes = yield* stream.recv();
  yield* stream.send(encode(`pong to ${bytes && decode(bytes)}`));
}

/** A good client: it is answered, and the answer ends as it should. */
export function* assertServed(port: number): Coroutine {
  const options = { hostname: "127.0.0.1", port, caCerts: [certificates().ca], timeout: 10 };
  using stream = yield* TlsClientSocket.connect(options);
  yield* stream.send(encode("ping"));
  assertEquals(decode(yield* receiveAll(stream)), "pong to ping");
}
