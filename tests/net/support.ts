/**
 * What tests of sockets share: paths, and loops on Node's network.
 */
import { type Coroutine, Loop, type LoopOptions, until } from "jsr:@broomio/core";
import { runtimeNetwork, useNetwork } from "../../src/net/mod.ts";
import { codeOf } from "../../src/bytes/error_code.ts";
import { nodeNetwork } from "../../src/net/node/network.ts";
import { FaultNetwork } from "../support/fault_network.ts";

let count = 0;

/** A path for a Unix socket that nobody else uses. */
export function newPath(): string {
  return `${Deno.env.get("TMPDIR") ?? "/tmp"}/broomio-${Deno.pid}-${count++}.sock`;
}

/** A loop whose sockets are those of `node:net`, which Deno has too. */
export function nodeLoop(options?: LoopOptions, { internals = true } = {}): Loop {
  const loop = new Loop(options);
  useNetwork(loop, nodeNetwork({ internals })!);
  return loop;
}

const { versions } = (globalThis as unknown as {
  process: { versions: { deno?: string; bun?: string } };
}).process;

/** Whether this is Node itself. */
export const isNode: boolean = versions.deno === undefined && versions.bun === undefined;

/** A loop whose network is not known to be the runtime's: TLS then sits on a Duplex. */
function coveredLoop(): Loop {
  const loop = new Loop();
  useNetwork(loop, new FaultNetwork(runtimeNetwork(), () => null, codeOf));
  return loop;
}

/**
 * Loops on which TLS takes each of its ways to a connection. In Node those are its socket, with and
 * without undocumented internals, and a Duplex; elsewhere there is the Duplex alone.
 */
export const tlsLoops: readonly (readonly [name: string, makeLoop: () => Loop])[] = isNode
  ? [
    ["TLS", () => new Loop()],
    ["TLS without internals", () => nodeLoop({}, { internals: false })],
    ["TLS on a Duplex", coveredLoop],
  ]
  : [["TLS", () => new Loop()], ["TLS on node:net", nodeLoop]];

/** Runs a script in a Deno of its own and gives what it printed. */
export function* runScript(
  script: string,
  { flags = ["-A"], limit }: { flags?: string[]; limit?: number } = {},
): Coroutine<{ code: number; stdout: string; stderr: string }> {
  const args = ["run", "--quiet", "--no-check", "--no-prompt", ...flags, "-"];
  const command = limit === undefined
    ? new Deno.Command(Deno.execPath(), options(args))
    : new Deno.Command(
      "sh",
      options(["-c", `ulimit -n ${limit} && exec "$@"`, "sh", Deno.execPath(), ...args]),
    );
  const process = command.spawn();
  const writer = process.stdin.getWriter();
  yield* until(writer.write(new TextEncoder().encode(script)));
  yield* until(writer.close());
  const { code, stdout, stderr } = yield* until(process.output());
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

function options(args: string[]): Deno.CommandOptions {
  return { args, stdin: "piped", stdout: "piped", stderr: "piped", env: { NO_COLOR: "1" } };
}

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
