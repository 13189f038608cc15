/** Processes on Deno with few permissions: the flag that is missing is named, and what can be done is done. */
import { assertEquals, assertMatch } from "@std/assert";
import { runProcess } from "../../src/os/mod.ts";
import { run } from "./support.ts";

const program = new URL("./permissions_program.ts", import.meta.url).pathname;

async function lines(name: string, ...permissions: string[]): Promise<string[]> {
  const args = ["run", "--no-check", "--quiet", "--no-prompt", ...permissions, program, name];
  const { stdout } = await run(runProcess(Deno.execPath(), args));
  return stdout.trimEnd().split("\n");
}

Deno.test("R51: without the permission to run a command it is EACCES, and the flag is named", async () => {
  const [code, message] = await lines("start");
  assertEquals(code, "EACCES");
  assertMatch(message, /--allow-run/);
  assertEquals(await lines("start", "--allow-run"), ["started"]);
});

Deno.test("R49: without the permission to signal groups, the process is ended alone, with one warning", async () => {
  const [warning, ...rest] = await lines("group", "--allow-run=sleep");
  assertMatch(warning, /^Processes are ended without their children: .*--allow-run/);
  assertEquals(rest, ["SIGTERM", "SIGTERM"]);
  assertEquals(await lines("group", "--allow-run"), ["SIGTERM", "SIGTERM"]);
});

Deno.test("R49: with --allow-run alone, zombies in a group cost no more than the grace", async () => {
  assertEquals(await lines("grandchild", "--allow-run"), ["3", "true"]);
});
