/**
 * One server in one process, started by `main.ts`: `server.ts SIDE SERVICE`. Prints its port, and then serves until it is killed.
 */

import { commandLine, print } from "../runtime.ts";
import type { Service } from "./wire.ts";

/** Loaded when asked for: no side lives with the code of another. */
const sides: Record<string, (service: Service) => Promise<number> | number> = {
  "deno-async": async (service) => (await import("./raw.ts")).denoAsync(service),
  "deno-then": async (service) => (await import("./raw.ts")).denoThen(service),
  "deno-serve": async () => (await import("./raw.ts")).denoServe(),
  "node-net": async (service) => (await import("./raw.ts")).nodeCallbacks(service),
  broomio: async (service) => (await import("./ours.ts")).broomio(service),
  effect: async (service) => (await import("./effect.ts")).effectSocket(service),
};

const [side, service] = commandLine;
print(String(await sides[side](service as Service)));
