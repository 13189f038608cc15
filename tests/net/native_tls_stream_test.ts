/** What a TLS connection on a socket of Node's answers, and when; the test plays the socket. */
import { assertEquals } from "@std/assert";
import { NativeTlsStream } from "../../src/net/node/native_tls_stream.ts";
import type { NativeSocket, NativeTlsSocket } from "../../src/net/node/tls_types.ts";
import type { Address } from "../../src/stream.ts";

const here: Address = { transport: "tcp", hostname: "here", port: 1 };

/** A secured socket, the one below it, and a stream over both; what is asked is written down. */
class World {
  readonly log: string[] = [];
  readonly listeners: Record<string, (argument?: unknown) => void> = {};
  readonly callbacks: ((error?: unknown) => void)[] = [];
  /** What the system has not taken after the next write. */
  queued = 0;
  readonly socket = {
    alpnProtocol: "h2",
    servername: false,
    writableLength: 0,
    writableFinished: false,
    destroyed: false,
    errored: null as unknown,
    on: (event: string, listener: () => void) => {
      const first = this.listeners[event];
      this.listeners[event] = (argument) => {
        first?.(argument);
        (listener as (argument: unknown) => void)(argument);
      };
    },
    write: (bytes: Uint8Array, done?: (error?: unknown) => void) => {
      this.log.push(`write ${bytes.length}`);
      if (done !== undefined) this.callbacks.push(done);
      return true;
    },
    end: (done: () => void) => {
      this.log.push("end");
      this.callbacks.push(done);
    },
    destroy: () => {
      this.log.push("destroy");
      this.socket.destroyed = true;
      this.listeners.close?.();
    },
  };
  readonly stream: NativeTlsStream;

  constructor({ internals = true } = {}) {
    const handle = Object.defineProperty({}, "writeQueueSize", { get: () => this.queued });
    const below = { _handle: handle, setNoDelay: (on: boolean) => this.log.push(`noDelay ${on}`) };
    this.stream = new NativeTlsStream(
      this.socket as unknown as NativeTlsSocket,
      { socket: below as unknown as NativeSocket, internals },
      { local: here, remote: here },
    );
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

Deno.test("R38: a small send is answered at once where the system has taken it", () => {
  const { stream, log } = new World();
  stream.send(new Uint8Array(100));
  assertEquals(log, ["write 100", "sent"]);
});

Deno.test("R38: a small send that the system has not taken is answered when the socket calls back", () => {
  const world = new World();
  world.queued = 100;
  world.stream.send(new Uint8Array(100));
  assertEquals(world.log.splice(0), ["write 100", "write 0"]);
  world.callbacks[0]();
  assertEquals(world.log, ["sent"]);
});

Deno.test("A small send behind another one, or without internals, waits for its callback", () => {
  const behind = new World();
  behind.socket.writableLength = 5;
  const documented = new World({ internals: false });
  for (const { stream, log, callbacks } of [behind, documented]) {
    stream.send(new Uint8Array(100));
    assertEquals(log.splice(0), ["write 100"]);
    callbacks[0]();
    assertEquals(log, ["sent"]);
  }
});

Deno.test("R39: a write that fails at once is answered by the socket's error, and so is what follows", () => {
  const { stream, log, socket, listeners } = new World();
  const error = Object.assign(new Error("broken"), { code: "ECONNRESET" });
  socket.errored = error;
  stream.send(new Uint8Array(100));
  assertEquals(log.splice(0), ["write 100"]);
  listeners.error(error);
  assertEquals(log.splice(0), ["send failed ECONNRESET"]);
  stream.send(new Uint8Array(100));
  stream.receive();
  assertEquals(log, ["send failed EPIPE", "receive failed ECONNRESET"]);
});

Deno.test("A large send is encrypted piece by piece, as the other end takes it", () => {
  const { stream, log, callbacks } = new World();
  stream.send(new Uint8Array(600 * 1024));
  assertEquals(log.splice(0), ["write 262144"]);
  callbacks.shift()!();
  assertEquals(log.splice(0), ["write 262144"]);
  callbacks.shift()!();
  assertEquals(log.splice(0), ["write 90112"]);
  callbacks.shift()!();
  assertEquals(log, ["sent"]);
});

Deno.test("Closing in the middle of a large send gives no close_notify: a part is not the whole", () => {
  const { stream, log } = new World();
  stream.send(new Uint8Array(600 * 1024));
  stream.close();
  stream.close();
  assertEquals(log, ["write 262144", "destroy"]);
});

Deno.test("Closing sends close_notify, and leaves no timer", () => {
  const { stream, log, callbacks } = new World();
  stream.closeSoon();
  stream.close();
  assertEquals(log.splice(0), ["end"]);
  callbacks[0]();
  assertEquals(log, ["destroy"]);
});

Deno.test("R40c: a reset or an end that came before the first receive is told to it", () => {
  const reset = new World();
  reset.listeners.error(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
  reset.listeners.close();
  reset.stream.receive();
  assertEquals(reset.log, ["receive failed ECONNRESET"]);
  const ended = new World();
  ended.listeners.end();
  ended.listeners.close();
  ended.stream.receive();
  assertEquals(ended.log, ["received 0"]);
});

Deno.test("noDelay is set on the socket below, which knows how it was", () => {
  const { stream, log } = new World();
  stream.setNoDelay(false);
  assertEquals(log, ["noDelay false"]);
});
