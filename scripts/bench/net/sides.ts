/**
 * The sides of the comparison, and the bars of DESIGN section 6: what ours, in the same runtime, must reach against each.
 */

import { type Launcher, nodeRuntime, sameRuntime } from "../runtime.ts";
import type { NetRow } from "./load.ts";
import { isSecure, type Service } from "./wire.ts";

export interface Side {
  readonly id: string;
  readonly title: string;
  /** The name by which `server.ts` knows it. */
  readonly server: string;
  readonly runtime: "deno" | "node";
  /** Absent: both. */
  readonly only?: Service;
  /** At least so many times its requests a second, one request at a time; absent: it informs only. */
  readonly bar?: number;
  /** The same for pipelined requests. */
  readonly pipelinedBar?: number;
  /** The same with a thousand connections. */
  readonly pipelined1000Bar?: number;
  /** The same over TLS, and for connections with a handshake each. */
  readonly tlsBar?: number;
  readonly handshakeBar?: number;
  /** For a second one of ours: the side that it is compared with, and its bar. */
  readonly against?: { readonly id: string; readonly bar: number };
  /** What it can do; absent: plain connections and TLS. */
  readonly can?: "plain" | "tls";
}

export const sides: readonly Side[] = [
  { id: "ours-deno", title: "ours, Deno", server: "broomio", runtime: "deno" },
  {
    id: "async-deno",
    title: "async functions on Deno.listen",
    server: "deno-async",
    runtime: "deno",
    bar: 1.0,
    pipelinedBar: 3,
    tlsBar: 0.5,
    handshakeBar: 0.5,
  },
  {
    id: "adopted-deno",
    title: "ours, fromDeno(Deno.listenTls())",
    server: "deno-listen-tls",
    runtime: "deno",
    against: { id: "async-deno", bar: 0.75 },
    can: "tls",
  },
  {
    id: "then-deno",
    title: "promise chains on Deno.listen",
    server: "deno-then",
    runtime: "deno",
    can: "plain",
  },
  {
    id: "net-deno",
    title: "node:net callbacks, Deno",
    server: "node-net",
    runtime: "deno",
    bar: 1.1,
    pipelinedBar: 1.1,
  },
  {
    id: "serve-deno",
    title: "Deno.serve",
    server: "deno-serve",
    runtime: "deno",
    only: "http",
  },
  {
    id: "effect-deno",
    title: "Effect 4 sockets, Deno",
    server: "effect",
    runtime: "deno",
    can: "plain",
  },
  { id: "ours-node", title: "ours, Node", server: "broomio", runtime: "node" },
  {
    id: "net-node",
    title: "node:net callbacks, Node",
    server: "node-net",
    runtime: "node",
    bar: 1.1,
    pipelinedBar: 3,
    pipelined1000Bar: 6,
    tlsBar: 0.9,
    handshakeBar: 0.65,
  },
  {
    id: "effect-node",
    title: "Effect 4 sockets, Node",
    server: "effect",
    runtime: "node",
    can: "plain",
  },
];

/** Ours in the runtime of another side. */
export function oursIn(runtime: Side["runtime"]): string {
  return `ours-${runtime}`;
}

/** How the server of a side is started. `nodeScript` is the bundle of `server.ts`. */
export function launcherOf(side: Side, nodeScript: URL): Launcher {
  return side.runtime === "node"
    ? nodeRuntime("node", nodeScript)
    : sameRuntime(new URL("./server.ts", import.meta.url));
}

/** The bar that ours must reach against `side` in `row`. */
export function barOf(side: Side, row: NetRow): number | undefined {
  if (row.service === "tls-once") return side.handshakeBar;
  if (isSecure(row.service)) return side.tlsBar;
  if (row.pipelined === 1) return side.bar;
  return (row.connections === 1000 ? side.pipelined1000Bar : undefined) ?? side.pipelinedBar;
}

/** Whether a side has a server for a row. */
export function canServe(side: Side, row: NetRow): boolean {
  if (side.only !== undefined && side.only !== row.service) return false;
  return side.can === undefined || (side.can === "tls") === isSecure(row.service);
}

const kinds = [
  { id: "http", title: "HTTP-shaped", service: "http", pipelined: 1, size: 0 },
  { id: "pipelined", title: "16 pipelined", service: "http", pipelined: 16, size: 0 },
  { id: "echo1k", title: "echo 1 KiB", service: "echo", pipelined: 1, size: 1024 },
  { id: "echo64k", title: "echo 64 KiB", service: "echo", pipelined: 1, size: 65536 },
] as const;

/** Over TLS: connections that stay open, and one for each request. */
const secured = [
  { id: "tls-http", title: "TLS, HTTP-shaped", service: "tls-http", pipelined: 1, size: 0 },
  { id: "tls-echo1k", title: "TLS, echo 1 KiB", service: "tls-echo", pipelined: 1, size: 1024 },
  { id: "tls-echo64k", title: "TLS, echo 64 KiB", service: "tls-echo", pipelined: 1, size: 65536 },
  { id: "tls-handshake", title: "TLS, handshakes", service: "tls-once", pipelined: 1, size: 0 },
] as const;

/** Every load, at 1, 64 and 1,000 connections; over TLS at 64. */
export const netRows: readonly NetRow[] = [...kinds, ...secured].flatMap((kind) =>
  (isSecure(kind.service) ? [64] : [1, 64, 1000]).map((connections) => ({
    ...kind,
    id: `${kind.id}-${connections}`,
    title: `${kind.title}, ${connections.toLocaleString("en")} connection${
      connections === 1 ? "" : "s"
    }`,
    connections,
  }))
);
