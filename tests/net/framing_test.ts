import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  BrokenResourceError,
  BusyResourceError,
  type Coroutine,
  Loop,
  moveOnAfter,
  Nursery,
  type Operation,
  select,
  type Selectable,
  sleep,
} from "jsr:@broomio/core";
import { VirtualClock } from "../../src/testing/mod.ts";
import { memoryStreamPair } from "../../src/testing/memory_stream.ts";
import { type FrameFormat, sendFrame } from "../../src/net/frame_format.ts";
import { BufferedReader } from "../../src/net/framing.ts";
import { LimitError } from "../../src/kernel/errors.ts";
import type { ByteStream, ReceiveStream } from "../../src/stream.ts";
import { cancelAtEveryWait } from "../support/cancel_at_every_wait.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);

function run<T>(main: Operation<T>): Promise<T> {
  return new Loop({ host: new VirtualClock() }).run(main);
}

/** Sends the pieces one by one, a moment apart, and ends. */
function* feed(stream: ByteStream, pieces: readonly Uint8Array[], pause = 1): Coroutine {
  for (const piece of pieces) {
    yield* stream.send(piece);
    yield* sleep(pause);
  }
  yield* stream.shutdown();
}

/** Runs `body` with a reader of what the pieces make up. */
function reading<T>(
  pieces: readonly Uint8Array[],
  limit: number,
  body: (reader: BufferedReader) => Operation<T>,
): Promise<T> {
  return run((function* () {
    const [client, server] = memoryStreamPair();
    let result: T;
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon(feed(client, pieces));
      result = yield* body(new BufferedReader(server, { limit }));
      nursery.cancel();
    });
    return result!;
  })());
}

function* errorOf(operation: Operation<unknown>): Coroutine<unknown> {
  try {
    yield* operation;
  } catch (error) {
    return error;
  }
}

Deno.test("Lines end in LF or CRLF, the last one may end with the stream", async () => {
  const text = "one\r\ntwo\n\n\r\nwith a \r inside\nlast";
  const lines = await reading([encode(text)], 100, function* (reader) {
    const lines: (string | null)[] = [];
    for (let index = 0; index < 8; index++) lines.push(yield* reader.readLine());
    return lines;
  });
  assertEquals(lines, ["one", "two", "", "", "with a \r inside", "last", null, null]);
});

Deno.test("A line is UTF-8, wherever the bytes of a character were torn", async () => {
  const bytes = encode("grüße 🧹\n");
  const pieces = [...bytes].map((byte) => new Uint8Array([byte]));
  assertEquals(await reading(pieces, 100, (reader) => reader.readLine()), "grüße 🧹");
});

Deno.test("lines() runs its body for each line, to the end", async () => {
  const log = await reading([encode("a\nb\nc\n")], 10, function* (reader) {
    const log: string[] = [];
    yield* reader.lines(function* (line) {
      log.push(line);
      yield* sleep(1);
    });
    return log;
  });
  assertEquals(log, ["a", "b", "c"]);
});

Deno.test("A line may have as many bytes as the limit, and no more", async () => {
  for (const [text, wanted] of [["12345\n", "12345"], ["12345\r\n", "12345"], ["12345", "12345"]]) {
    assertEquals(await reading([encode(text)], 5, (reader) => reader.readLine()), wanted);
  }
  for (const text of ["123456\n", "123456\r\n", "123456", "1234567890123"]) {
    const error = await reading(
      [encode(text)],
      5,
      (reader) => errorOf(reader.readLine()),
    );
    assert(error instanceof LimitError, `${text}: ${error}`);
    assertEquals(error.limit, 5);
  }
});

Deno.test("A client that sends no end of line is stopped at the limit, not at the end of memory", async () => {
  let sent = 0;
  await run((function* () {
    const [client, server] = memoryStreamPair();
    yield* Nursery.open(function* (nursery) {
      nursery.startSoon((function* () {
        for (;; sent += 1000) yield* client.send(new Uint8Array(1000).fill(65));
      })());
      const reader = new BufferedReader(server, { limit: 10_000 });
      assert((yield* errorOf(reader.readLine())) instanceof LimitError);
      assert((yield* errorOf(reader.readLine())) instanceof LimitError); // and stays stopped
      nursery.cancel();
    });
  })());
  assert(sent < 10_000 + 2 * 65536, `took ${sent} bytes`);
});

Deno.test("readUntil takes the delimiter away, also one that arrives in parts", async () => {
  const pieces = ["GET / HTTP/1.1\r\nHost: x\r", "\n\r", "\nbody"].map(encode);
  await reading(pieces, 100, function* (reader) {
    assertEquals(decode(yield* reader.readUntil(encode("\r\n\r\n"))), "GET / HTTP/1.1\r\nHost: x");
    assertEquals(decode(yield* reader.recv()), "body");
  });
});

Deno.test("readUntil finds a delimiter that overlaps its own beginning", async () => {
  const found = await reading([encode("aaaab-rest")], 100, (r) => r.readUntil(encode("aab")));
  assertEquals(decode(found), "aa");
});

Deno.test("A change of delimiter looks at the waiting bytes again", async () => {
  await reading([encode("a;b\nc;")], 100, function* (reader) {
    const late = yield* moveOnAfter(0.5, reader.readUntil(encode("#")));
    assertEquals(late, undefined);
    assertEquals(decode(yield* reader.readUntil(encode(";"))), "a");
    assertEquals(yield* reader.readLine(), "b");
    assertEquals(decode(yield* reader.readUntil(encode(";"))), "c");
  });
});

Deno.test("readExact gives so many bytes, null at the end, and an error where the end is within", async () => {
  await reading(["ab", "cd", "ef"].map(encode), 100, function* (reader) {
    assertEquals(decode(yield* reader.readExact(3)), "abc");
    assertEquals(decode(yield* reader.readExact(0)), "");
    assertEquals(decode(yield* reader.readExact(2)), "de");
    const error = yield* errorOf(reader.readExact(2));
    assert(error instanceof BrokenResourceError);
    assertEquals(error.message, "The stream ended before byte 2: 1 bytes are left");
    assertEquals(decode(yield* reader.readExact(1)), "f");
    assertEquals(yield* reader.readExact(1), null);
  });
});

Deno.test("readExact of more than the limit is refused before it waits", async () => {
  const error = await reading([], 100, (reader) => errorOf(reader.readExact(101)));
  assert(error instanceof LimitError);
});

const formats: readonly FrameFormat[] = [1, 2, 4].flatMap((prefixBytes) =>
  [true, false].map((littleEndian) => ({ prefixBytes, littleEndian }) as FrameFormat)
);

Deno.test("sendFrame and readFrame agree in every format", async () => {
  for (const format of formats) {
    await run((function* () {
      const [client, server] = memoryStreamPair();
      yield* sendFrame(client, encode("x".repeat(200)), format);
      yield* sendFrame(client, new Uint8Array(0), format);
      yield* sendFrame(client, encode("end"), format);
      client.close();
      const reader = new BufferedReader(server);
      assertEquals(decode(yield* reader.readFrame(format)), "x".repeat(200));
      assertEquals(decode(yield* reader.readFrame(format)), "");
      assertEquals(decode(yield* reader.readFrame(format)), "end");
      assertEquals(yield* reader.readFrame(format), null);
    })());
  }
});

Deno.test("The length of a frame is in network order, unless the low byte comes first", async () => {
  await run((function* () {
    const [client, server] = memoryStreamPair();
    yield* sendFrame(client, new Uint8Array(258), { prefixBytes: 2 });
    assertEquals([...(yield* server.recv(2))!], [1, 2]);
    yield* server.recv();
    yield* sendFrame(client, new Uint8Array(258), { prefixBytes: 2, littleEndian: true });
    assertEquals([...(yield* server.recv(2))!], [2, 1]);
  })());
});

Deno.test("A frame that says it is longer than the limit is refused before it is waited for", async () => {
  const error = await reading(
    [new Uint8Array([255, 255, 255, 255])],
    1_000_000,
    (reader) => errorOf(reader.readFrame()),
  );
  assert(error instanceof LimitError);
});

Deno.test("A frame that the stream ends in is an error, one that was not begun is the end", async () => {
  for (const torn of [[0, 0], [0, 0, 0, 5], [0, 0, 0, 5, 1, 2]]) {
    const error = await reading([new Uint8Array(torn)], 100, (r) => errorOf(r.readFrame()));
    assert(error instanceof BrokenResourceError, `${torn}: ${error}`);
  }
});

Deno.test("A frame with a length of one byte has at most 255 bytes", async () => {
  const [client] = memoryStreamPair();
  assertThrows(
    () => sendFrame(client, new Uint8Array(256), { prefixBytes: 1 }),
    RangeError,
    "at most 255",
  );
  await run(sendFrame(client, new Uint8Array(255), { prefixBytes: 1 }));
});

Deno.test("R38: a second reader is told that there is one", async () => {
  await run((function* () {
    const [client, server] = memoryStreamPair();
    const reader = new BufferedReader(server);
    yield* Nursery.open(function* (nursery) {
      const first = nursery.startSoon(reader.readLine());
      yield* sleep(1);
      assert((yield* errorOf(reader.readExact(1))) instanceof BusyResourceError);
      yield* client.send(encode("hello\n"));
      assertEquals(yield* first.join(), "hello");
    });
  })());
});

Deno.test("A limit is a whole number of at least 1", () => {
  const [stream] = memoryStreamPair();
  for (const limit of [0, -1, 1.5, NaN]) {
    assertThrows(() => new BufferedReader(stream, { limit }), RangeError);
  }
});

/** What a reader is asked for, and the bytes that it then finds. */
type Piece = { kind: "line" | "exact" | "frame" | "until"; body: Uint8Array };

const delimiter = encode("--\r\n--");

function wireOf({ kind, body }: Piece): Uint8Array {
  if (kind === "line") return Uint8Array.from([...body, 13, 10]);
  if (kind === "until") return Uint8Array.from([...body, ...delimiter]);
  if (kind === "frame") return Uint8Array.from([body.length >> 8, body.length & 255, ...body]);
  return body;
}

function* read(reader: BufferedReader, { kind, body }: Piece): Coroutine<Uint8Array | null> {
  if (kind === "line") {
    const line = yield* reader.readLine();
    return line === null ? null : encode(line);
  }
  if (kind === "until") return yield* reader.readUntil(delimiter);
  if (kind === "frame") return yield* reader.readFrame({ prefixBytes: 2 });
  return yield* reader.readExact(body.length);
}

const letters = fc.uint8Array({ maxLength: 300, min: 97, max: 122 });
const pieces = fc.array(
  fc.record({ kind: fc.constantFrom("line", "exact", "frame", "until"), body: letters }),
  { maxLength: 30 },
) as fc.Arbitrary<Piece[]>;

Deno.test("R37: whatever the pieces in which bytes arrive and whenever a read is cancelled, each is read once", async () => {
  await fc.assert(
    fc.asyncProperty(
      pieces,
      fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
      fc.infiniteStream(fc.double({ min: 0, max: 3, noNaN: true })),
      async (wanted, sizes, patience) => {
        const wire = Uint8Array.from(wanted.flatMap((piece) => [...wireOf(piece)]));
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < wire.length;) {
          const size = sizes.next().value!;
          chunks.push(wire.slice(at, at + size));
          at += size;
        }
        const found = await reading(chunks, 1000, function* (reader) {
          const found: string[] = [];
          for (const piece of wanted) {
            let body: Uint8Array | null | undefined;
            while (body === undefined) {
              body = yield* moveOnAfter(patience.next().value!, read(reader, piece));
            }
            found.push(`${piece.kind} ${decode(body)}`);
          }
          return found;
        });
        assertEquals(found, wanted.map(({ kind, body }) => `${kind} ${decode(body)}`));
      },
    ),
    { numRuns: 40 },
  );
});

/** Counts what is asked of it, and gives a byte at a time. */
class Dripping implements ReceiveStream {
  readonly #inner: ReceiveStream;
  constructor(inner: ReceiveStream) {
    this.#inner = inner;
  }
  recv() {
    return this.#inner.recv(1);
  }
  recvInto(buffer: Uint8Array) {
    return this.#inner.recvInto(buffer.subarray(0, 1));
  }
  recvView() {
    return this.#inner.recvView(1);
  }
}

Deno.test("A line that arrives byte by byte costs in proportion to its length", async () => {
  const time = async (length: number) => {
    const start = performance.now();
    await run((function* () {
      const [client, server] = memoryStreamPair({ capacity: length + 1 });
      yield* client.send(new Uint8Array(length).fill(65));
      yield* client.send(encode("\n"));
      const reader = new BufferedReader(new Dripping(server), { limit: length });
      assertEquals((yield* reader.readLine())!.length, length);
    })());
    return performance.now() - start;
  };
  await time(20_000);
  const small = Math.min(await time(20_000), await time(20_000));
  const large = await time(320_000);
  assert(large < small * 16 * 5, `16 times the bytes took ${(large / small).toFixed(1)} times`);
});

Deno.test("R38: every read is an arm of select; where another arm wins, no byte is lost", async () => {
  const rounds = 300;
  const loop = new Loop({ host: new VirtualClock(), seed: 7 });
  await loop.run((function* () {
    for (const capacity of [3, 65536]) {
      const [client, server] = memoryStreamPair({ capacity });
      const reader = new BufferedReader(server, { limit: 1000 });
      let lates = 0;
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon((function* () {
          for (let round = 0; round < rounds; round++) {
            yield* client.send(encode(`line ${round}\r\n`));
            yield* sleep(round % 3);
            yield* sendFrame(client, encode(`frame ${round}`), { prefixBytes: 2 });
            yield* client.send(encode(`piece ${round};exact`));
            yield* sleep(round % 2);
          }
          yield* client.shutdown();
        })());
        /** Reads by `select` against a timeout that is often shorter, until the read has won. */
        function* insist<T>(read: () => Selectable<T>): Coroutine<T> {
          for (;;) {
            const chosen = yield* select({ read: read(), late: sleep(0.5) });
            if (chosen.arm === "read") return chosen.value;
            lates++;
          }
        }
        for (let round = 0; round < rounds; round++) {
          assertEquals(yield* insist(() => reader.readLine()), `line ${round}`);
          assertEquals(
            decode(yield* insist(() => reader.readFrame({ prefixBytes: 2 }))),
            `frame ${round}`,
          );
          assertEquals(
            decode(yield* insist(() => reader.readUntil(encode(";")))),
            `piece ${round}`,
          );
          assertEquals(decode(yield* insist(() => reader.readExact(5))), "exact");
        }
        assertEquals(yield* insist(() => reader.recv()), null);
      });
      assert(lates > 100, `${lates} timeouts`);
      client.close();
      server.close();
    }
  })());
});

Deno.test("R37: a read cancelled at any moment leaves the reader as it was", async () => {
  const waits = await cancelAtEveryWait(() => {
    const [client, server] = memoryStreamPair({ capacity: 4 });
    const reader = new BufferedReader(server);
    const lines: (string | null)[] = [];
    let ended = false;
    return {
      victim: (function* () {
        try {
          for (let count = 0; count < 3; count++) lines.push(yield* reader.readLine());
        } finally {
          ended = true;
        }
      })(),
      others: [
        feed(client, [encode("one\ntw"), encode("o\nthr"), encode("ee\nfour\n")], 0.1),
        (function* () {
          // deno-lint-ignore broomio/no-busy-wait -- nothing tells when it changes
          while (!ended) yield* sleep(1);
          yield* reader.lines(function* (line) {
            lines.push(line);
          });
        })(),
      ],
      check() {
        // The line that a settled wait had for a task that was cancelled before it began is not lost.
        assertEquals(lines, ["one", "two", "three", "four"]);
      },
    };
  });
  assert(waits >= 3, `${waits} waits`);
});

Deno.test("R28: a long line in tiny pieces that come at once does not fill the stack", async () => {
  const [client, server] = memoryStreamPair({ capacity: 1 });
  const text = "x".repeat(50_000);
  await run(Nursery.open(function* (nursery) {
    nursery.startSoon(client.send(encode(`${text}\n`)));
    assertEquals(yield* new BufferedReader(server).readLine(), text);
  }));
});

/** A stream of the user's own, whose reads are coroutines. */
class PlainStream implements ReceiveStream {
  readonly #inner: ReceiveStream;
  constructor(inner: ReceiveStream) {
    this.#inner = inner;
  }
  *recv(max?: number) {
    return yield* this.#inner.recv(max);
  }
  *recvInto(buffer: Uint8Array) {
    return yield* this.#inner.recvInto(buffer);
  }
  *recvView(max?: number) {
    return yield* this.#inner.recvView(max);
  }
}

Deno.test("A stream of the user's own is read the same way, and select says what it cannot do", async () => {
  const [client, server] = memoryStreamPair({ capacity: 3 });
  await run(Nursery.open(function* (nursery) {
    nursery.startSoon(feed(client, [encode("one\r\ntwo"), encode("\n\x02ab;rest")]));
    const reader = new BufferedReader(new PlainStream(server));
    assertEquals(yield* reader.readLine(), "one");
    assertEquals(yield* moveOnAfter(0.01, reader.readLine()), undefined);
    assertEquals(yield* reader.readLine(), "two");
    assertEquals(decode(yield* reader.readFrame({ prefixBytes: 1 })), "ab");
    assertEquals(decode(yield* reader.readUntil(encode(";"))), "");
    assertEquals(decode(yield* reader.readExact(2)), "re");
    assertEquals(decode(yield* reader.recv(1)), "s");
    assertThrows(() => select({ line: reader.readLine() }), TypeError, "race()");
    assertEquals(decode(yield* reader.recvView()), "t");
    assertEquals(yield* reader.recvInto(new Uint8Array(4)), null);
  }));
});

Deno.test("R40b: readers, reads and frames refuse what they cannot use, at the call", () => {
  const [client, server] = memoryStreamPair();
  const reader = new BufferedReader(server);
  for (const wrong of ["\n", [10], 10, undefined, new ArrayBuffer(1), new Uint16Array(1)]) {
    assertThrows(() => reader.readUntil(wrong as never), TypeError, "delimiter");
    assertThrows(() => sendFrame(client, wrong as never), TypeError, "Uint8Array");
  }
  assertThrows(() => reader.readUntil(new Uint8Array(0)), RangeError);
  assertThrows(() => reader.readExact(-1), RangeError);
  assertThrows(() => reader.readExact("5" as never), TypeError);
  assertThrows(() => reader.readFrame({ prefixBytes: 3 } as never), RangeError, "1, 2 or 4");
  assertThrows(() => reader.readFrame({ prefix: 2 } as never), TypeError, '"prefixBytes"');
  assertThrows(() => sendFrame(client, new Uint8Array(1), { littleEndian: 1 } as never), TypeError);
  assertThrows(() => sendFrame({} as never, new Uint8Array(1)), TypeError, "stream.send");
  assertThrows(() => reader.recv(0.5), RangeError, "max of recv()");
  assertThrows(() => reader.recvInto("x" as never), TypeError, "buffer");
  assertThrows(() => reader.lines(undefined as never), TypeError, "body");
  assertThrows(() => new BufferedReader(server, { limit: 0 }), RangeError);
  assertThrows(() => new BufferedReader(server, { limt: 5 } as never), TypeError, '"limit"');
  assertThrows(() => new BufferedReader(undefined as never), TypeError, "stream");
});
