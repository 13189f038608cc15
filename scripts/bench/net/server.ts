/**
 * One server in one process, started by `main.ts`: `server.ts SIDE SERVICE [FOLDER]`, with the
 * certificate of a TLS server in the folder. Prints its port, and then serves until it is killed.
 */

import { readFileSync } from "node:fs";
import { commandLine, print } from "../runtime.ts";
import type { BenchIdentity, Service } from "./wire.ts";

/** Loaded when asked for: no side lives with the code of another. */
const sides: Record<
  string,
  (service: Service, identity: BenchIdentity | undefined) => Promise<number> | number
> = {
  "deno-async": async (service, tls) => (await import("./raw.ts")).denoAsync(service, tls),
  "deno-then": async (service) => (await import("./raw.ts")).denoThen(service),
  "deno-serve": async () => (await import("./raw.ts")).denoServe(),
  "node-net": async (service, tls) => (await import("./raw.ts")).nodeCallbacks(service, tls),
  broomio: async (service, tls) => (await import("./ours.ts")).broomio(service, tls),
  "deno-listen-tls": async (service, tls) => (await import("./ours.ts")).adopted(service, tls!),
  effect: async (service) => (await import("./effect.ts")).effectSocket(service),
};

const [side, service, folder] = commandLine;
const identity = folder && {
  cert: readFileSync(`${folder}/cert.pem`, "utf8"),
  key: readFileSync(`${folder}/key.pem`, "utf8"),
};
print(String(await sides[side](service as Service, identity || undefined)));
