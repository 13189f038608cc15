/** dumpOnSignal: a program that hangs is asked from outside. */
import { assertMatch, assertThrows } from "@std/assert";
import { Loop } from "../../mod.ts";
import { dumpOnSignal } from "../../src/trace/mod.ts";

Deno.test("R59: a program that hangs prints the tree at SIGUSR2, and goes on", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "-A",
      new URL("./dump_program.ts", import.meta.url).pathname,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = child.stdout.getReader();
  const stderr = child.stderr.getReader();
  try {
    await stdout.read(); // "hangs"
    for (let i = 0; i < 2; i++) {
      child.kill("SIGUSR2");
      let text = "";
      while (!text.includes("waits for nobody")) {
        const { value } = await stderr.read();
        text += new TextDecoder().decode(value);
      }
      assertMatch(text, /the tasks at SIGUSR2:\n/);
    }
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await stdout.cancel();
    await stderr.cancel();
  }
});

Deno.test("R59: what is not valid is refused where it is given", () => {
  const loop = new Loop();
  assertThrows(() => dumpOnSignal({} as Loop), TypeError, "a loop");
  assertThrows(() => dumpOnSignal(loop, { signl: "x" } as never), TypeError, '"signal"');
  assertThrows(() => dumpOnSignal(loop, { print: 5 as never }), TypeError, "print");
  using _ = dumpOnSignal(loop, { print: () => {} });
});
