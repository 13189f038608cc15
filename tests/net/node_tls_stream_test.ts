/** What a TLS connection answers where the runtime below does not call back, or calls back early. */
import { assertEquals } from "@std/assert";
import { NodeTlsStream } from "../../src/net/node/tls_stream.ts";
import type { TlsSocket } from "../../src/net/node/tls_types.ts";
import type { RawStream } from "../../src/net/network.ts";
import { type Duplex, DuplexAdapter } from "../../src/net/tls/duplex_adapter.ts";

/** A TLS socket over a raw stream; what either is asked is written down, and the test answers. */
class World {
  readonly log: string[] = [];
  readonly listeners = new Map<string, (argument?: unknown) => void>();
  readonly callbacks: ((error?: unknown) => void)[] = [];
  writeBelow!: (bytes: Uint8Array, encoding: string, done: () => void) => void;
  readonly adapter: DuplexAdapter;
  readonly stream: NodeTlsStream;

  constructor() {
    const raw = {
      send: (bytes: Uint8Array) => void this.log.push(`raw send ${bytes.length}`),
      close: () => void this.log.push("raw close"),
      closeSoon: () => void this.log.push("raw close soon"),
    } as Partial<RawStream> as RawStream;
    const duplex = { on() {}, destroyed: false, writableLength: 0 } as unknown as Duplex;
    this.adapter = new DuplexAdapter((options) => {
      this.writeBelow = options.write as World["writeBelow"];
      return duplex;
    }, { raw, leftover: null, pending: false });
    const socket = {
      on: (event: string, listener: () => void) => void this.listeners.set(event, listener),
      read: () => null,
      write: (_bytes: Uint8Array, done: () => void) => void this.callbacks.push(done),
      end: (done: () => void) => void this.callbacks.push(done),
      destroy: () => void this.log.push("destroy"),
      destroyed: false,
      writableFinished: false,
    } as unknown as TlsSocket;
    this.stream = new NodeTlsStream(socket, this.adapter);
    this.stream.sendEvents = {
      sent: () => this.log.push("sent"),
      sendFailed: (code) => this.log.push(`send failed ${code}`),
    };
    this.stream.receiveEvents = {
      received: (count) => void this.log.push(`received ${count}`),
      receiveFailed: (code) => this.log.push(`receive failed ${code}`),
    };
  }
}

Deno.test("A send is answered when its bytes have left the adapter, not when they are encrypted", () => {
  const { stream, callbacks, adapter, log, writeBelow } = new World();
  stream.send(new Uint8Array(5));
  writeBelow(new Uint8Array(27), "", () => {});
  callbacks[0]();
  assertEquals(log.splice(0), ["raw send 27"]);
  adapter.sent();
  assertEquals(log, ["sent"]);
});

Deno.test("A shutdown is answered when close_notify has gone out, also where the runtime says it before", () => {
  const { stream, callbacks, adapter, log, writeBelow } = new World();
  stream.finish();
  callbacks[0]();
  assertEquals(log, []);
  writeBelow(new Uint8Array(24), "", () => {});
  assertEquals(log.splice(0), ["raw send 24"]);
  adapter.sent();
  assertEquals(log, ["sent"]);
});

Deno.test("Closing waits for close_notify in the same way", () => {
  const { stream, callbacks, adapter, log, writeBelow, listeners } = new World();
  stream.close();
  stream.close();
  callbacks[0]();
  writeBelow(new Uint8Array(24), "", () => {});
  assertEquals(log.splice(0), ["raw send 24"]);
  adapter.sent();
  assertEquals(log, ["destroy", "raw close"]);
  listeners.get("close")!(); // or the timer for the linger time would stay
});

for (const operation of ["send", "finish"] as const) {
  Deno.test(`A ${operation} that the runtime never calls back for is answered when the socket closes`, () => {
    const { stream, listeners, log } = new World();
    if (operation === "send") stream.send(new Uint8Array(5));
    else stream.finish();
    stream.receive();
    listeners.get("close")!();
    assertEquals(log, ["receive failed ECONNRESET", "raw close", "send failed ECONNRESET"]);
  });

  Deno.test(`A ${operation} is answered once, whatever the runtime calls back later`, () => {
    const { stream, listeners, callbacks, log } = new World();
    if (operation === "send") stream.send(new Uint8Array(5));
    else stream.finish();
    listeners.get("close")!();
    callbacks[0](new Error("too late"));
    assertEquals(log.filter((line) => line.includes("sen")), ["send failed ECONNRESET"]);
  });
}
