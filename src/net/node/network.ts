/**
 * The network of Node, which Bun and Deno have too: `node:net` behind the port.
 *
 * Independent of: what connections and listeners do once they are there.
 */
import { builtin } from "../../runtime/builtin.ts";
import { codeOf } from "../../bytes/error_code.ts";
import type { Attempt, Network, RawListener, RawStream } from "../network.ts";
import type { FsModule, NetModule, ProcessSlice } from "../runtime_types.ts";
import { type NodeListenerOptions, NodeRawListener } from "./listener.ts";
import { type Addresses, NodeStream, Reader, type TlsTakeover } from "./stream.ts";

/**
 * Whether a socket here fills the memory it is given when it tells of it, so that all may share
 * one; and whether TLS on a socket waits for what the other end does not read. In Deno TLS on a
 * socket says that it has written as soon as it has encrypted: a peer that reads nothing would have
 * it take any amount of memory.
 */
function readsAtOnce(versions: ProcessSlice["versions"]): boolean {
  return versions?.node !== undefined && versions.deno === undefined && versions.bun === undefined;
}

/** Options of {@linkcode nodeNetwork}. */
interface NodeOptions {
  /** Whether undocumented internals may be used. */
  internals?: boolean;
}

/** Node's network, or `undefined` where there is no `node:net`. */
export function nodeNetwork({ internals = true }: NodeOptions = {}): Network | undefined {
  const net = builtin<NetModule>("node:net");
  if (net === undefined) return undefined;
  const { versions } = (globalThis as unknown as { process: ProcessSlice }).process;
  const version = versions?.node?.split(".").map(Number) ?? [0, 0];
  const knowsReusePort = version[0] > 23 || (version[0] === 23 && version[1] >= 1);
  const fast = readsAtOnce(versions);
  const takeover = fast ? { internals } : null;
  const listening: NodeListenerOptions = { remake: fast && internals ? net : null, takeover };
  return {
    listenTcp({ hostname, port, backlog, reusePort }, attempt) {
      if (reusePort && (!knowsReusePort || versions?.deno !== undefined)) {
        // An older Node ignores it without a word.
        return attempt.failed("ENOTSUP", new Error("reusePort needs Node 23.1"));
      }
      return listen(net, { host: hostname, port, backlog, reusePort }, attempt, listening);
    },
    listenUnix: ({ path }, attempt) =>
      listen(net, { path }, withoutFolder(path, attempt), listening),
    connectTcp: ({ hostname, port }, attempt) =>
      connect(net, { host: hostname, port }, attempt, takeover),
    connectUnix: ({ path }, attempt) => connect(net, { path }, attempt, takeover),
    removeSocket(path) {
      const fs = builtin<FsModule>("node:fs")!;
      if (!fs.lstatSync(path).isSocket()) return false;
      fs.unlinkSync(path);
      return true;
    },
  };
}

/** Node says EACCES where the folder of a path is not there, as Windows does. */
function withoutFolder(path: string, attempt: Attempt<RawListener>): Attempt<RawListener> {
  return {
    opened: (raw) => attempt.opened(raw),
    failed(code, cause) {
      const folder = /^(.*)\//.exec(path)?.[1];
      const isMissing = code === "EACCES" && folder &&
        !builtin<FsModule>("node:fs")!.existsSync(folder);
      attempt.failed(isMissing ? "ENOENT" : code, cause);
    },
  };
}

function listen(
  net: NetModule,
  options: Record<string, unknown>,
  attempt: Attempt<RawListener>,
  listening: NodeListenerOptions,
): () => void {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const failed = (error: unknown) => attempt.failed(codeOf(error), error);
  server.on("error", failed);
  server.on("listening", () => {
    server.removeListener("error", failed);
    attempt.opened(new NodeRawListener(server, listening));
  });
  server.listen(options);
  return () => {};
}

function connect(
  net: NetModule,
  options: { host?: string; port?: number; path?: string },
  attempt: Attempt<RawStream>,
  takeover: TlsTakeover | null,
): () => void {
  const reader = takeover === null ? null : new Reader();
  const socket = net.connect({ ...options, allowHalfOpen: true, onread: reader ?? undefined });
  const failed = (error: unknown) => attempt.failed(codeOf(error), error);
  socket.on("error", failed);
  socket.on("connect", () => {
    socket.removeListener("error", failed);
    const { path } = options;
    const addresses: Addresses = path === undefined
      ? {}
      : { local: { transport: "unix", path: "" }, remote: { transport: "unix", path } };
    attempt.opened(new NodeStream(socket, { ...addresses, reader, takeover }));
  });
  return () => void socket.destroy();
}
