/** dumpOnSignal: a program that hangs is asked from outside, on whichever runtime this is. */
import { assertEquals, assertLess, assertMatch, assertThrows } from "@std/assert";
import { Loop } from "../../mod.ts";
import { dumpOnSignal } from "../../src/trace/mod.ts";
import { runFile } from "../os/support.ts";

const program = new URL("./dump_program.ts", import.meta.url).pathname;

Deno.test("R59: a program that hangs prints the tree at SIGUSR2, and goes on", async () => {
  const { lines, errors, code } = await runFile(program, ["hangs"], {
    hangs: ["SIGUSR2"],
    asked: ["SIGUSR2"],
  });
  assertEquals([lines, code], [["hangs", "asked", "ends"], 0]);
  const dumps = errors.split("broomio: the tasks at SIGUSR2:\n").slice(1);
  assertEquals(dumps.length, 2);
  for (const dump of dumps) {
    assertMatch(
      dump,
      /^ {2}main: waiting for a promise, for [\d.]+ m?s\n +at .*dump_program\.\w+:\d+/,
    );
    assertMatch(dump, /\n {4}waits for nobody: waiting for event "never", for [\d.]+ m?s\n/);
  }
  // It sleeps for 50 ms before each signal: the second tree is of a later moment.
  const seconds = dumps.map((dump) => {
    const [, number, unit] = /promise, for ([\d.]+) (m?s)/.exec(dump)!;
    return unit === "s" ? Number(number) : Number(number) / 1000;
  });
  assertLess(seconds[0], seconds[1]);
});

Deno.test("R59: listening for the signal keeps no program alive", async () => {
  const { lines, errors, code, seconds } = await runFile(program, ["ends"]);
  assertEquals([lines, errors, code], [["ends"], "", 0]);
  assertLess(seconds, 20);
});

Deno.test("R59: what is not valid is refused where it is given", () => {
  const loop = new Loop();
  assertThrows(() => dumpOnSignal({} as Loop), TypeError, "a loop");
  assertThrows(() => dumpOnSignal(loop, { signl: "x" } as never), TypeError, '"signal"');
  assertThrows(() => dumpOnSignal(loop, { print: 5 as never }), TypeError, "print");
  using _ = dumpOnSignal(loop, { print: () => {} });
});
