/**
 * Responses of `node:http` that wait behind another one on their connection (HTTP pipelining).
 *
 * Node 20, and the `node:http` of Deno, tell only the response that is being sent that its
 * connection has closed: the coroutines of those behind it would run for ever. Newer Nodes tell
 * each. Invariant: a response that is queued here is told once, by the runtime or by us.
 */

/** What is used of a socket. */
interface Connection {
  once(event: "close", listener: () => void): unknown;
}

/** What is used of a response. */
interface Queueable {
  readonly destroyed: boolean;
  readonly socket?: unknown;
  destroy(): unknown;
  emit?(event: "close"): unknown;
  once?(event: "close", listener: () => void): unknown;
}

/** What waits on each connection: one listener for all, however many a client sends at once. */
const queued = new WeakMap<object, Set<Queueable>>();

/** Has `response` told of the end of the connection of `request`, where the runtime may not. */
export function hearConnection(request: unknown, response: Queueable): void {
  if (response.socket !== null || response.emit === undefined) return; // it is being sent
  const connection = (request as { socket?: Connection & object | null }).socket;
  if (typeof connection?.once !== "function") return;
  let waiting = queued.get(connection);
  if (waiting === undefined) {
    const all = waiting = new Set();
    queued.set(connection, all);
    connection.once("close", () => {
      queued.delete(connection);
      for (const each of all) closed(each);
    });
  }
  waiting.add(response);
  response.once?.("close", () => waiting.delete(response));
}

function closed(response: Queueable): void {
  if (response.destroyed) return; // the runtime has told it
  response.destroy();
  response.emit!("close");
}
