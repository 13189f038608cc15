/**
 * Worker threads of Deno, Node and Bun. In Deno too, instead of its Web Workers: those cannot be
 * ended while they compute.
 */
import { builtin } from "../runtime/builtin.ts";
import { parallelism } from "./parallelism.ts";
import { type Backend, unreadable, type WorkerListener } from "./protocol.ts";

/** The part of `node:worker_threads` that is used here. */
interface WorkerThreads {
  Worker: new (url: URL) => {
    on(event: string, listener: (detail: never) => void): void;
    postMessage(message: unknown, transfer?: readonly object[]): void;
    terminate(): unknown;
  };
}

/** Makes the backend; `entry` is the address of `worker_thread.ts`. */
export function nodeThreads(entry: string): Backend {
  const { Worker } = builtin<WorkerThreads>("node:worker_threads")!;
  // Threads start only from files and `data:` addresses. From JSR this package comes by https:
  // there a line of text imports it.
  const url = entry.startsWith("file:")
    ? new URL(entry)
    : new URL(`data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(entry)}`)}`);
  return {
    parallelism: parallelism(),
    start(listener: WorkerListener) {
      const worker = new Worker(url);
      let error: unknown;
      worker.on("message", (message: unknown) => listener.received(message));
      worker.on("error", (cause: unknown) => error = cause);
      worker.on("messageerror", (cause: unknown) => {
        error = unreadable(cause);
        worker.terminate();
      });
      worker.on("exit", (code: number) => listener.ended({ how: `exit code ${code}`, error }));
      const kill = () => void worker.terminate();
      return {
        post: (message, transfer) => worker.postMessage(message, transfer),
        stop: kill, // it has nothing to do
        kill,
      };
    },
  };
}
