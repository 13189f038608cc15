/**
 * Where Web Workers start.
 */
import type { FromWorker } from "./protocol.ts";
import { serve } from "./serve.ts";

/** The slice of a worker's global scope that is used here. */
interface WorkerScope {
  postMessage(message: unknown, transfer: readonly object[]): void;
  onmessage: ((event: { data: never }) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
const receive = serve((message, transfer) => scope.postMessage(message, transfer ?? []));
scope.onmessage = ({ data }) => receive(data);
scope.postMessage(["up"] satisfies FromWorker, []);
