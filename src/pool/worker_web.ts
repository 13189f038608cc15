/**
 * Web Workers of browsers. They do not report their end: one that is terminated counts as ended at
 * once.
 */
import type { Backend, WorkerListener } from "./protocol.ts";

/** Makes the backend; `entry` is the address of `worker_browser.ts`. */
export function webWorkers(entry: string): Backend {
  return {
    parallelism: navigator.hardwareConcurrency ?? 1,
    start(listener: WorkerListener) {
      const worker = new Worker(entry, { type: "module" });
      let ended = false;
      const end = (how: string, error?: unknown) => {
        if (ended) return;
        ended = true;
        worker.terminate();
        // Not at once: the pool may be in the middle of something.
        queueMicrotask(() => listener.ended({ how, error }));
      };
      worker.onmessage = ({ data }: MessageEvent<unknown>) => !ended && listener.received(data);
      worker.onmessageerror = () => end("a message that cannot be read");
      worker.onerror = (event: ErrorEvent) => {
        event.preventDefault();
        end("an error that nobody caught", event.error ?? new Error(event.message));
      };
      const kill = () => end("being terminated");
      return {
        post: (message, transfer) =>
          worker.postMessage(message, [...transfer ?? []] as Transferable[]),
        stop: kill,
        kill,
      };
    },
  };
}
