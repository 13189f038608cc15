/** What an exploration that takes long says on a terminal. */
import { assertEquals } from "@std/assert";
import { settingsOf } from "../../src/testing/explore/options.ts";
import { Progress } from "../../src/testing/explore/progress.ts";

function terminalOf(columns: number) {
  const written: string[] = [];
  return { written, columns, write: (text: string) => void written.push(text) };
}

Deno.test("R53: progress is one line, from a second on, four times a second, and gone at the end", () => {
  const terminal = terminalOf(80);
  const progress = new Progress(settingsOf({}), terminal);
  progress.schedules(50, 0.9, "fifo");
  progress.schedules(60, 1.1, "fifo");
  progress.schedules(70, 1.2, "fifo");
  progress.schedules(800, 1.4, "mixed (pct)");
  progress.end();
  progress.end();
  assertEquals(terminal.written, [
    "\r\x1b[Kexplore: 60 of 1,000 schedules, 1 of 10 s, fifo",
    "\r\x1b[Kexplore: 800 of 1,000 schedules, 1 of 10 s, mixed (pct)",
    "\r\x1b[K",
  ]);
});

Deno.test("R53: progress leaves out limits that there are not, and fits into the line", () => {
  const terminal = terminalOf(40);
  const settings = settingsOf({ schedules: Infinity, seconds: Infinity });
  const progress = new Progress(settings, terminal);
  progress.schedules(123_456, 7.6, "uniform random walk");
  assertEquals(terminal.written, ["\r\x1b[Kexplore: 123,456 schedules, 8 s, unifor"]);
  progress.shrinking(123_457, 7.7);
  assertEquals(terminal.written[1], "\r\x1b[Kexplore: schedule 123,457 fails; lookin");
});

Deno.test("R53: a short exploration, and one without a terminal, write nothing", () => {
  const terminal = terminalOf(80);
  const progress = new Progress(settingsOf({}), terminal);
  progress.schedules(999, 0.99, "fifo");
  progress.shrinking(1000, 0.99);
  progress.end();
  assertEquals(terminal.written, []);
  const blind = new Progress(settingsOf({}), undefined);
  blind.schedules(999, 5, "fifo");
  blind.end();
});
