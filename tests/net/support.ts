/**
 * What tests of sockets share: paths, and loops on Node's network.
 */
import { Loop, type LoopOptions } from "jsr:@broomio/core";
import { useNetwork } from "../../src/net/mod.ts";
import { nodeNetwork } from "../../src/net/node.ts";

let count = 0;

/** A path for a Unix socket that nobody else uses. */
export function newPath(): string {
  return `${Deno.env.get("TMPDIR") ?? "/tmp"}/broomio-${Deno.pid}-${count++}.sock`;
}

/** A loop whose sockets are those of `node:net`, which Deno has too. */
export function nodeLoop(options?: LoopOptions): Loop {
  const loop = new Loop(options);
  useNetwork(loop, nodeNetwork()!);
  return loop;
}
