/**
 * A backend for pools without real workers. Every message takes as long as a test says, and the
 * backend records what a pool did with it.
 */
import { type Nursery, sleep } from "../../mod.ts";
import type { Backend, FromWorker, ToWorker, WorkerListener } from "../../src/pool/protocol.ts";

/** What a fake worker does with a call: given as its only argument. */
export interface FakeCall {
  readonly token: number;
  /** Seconds. */
  readonly takes: number;
  /** `deaf` neither ends nor hears a cancel. */
  readonly ends: "done" | "failed" | "dies" | "deaf";
  /** Seconds from a cancel to the answer; null for a handler that does not hear it. */
  readonly cancelTakes: number | null;
}

/** Does something after a while. */
export type After = (seconds: number, action: () => void) => void;

/** On the clock of a loop, in a nursery of it. */
export function inVirtualTime(nursery: Nursery): After {
  return (seconds, action) =>
    nursery.startSoon((function* () {
      yield* sleep(seconds);
      action();
    })());
}

/** Outside of any loop. */
export const inRealTime: After = (seconds, action) => void setTimeout(action, seconds * 1000);

/** One fake worker. */
export class FakeWorker {
  readonly index: number;
  ready = false;
  /** The pool told it to end, or it died. */
  leaving = false;
  ended = false;
  readonly held: Map<number, FakeCall> = new Map();
  /** The ids of calls that were cancelled and have not been answered. */
  readonly cancelled: Set<number> = new Set();

  constructor(index: number) {
    this.index = index;
  }
}

/** The backend, and what was seen. */
export class FakeWorkers implements Backend {
  readonly parallelism = 4;
  readonly workers: FakeWorker[] = [];
  /** The tokens of calls in the order in which workers got them. */
  readonly got: number[] = [];
  /** The tokens of calls that a worker held when it died or was killed. */
  readonly lost: Set<number> = new Set();
  /** Broken promises of the pool. */
  readonly complaints: string[] = [];
  readonly #after: After;
  readonly #startTakes: number;
  readonly #limits: { size: number; concurrency: number };
  /** Whether the n-th worker fails to start. */
  readonly #failsToStart: (index: number) => boolean;

  constructor(
    after: After,
    startTakes: number,
    limits: { size: number; concurrency: number },
    failsToStart: (index: number) => boolean = () => false,
  ) {
    this.#after = after;
    this.#startTakes = startTakes;
    this.#limits = limits;
    this.#failsToStart = failsToStart;
  }

  start(listener: WorkerListener) {
    const worker = new FakeWorker(this.workers.length);
    this.workers.push(worker);
    const staying = this.workers.filter((each) => !each.leaving).length;
    if (staying > this.#limits.size) this.complaints.push(`${staying} workers at a time`);

    const after: After = (seconds, action) =>
      this.#after(seconds, () => {
        if (!worker.ended) action();
      });
    const say = (message: FromWorker) => listener.received(message);
    const end = (how: string) => {
      if (worker.ended) return;
      worker.leaving = worker.ended = true;
      for (const { token } of worker.held.values()) this.lost.add(token);
      listener.ended({ how });
    };
    const answer = (id: number, { token, ends }: FakeCall) => {
      if (!worker.held.delete(id)) return; // answered already, after a cancel
      worker.cancelled.delete(id);
      if (ends === "failed") {
        say(["failed", id, { kind: "value", value: `failed ${token}` }]);
      } else say(["done", id, `done ${token}`]);
    };
    const take = (id: number, call: FakeCall) => {
      if (!worker.ready || worker.leaving) {
        this.complaints.push("a call came to a worker not ready");
      }
      if (worker.cancelled.size > 0) {
        this.complaints.push("a call came to a worker that may be ended soon");
      }
      if (this.got.includes(call.token)) this.complaints.push(`call ${call.token} came twice`);
      this.got.push(call.token);
      worker.held.set(id, call);
      if (worker.held.size > this.#limits.concurrency) this.complaints.push("too many calls held");
      if (call.ends === "deaf") return;
      after(call.takes, () => {
        if (call.ends !== "dies") answer(id, call);
        else if (worker.held.has(id)) end("death");
      });
    };
    after(0, () => say(["up"]));
    return {
      post: (message: ToWorker) => {
        if (worker.ended) return; // as with a channel that has just broken
        if (message[0] === "load") {
          after(this.#startTakes, () => {
            if (this.#failsToStart(worker.index)) return end("a failed start");
            worker.ready = true;
            say(["ready"]);
          });
        } else if (message[0] === "call") take(message[1], message[3][0] as FakeCall);
        else {
          const call = worker.held.get(message[1]);
          if (call !== undefined) worker.cancelled.add(message[1]);
          if (call !== undefined && call.cancelTakes !== null) {
            after(call.cancelTakes, () => answer(message[1], call));
          }
        }
      },
      stop: () => {
        if (worker.held.size > 0) this.complaints.push("a worker was stopped that held calls");
        worker.leaving = true;
        after(0.001, () => end("being stopped"));
      },
      kill: () => {
        worker.leaving = true;
        after(0.001, () => end("being killed"));
      },
    };
  }
}
