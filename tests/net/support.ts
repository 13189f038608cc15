/**
 * What tests of sockets share: paths, and loops on Node's network.
 */
import { type Coroutine, Loop, type LoopOptions, until } from "jsr:@broomio/core";
import { useNetwork } from "../../src/net/mod.ts";
import { nodeNetwork } from "../../src/net/node/network.ts";

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
