/**
 * backend: which network a loop uses, the runtime's own, found once, or one that was given to the
 * loop.
 *
 * Independent of: what a network does.
 */
import { checkBoolean, checkFunction, checkInstance, checkObject, checkOptions } from "../check.ts";
import { Loop } from "../loop.ts";
import type { Network } from "./network.ts";
import { denoNetwork } from "./deno/network.ts";
import { denoUdpPermissions } from "./deno/udp.ts";
import { nodeNetwork } from "./node/network.ts";
import { nodeUdp } from "./node/udp.ts";

const given = new WeakMap<Loop, Network>();
let found: Network | undefined;

/** What every network has; UDP may be absent. */
const METHODS = ["listenTcp", "connectTcp", "listenUnix", "connectUnix", "removeSocket"] as const;

/**
 * Has the sockets of a loop use `network` instead of the runtime's: one in memory, for tests; a
 * simulated one; or, on Deno, Node's. Sockets that are open stay where they are.
 *
 * @throws {TypeError} If one of them is no loop or no network.
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
  checkInstance(loop, Loop, "loop");
  checkObject(network, "network");
  for (const name of METHODS) checkFunction(network[name], `network.${name}`);
  given.set(loop, network);
}

/** The network of a loop. */
export function networkOf(loop: Loop): Network {
  return given.get(loop) ?? runtimeNetwork();
}

/**
 * Options of {@linkcode runtimeNetwork}.
 *
 * @example
 * ```ts
 * import { Loop } from "jsr:@broomio/core";
 * import { runtimeNetwork, type RuntimeNetworkOptions, useNetwork } from "jsr:@broomio/core/net";
 *
 * const options: RuntimeNetworkOptions = { internals: false }; // documented API alone
 * const loop = new Loop();
 * useNetwork(loop, runtimeNetwork(options));
 * ```
 */
export interface RuntimeNetworkOptions {
  /**
   * Whether undocumented internals of the runtime are used where they are as expected: on Deno the
   * operations under `conn.read` and `conn.write`, on Node the handles of accepted and of
   * secured sockets. They make small requests cheaper and change nothing else. On by default.
   */
  internals?: boolean;
}

/**
 * The network of this runtime.
 *
 * @throws {TypeError} If an option is of the wrong kind, or not known.
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
  const { internals = true } = checkOptions(options, "runtimeNetwork", ["internals"]);
  if (!checkBoolean(internals, "internals")) return findNetwork(false);
  return found ??= findNetwork(true);
}

function findNetwork(internals: boolean): Network {
  const network = denoNetwork({ internals }) ?? nodeNetwork({ internals });
  if (network === undefined) throw new Error("Sockets need Deno, Node or Bun");
  network.bindUdp ??= nodeUdp(denoUdpPermissions()); // Deno's own needs a flag
  return network;
}
