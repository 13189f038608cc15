/**
 * The sides of the comparison, and the bars of DESIGN section 6: what ours, in the same runtime, must reach against each.
 */

import { type Launcher, nodeRuntime, sameRuntime } from "../runtime.ts";
import type { NetRow } from "./load.ts";
import type { Service } from "./wire.ts";

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
  },
  {
    id: "then-deno",
    title: "promise chains on Deno.listen",
    server: "deno-then",
    runtime: "deno",
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
  { id: "effect-deno", title: "Effect 4 sockets, Deno", server: "effect", runtime: "deno" },
  { id: "ours-node", title: "ours, Node", server: "broomio", runtime: "node" },
  {
    id: "net-node",
    title: "node:net callbacks, Node",
    server: "node-net",
    runtime: "node",
    bar: 1.1,
    pipelinedBar: 3,
  },
  { id: "effect-node", title: "Effect 4 sockets, Node", server: "effect", runtime: "node" },
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
  return row.pipelined > 1 ? side.pipelinedBar : side.bar;
}

const kinds = [
  { id: "http", title: "HTTP-shaped", service: "http", pipelined: 1, size: 0 },
  { id: "pipelined", title: "16 pipelined", service: "http", pipelined: 16, size: 0 },
  { id: "echo1k", title: "echo 1 KiB", service: "echo", pipelined: 1, size: 1024 },
  { id: "echo64k", title: "echo 64 KiB", service: "echo", pipelined: 1, size: 65536 },
] as const;

/** Every load, at 1, 64 and 1,000 connections. */
export const netRows: readonly NetRow[] = kinds.flatMap((kind) =>
  [1, 64, 1000].map((connections) => ({
    ...kind,
    id: `${kind.id}-${connections}`,
    title: `${kind.title}, ${connections.toLocaleString("en")} connection${
      connections === 1 ? "" : "s"
    }`,
    connections,
  }))
);
