/** What a client of another engine, Deno's own, sees of a TLS connection of ours. */
import { assertEquals } from "@std/assert";
import { type Coroutine, Loop, Nursery, until } from "jsr:@broomio/core";
import { TcpListenSocket, TlsClientSocket, TlsListenSocket } from "../../src/net/mod.ts";
import type { ListenSocket, Socket } from "../../src/net/mod.ts";
import { certificates } from "../support/certificates.ts";

const { ca, localhost } = certificates();
const hostname = "127.0.0.1";

/** Reads to the end: Deno's client throws where the end comes without close_notify. */
async function readToEnd(port: number): Promise<string> {
  const tcp = await Deno.connect({ hostname, port });
  tcp.setNoDelay(true);
  const conn = await Deno.startTls(tcp, { hostname: "localhost", caCerts: [ca] });
  try {
    const buffer = new Uint8Array(4096);
    let size = 0;
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
      size += count;
    }
    return `end after ${size}`;
  } catch (error) {
    return (error as Error).name;
  } finally {
    conn.close();
  }
}

function* assertEnds<S extends Socket>(
  listener: ListenSocket<S>,
  handler: (stream: S) => Coroutine<unknown>,
): Coroutine {
  const { port } = listener.localAddr as { port: number };
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(listener.serve(handler, { onError: "throw" }));
    // It was one of twenty that ended without.
    for (let count = 0; count < 60; count++) {
      assertEquals(yield* until(readToEnd(port)), "end after 100000");
    }
    nursery.cancel();
  });
  listener.close();
}

function* say(stream: Socket, ending: string): Coroutine {
  yield* stream.send(new Uint8Array(100_000));
  if (ending === "shutdown()") yield* stream.shutdown();
  if (ending === "close()") stream.close();
}

for (const ending of ["the end of the handler", "shutdown()", "close()"]) {
  Deno.test(`TLS: after upgradeServer, a large send and ${ending}, close_notify comes`, async () => {
    await new Loop().run((function* () {
      yield* assertEnds(yield* TcpListenSocket.listen({ hostname }), function* (stream) {
        yield* say(yield* TlsClientSocket.upgradeServer(stream, localhost), ending);
      });
    })());
  });

  Deno.test(`TLS: after a large send and ${ending}, close_notify comes`, async () => {
    await new Loop().run((function* () {
      yield* assertEnds(
        yield* TlsListenSocket.listen({ hostname, ...localhost }),
        (stream) => say(stream, ending),
      );
    })());
  });
}
