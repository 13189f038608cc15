/** R41, R43: a program with a portal that stays open, on Deno and, bundled, on Node: it ends by itself. */
import { assert, assertEquals } from "@std/assert";

const file = new URL("../../scripts/npm/programs/portal.ts", import.meta.url);
const expected = Deno.readTextFileSync(file).match(/\/\* Output:\n([^]*)\*\//)![1];

/** Runs a command with an input; ends it after 20 s. */
async function run(command: string, args: string[], input?: Uint8Array<ArrayBuffer>) {
  const child = new Deno.Command(command, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const writer = child.stdin.getWriter();
  if (input !== undefined) await writer.write(input);
  await writer.close();
  const { stdout, success, signal } = await child.output();
  clearTimeout(timer);
  assert(
    signal !== "SIGKILL",
    `it still runs after 20 s, and printed ${new TextDecoder().decode(stdout)}`,
  );
  assert(success);
  return stdout;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("R43: on Deno an idle portal keeps no process alive", async () => {
  const stdout = await run(Deno.execPath(), ["run", "--allow-all", "--no-check", file.pathname]);
  assertEquals(text(stdout), expected);
});

Deno.test("R43: on Node an idle portal keeps no process alive", async () => {
  const bundle = await run(Deno.execPath(), ["bundle", "--quiet", file.pathname]);
  const stdout = await run("node", ["--input-type=module", "-"], bundle as Uint8Array<ArrayBuffer>);
  assertEquals(text(stdout), expected);
});
