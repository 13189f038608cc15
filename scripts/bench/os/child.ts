/**
 * One runtime's part of the benchmark of processes: both sides in one process, turn by turn. Prints an
 * `OsReport` in JSON.
 */
import { CancelScope, type Coroutine, Loop, Nursery } from "../../../mod.ts";
import { Process } from "../../../src/os/mod.ts";
import { commandLine, print, runtimeName, wallClock } from "../runtime.ts";
import { bare, type Side } from "./bare.ts";

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

const loop = new Loop();
const ours: Side = {
  start: (group) => loop.run(start(group)),
  pipe: (chunk, count) => loop.run(pipe(chunk, count)),
};
const sides = { ours, bare };

/** A function, since much of a start is done before a promise is given. */
async function seconds(work: () => Promise<unknown>): Promise<number> {
  const before = wallClock();
  await work();
  return wallClock() - before;
}

async function pipeRate(side: Side): Promise<number> {
  const received = CHUNK.length * CHUNKS;
  const time = await seconds(
    () =>
      side.pipe(CHUNK, CHUNKS).then((count) => {
        if (count !== received) throw new Error(`${count} bytes came back`);
      }),
  );
  return received / 1e6 / time;
}

/** Measures the sides in turn, each `count` times, after one time that does not count. */
async function measure(count: number, sample: (side: Side) => Promise<number>): Promise<Samples> {
  const samples: Samples = { ours: [], bare: [] };
  for (let round = -1; round < count; round++) {
    for (const name of round % 2 ? ["ours", "bare"] as const : ["bare", "ours"] as const) {
      const value = await sample(sides[name]);
      if (round >= 0) samples[name].push(value);
    }
  }
  return samples;
}

const rounds = Number(commandLine[0]);
const startTime = (group: boolean) => async (side: Side) =>
  await seconds(() => side.start(group)) * 1000;
const report: OsReport = {
  runtime: runtimeName,
  start: await measure(rounds * STARTS, startTime(true)),
  plain: await measure(rounds * STARTS, startTime(false)),
  pipe: await measure(rounds, pipeRate),
};
print(JSON.stringify(report));
