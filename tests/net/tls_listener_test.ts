/** What a TLS listener does with handshakes, seen with an engine and a clock that the test moves. */
import { assertEquals } from "@std/assert";
import type { Attempt, RawListener, RawStream } from "../../src/net/network.ts";
import { TlsRawListener } from "../../src/net/tls/listener.ts";
import type { Carrier, RawTlsStream, TlsClock } from "../../src/net/tls/port.ts";
import type { Address } from "../../src/stream.ts";

const here: Address = { transport: "tcp", hostname: "here", port: 1 };

/** A connection that only knows its number and whether it was closed. */
function connection(number: number, log: string[]): RawStream {
  return {
    remoteAddr: { transport: "tcp", hostname: "client", port: number },
    close: () => void log.push(`close ${number}`),
    setNoDelay() {},
  } as Partial<RawStream> as RawStream;
}

/** A listener over connections that arrive when the test says so. */
class World {
  now = 0;
  readonly log: string[] = [];
  readonly timers: { at: number; callback: () => void }[] = [];
  readonly handshakes: { carrier: Carrier; attempt: Attempt<RawTlsStream> }[] = [];
  /** Connections that have arrived and were not asked for. */
  readonly arrived: RawStream[] = [];
  /** The listener has asked for a connection. */
  asked = false;
  /** What the engine does with a connection before it gives how to abandon it. */
  begin: (carrier: Carrier, attempt: Attempt<RawTlsStream>) => void = () => {};
  readonly inner: RawListener;
  readonly listener: TlsRawListener;

  constructor(timeout = 30) {
    const clock: TlsClock = {
      now: () => this.now,
      after: (seconds, callback) => {
        const timer = { at: this.now + seconds, callback };
        this.timers.push(timer);
        return () => void this.timers.splice(this.timers.indexOf(timer), 1);
      },
    };
    this.inner = {
      localAddr: here,
      events: undefined!,
      accept: () => {
        const raw = this.arrived.shift();
        if (raw === undefined) this.asked = true;
        else this.inner.events.accepted(raw);
      },
      close: () => void this.log.push("close listener"),
    };
    this.listener = new TlsRawListener(this.inner, {
      server: {
        accept: (carrier, attempt) => {
          this.handshakes.push({ carrier, attempt });
          this.begin(carrier, attempt);
          return () => carrier.raw.close();
        },
      },
      report: (error, from) =>
        this.log.push(`${error.code} of ${from.transport === "tcp" && from.port}`),
      timeout,
      clock,
    });
    this.listener.events = {
      accepted: (raw) => this.log.push(`accepted ${(raw.remoteAddr as { port: number }).port}`),
      acceptFailed: (code) => this.log.push(`failed ${code}`),
    };
  }

  arrive(first: number, last = first): void {
    for (let number = first; number <= last; number++) {
      const raw = connection(number, this.log);
      if (this.asked) {
        this.asked = false;
        this.inner.events.accepted(raw);
      } else this.arrived.push(raw);
    }
  }

  advance(seconds: number): void {
    this.now += seconds;
    for (const timer of [...this.timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > this.now || !this.timers.includes(timer)) continue;
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.callback();
    }
  }

  /** Completes the nth handshake that was begun. */
  complete(index: number): void {
    const { carrier, attempt } = this.handshakes[index];
    attempt.opened(carrier.raw as RawTlsStream);
  }
}

Deno.test("R40: a burst of a thousand and more is served in turn: nobody loses the place in the first second", () => {
  const world = new World();
  world.listener.accept();
  world.arrive(1, 1500);
  assertEquals(world.handshakes.length, 1000);
  world.advance(0.5);
  assertEquals(world.log, []);
  world.complete(0);
  assertEquals(world.log.splice(0), ["accepted 1"]);
  assertEquals(world.handshakes.length, 1001);
  for (let index = 1; index < 500; index++) {
    world.listener.accept();
    world.complete(index);
  }
  assertEquals(world.handshakes.length, 1500);
  assertEquals(world.log.filter((line) => !line.startsWith("accepted")), []);
});

Deno.test("R40: where a thousand clients say nothing, the oldest give way to new ones after a second", () => {
  const world = new World();
  world.listener.accept();
  world.arrive(1, 1003);
  world.advance(0.9);
  assertEquals([world.handshakes.length, world.log], [1000, []]);
  world.advance(0.2);
  assertEquals(world.handshakes.length, 1003);
  assertEquals(world.log.splice(0), [1, 2, 3].flatMap((n) => [`close ${n}`, `ETIMEDOUT of ${n}`]));
  world.complete(1002);
  assertEquals(world.log, ["accepted 1003"]);
});

Deno.test("R40: a handshake that takes too long is given up, and its place is free", () => {
  const world = new World(5);
  world.listener.accept();
  world.arrive(1);
  world.advance(4.9);
  assertEquals(world.log, []);
  world.advance(0.2);
  assertEquals(world.log.splice(0), ["close 1", "ETIMEDOUT of 1"]);
  world.complete(0); // too late
  assertEquals(world.log.splice(0), ["close 1"]);
  assertEquals(world.timers, []);
});

Deno.test("R40: ten thousand that have arrived and break off at once do not exhaust the stack", () => {
  const world = new World();
  world.begin = (_carrier, attempt) => attempt.failed("ECONNRESET", undefined);
  world.arrive(1, 10_000);
  world.listener.accept();
  assertEquals(world.handshakes.length, 10_000);
  assertEquals(world.log.length, 10_000);
});

Deno.test("R40: an engine that throws, and a connection that cannot be set up, fail that handshake alone", () => {
  const world = new World();
  world.begin = () => {
    throw new Error("boom");
  };
  world.listener.accept();
  const broken = connection(1, world.log);
  broken.setNoDelay = () => {
    throw new Error("Bad resource ID");
  };
  world.inner.events.accepted(broken);
  assertEquals(world.log.splice(0), ["close 1", "EPROTO of 1"]);
  world.begin = () => {};
  world.inner.events.accepted(broken);
  world.complete(1);
  assertEquals(world.log, ["accepted 1"]);
});

Deno.test("Connections are taken only while an accept is wanted; closing drops what is in progress", () => {
  const world = new World();
  world.arrive(1, 3);
  assertEquals(world.handshakes.length, 0);
  world.listener.accept();
  assertEquals(world.handshakes.length, 3);
  world.complete(0);
  world.complete(1); // nobody wants it yet
  assertEquals(world.log.splice(0), ["accepted 1"]);
  world.listener.accept();
  assertEquals(world.log.splice(0), ["accepted 2"]);
  world.listener.close();
  world.listener.close();
  assertEquals(world.log.splice(0), ["close listener", "close 3"]);
  assertEquals(world.timers, []);
  world.arrive(4);
  assertEquals(world.log, ["close 4"]);
});
