/**
 * backend: which network a loop uses, the runtime's own, found once, or one that was given to the
 * loop.
 *
 * Independent of: what a network does.
 */
import type { Loop } from "../loop.ts";
import type { Network } from "./network.ts";
import { denoNetwork } from "./deno/network.ts";
import { denoUdpPermissions } from "./deno/udp.ts";
import { nodeNetwork } from "./node/network.ts";
import { nodeUdp } from "./node/udp.ts";

const given = new WeakMap<Loop, Network>();
let found: Network | undefined;

/**
 * Has the sockets of a loop use `network` instead of the runtime's: one in memory, for tests; a
 * simulated one; or, on Deno, Node's. Sockets that are open stay where they are.
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

/** Options of {@linkcode runtimeNetwork}. */
export interface RuntimeNetworkOptions {
  /**
   * Whether undocumented internals of the runtime are used where they are as expected: on Deno the
   * operations under `conn.read` and `conn.write`, on Node the handle of an accepted socket. They
   * make small requests cheaper and change nothing else. On by default.
   */
  internals?: boolean;
}

/**
 * The network of this runtime.
 *
 * @throws {Error} If it is neither Deno nor Node nor Bun.
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { runtimeNetwork, useNetwork } from "jsr:@broomio/core/net";
 *
 * const loop = new Loop();
 * useNetwork(loop, runtimeNetwork({ internals: false })); // documented API alone
 * ```
 */
export function runtimeNetwork(options: RuntimeNetworkOptions = {}): Network {
  if (options.internals === false) return findNetwork(false);
  return found ??= findNetwork(true);
}

function findNetwork(internals: boolean): Network {
  const network = denoNetwork({ internals }) ?? nodeNetwork({ internals });
  if (network === undefined) throw new Error("Sockets need Deno, Node or Bun");
  network.bindUdp ??= nodeUdp(denoUdpPermissions()); // Deno's own needs a flag
  return network;
}
