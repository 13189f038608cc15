/**
 * Where Web Workers start.
 *
 * It listens with `addEventListener`: a module that sets `onmessage` takes no message away from it.
 */
import type { FromWorker } from "./protocol.ts";
import { createCallRunner } from "./call_runner.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  postMessage(message: unknown, transfer: readonly object[]): void;
  addEventListener(type: string, listener: (event: { data: never }) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const receive = createCallRunner((message, transfer) => scope.postMessage(message, transfer ?? []));
scope.addEventListener("message", ({ data }) => receive(data));
scope.addEventListener("messageerror", () => {
  throw new Error("A message of the pool cannot be read here");
});
scope.postMessage(["up"] satisfies FromWorker, []);
