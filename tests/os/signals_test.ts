/** signals: real ones, sent to a child process. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Signal, signals } from "../../src/os/mod.ts";

/**
 * Runs the program, sends the signal once it says "ready", and gives what it printed and how it
 * ended.
 */
async function run(
  what: string,
  signal: Deno.Signal,
): Promise<{ lines: string[]; status: Deno.CommandStatus }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--quiet",
      new URL("./signals_program.ts", import.meta.url).pathname,
      what,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const killer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  let text = "";
  let sent = false;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!sent && text.includes("ready\n")) {
      sent = true;
      await new Promise((resolve) => setTimeout(resolve, 30));
      child.kill(signal);
    }
  }
  const status = await child.status;
  clearTimeout(killer);
  return { lines: text.trimEnd().split("\n"), status };
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends a server gracefully: its cleanup runs, and the process exits with 0`, async () => {
    const { lines, status } = await run("graceful", signal);
    assertEquals(lines, ["ready", `got ${signal}`, "closed", "done"]);
    assertEquals(status.code, 0);
  });
}

Deno.test("every task that waits for a signal gets it, a name given twice counts once", async () => {
  const { lines, status } = await run("twice", "SIGUSR1");
  assertEquals(lines.sort(), ["done", "first SIGUSR1", "ready", "second SIGUSR1"]);
  assertEquals(status.code, 0);
});

Deno.test("R18: a wait that was cancelled has stopped listening: the signal does what it does by default", async () => {
  const { lines, status } = await run("givesUp", "SIGTERM");
  assertEquals(lines, ["ready"]);
  assertEquals(status.signal, "SIGTERM");
});

Deno.test("signals() without a name is a TypeError that shows one; a name the system does not know is one at the wait", async () => {
  assertThrows(() => signals(), TypeError, 'signals() wants a name, as in signals("SIGTERM")');
  const { Loop } = await import("../../mod.ts");
  const error: Error = await new Loop().run(signals("SIGNOPE" as Signal)).then(
    () => new Error("none"),
    (e) => e,
  );
  assertMatch(String(error), /TypeError: .*SIGNOPE/);
});
