/**
 * One runtime's part of the benchmark: every side in one process, turn by turn, as machines have moods. Prints a `PoolReport` in JSON.
 */
import { Worker } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import { type Coroutine, Loop, Nursery, type Operation, until } from "../../../mod.ts";
import { ThreadPool } from "../../../src/pool/mod.ts";
import { commandLine, exit, print, runtimeName, wallClock } from "../runtime.ts";

/** Microseconds a call, by round. */
export interface PoolReport {
  readonly runtime: string;
  readonly latency: Record<string, number[]>;
  readonly throughput: Record<string, number[]>;
}

/** One contender: makes `calls` calls, one after another or all at once. */
interface Side {
  latency(calls: number): Operation<unknown>;
  throughput?(calls: number): Operation<unknown>;
  close?(): Promise<unknown>;
}

const WORKERS = 2;
/** Short, so that a busy second of the machine hits few samples, and those of every side. */
const SEQUENTIAL = 250;
const AT_ONCE = 1000;

// What runs here ends in .ts in Deno, and in .js once bundled for Node.
const extension = import.meta.url.match(/\.[a-z]+$/)![0];
const beside = (name: string) => new URL(`./${name}${extension}`, import.meta.url);
const load = (name: string) => import(name); // peers are installed for Node only

function* ours(): Coroutine<Side> {
  const pool = yield* ThreadPool.open<typeof import("./handlers.ts")>({
    module: beside("handlers"),
    size: WORKERS,
    warm: WORKERS,
  });
  return {
    *latency(calls) {
      for (let i = 0; i < calls; i++) yield* pool.execute("add", i);
    },
    throughput: (calls) =>
      Nursery.open(function* (nursery) {
        for (let i = 0; i < calls; i++) nursery.startSoon(pool.execute("add", i));
      }),
  };
}

/** A side that has promises. */
function promised(
  call: (number: number) => PromiseLike<unknown>,
  close: () => Promise<unknown>,
): Side {
  async function latency(calls: number) {
    for (let i = 0; i < calls; i++) await call(i);
  }
  return {
    latency: (calls) => until(latency(calls)),
    throughput: (calls) => until(Promise.all(Array.from({ length: calls }, (_, i) => call(i)))),
    close,
  };
}

async function piscina(): Promise<Side> {
  const { Piscina } = await load("piscina");
  const filename = fileURLToPath(beside("handlers"));
  const pool = new Piscina({ filename, minThreads: WORKERS, maxThreads: WORKERS });
  return promised((number) => pool.run(number), () => pool.destroy());
}

async function workerpool(): Promise<Side> {
  const { default: library } = await load("workerpool");
  const pool = library.pool(fileURLToPath(beside("workerpool_worker")), {
    minWorkers: WORKERS,
    maxWorkers: WORKERS,
    workerType: "thread",
  });
  return promised((number) => pool.exec("add", [number]), () => pool.terminate());
}

/** Messages to one thread and back, with nothing around them but a promise each. */
function bare(): Side {
  const worker = new Worker(beside("bare_worker"));
  let answered: (value: unknown) => void;
  worker.on("message", ({ value }: { value: unknown }) => answered(value));
  const call = (number: number) =>
    new Promise((resolve) => {
      answered = resolve;
      worker.postMessage({ id: number, args: [number] });
    });
  const { latency, close } = promised(call, () => worker.terminate());
  return { latency, close };
}

function* main(rounds: number, peers: boolean): Coroutine<PoolReport> {
  const sides: Record<string, Side> = { ours: yield* ours(), bare: bare() };
  if (peers) {
    sides.piscina = yield* until(piscina());
    sides.workerpool = yield* until(workerpool());
  }
  const report: PoolReport = { runtime: runtimeName, latency: {}, throughput: {} };
  const names = Object.keys(sides);
  for (const [what, calls] of [["latency", SEQUENTIAL], ["throughput", AT_ONCE]] as const) {
    for (let round = -2; round < rounds; round++) {
      for (let place = 0; place < names.length; place++) {
        const name = names[(place + round + 2) % names.length];
        const work = sides[name][what];
        if (work === undefined) continue;
        const start = wallClock();
        yield* work(calls);
        const each = (wallClock() - start) * 1e6 / calls;
        if (round >= 0) (report[what][name] ??= []).push(each);
      }
    }
  }
  for (const side of Object.values(sides)) if (side.close) yield* until(side.close());
  return report;
}

const [rounds, peers] = commandLine;
print(JSON.stringify(await new Loop().run(main(Number(rounds), peers === "peers"))));
exit(0);
