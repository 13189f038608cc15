/** signals: real ones, sent to a child process. */
import { assertEquals, assertThrows } from "@std/assert";
import { type Signal, signals } from "../../src/os/mod.ts";
import { runFile } from "./support.ts";

const program = new URL("./signals_program.ts", import.meta.url).pathname;
const run = (name: string, signal: Signal) => runFile(program, [name], { ready: [signal] });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends a server gracefully: its cleanup runs, and the process exits with 0`, async () => {
    const { lines, code } = await run("graceful", signal);
    assertEquals(lines, ["ready", `got ${signal}`, "closed", "done"]);
    assertEquals(code, 0);
  });
}

Deno.test("every task that waits for a signal gets it, a name given twice counts once", async () => {
  const { lines, code } = await run("twice", "SIGUSR2");
  assertEquals([...lines].sort(), ["done", "first SIGUSR2", "ready", "second SIGUSR2"]);
  assertEquals(code, 0);
});

Deno.test("R18: a wait that was cancelled has stopped listening: the signal does what it does by default", async () => {
  const { lines, signal } = await run("givesUp", "SIGTERM");
  assertEquals(lines, ["ready"]);
  assertEquals(signal, "SIGTERM");
});

Deno.test("signals() without a name is a TypeError that shows one; a name that is no signal's is refused at the call", () => {
  assertThrows(() => signals(), TypeError, 'signals() wants a name, as in signals("SIGTERM")');
  assertThrows(() => signals("SIGNOPE" as Signal), RangeError, 'got "SIGNOPE" (signals())');
  assertThrows(() => signals("SIGINT", 2 as never), TypeError, "got 2 (signals())");
});
