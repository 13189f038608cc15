/**
 * Pools in programs that may do little: the error says which flag is missing, and nothing hangs.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";

const src = new URL("../../src/", import.meta.url).pathname;
const program = new URL("./permissions_program.ts", import.meta.url).pathname;

/** What the program prints, run with these flags. */
async function run(kind: "threads" | "processes", flags: readonly string[]): Promise<string> {
  const { stdout, code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--quiet", ...flags, program, kind],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(30_000),
  }).output();
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout).trim();
}

const cases: [kind: "threads" | "processes", flags: string[], answer: string][] = [
  ["threads", ["--allow-read"], "3"],
  ["threads", [], "run again with the --allow-read flag"],
  ["threads", ["--allow-all", "--deny-read"], "run again with the --allow-read flag"],
  ["threads", [`--allow-read=${src}`], "run again with the --allow-read flag"], // for the module
  ["processes", ["--allow-run", "--allow-env"], "3"],
  ["processes", ["--allow-env"], "run again with the --allow-run flag"],
  ["processes", ["--allow-run"], "run again with the --allow-env flag"],
  ["processes", ["--allow-all", "--deny-run"], "run again with the --allow-run flag"],
];
for (const [kind, flags, answer] of cases) {
  Deno.test(`permissions: ${kind} with ${flags.join(" ").replace(src, "src") || "none"}`, async () => {
    assertStringIncludes(await run(kind, flags), answer);
  });
}
