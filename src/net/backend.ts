/**
 * Which network a loop uses: the runtime's own, found once, or one that was given to the loop.
 *
 * Must never know: what a network does.
 */
import type { Loop } from "../loop.ts";
import type { Network } from "./network.ts";
import { denoNetwork } from "./deno/network.ts";
import { nodeNetwork } from "./node/network.ts";
import { nodeUdp } from "./node/udp.ts";

const given = new WeakMap<Loop, Network>();
let found: Network | undefined;

/**
 * Has the sockets of a loop use `network` instead of the runtime's: one in memory, for tests; a simulated one; or, on Deno, Node's.
 * Sockets that are open stay where they are.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { runtimeNetwork, useNetwork } from "jsr:@broomio/core/net";
 *
 * const loop = new Loop();
 * useNetwork(loop, runtimeNetwork());
 * ```
 */
export function useNetwork(loop: Loop, network: Network): void {
  given.set(loop, network);
}

/** The network of a loop. */
export function networkOf(loop: Loop): Network {
  return given.get(loop) ?? runtimeNetwork();
}

/**
 * The network of this runtime.
 *
 * @throws {Error} If it is neither Deno nor Node nor Bun.
 * @example
 * ```ts
 * import { runtimeNetwork } from "jsr:@broomio/core/net";
 *
 * console.log(typeof runtimeNetwork().connectTcp); // function
 * ```
 */
export function runtimeNetwork(): Network {
  if (found === undefined) {
    found = denoNetwork() ?? nodeNetwork();
    if (found === undefined) throw new Error("Sockets need Deno, Node or Bun");
    found.bindUdp ??= nodeUdp(); // Deno's own is behind a flag
  }
  return found;
}
