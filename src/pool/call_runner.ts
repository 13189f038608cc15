/**
 * Call runner: the worker's side of the protocol. Imports the module, calls its exports, answers.
 *
 * Invariants: every call is answered once; coroutines all run in one loop, so that they can share
 * locks and limiters; `running` has exactly the coroutines that have not ended. Independent of: how
 * messages travel.
 */
import { Command } from "../kernel/command.ts";
import type { Operation } from "../kernel/coroutine.ts";
import { Cancelled, DeadlockError } from "../kernel/errors.ts";
import { Loop } from "../loop.ts";
import { endError, type TaskCore } from "../kernel/task.ts";
import { NEXT } from "../kernel/frame.ts";
import { uncloneableError } from "./clone.ts";
import { decodeError, encodeError } from "./error_codec.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import { transferOf } from "./transfer.ts";

/** Sends a message to the pool; throws where it cannot be cloned. */
export type Post = (message: FromWorker, transfer: readonly object[] | undefined) => void;

type Handler = (...args: readonly unknown[]) => unknown;

/** Makes what is called with each message of the pool, in order. */
export function createCallRunner(post: Post): (message: ToWorker) => void {
  /** The exports that are functions, read once: reading them from the module itself is slower. */
  const handlers = new Map<string, Handler>();
  let address = "";
  const loop = new Loop();
  let looping = false;
  const running = new Map<number, TaskCore>();

  async function load(url: string): Promise<void> {
    address = url;
    try {
      const module: Record<string, unknown> = await import(url);
      for (const [name, value] of Object.entries(module)) {
        if (typeof value === "function") handlers.set(name, value as Handler);
      }
      post(["ready"], undefined);
    } catch (error) {
      post(["broken", encodeError(error)], undefined);
    }
  }

  function call(id: number, name: string, args: readonly unknown[]): void {
    let result: unknown;
    try {
      const handler = handlers.get(name);
      if (handler === undefined) {
        throw new TypeError(noHandler(name, [...handlers.keys()], address));
      }
      result = handler(...args);
      if (isCoroutine(result)) return run(id, name, result);
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === "function") {
        return settleLater(id, name, result as PromiseLike<unknown>);
      }
    } catch (error) {
      return failed(id, error);
    }
    done(id, name, result);
  }

  /** Answers once, whatever a hand-written `then` does: calls back twice, calls back and throws. */
  function settleLater(id: number, name: string, promise: PromiseLike<unknown>): void {
    let settled = false;
    const once = (answer: () => void): void => {
      if (settled) return;
      settled = true;
      answer();
    };
    try {
      promise.then(
        (value) => once(() => done(id, name, value)),
        (error) => once(() => failed(id, error)),
      );
    } catch (error) {
      once(() => failed(id, error));
    }
  }

  /** Runs a coroutine in the worker's loop. */
  function run(id: number, name: string, coroutine: Operation<unknown>): void {
    const task = loop.startSoon(coroutine, { name: `${name}()` }) as TaskCore;
    running.set(id, task);
    task.onEnd(() => {
      running.delete(id);
      if (task.mode === NEXT) done(id, name, task.value);
      else failed(id, whyEnded(task));
      return true; // the caller has the error, so the loop need not
    });
    if (!looping) runLoop();
  }

  /** Runs the loop until no coroutine is left, or those that are left wait for each other. */
  function runLoop(): void {
    looping = true;
    const settled = (error?: unknown) => {
      looping = false;
      // A call may have come between the end of the run and this.
      const live = new Set(loop.tasks);
      if (live.size > 0) runLoop();
      for (const [id, task] of running) {
        if (live.has(task)) continue;
        running.delete(id);
        failed(id, error); // dropped by the loop in a deadlock, shielded
      }
    };
    loop.run().then(settled, settled);
  }

  function done(id: number, name: string, value: unknown): void {
    try {
      post(["done", id, value], transferOf([value]));
    } catch (error) {
      failed(id, uncloneableError(`the result of ${name}()`, value, "result", error));
    }
  }

  function failed(id: number, error: unknown): void {
    try {
      post(["failed", id, encodeError(error)], undefined);
    } catch (cause) {
      // A process cannot be sent all that a thread can, such as shared memory.
      const replacement = uncloneableError("what was thrown", error, "it", cause);
      try {
        post(["failed", id, encodeError(replacement)], undefined);
      } catch {
        // The channel is gone: the pool sees this worker end, and fails the call.
      }
    }
  }

  return (message) => {
    if (message[0] === "call") call(message[1], message[2], message[3]);
    else if (message[0] === "load") load(message[1]);
    // What is not a coroutine cannot be cancelled: it ends by itself, or the pool ends the worker.
    else running.get(message[1])?.cancel(message[2] && decodeError(message[2]));
  };
}

/** What a task that did not succeed threw, or the deadlock because of which it was cancelled. */
function whyEnded(task: TaskCore): unknown {
  const { value } = task;
  try {
    const reason = value instanceof Cancelled ? value.reason : undefined;
    return reason instanceof DeadlockError ? reason : endError(task);
  } catch {
    return value; // a proxy whose class cannot be asked for
  }
}

/** Whether a handler gave a coroutine or an operation; no value that can be sent looks like one. */
function isCoroutine(result: unknown): result is Operation<unknown> {
  if (typeof result !== "object" || result === null) return false;
  if (result instanceof Command) return true;
  const { next, throw: fail } = result as { next?: unknown; throw?: unknown };
  return typeof next === "function" && typeof fail === "function" && Symbol.iterator in result;
}

function noHandler(name: string, names: readonly string[], address: string): string {
  const has = names.length === 0 ? "it exports no function" : `it has ${names.join(", ")}`;
  return `${address} exports no function ${name}: ${has}`;
}
