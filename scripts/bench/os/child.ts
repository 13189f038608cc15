/**
 * One runtime's part of the benchmark of processes: both sides in one process, turn by turn. Prints an
 * `OsReport` in JSON.
 */
import { CancelScope, type Coroutine, Loop, Nursery, type Operation, until } from "../../../mod.ts";
import { Process } from "../../../src/os/mod.ts";
import { commandLine, print, runtimeName, wallClock } from "../runtime.ts";
import { bare } from "./bare.ts";

/** Milliseconds of each start, and MB/s of each gigabyte through a pipe. */
export interface OsReport {
  readonly runtime: string;
  /** In a group of its own. */
  readonly start: Samples;
  /** In the group of this program. */
  readonly plain: Samples;
  readonly pipe: Samples;
}

/** What was measured, by side. */
export type Samples = Record<"ours" | "bare", number[]>;

/** Starts in a round, one of each side in turn: what else the machine does meets both. */
const STARTS = 50;
const CHUNK = new Uint8Array(64 * 1024);
/** A gigabyte (2^30 bytes). */
const CHUNKS = 16 * 1024;

function* start(group: boolean): Coroutine {
  yield* CancelScope.open(function* () {
    const child = yield* Process.start("true", [], { stdout: "null", stderr: "null", group });
    yield* child.wait();
  });
}

function* pipe(chunk: Uint8Array, count: number): Coroutine<number> {
  const child = yield* Process.start("cat", [], { stdin: "pipe", stdout: "pipe" });
  let received = 0;
  yield* Nursery.open(function* (nursery) {
    nursery.startSoon(function* () {
      for (let i = 0; i < count; i++) yield* child.stdin.send(chunk);
      yield* child.stdin.shutdown();
    }());
    for (;;) {
      const bytes = yield* child.stdout.recvView();
      if (bytes === null) break;
      received += bytes.length;
    }
  });
  yield* child.wait();
  return received;
}

/** One side: a start, or a gigabyte through a pipe, in a group of its own or not. */
interface Timed {
  start(group: boolean): Operation<unknown>;
  pipe(chunk: Uint8Array, count: number): Operation<number>;
}

/** Both run in one loop, as in a program. */
const sides: Record<"ours" | "bare", Timed> = {
  ours: { start, pipe },
  bare: {
    start: (group) => until(bare.start(group)),
    pipe: (chunk, count) => until(bare.pipe(chunk, count)),
  },
};

function* startTime(side: Timed, group: boolean): Coroutine<number> {
  const before = wallClock();
  yield* side.start(group);
  return (wallClock() - before) * 1000;
}

function* pipeRate(side: Timed): Coroutine<number> {
  const before = wallClock();
  const received = yield* side.pipe(CHUNK, CHUNKS);
  if (received !== CHUNK.length * CHUNKS) throw new Error(`${received} bytes came back`);
  return received / 1e6 / (wallClock() - before);
}

/** Measures the sides in turn, each `count` times, after one time that does not count. */
function* measure(
  count: number,
  sample: (side: Timed) => Operation<number>,
): Coroutine<Samples> {
  const samples: Samples = { ours: [], bare: [] };
  for (let round = -1; round < count; round++) {
    for (const name of round % 2 ? ["ours", "bare"] as const : ["bare", "ours"] as const) {
      const value = yield* sample(sides[name]);
      if (round >= 0) samples[name].push(value);
    }
  }
  return samples;
}

function* main(rounds: number): Coroutine<OsReport> {
  return {
    runtime: runtimeName,
    start: yield* measure(rounds * STARTS, (side) => startTime(side, true)),
    plain: yield* measure(rounds * STARTS, (side) => startTime(side, false)),
    pipe: yield* measure(rounds, pipeRate),
  };
}

print(JSON.stringify(await new Loop().run(main(Number(commandLine[0])))));
